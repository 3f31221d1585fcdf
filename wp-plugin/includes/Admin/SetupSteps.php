<?php
/**
 * The steps from a new tenant to its first sync, which of them are done, and which is next. Only a list of links: what a step does is on the
 * tenant's screen. It goes away with the first sync.
 */

namespace TenantCRM\Admin;

use TenantCRM\Runs;
use TenantCRM\Tenant;

final class SetupSteps {

	/** Transient: a preview of this tenant was looked at; its key follows. */
	const PREVIEWED = 'tenant_crm_sync_previewed_';

	/** Whether a tenant is still being set up: nobody has synced it yet. */
	public static function is_open( ?Tenant $tenant ): bool {
		return null === $tenant || null === Runs::latest( $tenant->key );
	}

	public static function note_preview( Tenant $tenant ): void {
		set_transient( self::PREVIEWED . $tenant->key, $tenant->revision, WEEK_IN_SECONDS );
	}

	public static function render( ?Tenant $tenant ): void {
		$next = true;
		printf( '<nav class="tcs-steps" aria-label="%s"><ol>', esc_attr__( 'Setting up', 'tenant-crm-sync' ) );
		foreach ( self::steps( $tenant ) as $anchor => list( $name, $is_done ) ) {
			$is_next = $next && ! $is_done;
			$next    = $next && $is_done;
			printf(
				'<li class="%1$s"%2$s>%3$s%4$s</li>',
				esc_attr( $is_done ? 'is-done' : ( $is_next ? 'is-next' : '' ) ),
				$is_next ? ' aria-current="step"' : '',
				$tenant ? sprintf( '<a href="#%s">%s</a>', esc_attr( $anchor ), esc_html( $name ) ) : esc_html( $name ),
				$is_done ? sprintf( '<span class="screen-reader-text"> %s</span>', esc_html__( '(done)', 'tenant-crm-sync' ) ) : ''
			);
		}
		echo '</ol></nav>';
	}

	/** @return array<string, array{0: string, 1: bool}> Anchor of the section => name, and whether it is done. */
	private static function steps( ?Tenant $tenant ): array {
		$tested = $tenant ? ConnectionRows::last_test( $tenant ) : null;
		return array(
			'connection' => array( __( 'Connection', 'tenant-crm-sync' ), null !== $tenant && $tenant->is_configured() ),
			'test'       => array( __( 'Test', 'tenant-crm-sync' ), (bool) ( $tested['ok'] ?? false ) ),
			'data'       => array( __( 'What, when, how fast', 'tenant-crm-sync' ), null !== $tenant && $tenant->revision > 0 ),
			'preview'    => array( __( 'Preview', 'tenant-crm-sync' ), null !== $tenant && false !== get_transient( self::PREVIEWED . $tenant->key ) ),
			'start'      => array( __( 'First sync', 'tenant-crm-sync' ), false ),
		);
	}
}
