<?php
/**
 * Loads the stack's WordPress into this process, as a request to its front page would. Included by PHPUnit's bootstrap and by the
 * scripts that tests start as processes of their own.
 */

$_SERVER['HTTP_HOST']       = '127.0.0.1:' . getenv( 'TCS_HTTP_PORT' );
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';

// wp-settings.php sets globals as if it ran in the global scope; PHPUnit includes its bootstrap in a function. What a function includes
// sees these names as references to the globals.
foreach ( array( 'wpdb', 'wp_query', 'wp_the_query', 'wp_rewrite', 'wp', 'wp_widget_factory', 'wp_roles', 'wp_filter', 'wp_actions', 'wp_filters', 'wp_current_filter', 'table_prefix', 'wp_version', 'wp_db_version', 'wp_object_cache', 'shortcode_tags', 'wp_locale', 'blog_id', 'current_site', 'current_blog', 'pagenow', 'wp_plugin_paths', 'l10n', 'wp_post_types', 'wp_post_statuses', 'wp_taxonomies', 'wp_embed', 'wp_theme_directories', '_wp_theme_features', 'wp_registered_sidebars', 'wp_textdomain_registry', 'required_php_version', 'required_mysql_version', 'tinymce_version', 'wp_local_package', 'allowedposttags', 'allowedtags', 'allowedentitynames', 'allowedxmlentitynames', 'pass_allowed_html', 'wp_scripts', 'wp_styles', 'wp_meta_keys', 'wp_hasher', 'wp_locale_switcher', 'authordata', 'post', 'wp_customize', 'editor_styles', 'is_IE', '_wp_registered_image_sizes', '_wp_additional_image_sizes', 'super_admins', 'PHP_SELF', 'timestart', '_updated_user_settings', '_wp_admin_css_colors' ) as $tcs_global ) {
	global $$tcs_global;
}
require getenv( 'TCS_WWW' ) . '/wp-load.php';
