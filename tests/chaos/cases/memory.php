<?php
/**
 * memory_limit at everything between too little for WordPress and enough: at each the worker either does its work, gives the rest back to the next,
 * or dies of it somewhere else, in PHP or in the extension. What is too much, lib/ballast.php takes before: WordPress raises a limit that is low.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->add(
		array(
			'wide'    => array( 'leads' => 600, 'page_size' => 200 ),
			'written' => array( 'leads' => 20, 'direction' => 'both' ),
		)
	);
	$notes = str_repeat( 'Zoë said: "no". ', 1200 );
	\Sandbox::post( '/rows', array( 'tenant' => 'wide', 'object' => 'leads', 'rows' => array_map( static fn( array $lead ): array => array( 'notes' => $notes ) + $lead, \Sandbox::leads( 'wide' ) ) ) );
	$died = 0;
	$good = 0;
	$step = IS_SHORT ? 4 << 20 : 512 << 10;
	for ( $room = 4 << 20; $room < 48 << 20; $room += $step ) {
		$site->click();
		$site->sql( 'UPDATE {jobs} SET deaths = 0' );
		\Sandbox::post( '/touch', array( 'tenant' => 'wide', 'object' => 'leads', 'count' => 300 ) );
		$ballast             = array( '-d', 'memory_limit=128M', '-d', 'auto_prepend_file=' . dirname( __DIR__ ) . '/lib/ballast.php' );
		list( $code, $said ) = Process::door( 'cron', $ballast, array( 'TCS_BALLAST' => (string) ( ( 128 << 20 ) - $room ) ) )->end();
		$is_dead             = 255 === $code && ( str_contains( $said, 'Allowed memory size' ) || str_contains( $said, 'There has been a critical error' ) );
		if ( ! $is_dead && ( 0 !== $code || ! str_ends_with( $said, '{"worked":true}' ) ) ) {
			$checks->is( "with $room bytes: a worker ends well, or by the limit", false, "$code: " . substr( $said, 0, 300 ) );
		}
		$died += (int) $is_dead;
		$good += (int) ! $is_dead;
		$is_dead && $site->fault( 'out of memory' );
		$site->let_time_pass();
	}
	$checks->is( 'some workers died of it, others did their work', $died > 2 && $good > 2, "$died died, $good not" );
	return array( '~Allowed memory size of \d+ bytes exhausted~', '~^(Stack trace:|#\d+ |  thrown in )~', '~Aborted connection~', '~PHP Notice:  Function is_(?:embed|search) was called~' );
};
