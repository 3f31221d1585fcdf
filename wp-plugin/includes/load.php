<?php
/**
 * Loads classes by the class map, and only those: no folder is scanned and no Composer is needed at run time.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

if ( ! defined( 'ABSPATH' ) ) {
	exit;
}

spl_autoload_register(
	static function ( string $class ): void {
		static $map = null;
		if ( ! str_starts_with( $class, __NAMESPACE__ . '\\' ) ) {
			return;
		}
		$map ??= require __DIR__ . '/classmap.php';
		// A file of a half copied update may be missing: class_exists() then says no, which every caller outside of this folder asks first.
		if ( isset( $map[ $class ] ) && is_file( $map[ $class ] ) ) {
			require_once $map[ $class ];
		}
	}
);
