<?php
/**
 * The portal's side: leads as the database has them, and the ways in which people, plugins and scripts change them.
 */

use TenantCRM\PostType;
use TenantCRM\Schema;
use TenantCRM\Tenant;

final class Portal {

	/** As before the first lead. */
	public static function wipe(): void {
		global $wpdb;
		foreach ( Schema::tables() as $table ) {
			$wpdb->query( "DELETE FROM `$table`" );
		}
		$wpdb->query( "DELETE m FROM `$wpdb->postmeta` m JOIN `$wpdb->posts` p ON p.ID = m.post_id WHERE p.post_type = 'crm_lead'" );
		$wpdb->query( "DELETE FROM `$wpdb->posts` WHERE post_type = 'crm_lead'" );
		wp_cache_flush();
	}

	/** Once: what a site does that has a field of its own, a set, and edits leads over REST. */
	public static function open(): void {
		add_filter( 'tenant_crm_sync_fields', static fn( array $map, Tenant $tenant ): array => 'rest' === $tenant->connector ? $map + array( 'tags' => 'tags' ) : $map, 10, 2 );
		get_post_type_object( PostType::NAME )->show_in_rest = true;
		foreach ( array( 'email', 'phone' ) as $key ) {
			register_post_meta( PostType::NAME, $key, array( 'single' => true, 'type' => 'string', 'show_in_rest' => true, 'auth_callback' => '__return_true' ) );
		}
		add_post_type_support( PostType::NAME, 'custom-fields' );
		add_filter( 'user_has_cap', static fn( array $all, array $wanted ): array => array_fill_keys( $wanted, true ) + $all, 10, 2 );
		wp_set_current_user( 1 );
		// Out of the bin a lead is what it was, and no draft.
		add_filter( 'wp_untrash_post_status', 'wp_untrash_post_set_previous_status', 10, 3 );
	}

	/** @return array<int, array{id: int, status: string, title: string, name: string, email: ?string, phone: ?string, tags: mixed, crm_lead_id: ?string}> Leads of a tenant by post, those in the bin too. */
	public static function leads( string $tenant ): array {
		global $wpdb;
		$leads = array();
		$rows  = $wpdb->get_results(
			$wpdb->prepare(
				"SELECT p.ID, p.post_status, p.post_title, m.meta_key, m.meta_value FROM $wpdb->postmeta t JOIN $wpdb->posts p ON p.ID = t.post_id AND p.post_type = 'crm_lead'
				LEFT JOIN $wpdb->postmeta m ON m.post_id = p.ID AND m.meta_key IN ('email', 'phone', 'tags', 'crm_lead_id') WHERE t.meta_key = '_tenant_id' AND BINARY t.meta_value = %s ORDER BY p.ID, m.meta_id",
				$tenant
			),
			ARRAY_A
		);
		foreach ( $rows as $row ) {
			$id             = (int) $row['ID'];
			$leads[ $id ] ??= array( 'id' => $id, 'status' => $row['post_status'], 'title' => $row['post_title'], 'name' => html_entity_decode( $row['post_title'], ENT_QUOTES | ENT_HTML5, 'UTF-8' ), 'email' => null, 'phone' => null, 'tags' => null, 'crm_lead_id' => null );
			if ( null !== $row['meta_key'] ) {
				$leads[ $id ][ $row['meta_key'] ] ??= 'tags' === $row['meta_key'] ? maybe_unserialize( $row['meta_value'] ) : $row['meta_value'];
			}
		}
		return $leads;
	}

	/** @return list<string> */
	public static function tags( int $post ): array {
		$tags = get_post_meta( $post, 'tags', true );
		return is_array( $tags ) ? $tags : array();
	}

	/** @param array<string, mixed> $lead @param array<string, string> $values By field. */
	public static function edit( Tenant $tenant, array $lead, array $values, string $way ): void {
		match ( $way ) {
			'sql'   => self::by_sql( $lead['id'], $values ),
			'rest'  => self::by_rest( $lead['id'], $values ),
			'push'  => self::by_form( $tenant, array( 'email' => $lead['email'] ) + $values ),
			default => self::by_api( $lead['id'], $values ),
		};
	}

	/** @param array<string, string> $values */
	private static function by_form( Tenant $tenant, array $values ): void {
		$made = tenant_crm_sync_push( $tenant->id, 'leads', $values );
		if ( is_wp_error( $made ) ) {
			throw new RuntimeException( 'tenant_crm_sync_push: ' . $made->get_error_message() );
		}
	}

	/** An edit that knows for sure what it was made over, though workers write at the same time. @return bool False: the lead had another value by then. */
	public static function swap( array $lead, string $field, string $value ): bool {
		global $wpdb;
		wp_cache_flush();
		return 'name' === $field
			? (bool) $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->posts SET post_title = %s WHERE ID = %d AND BINARY post_title = %s", htmlspecialchars( $value, ENT_NOQUOTES, 'UTF-8' ), $lead['id'], $lead['title'] ) )
			: (bool) update_post_meta( $lead['id'], $field, wp_slash( $value ), (string) $lead[ $field ] );
	}

	/** @param array<string, string> $values @return void A lead that somebody makes. */
	public static function create( Tenant $tenant, array $values, string $way ): void {
		if ( 'push' === $way ) {
			self::by_form( $tenant, $values );
			return;
		}
		$meta = array( '_tenant_id' => $tenant->id ) + array_diff_key( $values, array( 'name' => 1 ) );
		$post = array( 'post_type' => PostType::NAME, 'post_status' => 'publish', 'post_title' => $values['name'] );
		if ( 'meta behind' !== $way ) {
			wp_insert_post( wp_slash( $post + array( 'meta_input' => $meta ) ) );
			return;
		}
		$id = wp_insert_post( wp_slash( $post ) );
		foreach ( array_reverse( $meta ) as $key => $value ) {
			add_post_meta( $id, $key, wp_slash( $value ) );
		}
	}

	/** Changes nothing of what a CRM knows. */
	public static function touch( int $post ): void {
		require_once ABSPATH . 'wp-admin/includes/post.php';
		bulk_edit_posts( array( 'post_type' => PostType::NAME, 'post' => array( $post ), 'post_author' => 1, '_status' => 'publish', 'comment_status' => '', 'ping_status' => '' ) );
	}

	/** @param array<string, string> $values */
	private static function by_api( int $post, array $values ): void {
		foreach ( $values as $field => $value ) {
			'name' === $field ? wp_update_post( wp_slash( array( 'ID' => $post, 'post_title' => $value ) ) ) : update_post_meta( $post, $field, wp_slash( $value ) );
		}
	}

	/** @param array<string, string> $values */
	private static function by_sql( int $post, array $values ): void {
		global $wpdb;
		foreach ( $values as $field => $value ) {
			'name' === $field
				? $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->posts SET post_title = %s WHERE ID = %d", htmlspecialchars( $value, ENT_NOQUOTES, 'UTF-8' ), $post ) )
				: ( $wpdb->query( $wpdb->prepare( "UPDATE $wpdb->postmeta SET meta_value = %s WHERE post_id = %d AND meta_key = %s", $value, $post, $field ) ) || $wpdb->insert( $wpdb->postmeta, array( 'post_id' => $post, 'meta_key' => $field, 'meta_value' => $value ) ) );
		}
		clean_post_cache( $post );
	}

	/** @param array<string, string> $values */
	private static function by_rest( int $post, array $values ): void {
		$request = new WP_REST_Request( 'POST', "/wp/v2/crm_lead/$post" );
		if ( isset( $values['name'] ) ) {
			$request->set_param( 'title', $values['name'] );
		}
		$request->set_param( 'meta', array_diff_key( $values, array( 'name' => 1 ) ) );
		$answer = rest_do_request( $request );
		if ( $answer->get_status() >= 300 ) {
			throw new RuntimeException( 'REST: ' . json_encode( $answer->get_data() ) );
		}
	}
}
