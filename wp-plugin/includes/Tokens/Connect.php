<?php
/**
 * The way of a person's consent: to the CRM with a state that only this user's browser knows, and back with a code that the
 * extension exchanges and seals. What is shown on the screen of a tenant is in ConnectPanel.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tokens;

use TenantCRM\Admin\Notices;
use TenantCRM\Admin\Screens;
use TenantCRM\Capabilities;
use TenantCRM\Jobs;
use TenantCRM\Log;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Connect {

	/** Form action: off to the CRM. */
	public const GO = 'tenant_crm_connect';

	/** Where the CRM sends the browser back to. */
	public const BACK = 'tenant_crm_oauth';

	private const PATIENCE = 15 * MINUTE_IN_SECONDS;

	public static function register(): void {
		add_action( 'admin_post_' . self::GO, array( self::class, 'go' ) );
		add_action( 'admin_post_' . self::BACK, array( self::class, 'back' ) );
	}

	/** To be entered at the CRM as the app's redirect address. */
	public static function redirect_uri(): string {
		return admin_url( 'admin-post.php?action=' . self::BACK );
	}

	public static function nonce( int $key ): string {
		return 'tenant-crm-connect-' . $key;
	}

	/** A posted form: to the CRM. */
	public static function go(): void {
		$key = isset( $_POST['tenant'] ) ? absint( $_POST['tenant'] ) : 0;
		if ( 'POST' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) ) {
			wp_die( esc_html__( 'This address only takes forms of the CRM Sync screens.', 'tenant-crm-sync' ), '', array( 'response' => 405 ) );
		}
		check_admin_referer( self::nonce( $key ) );
		self::refuse_others();
		$tenant = self::tenant( $key );
		if ( ! $tenant ) {
			self::leave( 'unknown' );
		}
		try {
			$url = self::begin( $tenant );
		} catch ( \Exception $e ) {
			Log::add( $tenant->key, 'error', 'Connecting could not begin. ' . $e->getMessage() );
			self::leave( 'not-connected' );
		}
		// Another host, and meant: the address is the connector's.
		wp_redirect( $url ); // phpcs:ignore Generic.PHP.ForbiddenFunctions, WordPress.Security.SafeRedirect -- as said.
		exit;
	}

	/** The browser comes back from the CRM. */
	public static function back(): void { // phpcs:ignore WordPress.Security.NonceVerification -- the state is the nonce.
		self::refuse_others();
		// phpcs:disable WordPress.Security.NonceVerification -- the state is the nonce.
		$given = array();
		foreach ( array( 'state', 'code', 'error' ) as $name ) {
			$given[ $name ] = isset( $_GET[ $name ] ) && is_string( $_GET[ $name ] ) ? wp_unslash( $_GET[ $name ] ) : ''; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- compared, or sent to the CRM as it is.
		}
		// phpcs:enable
		self::leave( self::finish( $given['state'], $given['code'], $given['error'] ) );
	}

	/**
	 * Remembers a new state for this user.
	 *
	 * @return string The CRM's address for consent.
	 * @throws \Exception Where this tenant's connection has none, or its settings cannot be used.
	 */
	public static function begin( Tenant $tenant ): string {
		$state     = bin2hex( random_bytes( 32 ) );
		$verifier  = self::base64url( random_bytes( 32 ) );
		$challenge = self::base64url( hash( 'sha256', $verifier, true ) );
		$url       = $tenant->client()->authorize_url( self::redirect_uri(), $state, $challenge );
		set_transient(
			self::transient( $state ),
			array(
				'user'     => get_current_user_id(),
				'tenant'   => $tenant->key,
				'verifier' => $verifier,
			),
			self::PATIENCE
		);
		return $url;
	}

	/**
	 * Exchanges the code, if this user's browser is the one that was sent.
	 *
	 * @return string Code of the notice that tells what became of it.
	 */
	public static function finish( string $state, string $code, string $error ): string {
		$name  = self::transient( $state );
		$known = get_transient( $name );
		if ( ! is_array( $known ) || get_current_user_id() !== $known['user'] ) {
			return 'stale-consent';
		}
		// Good for one use. Two requests with one state cannot both delete it.
		if ( ! delete_transient( $name ) ) {
			return 'stale-consent';
		}
		$tenant = self::tenant( $known['tenant'] );
		if ( ! $tenant ) {
			return 'unknown';
		}
		if ( '' === $code || '' !== $error ) {
			$words = '' === $error ? 'no code' : sanitize_text_field( mb_substr( $error, 0, 100 ) );
			Log::add( $tenant->key, 'error', "The CRM sent the browser back without a consent ($words)." );
			return 'not-agreed';
		}
		try {
			$tenant->client()->exchange_code( $code, self::redirect_uri(), $known['verifier'] );
		} catch ( \Exception $e ) {
			Log::add( $tenant->key, 'error', 'Connecting failed. ' . $e->getMessage() );
			return 'not-connected';
		}
		Log::add( $tenant->key, 'info', 'The tenant was connected to its CRM.' );
		Jobs::wake( $tenant->key );
		return 'connected';
	}

	/** The tenant, if this user may manage it. */
	private static function tenant( int $key ): ?Tenant {
		$tenant = Tenants::get( $key );
		return $tenant && Capabilities::user_may( get_current_user_id(), Capabilities::MANAGE, $tenant->id ) ? $tenant : null;
	}

	private static function refuse_others(): void {
		if ( ! current_user_can( Capabilities::MANAGE ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
	}

	/** @return never */
	private static function leave( string $notice ): void {
		wp_safe_redirect( Screens::url( Screens::OVERVIEW, array( Notices::QUERY => $notice ) ) );
		exit;
	}

	/** Only its hash is stored: whoever reads the table cannot come back in the user's place. */
	private static function transient( string $state ): string {
		return 'tenant_crm_oauth_' . substr( hash( 'sha256', $state ), 0, 40 );
	}

	private static function base64url( string $bytes ): string {
		return rtrim( strtr( base64_encode( $bytes ), '+/', '-_' ), '=' ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	}
}
