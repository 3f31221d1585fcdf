<?php
/**
 * Storing leads: the article's process_crm_leads_for_tenant() against the plugin's, on one machine in one run.
 *
 * Started by tests/bench/store. SEED_ARTICLE=PATH takes the article's function out of its text; else an equivalent of it is used, written from what it does: one get_posts() by two meta values
 * and one wp_insert_post() or wp_update_post() for each lead. Empties the site's leads. Ends with 1 if a floor is missed.
 */

namespace TenantCRM\Bench;

use TenantCRM\Adoption;
use TenantCRM\Schema;

require dirname( __DIR__ ) . '/wordpress/site.php';
require dirname( __DIR__ ) . '/wordpress/ArticleText.php';

const SMALL  = 5000;
const LARGE  = 50000;
const BATCH  = 1000;
const ROUNDS = 3;
const SAMPLE = 200;
const FLOORS = array(
	'article'            => 200,
	'article with index' => 20,
);

/** How much slower a lead may be at 50,000 rows than at 5,000. */
const CEILING = 2;

/** The peer, by its description. */
function like_the_article( string $tenant, array $leads ): void {
	foreach ( $leads as $lead ) {
		$values = array(
			'post_type'   => 'crm_lead',
			'post_status' => 'publish',
			'post_title'  => $lead['name'] ?? 'Unknown Lead',
			'meta_input'  => array( '_tenant_id' => $tenant, 'crm_lead_id' => $lead['id'], 'email' => $lead['email'] ?? '', 'phone' => $lead['phone'] ?? '' ),
		);
		$found  = get_posts( array( 'post_type' => 'crm_lead', 'meta_key' => 'crm_lead_id', 'meta_value' => $lead['id'], 'meta_query' => array( array( 'key' => '_tenant_id', 'value' => $tenant ) ) ) );
		if ( $found ) {
			wp_update_post( array( 'ID' => $found[0]->ID ) + $values );
		} else {
			wp_insert_post( $values );
		}
	}
}

/** @return list<array<string, mixed>> */
function leads( int $from, int $count, string $phone = '' ): array {
	$leads = array();
	for ( $id = $from; $id < $from + $count; $id++ ) {
		$leads[] = array(
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
		);
	}
	return $leads;
}

function median( array $values ): float {
	sort( $values );
	return $values[ intdiv( count( $values ), 2 ) ];
}

/** @return list<float> Milliseconds a lead, of calls with some leads each. */
function time_calls( callable $store, string $tenant, array $leads, int $at_once ): array {
	$times = array();
	foreach ( array_chunk( $leads, $at_once ) as $some ) {
		wp_cache_flush();
		$start = hrtime( true );
		$store( $tenant, $some );
		$times[] = ( hrtime( true ) - $start ) / 1e6 / count( $some );
	}
	return $times;
}

function wipe(): void {
	global $wpdb;
	foreach ( Schema::tables() as $table ) {
		$wpdb->query( "TRUNCATE `$table`" );
	}
	$wpdb->query( "DELETE m FROM `$wpdb->postmeta` m JOIN `$wpdb->posts` p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" );
	$wpdb->query( "DELETE FROM `$wpdb->posts` WHERE post_type = 'crm_lead'" );
	Adoption::look_again();
	wp_cache_flush();
}

/** Fills up to a number of rows, untimed. */
function fill( int $from, int $to ): void {
	global $wpdb;
	foreach ( array_chunk( leads( $from, $to - $from ), BATCH ) as $some ) {
		process_crm_leads_for_tenant( 'bench', $some );
	}
	$wpdb->query( "ANALYZE TABLE `$wpdb->posts`, `$wpdb->postmeta`, `" . Schema::table( 'records' ) . '`' );
}

/** @return array{new: float, changed: float} */
function article( callable $peer, int $rows, int $new ): array {
	mt_srand( 1 );
	$known = array();
	for ( $i = 0; $i < SAMPLE; $i++ ) {
		$known[] = leads( mt_rand( 1, $rows - 1 ), 1, ' changed ' . $new )[0];
	}
	return array(
		'new'     => median( time_calls( $peer, 'bench', leads( $new, SAMPLE ), 1 ) ),
		'changed' => median( time_calls( $peer, 'bench', $known, 1 ) ),
	);
}

/**
 * Several rounds, since other work on the machine disturbs any one of them.
 *
 * @param callable(int): void $prepare Makes the table what it is to be before a round.
 * @return array{new: float, changed: float, unchanged: float}
 */
function plugin( int $new, callable $prepare ): array {
	$times = array();
	for ( $round = 0; $round < ROUNDS; $round++ ) {
		$prepare( $round );
		foreach ( array( 'new' => '', 'changed' => ' changed', 'unchanged' => ' changed' ) as $cell => $phone ) {
			$calls          = time_calls( 'process_crm_leads_for_tenant', 'bench', leads( $new + $round * SMALL, SMALL, $phone ), BATCH );
			$times[ $cell ] = array_merge( $times[ $cell ] ?? array(), $calls );
		}
	}
	return array_map( __NAMESPACE__ . '\median', $times );
}

$peer  = \ArticleText::define( 'process_crm_leads_for_tenant' ) ?? __NAMESPACE__ . '\like_the_article';
$index = 'tcs_bench';
wipe();
fill( 1, SMALL + 1 );
$cells = array();
$cells[ "article's function, 5,000 rows" ] = article( $peer, SMALL, 1000000 );
$wpdb->query( "ALTER TABLE `$wpdb->postmeta` ADD INDEX $index (meta_key(32), meta_value(32))" );
$cells[ 'the same with an index on postmeta' ] = article( $peer, SMALL, 2000000 );
$wpdb->query( "ALTER TABLE `$wpdb->postmeta` DROP INDEX $index" );
$cells['plugin, 5,000 rows'] = plugin(
	3000000,
	static function (): void {
		wipe();
		fill( 1, SMALL + 1 );
	}
);
// From 50,000 rows on: each round adds to them.
fill( 2 * SMALL, LARGE );
$cells['plugin, 50,000 rows'] = plugin( 4000000, static fn() => null );
wipe();

printf( "%-38s %10s %10s %10s   (median ms a lead)\n", '', 'new', 'changed', 'unchanged' );
foreach ( $cells as $name => $times ) {
	printf( "%-38s %10.4f %10.4f %10s\n", $name, $times['new'], $times['changed'], isset( $times['unchanged'] ) ? sprintf( '%.4f', $times['unchanged'] ) : '-' );
}
list( $article, $indexed, $small, $large ) = array_values( $cells );

$failed = 0;
foreach ( array( 'new', 'changed' ) as $cell ) {
	foreach ( array( 'article' => $article, 'article with index' => $indexed ) as $name => $times ) {
		$ratio   = $times[ $cell ] / $small[ $cell ];
		$floor   = FLOORS[ $name ];
		$missed  = $ratio < $floor;
		$failed += (int) $missed;
		printf( "%-8s %-28s %8.1f times (floor %d)%s\n", $cell, "$name / plugin", $ratio, $floor, $missed ? '  MISSED' : '' );
	}
	$ratio   = $large[ $cell ] / $small[ $cell ];
	$failed += (int) ( $ratio > CEILING );
	printf( "%-8s %-28s %8.2f times (ceiling %d)%s\n", $cell, 'plugin at 50,000 / at 5,000', $ratio, CEILING, $ratio > CEILING ? '  MISSED' : '' );
}
printf( "memory peak %.1f MB\n", memory_get_peak_usage( true ) / 1048576 );
exit( $failed ? 1 : 0 );
