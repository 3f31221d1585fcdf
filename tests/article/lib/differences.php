<?php
/**
 * Where our plugin's process_crm_leads_for_tenant() stores something else than the article's, on purpose, and why. Every entry is held
 * against both: one that is not true any more fails.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Article;

const BACKSLASH = 'wp_insert_post() takes backslashes away from what was not slashed; meta holds what the CRM sent';
const MARKUP    = 'titles are shown unescaped by themes: ours are stored as plain text, without loss of what only looks like a tag';

/** @return list<array{lead: string, stage: list<string>, field: string, article: mixed, ours: mixed, why: string}> */
function differences(): array {
	$both = [ 'first', 'changed' ];
	$all  = [
		[ '1002', $both, 'title', '<b>Bold</b> Name', 'Bold Name', MARKUP ],
		[ '1003', $both, 'title', 'alert(1)Eve', 'Eve', MARKUP ],
		[ '1019', $both, 'title', '1  2', '1 &lt; 2 and 3 &gt; 2', MARKUP ],
		[ '1013', $both, 'title', "Tab\tand\nline", 'Tab and line', 'a title is one line' ],
		[ '1008', $both, 'title', '', 'Unknown Lead', 'an empty name is no name: a list would have nothing to click on' ],
		[ '1004', $both, 'title', 'C:UsersAda', 'C:\\Users\\Ada', BACKSLASH ],
		[ '1004', $both, 'email', [ 'ab@example.test' ], [ 'a\\b@example.test' ], BACKSLASH ],
		[ '1004', $both, 'phone', [ '\\server1' ], [ '\\\\server\\1' ], BACKSLASH ],
		[ '1005', [ 'changed' ], 'phone', [ 'C:new' ], [ 'C:\\new' ], BACKSLASH ],
	];
	$each = [];
	foreach ( TENANTS as $tenant ) {
		foreach ( $all as $difference ) {
			$difference[0] = "$tenant/$difference[0]";
			$each[]        = $difference;
		}
	}
	$upper  = [ 'title' => 'Upper', 'status' => 'publish', 'type' => 'crm_lead', 'content' => '', 'meta' => [ '_tenant_id' => [ '42' ], 'crm_lead_id' => [ '00QAbC' ], 'email' => [ '' ], 'phone' => [ '' ] ] ];
	$each[] = [ '42/00QAbC', $both, 'post', null, [ $upper ], 'the database compares without case, so the article takes two leads whose ids differ in case for one' ];
	return array_map( static fn( array $difference ): array => array_combine( [ 'lead', 'stage', 'field', 'article', 'ours', 'why' ], $difference ), $each );
}

/**
 * What our plugin is to store where the article's code stored this.
 *
 * @param array<string, list<array<string, mixed>>> $posts
 * @param list<string>                              $stale Gets the differences that the article's posts do not have.
 * @return array<string, list<array<string, mixed>>>
 */
function ours( array $posts, string $stage, array &$stale = [] ): array {
	foreach ( differences() as $difference ) {
		if ( ! in_array( $stage, $difference['stage'], true ) ) {
			continue;
		}
		[ 'lead' => $lead, 'field' => $field ] = $difference;
		if ( 'post' === $field ) {
			$place = &$posts[ $lead ];
		} elseif ( 'title' === $field ) {
			$place = &$posts[ $lead ][0]['title'];
		} else {
			$place = &$posts[ $lead ][0]['meta'][ $field ];
		}
		if ( $place !== $difference['article'] ) {
			$stale[] = "$lead $field: the article's code stores " . json_encode( $place, JSON_UNESCAPED_UNICODE );
		}
		$place = $difference['ours'];
		unset( $place );
	}
	ksort( $posts, SORT_STRING );
	return $posts;
}
