<?php
/**
 * The site around the class: the settings function that both sides call, and the places that differ from run to run.
 */

declare(strict_types=1);

namespace TenantCRM\Tests\Parity {

	final class Site {
		public const KEY = 'k3y-of+the/tenant=';
		/** @var array<string, mixed> */
		public static array $settings = [];
		/** What the settings function does instead of returning them. */
		public static ?\Closure $lookup = null;
		/** @var array<string, string> */
		public static array $fixed = [];
		public static ?\TenantCRM\Tests\Sandbox $sandbox = null;

		/** Puts ports and paths in. */
		public static function filled( mixed $value ): mixed {
			if ( is_array( $value ) || $value instanceof \stdClass ) {
				$filled = array_map( [ self::class, 'filled' ], (array) $value );
				return is_array( $value ) ? $filled : (object) $filled;
			}
			return is_string( $value ) ? strtr( $value, self::$fixed ) : $value;
		}

		/** Takes them out again. */
		public static function unfilled( array $seen ): array {
			$names = array_flip( array_diff_key( self::$fixed, [ '{side}' => '' ] ) );
			array_walk_recursive(
				$seen,
				static function ( &$value ) use ( $names ): void {
					$value = is_string( $value ) ? strtr( $value, $names ) : $value;
				}
			);
			return $seen;
		}
	}
}

namespace {

	use TenantCRM\Tests\Parity\Site;

	function get_tenant_crm_settings( $tenant_id ) {
		return Site::$lookup ? ( Site::$lookup )( $tenant_id ) : Site::$settings;
	}
}
