#!/usr/bin/env bash
# The four servers of the stack, each started only if it is not alive: sandbox CRM, MariaDB, PHP-FPM, nginx.
# Leaves ports and paths to stack.sh (the TCS_… variables) and WordPress to site.sh.

run=$TCS_STACK/run log=$TCS_STACK/log etc=$TCS_STACK/etc tmp=$TCS_STACK/tmp www=$TCS_STACK/www

# Everything that starts gets a session of its own: Ctrl-C at a terminal must reach the script, not the servers.
start_sandbox() {
	local folder=$TCS_STACK/sandbox
	if alive "$folder/sandbox.pid"; then return; fi
	rm -f "$folder/sandbox.json"
	as setsid -f "$TCS_STACK/bin/sandbox-crm" --dir "$folder" --tls-port "$TCS_SANDBOX_TLS_PORT" \
		--plain-port "$TCS_SANDBOX_PLAIN_PORT" --control-port "$TCS_SANDBOX_CONTROL_PORT" >>"$log/sandbox.log" 2>&1 </dev/null
	wait_for 20 test -s "$folder/sandbox.json" || { tail "$log/sandbox.log" >&2; die "the sandbox CRM did not start"; }
}

# shellcheck disable=SC2120 # stack.sh gives arguments
sql() { mariadb --no-defaults -uroot -S "$run/db.sock" "$@"; }

start_mariadb() {
	local data=$TCS_STACK/db
	if alive "$run/db.pid"; then return; fi
	if [ ! -d "$data/mysql" ]; then
		as mkdir -p "$data"
		# --force: it may be that the host's own name does not resolve.
		as mariadb-install-db --no-defaults --auth-root-authentication-method=normal --skip-test-db --force \
			--datadir="$data" >"$log/install-db.log" 2>&1 || { tail "$log/install-db.log" >&2; die "mariadb-install-db failed"; }
	fi
	as setsid -f mariadbd --no-defaults --datadir="$data" --socket="$run/db.sock" --pid-file="$run/db.pid" --log-error="$log/db.log" \
		--tmpdir="$tmp" --port="$TCS_DB_PORT" --bind-address=127.0.0.1 --skip-name-resolve --skip-log-bin \
		--innodb-buffer-pool-size=256M --innodb-log-file-size=64M --max-allowed-packet=16M \
		--character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_520_ci >>"$log/db.out" 2>&1 </dev/null
	wait_for 60 mariadb-admin --no-defaults -uroot -S "$run/db.sock" ping || { tail "$log/db.log" >&2; die "MariaDB did not start"; }
	# WordPress comes over TCP and may do everything in its own database; root only by the socket.
	# shellcheck disable=SC2119
	sql <<-SQL
		CREATE DATABASE IF NOT EXISTS wp CHARACTER SET utf8mb4;
		CREATE USER IF NOT EXISTS wp@'127.0.0.1' IDENTIFIED BY '$TCS_DB_PASSWORD';
		GRANT ALL ON wp.* TO wp@'127.0.0.1';
	SQL
}

# PHP reads the distribution's extensions and ours, but not an installed copy of ours beside it.
write_php_ini() {
	local dir=$etc/php.d ini
	rm -rf "$dir"
	mkdir -p "$dir"
	for ini in "${TCS_PHP_MODULES:-/etc/php/8.2/fpm/conf.d}"/*.ini; do
		case $ini in *tenant_crm_sync*) ;; *) ln -s "$ini" "$dir/" ;; esac
	done
	cat >"$dir/90-tenant_crm_sync.ini" <<-INI
		extension = $TCS_EXT
		tenant_crm_sync.key_file = $TCS_KEY_FILE
		tenant_crm_sync.key_dir = $TCS_KEY_DIR
		tenant_crm_sync.ca_file = $TCS_CA_FILE
		; the sandbox CRM listens on 127.0.0.1
		tenant_crm_sync.allow_private_networks = 1
	INI
	own "$dir"
}

# A lone key of 32 bytes, readable by the web user alone, outside of the docroot and the database.
write_host_key() {
	if [ ! -s "$TCS_KEY_FILE" ]; then
		mkdir -p "$TCS_KEY_DIR"
		(umask 077 && head -c 32 /dev/urandom | base64 >"$TCS_KEY_FILE")
	fi
	own "$TCS_STACK/keys"
	chmod 700 "$TCS_STACK/keys" "$TCS_KEY_DIR"
	chmod 600 "$TCS_KEY_FILE"
}

# fpm_conf: as root the master stays root and the workers do not, as on a host; otherwise permission bugs hide.
fpm_conf() {
	cat <<-CONF
		[global]
		pid = $run/fpm.pid
		error_log = $log/fpm.log
		process_control_timeout = 10s
		[www]
		listen = $TCS_FPM_SOCKET
		listen.mode = 0660
		pm = static
		pm.max_children = ${TCS_FPM_CHILDREN:-4}
		catch_workers_output = yes
		request_terminate_timeout = 300s
		php_admin_value[error_log] = $log/php.log
		php_admin_flag[log_errors] = on
		php_admin_value[session.save_path] = $tmp
		php_admin_value[upload_tmp_dir] = $tmp
		php_admin_value[memory_limit] = 256M
	CONF
	if [ "$(id -u)" = 0 ]; then
		printf '%s\n' "user = $TCS_USER" "group = $TCS_USER" "listen.owner = $TCS_USER" "listen.group = $TCS_USER"
	fi
	# Lines before the first [section] of this file belong to the pool above; sections are further pools.
	if [ -n "${TCS_FPM_EXTRA:-}" ]; then cat "$TCS_FPM_EXTRA"; fi
}

start_fpm() {
	if alive "$run/fpm.pid"; then return; fi
	fpm_conf >"$etc/fpm.conf"
	PHP_INI_SCAN_DIR=$etc/php.d setsid "$FPM" -y "$etc/fpm.conf" >>"$log/fpm.out" 2>&1 </dev/null || { tail "$log/fpm.out" "$log/fpm.log" >&2; die "PHP-FPM did not start"; }
	wait_for 20 test -S "$TCS_FPM_SOCKET" || { tail "$log/fpm.log" >&2; die "PHP-FPM did not open its socket"; }
}

nginx_conf() {
	cat <<-CONF
		pid $run/nginx.pid; error_log $log/nginx.log warn; worker_processes 1; daemon on;
		events { worker_connections 256; }
		http {
		  include /etc/nginx/mime.types; default_type application/octet-stream; access_log $log/access.log; sendfile on; client_max_body_size 16m;
		  client_body_temp_path $tmp/body; proxy_temp_path $tmp/proxy; fastcgi_temp_path $tmp/fastcgi; uwsgi_temp_path $tmp/uwsgi; scgi_temp_path $tmp/scgi;
		  server {
		    listen 127.0.0.1:$TCS_HTTP_PORT; server_name 127.0.0.1; root $www; index index.php index.html;
		    location / { try_files \$uri \$uri/ /index.php?\$args; }
		    location ~ \.php\$ {
		      try_files \$uri =404; include /etc/nginx/fastcgi_params; fastcgi_read_timeout 300s; fastcgi_pass unix:$TCS_FPM_SOCKET;
		      # with the port, or WordPress redirects its front page for ever
		      fastcgi_param HTTP_HOST \$http_host; fastcgi_param SCRIPT_FILENAME \$document_root\$fastcgi_script_name;
		    }
		    location ~ /\.(ht|git) { deny all; }
		  }
		}
	CONF
}

start_nginx() {
	if alive "$run/nginx.pid"; then return; fi
	nginx_conf >"$etc/nginx.conf"
	as /usr/sbin/nginx -e "$log/nginx.log" -c "$etc/nginx.conf" -p "$TCS_STACK" </dev/null 2>"$log/nginx.out" || { cat "$log/nginx.out" >&2; die "nginx did not start"; }
	wait_for 30 curl -fsS -o /dev/null "$TCS_URL/wp-login.php" || { tail "$log"/nginx.log "$log"/php.log "$log"/fpm.log >&2; die "the site does not answer at $TCS_URL"; }
}

stop_all() {
	local bad=0
	stop nginx "$run/nginx.pid" TERM || bad=1
	stop PHP-FPM "$run/fpm.pid" TERM || bad=1
	stop MariaDB "$run/db.pid" TERM || bad=1
	stop "the sandbox CRM" "$TCS_STACK/sandbox/sandbox.pid" TERM || bad=1
	return "$bad"
}
