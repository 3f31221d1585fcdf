<?php
/**
 * What is done inside of WordPress, each time in a new process: leads that are stored by the plugin or by the article's function, whole
 * syncs, and their parts alone. `way` says what; prints a sample.
 */

declare(strict_types=1);

namespace TenantCRM\Bench;

use TenantCRM\Jobs;
use TenantCRM\Runs;
use TenantCRM\Tenants;
use TenantCRM\Worker;

$arguments = json_decode( $argv[1], true );
if ( 'article' === $arguments['way'] ) {
	// Without the plugin: its hooks are not to slow the article's code down. WordPress takes filters that are there before it is.
	$GLOBALS['wp_filter']['pre_option_active_plugins'][10][] = [
		'function'      => static fn(): array => [],
		'accepted_args' => 0,
	];
}
require dirname( __DIR__, 2 ) . '/wordpress/site.php';
require dirname( __DIR__, 2 ) . '/wordpress/ArticleText.php';
require __DIR__ . '/sample.php';

/** The article's function by what it does, where its text is not at hand: a search by two meta values, then an insert or an update. */
function like_the_article( string $tenant, array $leads ): void {
	foreach ( $leads as $lead ) {
		$values = [
			'post_type'   => 'crm_lead',
			'post_status' => 'publish',
			'post_title'  => $lead['name'] ?? 'Unknown Lead',
			'meta_input'  => [ '_tenant_id' => $tenant, 'crm_lead_id' => $lead['id'], 'email' => $lead['email'] ?? '', 'phone' => $lead['phone'] ?? '' ],
		];
		$found  = get_posts( [ 'post_type' => 'crm_lead', 'meta_key' => 'crm_lead_id', 'meta_value' => $lead['id'], 'meta_query' => [ [ 'key' => '_tenant_id', 'value' => $tenant ] ] ] );
		if ( $found ) {
			wp_update_post( [ 'ID' => $found[0]->ID ] + $values );
		} else {
			wp_insert_post( $values );
		}
	}
}

/** @return list<array<string, mixed>> Leads as the CRM sends them: some ids from here on. */
function leads( int $from, int $count, string $phone = '' ): array {
	$leads = [];
	for ( $id = $from; $id < $from + $count; $id++ ) {
		$leads[] = [
			'id'         => $id,
			'name'       => "Zo\u{eb} O'Brien $id",
			'email'      => "lead$id@example.test",
			'phone'      => "+49 30 $id$phone",
			'company'    => 'Example & Sons',
			'status'     => 'open',
			'owner'      => 'Bob',
			'notes'      => str_repeat( 'All about this lead. ', 9 ),
			'created_at' => '2026-01-02T03:04:05Z',
			'updated_at' => '2026-02-03T04:05:06Z',
		];
	}
	return $leads;
}

/** Seconds that a callable takes, with nothing in WordPress's caches. */
function seconds( callable $work ): float {
	wp_cache_flush();
	$start = hrtime( true );
	$work();
	return ( hrtime( true ) - $start ) / 1e9;
}

function posts(): int {
	global $wpdb;
	return (int) $wpdb->get_var( "SELECT COUNT(*) FROM `$wpdb->posts` WHERE post_type = 'crm_lead'" );
}

/** The job of one run, until it is done. @return array<string, mixed> The run. */
function work( int $tenant, bool $full = false ): array {
	$run = Jobs::enqueue( $tenant, 'pull', 'leads', 10, $full ? [ 'full' => true ] : [] );
	Worker::run( 3600, $run );
	$state = Runs::get( $run );
	if ( 'done' !== $state['state'] ) {
		throw new \RuntimeException( "the sync is {$state['state']}: {$state['error']}" );
	}
	return $state;
}

/** All pages of a connection as a sync asks for them. @return list<\TenantCRMSync\Batch> */
function fetch( \TenantCRM\Tenant $tenant, bool $keep ): array {
	$pulls = \TenantCRMSync::pull_many();
	$pulls->add( 'one', $tenant->client(), 'leads', null, [ 'fields' => \TenantCRM\Fields::of( $tenant, 'leads' )->crm_fields(), 'page_size' => $tenant->page_size() ] );
	$batches = [];
	foreach ( $pulls as $batch ) {
		if ( $batch instanceof \Throwable ) {
			throw $batch;
		}
		if ( $keep ) {
			$batches[] = $batch;
		}
	}
	return $batches;
}

$tenant = 'article' === $arguments['way'] ? null : array_values( array_filter( Tenants::all(), static fn( $tenant ): bool => $tenant->id === $arguments['tenant'] ) )[0] ?? null;
$count  = $arguments['count'] ?? 0;
$sample = match ( $arguments['way'] ) {
	// A tenant of the portal, and its first sync.
	'set_up'  => ( static function () use ( $arguments ): array {
		$tenant = Tenants::save( [ 'id' => $arguments['tenant'], 'label' => 'Benchmark', 'endpoint' => $arguments['url'], 'api_key' => $arguments['key'], 'settings' => [ 'page_size' => 1000 ] ] );
		return $arguments['sync'] ? [ 'posts' => work( $tenant->key )['created'] ] : [];
	} )(),
	// The drop-in function of the plugin, with the leads as an array.
	'store'   => ( static function () use ( $arguments, $count ): array {
		$leads = leads( $arguments['from'], $count, $arguments['phone'] ?? '' );
		$had   = posts();
		$wall  = seconds( static fn() => process_crm_leads_for_tenant( $arguments['tenant'], $leads ) );
		return [ 'wall' => $wall / $count, 'made' => posts() - $had ];
	} )(),
	// The article's. Leads that are there already are taken at random.
	'article' => ( static function () use ( $arguments, $count ): array {
		register_post_type( 'crm_lead', [ 'public' => true ] );
		$function = \ArticleText::define( 'process_crm_leads_for_tenant' ) ?? __NAMESPACE__ . '\like_the_article';
		$leads    = $arguments['leads'] ?? leads( $arguments['from'], $count );
		$had      = posts();
		$wall     = seconds( static fn() => $function( $arguments['tenant'], $leads ) );
		return [ 'wall' => $wall / count( $leads ), 'made' => posts() - $had ];
	} )(),
	'resync'  => ( static function () use ( $tenant ): array {
		$state = [];
		$wall  = seconds(
			static function () use ( $tenant, &$state ): void {
				$state = work( $tenant->key, true );
			}
		);
		return [ 'wall' => $wall, 'unchanged' => (int) $state['unchanged'], 'fetched' => (int) $state['fetched'] ];
	} )(),
	'first'   => ( static function () use ( $tenant ): array {
		$state = [];
		$wall  = seconds(
			static function () use ( $tenant, &$state ): void {
				$state = work( $tenant->key );
			}
		);
		return [ 'wall' => $wall, 'created' => (int) $state['created'] ];
	} )(),
	'fetch'   => ( static function () use ( $tenant ): array {
		return [ 'wall' => seconds( static fn() => fetch( $tenant, false ) ) ];
	} )(),
	'put'     => ( static function () use ( $tenant ): array {
		$batches = fetch( $tenant, true );
		$job     = Jobs::claim( Jobs::enqueue( $tenant->key, 'pull', 'leads', 10 ) );
		$had     = posts();
		$store   = new \TenantCRM\Store( $tenant, $job, \TenantCRM\Fields::of( $tenant, 'leads' ) );
		$job->revision = $tenant->revision;
		$wall    = seconds( static fn() => array_map( [ $store, 'batch' ], $batches ) );
		Jobs::finish( $job );
		return [ 'wall' => $wall, 'created' => posts() - $had ];
	} )(),
};
echo json_encode( $sample ), "\n";
