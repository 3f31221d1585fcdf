<?php
/**
 * Certificates that expire, are for another name or of an unknown authority, and connections that are no TLS: nothing is sent, least of all the
 * key, and the reason is said.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate( proxied: true );
	$crowd = $site->crowd( 1 );
	$words = array( 'expired' => 'expired', 'wrong name' => 'name', 'unknown authority' => 'issuer|authority', 'no TLS' => 'TLS|corrupt|InvalidContentType', 'reset' => 'connect|closed|reset|eof' );
	foreach ( $words as $mood => $word ) {
		Proxy::mood( $mood );
		$site->forget_breakers();
		// Requests of before have come to their end.
		usleep( 300000 );
		$asked = static fn(): int => count( \Sandbox::requests( 'north' ) );
		$before = $asked();
		list( $code, $said ) = Process::command( array( 'tenant', 'test', 'north' ) )->end();
		$checks->is( "$mood: it is said what is wrong", 1 === $code && 1 === preg_match( "/$word/i", $said ), $said );
		$site->touch();
		$site->click();
		list( $code, $said ) = Process::door( 'cron' )->end();
		$checks->is( "$mood: a worker goes on", 0 === $code && '{"worked":true}' === $said, $said );
		$checks->same( "$mood: and no request is sent", $before, $asked() );
		$site->fault( "times $mood" );
		Proxy::mood( 'well' );
		$site->let_time_pass();
		Process::door( 'cron' )->end();
	}
	$crowd->leave();
	return array( '~CRM API request failed for tenant ~' );
};
