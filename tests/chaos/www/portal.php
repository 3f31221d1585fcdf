<?php
/**
 * What visitors, developers' code and cron have of the portal under chaos, one door for the crowd: ?do=push (a form that was sent), fetch (the
 * drop-in's call) or cron (what wp-cron does, for a shorter time). On the command line ?do is the first argument, and there are more: tenants (of
 * the JSON on standard input), click and status.
 */

$is_cli = PHP_SAPI === 'cli';
if ( $is_cli ) {
	$_SERVER['HTTP_HOST']   = (string) parse_url( (string) getenv( 'TCS_URL' ), PHP_URL_HOST ) . ':' . parse_url( (string) getenv( 'TCS_URL' ), PHP_URL_PORT );
	$_SERVER['REQUEST_URI'] = '/';
	$_GET                   = array( 'do' => $argv[1] );
}
require __DIR__ . '/wp-load.php';

use TenantCRM\Cron;
use TenantCRM\Jobs;
use TenantCRM\Tenants;
use TenantCRM\TwoWay\Changes;
use TenantCRM\TwoWay\Rules;

$commands = array(
	'tenants' => static function (): array {
		return array_map( static fn( array $data ): int => Tenants::save( $data )->key, json_decode( (string) stream_get_contents( STDIN ), true ) );
	},
	'status'  => static fn(): array => TenantCRMSync::status(),
	'click'   => static function (): array {
		$runs    = array();
		$payload = '{"full":true}' === stream_get_contents( STDIN ) ? array( 'full' => true ) : array();
		foreach ( Tenants::all() as $tenant ) {
			$runs[] = Jobs::enqueue( $tenant->key, 'pull', 'leads', Jobs::PRIORITY_CLICK, $payload );
			if ( Rules::of( $tenant, 'leads' )->is_two_way() ) {
				$runs[] = Jobs::enqueue( $tenant->key, Changes::KIND, 'leads', Jobs::PRIORITY_CLICK );
			}
		}
		return $runs;
	},
);
$doors    = array(
	'push'  => static function (): array {
		$made = tenant_crm_sync_push( $_GET['tenant'], 'leads', array( 'name' => $_GET['name'], 'email' => $_GET['email'], 'phone' => '+43 1 5550' ) );
		return is_wp_error( $made ) ? array( 'error' => $made->get_error_message() ) : array( 'post' => $made );
	},
	'fetch' => static function (): array {
		$leads = Tenants::find( $_GET['tenant'] )->client()->throw_errors( false )->fetch_leads();
		return array( 'emails' => is_array( $leads ) ? array_column( $leads, 'email' ) : false );
	},
	'cron'  => static function () use ( $is_cli ): array {
		Cron::work( 'chaos', $is_cli ? 20.0 : 2.0 );
		return array( 'worked' => true );
	},
);
$answer   = ( $doors + ( $is_cli ? $commands : array() ) )[ $_GET['do'] ]();
if ( ! $is_cli ) {
	header( 'Content-Type: application/json' );
}
echo json_encode( $answer );
