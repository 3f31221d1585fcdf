<?php
/**
 * What the crawl adds to the site, as a must-use plugin, all of it asked for by headers of a request so that nothing has to be undone:
 *
 * - X-Tcs-Type: public   registers `crm_lead` as the article's portals do it and as open as can be, before our plugin would.
 * - X-Tcs-Nonces: open   takes every nonce for good: then only capabilities are in the way.
 * - ?tcs_crawl=targets   on a screen, for administrators: what there is to crawl, from WordPress's own lists.
 * - ?tcs_crawl=rules     writes the rules of addresses for the types that there are in this request.
 * - ?tcs_crawl=article   the article's way to store a lead (look for it, make it if it is not there), in a visitor's request.
 */

function tcs_crawl_header( string $name ): string {
	return (string) ( $_SERVER[ 'HTTP_' . strtoupper( strtr( $name, '-', '_' ) ) ] ?? '' );
}

if ( 'open' === tcs_crawl_header( 'X-Tcs-Nonces' ) ) {
	// Pluggable in WordPress. The last two would refuse a form whose field of the nonce has another name.
	function wp_verify_nonce() {
		return 1;
	}
	function check_admin_referer() {
		return 1;
	}
	function check_ajax_referer() {
		return 1;
	}
}

// Sitemaps are off on a site that hides from search engines, as the stack does.
add_filter( 'option_blog_public', static fn() => '1' );

add_action(
	'init',
	static function (): void {
		if ( 'public' === tcs_crawl_header( 'X-Tcs-Type' ) ) {
			register_post_type(
				'crm_lead',
				array(
					'label'        => 'Leads',
					'public'       => true,
					'show_in_rest' => true,
					'has_archive'  => true,
					'can_export'   => true,
					'rewrite'      => array( 'slug' => 'crm_lead' ),
					'supports'     => array( 'title', 'editor', 'custom-fields', 'comments', 'revisions' ),
					'taxonomies'   => array( 'post_tag' ),
				)
			);
		}
	},
	5
);

/** The article's function, in short. */
function tcs_crawl_article(): void {
	foreach ( array( '900', '901' ) as $id ) {
		$found = get_posts( array( 'post_type' => 'crm_lead', 'meta_key' => 'crm_lead_id', 'meta_value' => $id, 'meta_query' => array( array( 'key' => '_tenant_id', 'value' => 'crawl-a' ) ) ) ); // phpcs:ignore
		$post  = array( 'post_type' => 'crm_lead', 'post_title' => "Article $id", 'post_status' => 'publish', 'meta_input' => array( '_tenant_id' => 'crawl-a', 'crm_lead_id' => $id ) );
		$found ? wp_update_post( array( 'ID' => $found[0]->ID ) + $post ) : wp_insert_post( $post );
	}
}
add_action(
	'tcs_crawl_article',
	static function ( $time ): void {
		tcs_crawl_article();
		update_option( 'tcs_crawl_article', $time );
	}
);
add_action(
	'wp_loaded',
	static function (): void {
		if ( 'article' === ( $_GET['tcs_crawl'] ?? '' ) ) {
			tcs_crawl_article();
			exit( 'done' );
		}
		if ( 'rules' === ( $_GET['tcs_crawl'] ?? '' ) ) {
			flush_rewrite_rules( false );
			exit( 'done' );
		}
	}
);

/** Whether a hook's function is this plugin's. */
function tcs_crawl_is_ours( $function ): bool {
	if ( is_string( $function ) ) {
		return str_starts_with( $function, 'TenantCRM\\' ) || str_starts_with( $function, 'tenant_crm' );
	}
	if ( is_array( $function ) ) {
		return str_starts_with( is_object( $function[0] ) ? get_class( $function[0] ) : $function[0], 'TenantCRM\\' );
	}
	return $function instanceof Closure && str_starts_with( (string) ( new ReflectionFunction( $function ) )->getFileName(), dirname( TenantCRM\Plugin::file() ) );
}

add_action(
	'admin_init',
	static function (): void {
		if ( 'targets' !== ( $_GET['tcs_crawl'] ?? '' ) || ! current_user_can( 'manage_options' ) ) {
			return;
		}
		$targets = array( 'screens' => array(), 'actions' => array(), 'routes' => array(), 'feeds' => $GLOBALS['wp_rewrite']->feeds, 'settings' => array() );
		foreach ( array_keys( $GLOBALS['_parent_pages'] ) as $slug ) {
			$hook = get_plugin_page_hookname( $slug, (string) get_admin_page_parent( $slug ) );
			$ours = false;
			foreach ( $GLOBALS['wp_filter'] as $name => $filter ) {
				if ( $name === $hook || str_ends_with( $name, "_page_$slug" ) ) {
					foreach ( $filter->callbacks as $functions ) {
						$ours = $ours || array_filter( $functions, static fn( $one ) => tcs_crawl_is_ours( $one['function'] ) );
					}
				}
			}
			if ( $ours ) {
				$targets['screens'][] = $slug;
			}
		}
		foreach ( $GLOBALS['wp_filter'] as $name => $filter ) {
			if ( preg_match( '/^(admin_post|wp_ajax)_(nopriv_)?./', $name ) ) {
				foreach ( $filter->callbacks as $functions ) {
					if ( array_filter( $functions, static fn( $one ) => tcs_crawl_is_ours( $one['function'] ) ) ) {
						$targets['actions'][] = $name;
						break;
					}
				}
			}
		}
		foreach ( get_registered_settings() as $setting ) {
			if ( tcs_crawl_is_ours( $setting['sanitize_callback'] ?? null ) || str_contains( $setting['group'], 'tenant' ) ) {
				$targets['settings'][ $setting['group'] ] = $setting['group'];
			}
		}
		$targets['settings'] = array_values( $targets['settings'] );
		foreach ( rest_get_server()->get_routes() as $route => $handlers ) {
			foreach ( $handlers as $handler ) {
				foreach ( array_keys( array_filter( $handler['methods'] ) ) as $method ) {
					$targets['routes'][] = array( $method, $route, isset( $handler['permission_callback'] ), null !== rest_get_server()->get_route_options( $route ) && isset( rest_get_server()->get_route_options( $route )['schema'] ) );
				}
			}
		}
		wp_send_json( $targets );
	},
	PHP_INT_MAX
);
