<?php
/** How long our arrays take against json_decode, for pages of two sizes. Prints; there is no floor. */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity;

use TenantCRM\Tests\Sandbox;

/** @param list<float> $times */
function median( array $times ): float {
	sort( $times );
	return $times[ intdiv( count( $times ), 2 ) ];
}

function bench( Sandbox $sandbox, int $rounds = 300 ): void {
	foreach ( [ 100, 500 ] as $count ) {
		$tenant = "bench-$count";
		$sandbox->tenant( $tenant, $tenant, [ 'paging' => 'none' ] );
		$sandbox->call( 'POST', '/seed', [ 'tenant' => $tenant, 'object' => 'leads', 'count' => $count, 'seed' => 1, 'bytes' => 410 ] );
		$http  = [ 'header' => [ "Authorization: Bearer $tenant", 'Accept: application/json' ] ];
		$body  = (string) file_get_contents( "$sandbox->plain/api/v1/leads", false, stream_context_create( [ 'http' => $http ] ) );
		$sync  = \TenantCRMSync::with_settings( $tenant, [ 'api_key' => $tenant, 'api_endpoint' => $sandbox->plain ] );
		$pull  = $sync->pull( 'leads' );
		$pull->rewind();
		$batch = $pull->current();
		$times = [ 'ours' => [], 'php' => [] ];
		for ( $round = 0; $round < $rounds; $round++ ) {
			$start           = hrtime( true );
			$rows            = $batch->rows();
			$times['ours'][] = hrtime( true ) - $start;
			$start           = hrtime( true );
			$decoded         = json_decode( $body, true );
			$times['php'][]  = hrtime( true ) - $start;
			if ( 0 === $round && $rows !== $decoded['data'] ) {
				throw new \RuntimeException( 'the arrays differ' );
			}
			unset( $rows, $decoded );
		}
		printf( "%d leads, %.0f KB: Batch::rows() %.0f us, json_decode %.0f us, ratio %.2f\n", $count, strlen( $body ) / 1000, median( $times['ours'] ) / 1000, median( $times['php'] ) / 1000, median( $times['php'] ) / median( $times['ours'] ) );
	}
}
