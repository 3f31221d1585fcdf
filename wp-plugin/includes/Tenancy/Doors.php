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

	/** WordPress's actions of admin-ajax.php that give something out about a post by its number, and where that is. */
	private const AJAX = array(
		'get-permalink'             => 'post_id',
		'sample-permalink'          => 'post_id',
		'get-attachment'            => 'id',
		'save-attachment'           => 'id',
		'image-editor'              => 'postid',
		'imgedit-preview'           => 'postid',
		'get-post-thumbnail-html'   => 'post_id',
		'set-attachment-thumbnail'  => 'id',
		'send-attachment-to-editor' => 'post_id',
		'parse-embed'               => 'post_ID',
		'parse-media-shortcode'     => 'post_ID',
		'get-comments'              => 'p',
		'replyto-comment'           => 'comment_post_ID',
	);

	public static function register(): void {
		add_filter( 'rest_request_before_callbacks', array( self::class, 'rest' ), 10, 3 );
		add_filter( 'oembed_request_post_id', array( self::class, 'number' ) );
		add_filter( 'old_slug_redirect_post_id', array( self::class, 'number' ) );
		add_filter( 'redirect_canonical', array( self::class, 'redirect' ) );
		add_filter( 'pre_redirect_guess_404_permalink', array( self::class, 'guess' ) );
		add_filter( 'wp_sitemaps_post_types', array( self::class, 'sitemaps' ) );
		add_action( 'export_wp', array( self::class, 'export' ) );
		add_action( 'admin_init', array( self::class, 'ajax' ) );
		add_filter( 'xmlrpc_prepare_media_item', array( self::class, 'xmlrpc' ), 10, 2 );
		add_filter( 'xmlrpc_prepare_post', array( self::class, 'xmlrpc' ), 10, 2 );
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
	 * What was not found is looked for among addresses that begin alike, and the visitor is sent there: not where one of them is a lead's.
	 *
	 * @param mixed $found
	 * @return mixed
	 */
	public static function guess( $found ) {
		global $wpdb;
		$name = get_query_var( 'name' );
		if ( null === $found && is_string( $name ) && '' !== $name && null !== Viewer::keys()
			&& null !== $wpdb->get_var( $wpdb->prepare( "SELECT ID FROM `$wpdb->posts` WHERE post_type = %s AND post_name LIKE %s LIMIT 1", PostType::NAME, $wpdb->esc_like( $name ) . '%' ) ) ) {
			return false;
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

	/** An export is put together by WordPress's SQL, without a filter but that of every statement. */
	public static function export(): void {
		if ( null !== Viewer::keys() ) {
			add_filter( 'query', array( self::class, 'export_query' ) );
		}
	}

	/**
	 * The statement that finds what is exported: its WHERE is its end.
	 *
	 * @param mixed $sql
	 * @return mixed
	 */
	public static function export_query( $sql ) {
		global $wpdb;
		if ( ! is_string( $sql ) || ! preg_match( "/^SELECT ID FROM {$wpdb->posts}\s.*\sWHERE\s/s", $sql ) ) {
			return $sql;
		}
		remove_filter( 'query', array( self::class, 'export_query' ) );
		return Queries::only_mine( $sql, $wpdb->posts );
	}

	/**
	 * XML-RPC gives every file to whoever may upload some.
	 *
	 * @param mixed $answer
	 * @param mixed $post   As an object, or as an array.
	 * @return mixed
	 */
	public static function xmlrpc( $answer, $post ) {
		$number = $post instanceof \WP_Post ? $post->ID : (int) ( $post['ID'] ?? 0 );
		return $number > 0 && ! Viewer::sees( $number ) ? new \IXR_Error( 404, __( 'Invalid post ID.' ) ) : $answer; // phpcs:ignore WordPress.WP.I18n -- WordPress's own words.
	}

	/** A number in a form is not asked for by a query, and WordPress asks for no capability or only for one that editors have. */
	public static function ajax(): void {
		// phpcs:disable WordPress.Security.NonceVerification -- whether it may be seen at all; the action itself asks for its nonce.
		$action = isset( $_REQUEST['action'] ) && is_string( $_REQUEST['action'] ) ? sanitize_key( wp_unslash( $_REQUEST['action'] ) ) : '';
		$name   = wp_doing_ajax() ? self::AJAX[ $action ] ?? null : null;
		$number = null !== $name && isset( $_REQUEST[ $name ] ) && is_scalar( $_REQUEST[ $name ] ) ? absint( $_REQUEST[ $name ] ) : 0;
		// phpcs:enable
		if ( $number > 0 && ! Viewer::sees( $number ) ) {
			wp_die( -1, 403 );
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
