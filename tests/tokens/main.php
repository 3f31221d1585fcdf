<?php
/**
 * The story in order: a herd of processes; then the one that renews a token dies at each step, while the others go on.
 * What a process does is in worker.php; how tenants are made here and at the sandbox CRM is in lib/Crm.php.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Tokens;

require __DIR__ . '/../wordpress/site.php';
require __DIR__ . '/../fpm/Checks.php';
require __DIR__ . '/lib/Crm.php';
require __DIR__ . '/lib/Process.php';

use TenantCRM\Tests\Fpm\Checks;

const LEASE = 30.0;

$checks = new Checks();
$crm    = new Crm();
register_shutdown_function( array( $crm, 'remove' ) );

$checks->group( 'FAULTS A12: sixteen processes, a refresh token that is good for one use' );
$crm->tenant( 'herd', 'single_use' );
$first = Process::finish( Process::start( 'herd' ) );
$checks->same( 'the first token is got and used', 'ok', $first['outcome'] );
for ( $round = 1; $round <= 2; $round++ ) {
	$before = $crm->oauth( 'herd' );
	$crm->expire( 'herd' );
	// Time enough for all others to come while one refreshes.
	$crm->stall_tokens( 'herd', 700 );
	$crm->forget_requests();
	$at    = microtime( true ) + 2.0;
	$herd  = array_map( static fn() => Process::start( 'herd', array( 'at' => $at ) ), range( 1, 16 ) );
	$ended = array_map( array( Process::class, 'finish' ), $herd );
	$after = $crm->oauth( 'herd' );
	$checks->same( "round $round: all sixteen read their leads", array_fill( 0, 16, 'ok' ), array_column( $ended, 'outcome' ) );
	$checks->same( "round $round: one refresh", 1, $after['refreshes'] - $before['refreshes'] );
	$checks->same( "round $round: none refused", $before['refused'], $after['refused'] );
	$refused = $crm->answers( 'herd', 401 );
	$checks->is( "round $round: no storm of 401", $refused >= 1 && $refused <= 16, "$refused answers 401 to 16 processes" );
}

$checks->group( 'FAULTS A13: the process that refreshes is killed (-9) at each step' );
$cases = array(
	'before' => array( 'single_use', 'lease' ),
	'after'  => array( 'single_use', 'commit' ),
	'grace'  => array( 'grace', 'answer' ),
	'none'   => array( 'single_use', 'answer' ),
	'stall'  => array( 'grace', null ),
);
$refreshes = array();
foreach ( $cases as $tenant => list( $rotation, $step ) ) {
	$crm->tenant( $tenant, $rotation );
	$checks->same( "$tenant: connected", 'ok', Process::finish( Process::start( $tenant ) )['outcome'] );
	$crm->expire( $tenant );
	$refreshes[ $tenant ] = $crm->oauth( $tenant )['refreshes'];
}
$crm->tenant( 'bystander', 'single_use' );
$checks->same( 'bystander: connected', 'ok', Process::finish( Process::start( 'bystander' ) )['outcome'] );
// The CRM does its work at once, and answers when nobody is left to hear it.
$crm->stall_tokens( 'stall', 8000 );

$dying = array();
foreach ( $cases as $tenant => list( , $step ) ) {
	$dying[ $tenant ] = Process::start( $tenant, array( 'dies' => $step ?? 'never' ) );
}
foreach ( $cases as $tenant => list( , $step ) ) {
	$is_there = null === $step ? static fn() => $crm->oauth( $tenant )['refreshes'] > $refreshes[ $tenant ] : static fn() => $dying[ $tenant ]->has_reached_its_step();
	$checks->is( "$tenant: the process got that far", Process::wait( $is_there, 10.0 ) );
}
foreach ( $dying as $process ) {
	$process->kill();
}
$killed = microtime( true );

$crm->expire( 'bystander' );
$started   = microtime( true );
$bystander = Process::finish( Process::start( 'bystander' ) );
$checks->same( 'another tenant gets its new token meanwhile', 'ok', $bystander['outcome'] );
$checks->is( 'and does not wait', $bystander['seconds'] < 2.0, "it took {$bystander['seconds']} s" );
$after = Process::finish( Process::start( 'after' ) );
$checks->same( 'killed after the commit: the token is kept', array( 'ok', 1 ), array( $after['outcome'], $crm->oauth( 'after' )['refreshes'] - $refreshes['after'] ) );

$waiting = array_map( static fn( $tenant ) => Process::start( $tenant ), array( 'before' => 'before', 'grace' => 'grace', 'none' => 'none' ) );
foreach ( $waiting as $tenant => $process ) {
	$ended = Process::finish( $process );
	$checks->same( "$tenant: while the lease stands, others of this tenant are told to come back", 'timeout', $ended['outcome'] );
	$checks->is( "$tenant: and when", $ended['retry_after'] > 0 && $ended['retry_after'] <= LEASE, json_encode( $ended ) );
	$checks->is( "$tenant: in their own time", $ended['seconds'] < 12.0, "it took {$ended['seconds']} s" );
}
usleep( (int) max( 0, ( $killed + LEASE - microtime( true ) ) * 1e6 ) );
$ended = array_map( array( Process::class, 'finish' ), array_map( static fn( $tenant ) => Process::start( $tenant ), array( 'before' => 'before', 'grace' => 'grace', 'none' => 'none', 'stall' => 'stall' ) ) );
$checks->same( 'killed before sending: the token is kept', 'ok', $ended['before']['outcome'] );
$checks->same( 'and nothing was refused', 0, $crm->oauth( 'before' )['refused'] );
$checks->same( 'killed between, with a grace period: recovered', 'ok', $ended['grace']['outcome'] );
$checks->same( 'killed while the CRM answers, with a grace period: recovered', 'ok', $ended['stall']['outcome'] );
$checks->same( 'killed between, without: the tenant says what to do', 'credential', $ended['none']['outcome'] );
$checks->is( 'in plain words', str_contains( $ended['none']['message'], 'must be connected again' ), $ended['none']['message'] );
$checks->is( 'within one lease', microtime( true ) - $killed < LEASE + 5.0, ( microtime( true ) - $killed ) . ' s' );
$refused = $crm->oauth( 'none' )['refused'];
$again   = Process::finish( Process::start( 'none' ) );
$checks->same( 'from then on at once, without asking the CRM again', array( 'credential', $refused ), array( $again['outcome'], $crm->oauth( 'none' )['refused'] ) );
$checks->is( 'at once', $again['seconds'] < 2.0, "it took {$again['seconds']} s" );

$checks->group( 'The remedy' );
$crm->connect_again( 'none' );
$checks->same( 'a new refresh token connects the tenant again', 'ok', Process::finish( Process::start( 'none' ) )['outcome'] );
$crm->expire( 'none' );
$checks->same( 'and the next one is renewed as ever', 'ok', Process::finish( Process::start( 'none' ) )['outcome'] );

exit( $checks->finish() );
