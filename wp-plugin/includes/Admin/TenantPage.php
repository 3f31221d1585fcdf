<?php
/**
 * The screen "Add tenant", which also edits one, leads a new one to its first sync, and asks before one is disconnected or deleted (LeavePage
 * prints that question). What is printed of the form is in TenantSections.
 *
 * A form that was refused is shown again with what was typed, except secrets: they are never sent to the browser.
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

	/** Name of the button that saves, and then tests the connection. */
	const AND_TEST = 'and-test';

	/** @var TenantForm|null */
	private static $form = null;

	/** @var Samples|null */
	private static $samples = null;

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
			// Nor is it where people came from.
			add_filter( 'submenu_file', static fn() => Screens::OVERVIEW );
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
		wp_enqueue_style( 'tenant-crm-sync-panels', Screens::asset( 'panels.css' ), array(), Screens::version( 'panels.css' ) );
		wp_enqueue_script( 'tenant-crm-sync-tenant', Screens::asset( 'tenant.js' ), array(), Screens::version( 'tenant.js' ), true );
		if ( 'POST' === ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			if ( $tenant && isset( $_POST[ ConnectionRows::TEST ] ) ) {
				ConnectionRows::run_test( $tenant );
				return;
			}
			if ( $tenant && isset( $_POST[ PreviewPanel::NAME ] ) ) {
				PreviewPanel::run( $tenant );
				SetupSteps::note_preview( $tenant );
				return;
			}
			if ( $tenant && isset( $_POST[ BackfillPanel::NAME ] ) ) {
				BackfillPanel::act( $tenant );
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
		$tenant = $form->tenant;
		$asked  = self::asked_to_leave();
		if ( $tenant && '' !== $asked ) {
			LeavePage::render( $tenant, $asked );
			return;
		}
		echo '<div class="wrap tcs-wrap tcs-form">';
		printf( '<h1>%s</h1>', esc_html( $tenant ? self::title( $tenant ) : __( 'Add tenant', 'tenant-crm-sync' ) ) );
		self::errors( $form );
		if ( $form->connection->is_choice ) {
			/* translators: %s: name of a CRM */
			Notices::show( 'info', sprintf( __( 'Not saved yet: fill in what %s asks for.', 'tenant-crm-sync' ), $form->connection->about()['title'] ), false );
		}
		$is_new = SetupSteps::is_open( $tenant );
		if ( $is_new ) {
			SetupSteps::render( $tenant );
		}
		if ( $tenant && ! $form->connection->is_choice ) {
			ConnectPanel::render( $tenant );
			ConnectionRows::test( $tenant );
		}
		self::form( $form );
		if ( $tenant && ! $form->connection->is_choice ) {
			echo '<div id="preview">';
			PreviewPanel::render( $tenant );
			echo '</div>';
			if ( $is_new ) {
				TenantSections::start( $tenant );
			} else {
				BackfillPanel::render( $tenant );
			}
			Panel::render( $tenant );
			MembersPanel::render( $tenant );
			TenantSections::leave( $tenant );
		}
		echo '</div>';
	}

	/** A new tenant is asked for its connection first: what its CRM has, only the CRM can tell. */
	private static function form( TenantForm $form ): void {
		printf( '<form method="post" action="%s">', esc_url( self::action( $form->tenant ) ) );
		wp_nonce_field( self::NONCE );
		TenantSections::connection( $form );
		if ( $form->tenant ) {
			TenantSections::data( $form, self::$samples );
			TenantSections::schedule( $form );
		}
		echo '<p class="submit">';
		if ( $form->tenant ) {
			printf( '<button class="button button-primary" id="submit">%s</button> ', esc_html__( 'Save changes', 'tenant-crm-sync' ) );
		}
		printf( '<button class="button%1$s" name="%2$s" value="1" id="%3$s">%4$s</button></p></form>', $form->tenant ? '' : ' button-primary', esc_attr( self::AND_TEST ), $form->tenant ? 'tcs-save-test' : 'submit', esc_html__( 'Save and test', 'tenant-crm-sync' ) );
		if ( ! $form->tenant ) {
			printf( '<p class="description">%s</p>', esc_html__( 'Then you choose what is synced and when, look at a preview, and start the first sync. Nothing is stored before that.', 'tenant-crm-sync' ) );
		}
	}

	/** @param array<string, mixed> $post Unslashed. */
	private static function save( TenantForm $form, array $post ): void {
		$form->fill( $post );
		if ( $form->tenant && isset( $post[ MappingRows::SAMPLES ] ) ) {
			$form->errors  = array();
			self::$samples = new Samples( $form->tenant );
			return;
		}
		if ( $form->errors || $form->connection->is_choice ) {
			return;
		}
		$data = $form->data();
		// What is new waits until somebody has seen its preview and starts it.
		$data['hold'] = null === $form->tenant;
		try {
			$tenant = Tenants::save( $data );
		} catch ( \InvalidArgumentException | \TenantCRMSync\Exception $error ) {
			$form->errors['all'] = $error->getMessage();
			return;
		}
		$did = $form->tenant ? 'saved' : 'added';
		if ( ! $form->is_foreign() && $form->connection->needs_consent() && ( new TokenStore() )->load( $tenant->id ) === null ) {
			$did = 'to-connect';
		} elseif ( isset( $post[ self::AND_TEST ] ) ) {
			ConnectionRows::test_now( $tenant );
		}
		wp_safe_redirect( self::action( $tenant, array( Notices::QUERY => $did ) ) );
		exit;
	}

	private static function errors( TenantForm $form ): void {
		if ( ! $form->errors ) {
			return;
		}
		$text = $form->errors['all'] ?? _n( 'Not saved: one field needs another look.', 'Not saved: some fields need another look.', count( $form->errors ), 'tenant-crm-sync' );
		printf( '<div class="notice notice-error" role="alert"><p>%s</p></div>', esc_html( $text ) );
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

	/** `delete`, `disconnect` or nothing. */
	private static function asked_to_leave(): string {
		foreach ( LeavePage::WAYS as $way ) {
			if ( isset( $_GET[ $way ] ) ) { // phpcs:ignore WordPress.Security.NonceVerification -- only asks the question.
				return $way;
			}
		}
		return '';
	}

	private static function title( Tenant $tenant ): string {
		/* translators: %s: tenant */
		return sprintf( __( 'Edit tenant %s', 'tenant-crm-sync' ), '' === $tenant->label ? $tenant->id : $tenant->label );
	}

	/** @param array<string, scalar> $args More of the address. */
	private static function action( ?Tenant $tenant, array $args = array() ): string {
		return Screens::url( Screens::TENANT, ( $tenant ? array( 'tenant' => $tenant->key ) : array() ) + $args );
	}
}
