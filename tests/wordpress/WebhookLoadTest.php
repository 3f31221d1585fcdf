<?php
/**
 * Webhooks in numbers: thousands of forged ones, and what a real one costs beside an empty REST request of the same site, also while a sync runs.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Endpoint;

final class WebhookLoadTest extends WebhookCase {

	private const FORGED = 2000;
	private const PAIRS  = 25;

	/** A machine that does other things as well makes any median large, and none small. */
	private const ROUNDS = 4;

	/** Milliseconds that a real one may cost more. */
	private const MORE = 5.0;

	public function test_a23_two_thousand_forged_ones_do_nothing(): void {
		$tenant = $this->signing( 'acme', 3 );
		$url    = Addresses::make( $tenant );
		$key    = $this->key_of( $url );
		mt_srand( 23 );
		$answers = array();
		for ( $number = 0; $number < self::FORGED; $number++ ) {
			$body    = $this->body( $number % 7 );
			$headers = $this->signed( $body, "msg_$number" );
			$to      = $key;
			$length  = null;
			switch ( $number % 8 ) {
				case 0: // one bit of the body
					$at          = mt_rand( 0, strlen( $body ) - 1 );
					$body[ $at ] = $body[ $at ] ^ chr( 1 << mt_rand( 0, 6 ) );
					break;
				case 1: // one bit of what proves it
					$name                   = array_keys( $headers )[ mt_rand( 0, 2 ) ];
					$at                     = mt_rand( 0, strlen( $headers[ $name ] ) - 1 );
					$headers[ $name ][ $at ] = $headers[ $name ][ $at ] ^ chr( 1 << mt_rand( 0, 3 ) );
					break;
				case 2: // old, or from the future
					$headers = $this->signed( $body, "msg_$number", time() + ( $number % 16 > 8 ? 1 : -1 ) * mt_rand( 400, 100000 ) );
					break;
				case 3: // another's secret
					$headers = $this->signed( $body, "msg_$number", null, 'whsec_' . base64_encode( random_bytes( 24 ) ) );
					break;
				case 4: // a part is missing
					unset( $headers[ array_keys( $headers )[ mt_rand( 0, 2 ) ] ] );
					break;
				case 5: // said to be too large, and it is not even read
					$length = mt_rand( 1048577, 1 << 40 );
					break;
				case 6: // noise
					$body    = random_bytes( mt_rand( 0, 300 ) );
					$headers = array( 'webhook-id' => bin2hex( random_bytes( 4 ) ), 'webhook-timestamp' => (string) time(), 'webhook-signature' => 'v1,' . base64_encode( random_bytes( 32 ) ) );
					break;
				default: // a key that nobody has
					$to = rtrim( strtr( base64_encode( random_bytes( 32 ) ), '+/', '-_' ), '=' );
			}
			$read      = function () use ( $body, $length ): string {
				$this->assertNull( $length, 'a body that is too large is not read' );
				return $body;
			};
			$answers[] = serialize( Endpoint::answer( $to, 'POST', $url, $headers, $length ?? strlen( $body ), $read ) );
		}
		$this->assertSame( array( serialize( self::REFUSED ) ), array_values( array_unique( $answers ) ) );
		foreach ( array( 'webhook_messages', 'webhook_records', 'jobs', 'runs', 'log', 'records' ) as $name ) {
			$this->assertSame( '0', $this->sql( 'SELECT COUNT(*) FROM ' . Schema::table( $name ) ), $name );
		}
		$this->assertSame( self::FORGED, Addresses::of( $tenant->key )['refused'] + Addresses::of( 0 )['refused'] );
	}

	public function test_a_real_one_costs_hardly_more_than_an_empty_request_also_while_a_sync_runs(): void {
		$tenant = $this->signing( 'acme', 0 );
		$url    = Addresses::make( $tenant );
		$this->assertLessThan( self::MORE, $this->cost( $url, 'quiet' ) );
		Sandbox::post( '/seed', array( 'tenant' => 'acme', 'object' => 'leads', 'count' => 40000, 'seed' => 1 ) );
		$worker = proc_open( array( PHP_BINARY, '-d', 'memory_limit=512M', '-r', 'require $argv[1]; TenantCRM\Jobs::enqueue( TenantCRM\Tenants::find( "acme" )->key, "pull", "leads", 10, array( "full" => true ) ); TenantCRM\Worker::run( 60.0 );', '--', __DIR__ . '/site.php' ), array( 1 => array( 'file', '/dev/null', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		try {
			$until = microtime( true ) + 20;
			while ( 'running' !== Jobs::state( $tenant->key, 'pull', 'leads' ) && microtime( true ) < $until ) {
				usleep( 20000 );
			}
			$this->assertLessThan( self::MORE, $this->cost( $url, 'busy' ) );
			$this->assertSame( 'running', Jobs::state( $tenant->key, 'pull', 'leads' ), 'the sync was running all the time' );
		} finally {
			posix_kill( proc_get_status( $worker )['pid'], SIGKILL );
			proc_close( $worker );
		}
	}

	/** Milliseconds that a webhook costs more than a request that does nothing: the best of some medians, if the first is not good. */
	private function cost( string $url, string $name ): float {
		$best = INF;
		for ( $round = 0; $round < self::ROUNDS && $best >= self::MORE; $round++ ) {
			$best = min( $best, $this->median( $url, "{$name}_$round" ) );
		}
		fprintf( STDERR, "\na webhook costs %+.1f ms beside an empty REST request (%s)\n", $best, $name );
		return $best;
	}

	private function median( string $url, string $name ): float {
		$empty = rest_url( 'tenant-crm-sync/v1/sync/1' );
		$more  = array();
		for ( $pair = 0; $pair < self::PAIRS; $pair++ ) {
			$body    = $this->body( $pair );
			$headers = $this->signed( $body, "msg_{$name}_$pair" );
			$start   = hrtime( true );
			$this->assertSame( 401, $this->send( $empty, '', array(), 'GET' )[0] );
			$middle = hrtime( true );
			$this->assertSame( self::ACCEPTED, $this->send( $url, $body, $headers ) );
			$more[] = ( hrtime( true ) - $middle - ( $middle - $start ) ) / 1e6;
		}
		sort( $more );
		return $more[ intdiv( self::PAIRS, 2 ) ];
	}
}
