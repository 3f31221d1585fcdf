<?php
/**
 * What the screens' plain forms do, through admin-post.php: queue, cancel, try again, forget, pause, disconnect, delete. Each checks its nonce, the
 * capability and that the tenant is the user's, then goes back to where it came from. Nothing here talks to a CRM.
 */

namespace TenantCRM\Admin;

use TenantCRM\Capabilities;
use TenantCRM\DeadLetters;
use TenantCRM\Jobs;
use TenantCRM\Plugin;
use TenantCRM\Runs;
use TenantCRM\Tenant;
use TenantCRM\Tenants;

final class Actions {

	/** Action => capability. */
	const ALL = array(
		'sync'       => Capabilities::SYNC,
		'sync_all'   => Capabilities::SYNC,
		'cancel'     => Capabilities::SYNC,
		'retry'      => Capabilities::SYNC,
		'drop'       => Capabilities::SYNC,
		'pause'      => Capabilities::MANAGE,
		'resume'     => Capabilities::MANAGE,
		'disconnect' => Capabilities::MANAGE,
		'delete'     => Capabilities::MANAGE,
	);

	public static function register(): void {
		foreach ( array_keys( self::ALL ) as $action ) {
			add_action( 'admin_post_tenant_crm_' . $action, array( __CLASS__, 'handle' ) );
		}
	}

	/**
	 * The hidden fields of a form for an action.
	 *
	 * @param int    $id   A tenant's integer key, 0 for all; or the number of what failed for good.
	 * @param string $name `tenant` or `letter`.
	 */
	public static function fields( string $action, int $id, string $name = 'tenant' ): string {
		return sprintf(
			'<input type="hidden" name="action" value="tenant_crm_%1$s"><input type="hidden" name="%2$s" value="%3$d">%4$s',
			esc_attr( $action ),
			esc_attr( $name ),
			$id,
			wp_nonce_field( self::nonce( $action, $id ), '_wpnonce', true, false )
		);
	}

	public static function handle(): void {
		$action = substr( (string) current_action(), strlen( 'admin_post_tenant_crm_' ) );
		$name   = in_array( $action, array( 'retry', 'drop' ), true ) ? 'letter' : 'tenant';
		$key    = isset( $_POST[ $name ] ) ? absint( $_POST[ $name ] ) : 0;
		if ( 'POST' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) || ! isset( self::ALL[ $action ] ) ) {
			wp_die( esc_html__( 'This address only takes forms of the CRM Sync screens.', 'tenant-crm-sync' ), '', array( 'response' => 405 ) );
		}
		check_admin_referer( self::nonce( $action, $key ) );
		if ( ! current_user_can( self::ALL[ $action ] ) ) {
			wp_die( esc_html__( 'You are not allowed to do this.', 'tenant-crm-sync' ), '', array( 'response' => 403 ) );
		}
		if ( 'letter' === $name ) {
			$did = self::letter( $action, $key );
		} else {
			$did = 'sync_all' === $action ? self::sync_all() : self::one( $action, $key );
		}
		wp_safe_redirect( Screens::url( Screens::OVERVIEW, array( Notices::QUERY => $did ) ) );
		exit;
	}

	private static function one( string $action, int $key ): string {
		$tenant = Tenants::get( $key );
		if ( null === $tenant || ! Capabilities::user_may( get_current_user_id(), self::ALL[ $action ], $tenant->id ) ) {
			return 'unknown';
		}
		switch ( $action ) {
			case 'sync':
				return self::sync( $tenant );
			case 'cancel':
				$run = Runs::latest( $tenant->key );
				if ( null !== $run && ! Words::is_final( $run['state'] ) ) {
					Runs::cancel( (int) $run['id'] );
				}
				return 'cancelled';
			case 'disconnect':
				Tenants::disconnect( $tenant->key );
				return 'disconnected';
			case 'delete':
				return self::delete( $tenant );
			default:
				Tenants::pause( $tenant->key, 'pause' === $action );
				return 'pause' === $action ? 'paused' : 'resumed';
		}
	}

	private static function letter( string $action, int $id ): string {
		$letter = DeadLetters::get( $id );
		if ( null === $letter || ! DeadLetterList::may( $letter ) ) {
			return 'no-letter';
		}
		if ( 'retry' === $action ) {
			return null === DeadLetters::retry( $id ) ? 'no-letter' : 'queued';
		}
		return DeadLetters::drop( $id ) ? 'dropped' : 'no-letter';
	}

	private static function sync( Tenant $tenant ): string {
		if ( ! Plugin::is_ready() ) {
			return 'no-extension';
		}
		$obstacle = Words::obstacle( $tenant );
		if ( null !== $obstacle ) {
			return 'is-' . $obstacle;
		}
		Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK );
		return 'queued';
	}

	private static function sync_all(): string {
		if ( ! Plugin::is_ready() ) {
			return 'no-extension';
		}
		foreach ( Capabilities::visible( get_current_user_id(), Capabilities::SYNC ) as $tenant ) {
			if ( null === Words::obstacle( $tenant ) ) {
				Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK );
			}
		}
		return 'queued';
	}

	private static function delete( Tenant $tenant ): string {
		try {
			Tenants::delete( $tenant->key );
		} catch ( \Exception $error ) {
			error_log( 'tenant-crm-sync: tenant ' . $tenant->key . ' was not deleted: ' . $error->getMessage() ); // phpcs:ignore WordPress.PHP.DevelopmentFunctions
			return 'not-deleted';
		}
		return 'deleted';
	}

	private static function nonce( string $action, int $id ): string {
		return 'tenant-crm-' . $action . '-' . $id;
	}
}
