<?php
/**
 * The rows of the tenant form about the connection, and the button that tests it as it is stored. What they mean is in ConnectionForm; the rows
 * about fields are in MappingRows.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;

final class ConnectionRows {

	/** Name and nonce of the test's form. */
	const TEST = 'tenant-crm-test';

	/** Transient with what the last test of a tenant said; its key follows. */
	private const LAST = 'tenant_crm_sync_tested_';

	public static function render( ConnectionForm $form ): void {
		$about = $form->about();
		printf( '<input type="hidden" name="shown" value="%s">', esc_attr( $form->choice() ) );
		Field::select( 'connector', __( 'Connector', 'tenant-crm-sync' ), ConnectionForm::connectors(), $form->connector, '', $form->errors['connector'] ?? '' );
		if ( $about['notes'] ) {
			printf(
				'<tr><th scope="row"></th><td><details class="tcs-notes"><summary>%s</summary><ul class="ul-disc"><li>%s</li></ul></details></td></tr>',
				/* translators: %s: name of a CRM */
				esc_html( sprintf( __( 'What to know about %s', 'tenant-crm-sync' ), $about['title'] ) ),
				implode( '</li><li>', array_map( 'esc_html', $about['notes'] ) )
			);
		}
		if ( count( $about['auth'] ) > 1 ) {
			Field::select( 'auth', __( 'Authorisation', 'tenant-crm-sync' ), array_map( static fn( array $method ): string => $method['title'], $about['auth'] ), $form->auth, '', '' );
		}
		printf(
			'<tr class="tcs-choose"><th scope="row"></th><td><button class="button" name="choose" value="1" id="tcs-choose" formnovalidate>%s</button></td></tr>',
			esc_html__( 'Show the fields of this choice', 'tenant-crm-sync' )
		);
		self::endpoint( $form, $about['fields']['api_endpoint'] ?? array() );
		foreach ( $form->fields() as $name => $field ) {
			self::field( $form, $name, $field );
		}
	}

	/** What the last test said, and the button for another. It tests what is stored, not what was typed. */
	public static function test( Tenant $tenant ): void {
		printf( '<h2 class="title" id="test">%s</h2>', esc_html__( 'Connection test', 'tenant-crm-sync' ) );
		$last = self::last_test( $tenant );
		if ( $last ) {
			printf(
				'<div class="notice notice-%1$s inline tcs-tested" role="status"><p>%2$s <span class="tcs-muted">%3$s</span></p></div>',
				$last['ok'] ? 'success' : 'error',
				esc_html( $last['message'] ),
				esc_html( Words::ago( $last['at'] ) )
			);
		}
		printf( '<form method="post" action="%s#test">', esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key ) ) ) );
		wp_nonce_field( self::nonce( $tenant ) );
		printf( '<p><button class="button" name="%1$s" value="1" id="tcs-test">%2$s</button> <span class="description">%3$s</span></p></form>', esc_attr( self::TEST ), esc_html__( 'Test connection', 'tenant-crm-sync' ), esc_html__( 'Asks the CRM one small thing with the connection as it is saved.', 'tenant-crm-sync' ) );
	}

	/** Tests the connection of a tenant for whoever may manage it, and keeps what came of it for the screen. */
	public static function run_test( Tenant $tenant ): void {
		check_admin_referer( self::nonce( $tenant ) );
		if ( ! Capabilities::user_may( get_current_user_id(), Capabilities::MANAGE, $tenant->id ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		self::test_now( $tenant );
	}

	public static function test_now( Tenant $tenant ): void {
		$result = $tenant->test_connection();
		set_transient(
			self::LAST . $tenant->key,
			array(
				'ok'       => $result['ok'],
				'message'  => $result['message'],
				'at'       => gmdate( 'Y-m-d H:i:s' ),
				'revision' => $tenant->revision,
			),
			DAY_IN_SECONDS
		);
	}

	/** @return array{ok: bool, message: string, at: string, revision: int}|null Null where the connection was not tested as it is stored now. */
	public static function last_test( Tenant $tenant ): ?array {
		$last = get_transient( self::LAST . $tenant->key );
		return is_array( $last ) && $last['revision'] === $tenant->revision ? $last : null;
	}

	private static function nonce( Tenant $tenant ): string {
		return self::TEST . '-' . $tenant->key;
	}

	/** @param array<string, mixed> $about */
	private static function endpoint( ConnectionForm $form, array $about ): void {
		$default = (string) ( $about['default'] ?? '' );
		$help    = 'rest' === $form->connector ? __( 'Begins with https://, without a path.', 'tenant-crm-sync' ) : (string) ( $about['help'] ?? '' );
		Field::input(
			'endpoint',
			'rest' === $form->connector ? __( 'Address of the CRM', 'tenant-crm-sync' ) : (string) ( $about['title'] ?? __( 'Address of the CRM', 'tenant-crm-sync' ) ),
			array( 'type' => 'url', 'value' => $form->endpoint, 'required' => '' === $default, 'placeholder' => '' === $default ? 'https://crm.example.com' : $default, 'autocomplete' => 'off', 'spellcheck' => 'false' ), // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			/* translators: %s: address */
			'' === $default ? $help : trim( $help . ' ' . sprintf( __( 'Leave it empty for %s.', 'tenant-crm-sync' ), $default ) ),
			$form->errors['endpoint'] ?? ''
		);
	}

	/** @param array<string, mixed> $field */
	private static function field( ConnectionForm $form, string $name, array $field ): void {
		$input = ConnectionForm::input( $name );
		$error = $form->errors[ $input ] ?? '';
		$help  = (string) $field['help'];
		if ( ! $field['secret'] ) {
			if ( null !== $field['default'] ) {
				/* translators: %s: a value */
				$help = trim( $help . ' ' . sprintf( __( 'Leave it empty for %s.', 'tenant-crm-sync' ), $field['default'] ) );
			}
			Field::input( $input, $field['title'], array( 'value' => $form->values[ $name ] ?? '', 'required' => $field['required'], 'placeholder' => (string) $field['default'], 'autocomplete' => 'off', 'spellcheck' => 'false' ), $help, $error ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			return;
		}
		$stored     = $form->has_stored( $name );
		$reference  = $form->reference( $name );
		/* translators: %s: a reference such as vault://secret/crm/acme#api_key */
		$help       = trim( $help . ' ' . ( '' !== $reference ? sprintf( __( 'Looked up in the host’s secrets manager: %s. Leave this empty to keep it.', 'tenant-crm-sync' ), $reference ) : ( $stored ? __( 'Stored, encrypted, and never shown again. Leave this empty to keep it.', 'tenant-crm-sync' ) : __( 'It is encrypted before it is stored, bound to the address that it is sent to, and never shown again.', 'tenant-crm-sync' ) ) ) );
		$attributes = array( 'required' => $field['required'] && ! $stored, 'autocomplete' => 'off', 'spellcheck' => 'false', 'data-1p-ignore' => true, 'data-lpignore' => 'true' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
		if ( str_contains( $name, 'private_key' ) ) {
			// A key in PEM has lines, which a password input would drop.
			Field::textarea( $input, $field['title'], $attributes + array( 'rows' => 4 ), '', $help, $error );
			return;
		}
		Field::input( $input, $field['title'], array( 'type' => 'password', 'value' => '' ) + $attributes, $help, $error ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
	}
}
