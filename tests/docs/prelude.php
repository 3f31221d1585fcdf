<?php
/**
 * What the PHP blocks of the documents take for granted: WordPress, the tenant "acme" with its CRM, and the names that they use.
 */

require __DIR__ . '/../wordpress/site.php';

$tenant_id = 'acme';
$id        = 'acme';
$api_key   = 'key-of-acme';
$endpoint  = getenv( 'TCS_SANDBOX_URL' );
$last_sync = '2024-01-01T00:00:00Z';
$watermark = null;
if ( ! TenantCRM\Tenants::find( $id ) ) {
	TenantCRM\Tenants::save( array( 'id' => $id, 'endpoint' => $endpoint, 'api_key' => $api_key, 'settings' => array( 'direction' => 'both' ) ) );
}
$crm_sync = new TenantCRMSync( $tenant_id );

// A call that failed says so by false, which a reader would see.
register_shutdown_function(
	static function (): void {
		if ( in_array( false, array( $GLOBALS['leads'] ?? null, $GLOBALS['made'] ?? null ), true ) || array() === ( $GLOBALS['leads'] ?? null ) ) {
			echo 'The class did not get what it asked for.';
			exit( 1 );
		}
	}
);

/** The reader's own. */
function store( array $rows ): void {
	count( $rows ) > 0 || exit( 'there are no rows' );
}
