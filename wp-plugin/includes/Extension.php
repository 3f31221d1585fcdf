<?php
/**
 * Which extension there is, and whether this plugin can work with it. Both are updated apart and in any order: as long as all is there that the plugin calls, it goes on
 * and says that the versions differ; else it does nothing, and says which version to install.
 *
 * @package TenantCRM
 */

namespace TenantCRM;

final class Extension {

	/** What the plugin calls of the class TenantCRMSync. */
	public const NEEDED = array( 'attempts', 'authorize_url', 'checkpoint_limits', 'connectors', 'create_record', 'delete_record', 'describe', 'encrypt_credential', 'exchange_code', 'forget_tenant', 'get_record', 'is_newer', 'limiter', 'limits', 'merge', 'pull', 'pull_deleted', 'pull_many', 'restore_limits', 'rotate_credential', 'same', 'status', 'subscribe_webhook', 'test_connection', 'throw_errors', 'trace', 'unsubscribe_webhook', 'update_record', 'upsert_record', 'use_site', 'use_token_store', 'verify_webhook', 'wait_for_wake', 'wake', 'with_settings' );

	/** Whether it can be worked with; null: nobody has looked yet. */
	private static ?bool $is_usable = null;

	/** Of the one that is loaded; empty where none is. */
	public static function version(): string {
		return (string) phpversion( 'tenant_crm_sync' );
	}

	/** Asked many times in a request, and never to change in a process. */
	public static function is_usable(): bool {
		return self::$is_usable ??= self::is_its_class() && ! self::missing( 'TenantCRMSync' );
	}

	/**
	 * What the plugin needs and the class does not have.
	 *
	 * @return list<string>
	 */
	public static function missing( string $class_name ): array {
		return array_values( array_filter( self::NEEDED, static fn( string $method ): bool => ! method_exists( $class_name, $method ) ) );
	}

	/** What keeps the plugin from doing anything, with what to do; null where nothing does. */
	public static function obstacle(): ?string {
		if ( self::is_usable() ) {
			return null;
		}
		if ( '' === self::version() ) {
			return __( 'The PHP extension tenant_crm_sync is not loaded. Install tenant_crm_sync.so for the PHP that serves this site (and the one of its command line), enable it, and restart PHP-FPM. Until then no tenant is synced; nothing was changed or lost.', 'tenant-crm-sync' );
		}
		if ( ! self::is_its_class() ) {
			return __( 'The extension is loaded, but the class TenantCRMSync is not its own. Remove the old class from the site’s code, and set tenant_crm_sync.register_class = 1.', 'tenant-crm-sync' );
		}
		/* translators: 1: version of the extension, 2: version of the plugin, 3: names of methods */
		return sprintf( __( 'The PHP extension is version %1$s and lacks what version %2$s of the plugin calls (%3$s). Install version %2$s of the extension and restart PHP-FPM. Until then no tenant is synced; nothing was changed or lost.', 'tenant-crm-sync' ), self::version(), Plugin::VERSION, implode( ', ', self::missing( 'TenantCRMSync' ) ) );
	}

	/** That plugin and extension are of different versions though they work, with what to do; null where they are not. */
	public static function difference(): ?string {
		if ( ! self::is_usable() || self::belong_together( Plugin::VERSION, self::version() ) ) {
			return null;
		}
		return sprintf(
			version_compare( self::version(), Plugin::VERSION, '<' )
				/* translators: 1: version of the plugin, 2: version of the extension */
				? __( 'The plugin is version %1$s, the extension only %2$s. Syncs go on. Install version %1$s of the extension and restart PHP-FPM.', 'tenant-crm-sync' )
				/* translators: 1: version of the plugin, 2: version of the extension */
				: __( 'The extension is version %2$s, the plugin only %1$s. Syncs go on. Update the plugin to version %2$s.', 'tenant-crm-sync' ),
			Plugin::VERSION,
			self::version()
		);
	}

	/** Patch versions go together: "0.1" of "0.1.3" counts. */
	public static function belong_together( string $plugin, string $extension ): bool {
		$minor = static fn( string $version ): array => array_slice( explode( '.', $version ), 0, 2 );
		return $minor( $plugin ) === $minor( $extension );
	}

	/** The article's own class of this name is the site's code. */
	private static function is_its_class(): bool {
		return class_exists( 'TenantCRMSync', false ) && ( new \ReflectionClass( 'TenantCRMSync' ) )->isInternal();
	}
}
