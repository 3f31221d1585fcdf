#!/usr/bin/env bash
# A private portal to work and test against: MariaDB, PHP-FPM with the extension, nginx, WordPress with the plugin, the sandbox CRM.
# All on 127.0.0.1, under the one folder $TCS_STACK; the servers are in services.sh, WordPress in site.sh.
set -euo pipefail

usage() {
	cat <<-'TEXT'
		Usage: stack.sh COMMAND
		  up        start what is not running; the first time install WordPress (2 to 10 s)
		  fpm       start the sandbox CRM and PHP-FPM alone: no database, no web server, no WordPress
		  down      stop the servers, keep the data
		  mariadb   start MariaDB alone, where it does not run
		  wipe      stop the servers and remove the folder
		  status    what runs, and where
		  php …     PHP's command line as the web user, with the site's settings, in the docroot
		  sql …     MariaDB's client as root, in the database wp
		  sandbox METHOD PATH [JSON]   the sandbox CRM's control interface, for example: sandbox GET /stats
		Environment, read by the first up and then kept in $TCS_STACK/env:
		  TCS_STACK        the folder (default: .stack in the repository)
		  TCS_EXTENSION    the .so (default: the release build)       TCS_SANDBOX  the sandbox-crm binary (default: the release build)
		  TCS_PLUGIN       the plugin's folder (default: wp-plugin; empty for none)
		  TCS_WORDPRESS    a WordPress tree (default: Debian's)
		  PHP, FPM         another PHP's programs, and TCS_PHP_MODULES its folder of .ini files (default: 8.2's)
		Read by every start of PHP-FPM:
		  TCS_FPM_CHILDREN workers (default 4)     TCS_FPM_EXTRA  a file of further lines for the pool and of further pools
	TEXT
}

here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/stack/lib.sh
. "$here/lib.sh"
: "${TCS_STACK:=$REPO/.stack}"
case $TCS_STACK in /*) ;; *) TCS_STACK=$PWD/$TCS_STACK ;; esac
export PATH="$PATH:/usr/sbin" TCS_STACK
if [ -f "$TCS_STACK/env" ]; then
	# shellcheck source=/dev/null
	. "$TCS_STACK/env"
fi
# shellcheck source=tests/stack/services.sh
. "$here/services.sh"
# shellcheck source=tests/stack/site.sh
. "$here/site.sh"

php_as() {
	as env PHP_INI_SCAN_DIR="$etc/php.d" TCS_WWW="$www" TCS_URL="$TCS_URL" TCS_ADMIN_PASSWORD="$TCS_ADMIN_PASSWORD" \
		TCS_HAS_PLUGIN="$TCS_PLUGIN" "$PHP" -d memory_limit=512M -d "error_log=$log/php-cli.log" "$@"
}

# The file that tests read, and that keeps ports and passwords over down and up.
write_env() {
	local tls plain control db http
	read -r tls plain control db http <<<"$(free_ports 5)"
	(
		umask 077
		cat >"$TCS_STACK/env" <<-ENV
			TCS_STACK='$TCS_STACK'
			TCS_USER='$TCS_USER'
			PHP='$PHP'
			FPM='$FPM'
			TCS_PHP_MODULES='${TCS_PHP_MODULES:-/etc/php/8.2/fpm/conf.d}'
			TCS_URL='http://127.0.0.1:$http'
			TCS_HTTP_PORT=$http
			TCS_WWW='$TCS_STACK/www'
			TCS_PLUGIN='${TCS_PLUGIN-$REPO/wp-plugin}'
			TCS_ADMIN_USER='admin'
			TCS_ADMIN_PASSWORD='$(random_word)'
			TCS_DB_PORT=$db
			TCS_DB_SOCKET='$TCS_STACK/run/db.sock'
			TCS_DB_NAME='wp'
			TCS_DB_USER='wp'
			TCS_DB_PASSWORD='$(random_word)'
			TCS_FPM_SOCKET='$TCS_STACK/run/fpm.sock'
			TCS_PHP_INI_DIR='$TCS_STACK/etc/php.d'
			TCS_EXT='$TCS_STACK/bin/tenant_crm_sync.so'
			TCS_KEY_FILE='$TCS_STACK/keys/host.key'
			TCS_KEY_DIR='$TCS_STACK/keys/tenants'
			TCS_CA_FILE='$TCS_STACK/sandbox/ca.pem'
			TCS_SANDBOX_TLS_PORT=$tls
			TCS_SANDBOX_PLAIN_PORT=$plain
			TCS_SANDBOX_CONTROL_PORT=$control
			TCS_SANDBOX_URL='https://localhost:$tls'
			TCS_SANDBOX_PLAIN_URL='http://127.0.0.1:$plain'
			TCS_SANDBOX_CONTROL='http://127.0.0.1:$control'
		ENV
	)
	own "$TCS_STACK/env"
	# shellcheck source=/dev/null
	. "$TCS_STACK/env"
}

# Copies, for two reasons: a rebuild must not change code under a running process, and the web user need not reach the repository.
copy_binaries() {
	local extension sandbox
	extension=${TCS_EXTENSION:-$(target_dir)/release/libtenant_crm_sync.so}
	sandbox=${TCS_SANDBOX:-$(target_dir)/release/sandbox-crm}
	[ -f "$extension" ] || die "no extension at $extension: run make, or set TCS_EXTENSION"
	[ -f "$sandbox" ] || die "no sandbox CRM at $sandbox: run cargo build --release -p sandbox-crm, or set TCS_SANDBOX"
	install -m 755 "$extension" "$TCS_STACK/bin/tenant_crm_sync.so.new"
	mv "$TCS_STACK/bin/tenant_crm_sync.so.new" "$TCS_STACK/bin/tenant_crm_sync.so"
	install -m 755 "$sandbox" "$TCS_STACK/bin/sandbox-crm.new"
	mv "$TCS_STACK/bin/sandbox-crm.new" "$TCS_STACK/bin/sandbox-crm"
	install -m 644 "$here/install.php" "$TCS_STACK/bin/install.php"
}

prepare() {
	mkdir -p "$TCS_STACK"/{bin,db,etc,keys,log,run,sandbox,tmp,www}
	chmod 755 "$TCS_STACK"
	own "$TCS_STACK"/{db,log,run,sandbox,tmp,www}
	as test -x "$TCS_STACK/run" || die "the user $TCS_USER cannot reach $TCS_STACK: set TCS_STACK to a folder that everybody may enter"
	[ -f "$TCS_STACK/env" ] || write_env
	copy_binaries
	write_host_key
	write_php_ini
	start_sandbox
}

cmd_fpm() {
	prepare
	start_fpm
}

cmd_up() {
	prepare
	start_mariadb
	copy_wordpress
	write_wp_config
	place_plugin
	install_wordpress
	start_fpm
	start_nginx
	echo "up: $TCS_URL/wp-admin/ ($TCS_ADMIN_USER / $TCS_ADMIN_PASSWORD), settings in $TCS_STACK/env"
}

# The servers' own: the caller's folder for temporary files may be closed to the web user.
export TMPDIR=$TCS_STACK/tmp

need_env() { [ -f "$TCS_STACK/env" ] || die "there is no stack in $TCS_STACK: run $0 up first"; }

cmd_status() {
	local name file up=0
	need_env
	for name in sandbox mariadb php-fpm nginx; do
		case $name in
			sandbox) file=$TCS_STACK/sandbox/sandbox.pid ;;
			mariadb) file=$run/db.pid ;;
			php-fpm) file=$run/fpm.pid ;;
			nginx) file=$run/nginx.pid ;;
		esac
		if alive "$file"; then
			echo "$name: pid $(cat "$file"), user $(stat -c %U "/proc/$(cat "$file")")"
		else
			echo "$name: down"
			up=1
		fi
	done
	echo "$TCS_URL, folder $TCS_STACK"
	return "$up"
}

cmd_wipe() {
	need_env
	stop_all
	rm -rf "$TCS_STACK"
}

command=${1:-help}
shift || true
case $command in
	up | fpm | status | wipe) "cmd_$command" ;;
	down) need_env && stop_all ;;
	mariadb) need_env && start_mariadb ;;
	php) need_env && cd "$www" && php_as "$@" ;;
	sql) need_env && sql wp "$@" ;;
	sandbox) need_env && curl -fsS -X "$1" -H 'Content-Type: application/json' ${3:+--data-binary "$3"} "$TCS_SANDBOX_CONTROL$2" && echo ;;
	help | -h | --help) usage ;;
	*) usage >&2; exit 2 ;;
esac
