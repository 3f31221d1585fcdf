<?php
/**
 * Webhooks in numbers: thousands of forged ones, and what a real one costs beside an empty REST request of the same site, also while a sync runs.
 */

use TenantCRM\Jobs;
use TenantCRM\Schema;
use TenantCRM\Webhooks\Addresses;
use TenantCRM\Webhooks\Endpoint;

/**
 * @group quiet
 */
final class WebhookLoadTest extends WebhookCase {

	private const FORGED = 2000;
	private const PAIRS  = 31;

	/** It is measured again where it seems too much. */
	private const ROUNDS = 3;

	/** Milliseconds that a real one may cost more; on a machine so busy that an empty request takes very long, this part of that. */
	private const MORE = 5.0;
	private const PART = 0.2;

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
		$this->assertLessThan( 1.0, $this->cost( $url, 'quiet' ) );
		Sandbox::post( '/seed', array( 'tenant' => 'acme', 'object' => 'leads', 'count' => 20000, 'seed' => 1 ) );
		// Syncs one after another, until it is ended.
		$script = 'require $argv[1]; while ( true ) { TenantCRM\Jobs::enqueue( TenantCRM\Tenants::find( "acme" )->key, "pull", "leads", 10, array( "full" => true ) ); TenantCRM\Worker::run( 60.0 ); }';
		$worker = proc_open( array( PHP_BINARY, '-d', 'memory_limit=512M', '-r', $script, '--', __DIR__ . '/site.php' ), array( 1 => array( 'file', '/dev/null', 'w' ), 2 => array( 'file', '/dev/null', 'w' ) ), $pipes );
		$pages  = fn(): int => (int) $this->sql( 'SELECT SUM(pages) FROM ' . Schema::table( 'runs' ) . " WHERE kind = 'pull'" );
		try {
			$until = microtime( true ) + 30;
			while ( 0 === $pages() && microtime( true ) < $until ) {
				usleep( 20000 );
			}
			$before = $pages();
			$this->assertLessThan( 1.0, $this->cost( $url, 'busy' ) );
			$this->assertTrue( proc_get_status( $worker )['running'] );
			$this->assertGreaterThan( $before, $pages(), 'it synced meanwhile' );
		} finally {
			posix_kill( proc_get_status( $worker )['pid'], SIGKILL );
			proc_close( $worker );
		}
	}

	/**
	 * What a webhook costs more than a request that does nothing, as a part of what it may; sent in pairs, and by the lower quartiles of both, which a machine that does other
	 * things as well changes least. The median of the pairs is told beside it.
	 */
	private function cost( string $url, string $name ): float {
		$best = INF;
		for ( $round = 0; $round < self::ROUNDS && $best >= 1.0; $round++ ) {
			list( $empty, $real ) = $this->pairs( $url, "{$name}_$round" );
			$more                 = array_map( static fn( float $one, float $other ): float => $other - $one, $empty, $real );
			$nothing              = self::part( $empty, 0.25 );
			$cost                 = self::part( $real, 0.25 ) - $nothing;
			$best                 = min( $best, $cost / max( self::MORE, self::PART * $nothing ) );
			fprintf( STDERR, "\na webhook costs %+.1f ms beside an empty REST request of %.1f ms (%s; median of pairs %+.1f ms)\n", $cost, $nothing, $name, self::part( $more, 0.5 ) );
		}
		return $best;
	}

	/** @param list<float> $values */
	private static function part( array $values, float $part ): float {
		sort( $values );
		return $values[ (int) ( $part * ( count( $values ) - 1 ) ) ];
	}

	/** @return array{0: list<float>, 1: list<float>} Milliseconds of the empty requests and of the webhooks. */
	private function pairs( string $url, string $name ): array {
		$address = rest_url( 'tenant-crm-sync/v1/sync/1' );
		$empty   = array();
		$real    = array();
		for ( $pair = 0; $pair < self::PAIRS; $pair++ ) {
			$body    = $this->body( $pair );
			$headers = $this->signed( $body, "msg_{$name}_$pair" );
			$start   = hrtime( true );
			$this->assertSame( 401, $this->send( $address, '', array(), 'GET' )[0] );
			$middle = hrtime( true );
			$this->assertSame( self::ACCEPTED, $this->send( $url, $body, $headers ) );
			$empty[] = ( $middle - $start ) / 1e6;
			$real[]  = ( hrtime( true ) - $middle ) / 1e6;
		}
		return array( $empty, $real );
	}
}
