<?php
/**
 * A tenant whose CRM has a name that never resolves, among others that work.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Chaos;

use TenantCRM\Tests\Fpm\Checks;

return static function ( Checks $checks, Site $site ): array {
	$site->populate();
	$site->add( array( 'nowhere' => array( 'url' => 'https://crm.invalid/' ) ) );
	$site->fault( 'names that nobody knows' );
	list( $code, $said ) = Process::command( array( 'tenant', 'test', 'nowhere' ) )->end();
	$checks->is( 'it is said that the name is unknown', 1 === $code && str_contains( $said, 'crm.invalid' ), $said );
	$site->click();
	list( $code, $said ) = Process::door( 'cron' )->end();
	$checks->is( 'a worker goes on with the others', 0 === $code && '{"worked":true}' === $said, $said );
	$checks->is( 'whose leads are there', $site->number( 'SELECT COUNT(*) FROM {records}' ) > 100 );
	list( $code, $said ) = Process::command( array( 'tenant', 'delete', 'nowhere', '--yes' ) )->end();
	$checks->same( 'the tenant can be deleted', 0, $code );
	unset( $site->tenants['nowhere'] );
	return array();
};
