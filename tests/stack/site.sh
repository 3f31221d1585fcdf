#!/usr/bin/env bash
# The WordPress of the stack: a copy of Debian's tree, its configuration, the plugin, one installation.
# Leaves servers to services.sh; install.php does what needs WordPress itself.
: "${www:?}" "${log:?}"

copy_wordpress() {
	local source=${TCS_WORDPRESS:-/usr/share/wordpress}
	if [ -f "$www/wp-load.php" ]; then return; fi
	[ -f "$source/wp-load.php" ] || die "no WordPress in $source: install Debian's package wordpress, or set TCS_WORDPRESS"
	# -L: Debian's tree is full of links into other packages; some dangle, which is harmless.
	cp -rL --no-preserve=ownership "$source/." "$www/" 2>"$log/copy.log" || true
	rm -f "$www/wp-config.php" "$www/.htaccess"
	mkdir -p "$www/wp-content/uploads" "$www/wp-content/mu-plugins"
	own "$www"
}

write_wp_config() {
	local key
	if [ -f "$www/wp-config.php" ]; then return; fi
	{
		cat <<-PHP
			<?php
			define( 'DB_NAME', 'wp' );
			define( 'DB_USER', 'wp' );
			define( 'DB_PASSWORD', '$TCS_DB_PASSWORD' );
			define( 'DB_HOST', '127.0.0.1:$TCS_DB_PORT' );
			define( 'DB_CHARSET', 'utf8mb4' );
			define( 'DB_COLLATE', '' );
			define( 'WP_HOME', '$TCS_URL' );
			define( 'WP_SITEURL', '$TCS_URL' );
			define( 'WP_HTTP_BLOCK_EXTERNAL', true );
			define( 'WP_ACCESSIBLE_HOSTS', '127.0.0.1,localhost' );
			define( 'AUTOMATIC_UPDATER_DISABLED', true );
			define( 'WP_AUTO_UPDATE_CORE', false );
			define( 'DISABLE_WP_CRON', true );
			define( 'FS_METHOD', 'direct' );
			define( 'WP_ENVIRONMENT_TYPE', 'local' );
			define( 'WP_DEBUG', true );
			define( 'WP_DEBUG_DISPLAY', false );
			define( 'WP_DEBUG_LOG', '$log/wp-debug.log' );
		PHP
		for key in AUTH_KEY SECURE_AUTH_KEY LOGGED_IN_KEY NONCE_KEY AUTH_SALT SECURE_AUTH_SALT LOGGED_IN_SALT NONCE_SALT; do
			printf "define( '%s', '%s' );\n" "$key" "$(head -c 48 /dev/urandom | base64 -w0)"
		done
		cat <<-'PHP'
			$table_prefix = 'wp_';
			if ( is_file( __DIR__ . '/wp-config-extra.php' ) ) {
				require __DIR__ . '/wp-config-extra.php';
			}
			if ( ! defined( 'ABSPATH' ) ) {
				define( 'ABSPATH', __DIR__ . '/' );
			}
			require_once ABSPATH . 'wp-settings.php';
		PHP
	} >"$www/wp-config.php"
	chmod 640 "$www/wp-config.php"
	own "$www/wp-config.php"
}

# A link, so that an edit shows at once; a copy where the web user cannot reach the repository (a clone under /root).
place_plugin() {
	local place=$www/wp-content/plugins/tenant-crm-sync
	if [ -z "$TCS_PLUGIN" ]; then return; fi
	[ -f "$TCS_PLUGIN/tenant-crm-sync.php" ] || die "no plugin in $TCS_PLUGIN: set TCS_PLUGIN, or leave it empty for none"
	rm -rf "$place"
	if as test -r "$TCS_PLUGIN/tenant-crm-sync.php"; then
		ln -s "$TCS_PLUGIN" "$place"
	else
		cp -r "$TCS_PLUGIN" "$place"
		own "$place"
	fi
}

install_wordpress() {
	local stage
	# Two processes: activation wants a WordPress that has loaded in full.
	for stage in install activate; do
		php_as "$TCS_STACK/bin/install.php" "$stage" >>"$log/install.log" 2>&1 || { tail "$log/install.log" >&2; die "WordPress: $stage failed"; }
	done
}
