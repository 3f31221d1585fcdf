<?php
/**
 * Puts the viewer's tenants into WordPress's own SQL, wherever leads could be among what is found: posts of every kind of query, what hangs on
 * leads (attachments, comments), counts, neighbours and archives. The ledger says whose a lead is, by integer; meta never does.
 *
 * Queries that cannot find a lead stay as they are, and so does the article's look for the post of one record before it is written: a sync
 * that runs in the request of somebody who sees no leads would otherwise make every post a second time.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tenancy;

use TenantCRM\PostType;
use TenantCRM\Schema;

final class Queries {

	/** What may hang on a lead and is found by queries of its own. */
	private const CHILDREN = array( 'attachment', 'revision' );

	/** After everybody else: nothing that another plugin adds may widen what is found. */
	private const LAST = PHP_INT_MAX;

	public static function register(): void {
		add_action( 'pre_get_posts', array( self::class, 'want_filters' ), self::LAST );
		add_filter( 'posts_clauses', array( self::class, 'posts' ), self::LAST, 2 );
		add_action( 'pre_get_comments', array( self::class, 'keep_comments_apart' ), self::LAST );
		add_filter( 'comments_clauses', array( self::class, 'comments' ), self::LAST );
		add_filter( 'comment_feed_where', array( self::class, 'comment_feed' ), self::LAST );
		add_filter( 'wp_count_posts', array( self::class, 'count' ), self::LAST, 2 );
		add_filter( 'get_pages', array( self::class, 'pages' ), self::LAST );
		foreach ( array( 'previous', 'next' ) as $side ) {
			add_filter( "get_{$side}_post_where", array( self::class, 'neighbour' ), self::LAST, 5 );
		}
		add_filter( 'getarchives_where', array( self::class, 'archives' ), self::LAST );
	}

	/**
	 * get_posts() asks for queries without filters, and so without ours.
	 *
	 * @param mixed $query
	 */
	public static function want_filters( $query ): void {
		$found = $query instanceof \WP_Query ? self::found( $query ) : array();
		if ( ! $found ) {
			return;
		}
		$keys = Viewer::keys();
		if ( null !== $keys && $query->get( 'suppress_filters' ) ) {
			if ( self::looks_up_one_record( $query ) ) {
				return;
			}
			$query->set( 'suppress_filters', false );
		}
		if ( array() !== $keys && in_array( 'lead', $found, true ) ) {
			Privacy::of_response();
		}
	}

	/**
	 * @param mixed $clauses
	 * @param mixed $query
	 * @return mixed
	 */
	public static function posts( $clauses, $query ) {
		global $wpdb;
		$found = $query instanceof \WP_Query && is_array( $clauses ) ? self::found( $query ) : array();
		$keys  = $found ? Viewer::keys() : null;
		if ( null === $keys ) {
			return $clauses;
		}
		$ledger = Schema::table( 'records' );
		$other  = "{$wpdb->posts}.post_type <> '" . PostType::NAME . "'";
		if ( ! Schema::is_current() ) {
			// There is no ledger that could say whose a lead is.
			$clauses['where'] .= " AND $other";
			return $clauses;
		}
		if ( in_array( 'lead', $found, true ) ) {
			$clauses['join'] .= " LEFT JOIN `$ledger` tcs_lead ON tcs_lead.post_id = {$wpdb->posts}.ID";
			$mine             = self::mine( 'tcs_lead', "{$wpdb->posts}.ID", $keys );
			// Said alone where only leads are found, so that the database may begin with the ledger.
			$clauses['where'] .= array( 'lead' ) === $found ? " AND $mine" : " AND ($other OR $mine)";
		}
		if ( in_array( 'child', $found, true ) ) {
			$clauses['join']  .= " LEFT JOIN `$ledger` tcs_parent ON {$wpdb->posts}.post_parent > 0 AND tcs_parent.post_id = {$wpdb->posts}.post_parent";
			$clauses['where'] .= ' AND (tcs_parent.id IS NULL OR ' . self::in( 'tcs_parent', $keys ) . ')';
		}
		return $clauses;
	}

	/**
	 * WordPress caches what a query of comments found under its arguments: they must tell whose view it is.
	 *
	 * @param mixed $query
	 */
	public static function keep_comments_apart( $query ): void {
		$keys = $query instanceof \WP_Comment_Query ? Viewer::keys() : null;
		if ( null !== $keys ) {
			$query->query_vars['cache_domain'] = ( $query->query_vars['cache_domain'] ?? 'core' ) . ':tenants:' . implode( ',', $keys );
		}
	}

	/**
	 * Comments on leads, where the site's own type has them.
	 *
	 * @param mixed $clauses
	 * @return mixed
	 */
	public static function comments( $clauses ) {
		if ( is_array( $clauses ) ) {
			$clauses['where'] = self::without_others( (string) $clauses['where'] );
		}
		return $clauses;
	}

	/** @param mixed $where */
	public static function comment_feed( $where ): string {
		return self::without_others( (string) $where );
	}

	/**
	 * The numbers above a list of leads. WordPress keeps its own in the object cache, for everybody; these are counted.
	 *
	 * @param mixed $counts
	 * @param mixed $type
	 * @return mixed
	 */
	public static function count( $counts, $type ) {
		global $wpdb;
		$keys = PostType::NAME === $type ? Viewer::keys() : null;
		if ( null === $keys ) {
			return $counts;
		}
		$ledger = Schema::table( 'records' );
		$own    = array_fill_keys( get_post_stati(), 0 );
		if ( ! Schema::is_current() ) {
			return (object) $own;
		}
		$rows = (array) $wpdb->get_results( "SELECT p.post_status, COUNT(*) AS n FROM {$wpdb->posts} p LEFT JOIN `$ledger` tcs_lead ON tcs_lead.post_id = p.ID WHERE p.post_type = '" . PostType::NAME . "' AND " . self::mine( 'tcs_lead', 'p.ID', $keys ) . ' GROUP BY p.post_status', ARRAY_A ); // phpcs:ignore WordPress.DB.PreparedSQL -- integers and names of ours.
		foreach ( $rows as $row ) {
			$own[ $row['post_status'] ] = (int) $row['n'];
		}
		return (object) $own;
	}

	/**
	 * get_pages() puts its SQL together alone: of a hierarchical type of the site's own, what is not to be seen is taken out.
	 *
	 * @param mixed $pages
	 * @return mixed
	 */
	public static function pages( $pages ) {
		return is_array( $pages ) ? array_values( array_filter( $pages, static fn( $page ): bool => ! $page instanceof \WP_Post || PostType::NAME !== $page->post_type || Viewer::sees( $page->ID ) ) ) : $pages;
	}

	/**
	 * The lead before or after the one that is shown.
	 *
	 * @param mixed $where
	 * @param mixed $in_same_term
	 * @param mixed $excluded_terms
	 * @param mixed $taxonomy
	 * @param mixed $post
	 */
	public static function neighbour( $where, $in_same_term = false, $excluded_terms = '', $taxonomy = '', $post = null ): string {
		return $post instanceof \WP_Post && PostType::NAME !== $post->post_type ? (string) $where : self::only_mine( (string) $where, 'p' );
	}

	/** @param mixed $where */
	public static function archives( $where ): string {
		global $wpdb;
		return self::only_mine( (string) $where, $wpdb->posts );
	}

	/**
	 * Whether code of the site asks, by get_posts(), for the post of one record that it names by tenant and CRM id. No address and no route can
	 * ask so: there filters are never off, and meta is no query variable of visitors.
	 */
	private static function looks_up_one_record( \WP_Query $query ): bool {
		$clauses   = (array) $query->get( 'meta_query' );
		$clauses[] = array(
			'key'     => $query->get( 'meta_key' ),
			'value'   => $query->get( 'meta_value' ),
			'compare' => $query->get( 'meta_compare' ),
		);
		$named     = array();
		foreach ( $clauses as $name => $clause ) {
			if ( 'relation' === $name && 'AND' !== $clause ) {
				return false;
			}
			if ( is_array( $clause ) && is_scalar( $clause['value'] ?? null ) && '' !== (string) $clause['value'] && in_array( $clause['compare'] ?? '', array( '', '=' ), true ) ) {
				$named[] = $clause['key'] ?? '';
			}
		}
		return ! $query->is_main_query() && ! array_diff( array( '_tenant_id', 'crm_lead_id' ), $named );
	}

	/**
	 * What a query may find, if that can be a lead or hang on one: `lead`, `child`, and `other` beside them.
	 *
	 * @return list<string>
	 */
	private static function found( \WP_Query $query ): array {
		$types = array_filter( (array) $query->get( 'post_type' ), static fn( $type ): bool => is_string( $type ) && '' !== $type );
		if ( ! $types && ! $query->is_search && ! $query->is_tax && ! $query->is_attachment ) {
			// WordPress takes posts or pages.
			return array();
		}
		$found = array();
		foreach ( $types as $type ) {
			if ( PostType::NAME === $type ) {
				$found['lead'] = true;
			} elseif ( in_array( $type, self::CHILDREN, true ) ) {
				$found['child'] = true;
			} elseif ( post_type_exists( $type ) ) {
				$found['other'] = true;
			} else {
				// `any`; or a name that the database, which does not tell upper and lower case apart, may take for one of these.
				$types = array();
				break;
			}
		}
		if ( ! $types ) {
			return array( 'lead', 'child' );
		}
		return array( 'other' => true ) === $found ? array() : array_keys( $found );
	}

	/**
	 * A lead is the viewer's.
	 *
	 * @param string    $ledger Alias of the ledger, joined from the left by the post.
	 * @param string    $post   Column with the post's number.
	 * @param list<int> $keys
	 */
	private static function mine( string $ledger, string $post, array $keys ): string {
		global $wpdb;
		$mine = self::in( $ledger, $keys );
		if ( PostType::is_ours() ) {
			return $mine;
		}
		// The site's own type may have posts that are nobody's lead; those of the article's code tell by their meta that they are.
		return "($mine OR ($ledger.id IS NULL AND NOT EXISTS (SELECT 1 FROM {$wpdb->postmeta} tcs_meta WHERE tcs_meta.post_id = $post AND tcs_meta.meta_key = '_tenant_id')))";
	}

	/** @param list<int> $keys */
	private static function in( string $ledger, array $keys ): string {
		// Keys begin with 1.
		return "$ledger.tenant IN (" . implode( ',', $keys ? array_map( 'intval', $keys ) : array( 0 ) ) . ')';
	}

	/** Adds to a WHERE without joins that leads, and what they are the parents of, must be the viewer's. */
	public static function only_mine( string $where, string $posts ): string {
		global $wpdb;
		$keys = Viewer::keys();
		if ( null === $keys ) {
			return $where;
		}
		$other = "$posts.post_type <> '" . PostType::NAME . "'";
		if ( ! Schema::is_current() ) {
			return "$where AND $other";
		}
		$ledger = Schema::table( 'records' );
		$mine   = self::mine( 'tcs_lead', 'tcs_post.ID', $keys );
		return "$where AND ($other OR EXISTS (SELECT 1 FROM {$wpdb->posts} tcs_post LEFT JOIN `$ledger` tcs_lead ON tcs_lead.post_id = tcs_post.ID WHERE tcs_post.ID = $posts.ID AND $mine))"
			. " AND NOT EXISTS (SELECT 1 FROM `$ledger` tcs_parent WHERE tcs_parent.post_id = $posts.post_parent AND NOT " . self::in( 'tcs_parent', $keys ) . ')';
	}

	/** Adds to a WHERE that what hangs on other tenants' leads is not found. */
	private static function without_others( string $where ): string {
		global $wpdb;
		$keys = Viewer::keys();
		if ( null === $keys || ! Schema::is_current() ) {
			return $where;
		}
		return ( '' === trim( $where ) ? '1 = 1' : $where ) . ' AND NOT EXISTS (SELECT 1 FROM `' . Schema::table( 'records' ) . "` tcs_lead WHERE tcs_lead.post_id = {$wpdb->comments}.comment_post_ID AND NOT " . self::in( 'tcs_lead', $keys ) . ')';
	}
}
