<?php
/**
 * The ways to a lead on which WordPress asks no query that Queries could add to: a number in a REST route, oEmbed, guessed and old addresses,
 * exports, sitemaps. Most of them are open only where the site registered the type itself and made it public; ours is not.
 *
 * @package TenantCRM
 */

namespace TenantCRM\Tenancy;

use TenantCRM\PostType;

final class Doors {

	public static function register(): void {
		add_filter( 'rest_request_before_callbacks', array( self::class, 'rest' ), 10, 3 );
		add_filter( 'oembed_request_post_id', array( self::class, 'number' ) );
		add_filter( 'old_slug_redirect_post_id', array( self::class, 'number' ) );
		add_filter( 'redirect_canonical', array( self::class, 'redirect' ) );
		add_filter( 'pre_redirect_guess_404_permalink', array( self::class, 'guess' ) );
		add_filter( 'wp_sitemaps_post_types', array( self::class, 'sitemaps' ) );
		add_action( 'export_wp', array( self::class, 'export' ) );
		add_filter( 'disable_months_dropdown', array( self::class, 'months' ), 10, 2 );
	}

	/**
	 * WordPress's own routes to one post, attachment or comment give out what is published.
	 *
	 * @param mixed            $response
	 * @param mixed            $handler
	 * @param \WP_REST_Request $request
	 * @return mixed
	 */
	public static function rest( $response, $handler, $request ) {
		$callback = $handler['callback'] ?? null;
		$route    = is_array( $callback ) ? $callback[0] : null;
		$number   = 0;
		if ( $route instanceof \WP_REST_Revisions_Controller || $route instanceof \WP_REST_Autosaves_Controller ) {
			$number = (int) $request['parent'];
		} elseif ( $route instanceof \WP_REST_Posts_Controller ) {
			$number = (int) $request['id'];
		} elseif ( $route instanceof \WP_REST_Comments_Controller ) {
			$comment = isset( $request['id'] ) ? get_comment( (int) $request['id'] ) : null;
			$number  = $comment instanceof \WP_Comment ? (int) $comment->comment_post_ID : (int) ( is_scalar( $request['post'] ) ? $request['post'] : 0 );
		}
		if ( $number > 0 && ! Viewer::sees( $number ) ) {
			// As for a post that is not there.
			return new \WP_Error( 'rest_post_invalid_id', __( 'Invalid post ID.' ), array( 'status' => 404 ) ); // phpcs:ignore WordPress.WP.I18n -- WordPress's own words.
		}
		return $response;
	}

	/**
	 * @param mixed $post_id
	 * @return mixed
	 */
	public static function number( $post_id ) {
		return $post_id && ! Viewer::sees( (int) $post_id ) ? 0 : $post_id;
	}

	/**
	 * ?p=NUMBER of a post that was not found is sent on to its address, which has the lead's name in it.
	 *
	 * @param mixed $url
	 * @return mixed
	 */
	public static function redirect( $url ) {
		$number = max( (int) get_query_var( 'p' ), (int) get_query_var( 'page_id' ), (int) get_query_var( 'attachment_id' ) );
		return $number > 0 && ! Viewer::sees( $number ) ? false : $url;
	}

	/**
	 * What was not found is looked for among addresses that begin alike.
	 *
	 * @param mixed $found
	 * @return mixed
	 */
	public static function guess( $found ) {
		if ( null !== Viewer::keys() ) {
			add_filter( 'is_post_type_viewable', static fn( $is, $type ) => $is && PostType::NAME !== $type->name, 10, 2 );
		}
		return $found;
	}

	/**
	 * Sitemaps are for everybody.
	 *
	 * @param mixed $types
	 * @return mixed
	 */
	public static function sitemaps( $types ) {
		if ( is_array( $types ) ) {
			unset( $types[ PostType::NAME ] );
		}
		return $types;
	}

	/** Exports are put together by SQL that nobody can add to: who may not see all leads exports none. */
	public static function export(): void {
		$type = get_post_type_object( PostType::NAME );
		if ( $type && null !== Viewer::keys() ) {
			$type->can_export = false;
		}
	}

	/**
	 * The months of all tenants' leads.
	 *
	 * @param mixed $disable
	 * @param mixed $type
	 */
	public static function months( $disable, $type ): bool {
		return $disable || ( PostType::NAME === $type && null !== Viewer::keys() );
	}
}
