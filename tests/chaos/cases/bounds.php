<?php
/**
 * A bound on the size of files (ulimit -f) for workers of the command line, below what the file takes in which processes count together: work goes
 * on, and what is said says why.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$says  = static fn( array $within ): string => Process::door( 'status', within: $within )->end()[1];
	$small = array( 'sh', '-c', 'trap "" XFSZ; ulimit -f 100; exec "$@"', 'sh' );
	$checks->is( 'it is said that there is no room', 1 === preg_match( '/file of limits .* cannot be (?:made|used)/', $says( $small ) ), $says( $small ) );
	for ( $time = 0; $time < ( IS_SHORT ? 2 : 6 ); $time++ ) {
		$site->click();
		$site->touch();
		list( $code, $said ) = Process::door( 'cron', within: $small )->end();
		$checks->is( 'a worker without room for a file goes on', 0 === $code && '{"worked":true}' === $said, $said );
		$site->fault( 'workers without room' );
	}
	return array();
};
