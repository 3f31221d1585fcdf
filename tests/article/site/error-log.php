<?php
/** Must-use plugin: an error log for each site, where wp-config.php has one for all. */

$tcs_log = getenv( 'TCS_ARTICLE_LOG' );
if ( is_string( $tcs_log ) && '' !== $tcs_log ) {
	ini_set( 'error_log', $tcs_log ); // phpcs:ignore WordPress.PHP.IniSet
}
