<?php
/** A connection outlives the request: 200 requests of one worker use a single one, whatever the verb. */

declare(strict_types=1);

namespace TenantCRM\Tests\Fpm;

return static function ( Checks $checks, Sandbox $sandbox ): void {
	$sandbox->tenant( 'busy', 50 );
	$before = $sandbox->connections();
	$pids   = [];
	$counts = [];
	for ( $i = 0; $i < 200; $i++ ) {
		$create = 3 === $i % 4;
		$got    = FastCgi::get( 'one', 'call.php', [ 'tenant' => 'busy', 'do' => $create ? 'create' : 'fetch', 'email' => "busy$i@example.test" ] );
		if ( $got['answered'] && is_int( $got['json']['got'] ?? null ) ) {
			$pids[ $got['json']['pid'] ]          = true;
			$counts[ $create ? 'made' : 'read' ] = 1 + ( $counts[ $create ? 'made' : 'read' ] ?? 0 );
		} else {
			$checks->is( "request $i is answered", false, $got['body'] . $got['stderr'] );
			break;
		}
	}
	$checks->same( '150 reads and 50 creates are answered', [ 'read' => 150, 'made' => 50 ], $counts );
	$checks->same( 'by one worker', 1, count( $pids ) );
	$checks->same( 'over one connection', 1, $sandbox->connections() - $before );
	$checks->same( 'each create made one lead', 50, count( array_filter( $sandbox->leads_by_email( 'busy' ), static fn( $n, $mail ) => 1 === $n && str_starts_with( (string) $mail, 'busy' ), ARRAY_FILTER_USE_BOTH ) ) );
};
