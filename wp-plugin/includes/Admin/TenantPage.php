<?php
/**
 * The screen "Add tenant", which also edits one, and asks before one is deleted (DeletePage prints that question).
 *
 * A form that was refused is shown again with what was typed, except secrets: they are never sent to the browser. The rows about the CRM
 * are in ConnectionRows.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\Tenant;
use TenantCRM\Tenants;
use TenantCRM\Tokens\ConnectPanel;
use TenantCRM\Tokens\TokenStore;
use TenantCRM\Webhooks\Panel;

final class TenantPage {

	const NONCE = 'tenant-crm-save';

	/** @var TenantForm|null */
	private static $form = null;

	/** Before any output: saves a posted form and leaves, or keeps its errors for render(). */
	public static function load(): void {
		$tenant = self::asked_for();
		if ( false === $tenant ) {
			wp_safe_redirect( Screens::url( Screens::OVERVIEW, array( Notices::QUERY => 'unknown' ) ) );
			exit;
		}
		if ( $tenant ) {
			// WordPress takes the title from the menu, which only knows "Add tenant".
			add_filter( 'admin_title', static fn( $title ) => str_replace( __( 'Add tenant', 'tenant-crm-sync' ), self::title( $tenant ), $title ) );
		}
		self::help();
		try {
			self::$form = new TenantForm( $tenant );
		} catch ( \TenantCRMSync\Exception $error ) {
			// A connector of the site's own that cannot be used: its words name the file and the place.
			$words = $error->getMessage();
			add_action( 'admin_notices', static fn() => Notices::show( 'error', $words, false ) );
			return;
		}
		wp_enqueue_script( 'tenant-crm-sync-tenant', Screens::asset( 'tenant.js' ), array(), Screens::version( 'tenant.js' ), true );
		if ( 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			if ( $tenant && isset( $_POST[ ConnectionRows::TEST ] ) ) {
				ConnectionRows::run_test( $tenant );
				return;
			}
			if ( $tenant && isset( $_POST[ PreviewPanel::NAME ] ) ) {
				PreviewPanel::run( $tenant );
				return;
			}
			if ( $tenant && isset( $_POST[ Panel::ACTION ] ) ) {
				Panel::act( $tenant );
				return;
			}
			check_admin_referer( self::NONCE );
			if ( ! current_user_can( Capabilities::MANAGE ) ) {
				wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
			}
			self::save( self::$form, wp_unslash( $_POST ) ); // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- the form checks each field.
		}
	}

	public static function render(): void {
		$form = self::$form;
		if ( null === $form ) {
			return;
		}
		if ( $form->tenant && self::is_delete() ) {
			DeletePage::render( $form->tenant );
			return;
		}
		echo '<div class="wrap tcs-wrap tcs-form">';
		printf( '<h1>%s</h1>', esc_html( $form->tenant ? self::title( $form->tenant ) : __( 'Add tenant', 'tenant-crm-sync' ) ) );
		self::errors( $form );
		if ( $form->connection->is_choice ) {
			/* translators: %s: name of a CRM */
			Notices::show( 'info', sprintf( __( 'Not saved yet: fill in what %s asks for.', 'tenant-crm-sync' ), $form->connection->about()['title'] ), false );
		}
		printf( '<form method="post" action="%s">', esc_url( self::action( $form->tenant ) ) );
		wp_nonce_field( self::NONCE );
		echo '<h2 class="title">' . esc_html__( 'Connection', 'tenant-crm-sync' ) . '</h2><table class="form-table" role="presentation">';
		self::names( $form );
		self::connection( $form );
		echo '</table><h2 class="title">' . esc_html__( 'Syncing', 'tenant-crm-sync' ) . '</h2><table class="form-table" role="presentation">';
		self::syncing( $form );
		echo '</table>';
		submit_button( $form->tenant ? __( 'Save changes', 'tenant-crm-sync' ) : __( 'Add tenant', 'tenant-crm-sync' ) );
		echo '</form>';
		if ( $form->tenant && ! $form->connection->is_choice ) {
			ConnectPanel::render( $form->tenant );
			ConnectionRows::test( $form->tenant );
			PreviewPanel::render( $form->tenant );
			Panel::render( $form->tenant );
		}
		if ( $form->tenant && ! $form->is_foreign() ) {
			printf(
				'<p><a class="button-link-delete" href="%s">%s</a></p>',
				esc_url( Screens::url( Screens::TENANT, array( 'tenant' => $form->tenant->key, 'delete' => 1 ) ) ),
				esc_html__( 'Delete this tenant…', 'tenant-crm-sync' )
			);
		}
		echo '</div>';
	}

	private static function save( TenantForm $form, array $post ): void {
		$form->fill( $post );
		if ( $form->errors || $form->connection->is_choice ) {
			return;
		}
		try {
			$tenant = Tenants::save( $form->data() );
		} catch ( \InvalidArgumentException $error ) {
			$form->errors['all'] = $error->getMessage();
			return;
		} catch ( \TenantCRMSync\Exception $error ) {
			$form->errors['all'] = $error->getMessage();
			return;
		}
		if ( ! $form->is_foreign() && $form->connection->needs_consent() && ( new TokenStore() )->load( $tenant->id ) === null ) {
			wp_safe_redirect( Screens::url( Screens::TENANT, array( 'tenant' => $tenant->key, Notices::QUERY => 'to-connect' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing
			exit;
		}
		wp_safe_redirect( Screens::url( Screens::OVERVIEW, array( Notices::QUERY => $form->tenant ? 'saved' : 'added' ) ) );
		exit;
	}

	private static function errors( TenantForm $form ): void {
		if ( ! $form->errors ) {
			return;
		}
		$text = $form->errors['all'] ?? _n( 'Not saved: one field needs another look.', 'Not saved: some fields need another look.', count( $form->errors ), 'tenant-crm-sync' );
		printf( '<div class="notice notice-error" role="alert"><p>%s</p></div>', esc_html( $text ) );
	}

	private static function names( TenantForm $form ): void {
		if ( $form->tenant ) {
			Field::text( __( 'Id', 'tenant-crm-sync' ), $form->values['id'], __( 'The id cannot be changed: the tenant’s data key and records belong to it.', 'tenant-crm-sync' ), true );
			Field::text( __( 'Settings from', 'tenant-crm-sync' ), Words::source( $form->tenant->source ), $form->is_foreign() ? __( 'Address and key are given by the site’s code and are changed there.', 'tenant-crm-sync' ) : '', false );
		} else {
			Field::input(
				'tenant_id',
				__( 'Id', 'tenant-crm-sync' ),
				array( 'value' => $form->values['id'], 'required' => true, 'maxlength' => TenantForm::MAX_ID, 'autocomplete' => 'off', 'spellcheck' => 'false' ),
				__( 'What your portal calls this tenant, for example “acme” or a number. “Acme” and “acme” are two tenants.', 'tenant-crm-sync' ),
				$form->errors['tenant_id'] ?? ''
			);
		}
		Field::input(
			'label',
			__( 'Name', 'tenant-crm-sync' ),
			array( 'value' => $form->values['label'], 'maxlength' => 190, 'autocomplete' => 'off' ),
			__( 'For people. If you leave it empty, the id is shown.', 'tenant-crm-sync' ),
			$form->errors['label'] ?? ''
		);
	}

	private static function connection( TenantForm $form ): void {
		if ( $form->is_foreign() ) {
			Field::text( __( 'Address of the CRM', 'tenant-crm-sync' ), $form->tenant->endpoint, '', true );
			return;
		}
		ConnectionRows::render( $form->connection );
	}

	private static function syncing( TenantForm $form ): void {
		Field::select( 'interval', __( 'Sync', 'tenant-crm-sync' ), TenantForm::intervals( $form->values['interval'] ), (string) $form->values['interval'], __( 'By WP-Cron or the command line; “Sync now” works at any time.', 'tenant-crm-sync' ), $form->errors['interval'] ?? '' );
		Field::radios(
			'storage',
			__( 'Storing leads', 'tenant-crm-sync' ),
			array(
				'set'   => array( __( 'In sets (fast)', 'tenant-crm-sync' ), __( 'Hundreds of leads in one transaction. Other plugins hear of a batch by one action.', 'tenant-crm-sync' ) ),
				'hooks' => array( __( 'One by one through wp_insert_post()', 'tenant-crm-sync' ), __( 'Much slower. Only for sites whose plugins must see save_post and its kin for every lead.', 'tenant-crm-sync' ) ),
			),
			$form->values['hooks'] ? 'hooks' : 'set'
		);
		$choices = TenantForm::two_way();
		Field::select( 'direction', __( 'Direction', 'tenant-crm-sync' ), $choices['direction'], $form->values['direction'], __( 'What the portal changes, and what its forms bring, only goes to the CRM where you choose that here.', 'tenant-crm-sync' ), $form->errors['direction'] ?? '' );
		Field::select( 'policy', __( 'Where both changed a field', 'tenant-crm-sync' ), $choices['policy'], $form->values['policy'], __( 'Only for both ways. Where nobody can tell, and where a person decides, it waits under Conflicts and holds up nothing else.', 'tenant-crm-sync' ), '' );
		Field::select( 'portal_deletes', __( 'A lead goes to the bin', 'tenant-crm-sync' ), $choices['portal_deletes'], $form->values['portal_deletes'], __( 'Not where leads only come from the CRM. Many at once wait for a person in any case.', 'tenant-crm-sync' ), '' );
		if ( $form->is_foreign() ) {
			return;
		}
		Field::checkbox(
			'stable_order',
			__( 'Paging', 'tenant-crm-sync' ),
			__( 'The CRM’s order and totals stay the same while pages are read', 'tenant-crm-sync' ),
			$form->values['stable_order'],
			__( 'If you are not sure, leave this off: pages are then read one after another and no record can be missed.', 'tenant-crm-sync' )
		);
		Field::input(
			'parallel',
			__( 'Pages side by side', 'tenant-crm-sync' ),
			array( 'type' => 'number', 'class' => 'small-text', 'value' => $form->values['parallel'], 'min' => 1, 'max' => TenantForm::MAX_PARALLEL ),
			__( 'More than 1 needs the box above.', 'tenant-crm-sync' ),
			$form->errors['parallel'] ?? ''
		);
	}

	private static function help(): void {
		Screens::help(
			'tenant',
			__( 'Tenants', 'tenant-crm-sync' ),
			array(
				__( 'Each tenant has a data key of its own, kept outside of the database. It seals API keys and other secrets, so a copy of the database alone opens nothing.', 'tenant-crm-sync' ),
				__( 'Where the site’s own code defines get_tenant_crm_settings() and knows a tenant, that function gives the address and key, and this screen says so.', 'tenant-crm-sync' ),
			)
		);
	}

	/** @return Tenant|null|false Null for a new tenant, false where the one asked for does not exist. */
	private static function asked_for() {
		if ( ! isset( $_GET['tenant'] ) ) { // phpcs:ignore WordPress.Security.NonceVerification -- only chooses what is shown.
			return null;
		}
		return Tenants::get( absint( $_GET['tenant'] ) ) ?? false; // phpcs:ignore WordPress.Security.NonceVerification -- only chooses what is shown.
	}

	private static function is_delete(): bool {
		return isset( $_GET['delete'] ); // phpcs:ignore WordPress.Security.NonceVerification -- only asks the question.
	}

	private static function title( Tenant $tenant ): string {
		/* translators: %s: tenant */
		return sprintf( __( 'Edit tenant %s', 'tenant-crm-sync' ), '' === $tenant->label ? $tenant->id : $tenant->label );
	}

	private static function action( ?Tenant $tenant ): string {
		return Screens::url( Screens::TENANT, $tenant ? array( 'tenant' => $tenant->key ) : array() );
	}
}
