<?php
/**
 * A first sync of 50,000 leads as one job in one process: how long it takes, and that memory stays flat while it runs.
 *
 * Memory is what the kernel says (resident set, so the extension's own counts too) and what PHP says, after each batch. Started by
 * tests/bench/import, in a stack whose posts nobody needs: the leads stay there. Ends with 1 if memory grows or a lead is missing.
 */

namespace TenantCRM\Bench;

use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Tenants;
use TenantCRM\Worker;

require dirname( __DIR__ ) . '/wordpress/site.php';
require dirname( __DIR__ ) . '/wordpress/Sandbox.php';

const LEADS     = 50000;
const PAGE_SIZE = 500;
/** What the resident set may grow by after the first tenth of the batches. */
const GROWTH_KB = 4096;

function resident_kb(): int {
	preg_match( '/^VmRSS:\s+(\d+)/m', (string) file_get_contents( '/proc/self/status' ), $found );
	return (int) $found[1];
}

$tenant_id = 'bench-' . bin2hex( random_bytes( 4 ) );
\Sandbox::tenant( $tenant_id, LEADS );
$tenant = Tenants::save(
	array(
		'id'       => $tenant_id,
		'label'    => 'Benchmark',
		'endpoint' => getenv( 'TCS_SANDBOX_URL' ),
		'api_key'  => "key-of-$tenant_id",
		'settings' => array( 'page_size' => PAGE_SIZE ),
	)
);

$resident = array();
$php      = array();
add_action(
	'tenant_crm_sync_batch_stored',
	static function () use ( &$resident, &$php ): void {
		$resident[] = resident_kb();
		$php[]      = memory_get_usage();
	}
);

$run     = Jobs::enqueue( $tenant->key, 'pull', 'leads', 10 );
$started = hrtime( true );
Worker::run( 3600, $run );
$seconds = ( hrtime( true ) - $started ) / 1e9;
$state   = Runs::get( $run );

$settled = (int) ceil( count( $resident ) / 10 );
$growth  = $resident ? max( array_slice( $resident, $settled ) ) - $resident[ $settled - 1 ] : PHP_INT_MAX;
printf( "%d leads in one job: %.1f s, %.0f leads a second, %d batches\n", $state['created'], $seconds, $state['created'] / $seconds, count( $resident ) );
printf( "resident set: %.1f MB after batch %d, at most %.1f MB after it: %+.1f MB (limit %+.1f MB)\n", $resident[ $settled - 1 ] / 1024, $settled, max( $resident ) / 1024, $growth / 1024, GROWTH_KB / 1024 );
printf( "PHP's memory: %.2f MB after batch %d, %.2f MB after the last\n", $php[ $settled - 1 ] / 1048576, $settled, end( $php ) / 1048576 );

Tenants::delete( $tenant->key );
$failed = 'done' !== $state['state'] || LEADS !== (int) $state['created'] || $growth > GROWTH_KB;
if ( $failed ) {
	echo "MISSED: state {$state['state']}, {$state['created']} of ", LEADS, " leads. {$state['error']}\n";
}
exit( $failed ? 1 : 0 );
