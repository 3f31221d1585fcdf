<?php
/** Requests to the pools of the stack's PHP-FPM: one worker a side, so that each keeps what it has learnt between requests. */

declare(strict_types=1);

namespace TenantCRM\Bench;

require_once dirname( __DIR__, 2 ) . '/fpm/FastCgi.php';

final class Fpm {

	/** Puts the script and the peers where FPM finds them. */
	public static function prepare(): void {
		$www = (string) getenv( 'TCS_WWW' );
		copy( dirname( __DIR__ ) . '/www/call.php', "$www/call.php" );
		copy( dirname( __DIR__ ) . '/sides/peers.php', "$www/peers.php" );
	}

	/**
	 * @param array<string, string> $query
	 * @return array<string, mixed>
	 */
	public static function get( string $pool, array $query ): array {
		$got = \TenantCRM\Tests\Fpm\FastCgi::get( $pool, 'call.php', $query );
		if ( ! $got['answered'] || ! is_array( $got['json'] ) ) {
			throw new \RuntimeException( "the pool $pool answered: {$got['stderr']} " . substr( $got['body'], 0, 1000 ) );
		}
		return $got['json'];
	}
}
