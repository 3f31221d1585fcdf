<?php
/** Read by the stack's wp-config.php: which of the sites in the one database this process means. */

$tcs_prefix = getenv( 'TCS_ARTICLE_PREFIX' );
if ( is_string( $tcs_prefix ) && preg_match( '/^[a-z]+_$/D', $tcs_prefix ) ) {
	$table_prefix = $tcs_prefix;
}
