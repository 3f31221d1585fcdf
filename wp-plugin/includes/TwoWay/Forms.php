<?php
/**
 * Binds form plugins and user accounts to tenants, by their public hooks and only where the site says so: in the tenant's setting `forms`, or
 * by the filter `tenant_crm_sync_forms`, a list of
 *
 *     array( 'source' => 'gravity', 'form' => 3, 'tenant' => 'acme', 'fields' => array( 'name' => array( '1.3', '1.6' ), 'email' => '2' ) )
 *
 * source: contact-form-7, gravity, wpforms or user. form: its id; left out, all of them. fields: field of the mapping to the form's (or
 * account's) field, or to several, whose values are joined. What is sent goes the way of tenant_crm_sync_push().
 *
 * @package TenantCRM
 */

namespace TenantCRM\TwoWay;

use TenantCRM\Log;
use TenantCRM\Tenants;

final class Forms {

	/** Of accounts, where nothing else is said. */
	private const OF_USERS = array(
		'name'  => 'display_name',
		'email' => 'user_email',
	);

	public static function register(): void {
		// Before the mail, which may fail; behind validation and the look for spam.
		add_action( 'wpcf7_before_send_mail', array( self::class, 'contact_form_7' ), 20, 3 );
		add_action( 'gform_after_submission', array( self::class, 'gravity' ), 10, 2 );
		add_action( 'wpforms_process_complete', array( self::class, 'wpforms' ), 10, 3 );
		add_action( 'user_register', array( self::class, 'user' ), 20 );
		add_action( 'profile_update', array( self::class, 'user' ), 20, 2 );
	}

	/**
	 * @param mixed $form       WPCF7_ContactForm.
	 * @param mixed $abort
	 * @param mixed $submission WPCF7_Submission.
	 */
	public static function contact_form_7( $form, $abort = null, $submission = null ): void {
		if ( ! is_object( $submission ) && class_exists( 'WPCF7_Submission' ) ) {
			$submission = \WPCF7_Submission::get_instance();
		}
		if ( true !== $abort && is_object( $form ) && is_object( $submission ) ) {
			$data = (array) $submission->get_posted_data();
			self::send( 'contact-form-7', (string) $form->id(), static fn( string $name ) => $data[ $name ] ?? null );
		}
	}

	/**
	 * @param mixed $entry
	 * @param mixed $form
	 */
	public static function gravity( $entry, $form ): void {
		if ( is_array( $entry ) && is_array( $form ) && 'spam' !== ( $entry['status'] ?? '' ) ) {
			self::send( 'gravity', (string) ( $form['id'] ?? '' ), static fn( string $name ) => $entry[ $name ] ?? null );
		}
	}

	/**
	 * @param mixed $fields
	 * @param mixed $entry
	 * @param mixed $form
	 */
	public static function wpforms( $fields, $entry, $form ): void {
		if ( is_array( $fields ) && is_array( $form ) ) {
			self::send( 'wpforms', (string) ( $form['id'] ?? '' ), static fn( string $name ) => $fields[ $name ]['value'] ?? null );
		}
	}

	/**
	 * @param mixed $user_id
	 * @param mixed $before  WP_User, as it was before a change.
	 */
	public static function user( $user_id, $before = null ): void {
		$user = get_userdata( (int) $user_id );
		if ( $user ) {
			// Whoever changes the address is still the same person.
			$old = is_object( $before ) && isset( $before->user_email ) ? (string) $before->user_email : null;
			self::send( 'user', '', static fn( string $name ) => $user->has_prop( $name ) ? $user->get( $name ) : null, $old );
		}
	}

	/** @param callable(string): mixed $value */
	private static function send( string $source, string $form, callable $value, ?string $known_by = null ): void {
		foreach ( self::bindings() as $binding ) {
			if ( $source !== ( $binding['source'] ?? null ) || ( isset( $binding['form'] ) && $form !== (string) $binding['form'] ) || ! is_scalar( $binding['tenant'] ?? null ) ) {
				continue;
			}
			$data = array();
			foreach ( (array) ( $binding['fields'] ?? ( 'user' === $source ? self::OF_USERS : array() ) ) as $field => $names ) {
				$data[ $field ] = self::joined( array_map( static fn( $name ) => is_scalar( $name ) ? $value( (string) $name ) : null, (array) $names ) );
			}
			try {
				Inlet::push( (string) $binding['tenant'], 'leads', $data, $known_by );
			} catch ( \InvalidArgumentException | \RuntimeException $e ) {
				// The visitor's form was sent all the same; the site's people read why the lead is missing.
				$tenant = Tenants::find( (string) $binding['tenant'] );
				Log::add( $tenant ? $tenant->key : 0, 'error', sprintf( 'What a form sent (%s %s) did not become a lead of tenant "%s": %s', $source, $form, $binding['tenant'], $e->getMessage() ) );
			}
		}
	}

	/** @return list<array<string, mixed>> */
	private static function bindings(): array {
		$bindings = array();
		foreach ( Rules::any() ? Tenants::all() : array() as $tenant ) {
			foreach ( (array) ( $tenant->settings['forms'] ?? array() ) as $binding ) {
				if ( is_array( $binding ) ) {
					$bindings[] = array( 'tenant' => $tenant->id ) + $binding;
				}
			}
		}
		/** @param list<array<string, mixed>> $bindings See above. */
		return array_filter( (array) apply_filters( 'tenant_crm_sync_forms', $bindings ), 'is_array' );
	}

	/**
	 * @param array<mixed> $values
	 * @return mixed
	 */
	private static function joined( array $values ) {
		$parts = array();
		foreach ( $values as $value ) {
			// Boxes that can be ticked come as lists.
			$parts[] = is_array( $value ) ? implode( ', ', array_filter( $value, 'is_scalar' ) ) : ( is_scalar( $value ) ? (string) $value : '' );
		}
		return trim( implode( ' ', array_filter( $parts, 'strlen' ) ) );
	}
}
