<?php
/**
 * Crawls the site as everybody and compares what each was shown with expected.tsv. Who asks is in lib/Visitors.php, what for in lib/Targets.php, what could
 * be seen in lib/Fixtures.php.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Crawl;

require __DIR__ . '/../wordpress/site.php';
require __DIR__ . '/../wordpress/Rows.php';
require __DIR__ . '/../fpm/Checks.php';
foreach ( array( 'Answer', 'Fixtures', 'Target', 'Targets', 'Visitors', 'Table', 'Story' ) as $class ) {
	require __DIR__ . "/lib/$class.php";
}

use TenantCRM\Tests\Fpm\Checks;

$checks   = new Checks();
$fixtures = new Fixtures();
register_shutdown_function( array( $fixtures, 'clean' ) );
$fixtures->make();
$visitors = new Visitors( rtrim( (string) getenv( 'TCS_URL' ), '/' ) );
foreach ( $fixtures->users as $name => $user ) {
	$visitors->know( $name, $user );
}
$story = new Story( $checks, $fixtures, $visitors, new Table( $argv[1], $argv[2] ) );
$story->tell();
exit( $checks->finish() );
