<?php
/**
 * The post type of leads: the article's name, and no way to it from outside. Who may read one is decided in Capabilities.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class PostType {

	public const NAME = 'crm_lead';

	private static bool $ours = false;

	/** Whether the type is this plugin's, and not one of the same name that the site's own code registered. */
	public static function is_ours(): bool {
		return self::$ours;
	}

	public static function register(): void {
		// Late, so that a site that has such a type of its own keeps it.
		add_action( 'init', array( self::class, 'register_if_missing' ), 99 );
	}

	public static function register_if_missing(): void {
		if ( post_type_exists( self::NAME ) ) {
			return;
		}
		self::$ours = true;
		register_post_type(
			self::NAME,
			array(
				'labels'              => array(
					'name'          => __( 'CRM leads', 'tenant-crm-sync' ),
					'singular_name' => __( 'CRM lead', 'tenant-crm-sync' ),
				),
				'public'              => false,
				'publicly_queryable'  => false,
				'exclude_from_search' => true,
				'show_ui'             => false,
				'show_in_menu'        => false,
				'show_in_nav_menus'   => false,
				'show_in_admin_bar'   => false,
				'show_in_rest'        => false,
				'has_archive'         => false,
				'rewrite'             => false,
				'query_var'           => false,
				'can_export'          => false,
				'delete_with_user'    => false,
				'hierarchical'        => false,
				'capability_type'     => array( 'crm_lead', 'crm_leads' ),
				'map_meta_cap'        => true,
				'supports'            => array( 'title' ),
			)
		);
	}
}
