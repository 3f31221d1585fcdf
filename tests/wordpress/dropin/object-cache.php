<?php
/**
 * A persistent object cache for tests: one file a key under $TCS_CACHE, shared by all processes, and nothing kept in memory beside it.
 * CacheTest copies it to wp-content/object-cache.php. Without $TCS_CACHE it keeps everything in the process, as WordPress does.
 */

function tcs_cache_file( $key, $group ) {
	return getenv( 'TCS_CACHE' ) . '/' . sha1( ( $group ? $group : 'default' ) . "\n" . $key );
}

function wp_cache_init() {
	$GLOBALS['tcs_cache'] = array();
}

function wp_cache_get( $key, $group = '', $force = false, &$found = null ) {
	$file = tcs_cache_file( $key, $group );
	if ( getenv( 'TCS_CACHE' ) ) {
		$data = is_file( $file ) ? file_get_contents( $file ) : false;
	} else {
		$data = $GLOBALS['tcs_cache'][ $file ] ?? false;
	}
	$found = false !== $data;
	return $found ? unserialize( $data ) : false;
}

function wp_cache_set( $key, $data, $group = '', $expire = 0 ) {
	$file = tcs_cache_file( $key, $group );
	if ( getenv( 'TCS_CACHE' ) ) {
		file_put_contents( "$file.new", serialize( $data ) );
		return rename( "$file.new", $file );
	}
	$GLOBALS['tcs_cache'][ $file ] = serialize( $data );
	return true;
}

function wp_cache_add( $key, $data, $group = '', $expire = 0 ) {
	wp_cache_get( $key, $group, false, $found );
	return ! $found && ! wp_suspend_cache_addition() && wp_cache_set( $key, $data, $group, $expire );
}

function wp_cache_replace( $key, $data, $group = '', $expire = 0 ) {
	wp_cache_get( $key, $group, false, $found );
	return $found && wp_cache_set( $key, $data, $group, $expire );
}

function wp_cache_delete( $key, $group = '' ) {
	$file = tcs_cache_file( $key, $group );
	unset( $GLOBALS['tcs_cache'][ $file ] );
	return getenv( 'TCS_CACHE' ) && is_file( $file ) && unlink( $file );
}

function wp_cache_incr( $key, $offset = 1, $group = '' ) {
	$value = max( 0, (int) wp_cache_get( $key, $group ) + $offset );
	wp_cache_set( $key, $value, $group );
	return $value;
}

function wp_cache_decr( $key, $offset = 1, $group = '' ) {
	return wp_cache_incr( $key, -$offset, $group );
}

function wp_cache_flush() {
	$GLOBALS['tcs_cache'] = array();
	return ! getenv( 'TCS_CACHE' ) || array_map( 'unlink', glob( getenv( 'TCS_CACHE' ) . '/*' ) );
}

function wp_cache_close() {
	return true;
}

function wp_cache_add_global_groups( $groups ) {
}

function wp_cache_add_non_persistent_groups( $groups ) {
}

function wp_cache_switch_to_blog( $blog_id ) {
}
