#!/usr/bin/env bash
# Helpers that the stack, the demo and the test runner share: run as the web user, wait, stop a server by its pid file.
# Knows nothing about which servers there are: see services.sh.

# shellcheck disable=SC2034 # used by the scripts that read this file
REPO=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PHP=${PHP:-php8.2}
FPM=${FPM:-php-fpm8.2}

# Root's servers run as this user; anybody else's as themselves.
if [ "$(id -u)" = 0 ]; then TCS_USER=${TCS_USER:-www-data}; else TCS_USER=$(id -un); fi

say() { printf '%s\n' "$*" >&2; }
die() { say "error: $*"; exit 1; }

# as COMMAND…: as the web user.
as() {
	if [ "$(id -u)" = 0 ]; then
		setpriv --reuid="$TCS_USER" --regid="$TCS_USER" --clear-groups env HOME="${TCS_STACK:-/tmp}" USER="$TCS_USER" "$@"
	else
		"$@"
	fi
}

own() { if [ "$(id -u)" = 0 ]; then chown -R "$TCS_USER:" "$@"; fi; }

# A zombie is not alive: PID 1 of a container may take seconds to reap one, and kill -0 still finds it.
running() {
	local state
	state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [ -n "$state" ] && [ "$state" != Z ]
}
alive() { [ -s "$1" ] && running "$(cat "$1")"; }

# wait_for SECONDS COMMAND…: until the command succeeds.
wait_for() {
	local tries=$(($1 * 20))
	shift
	while ! "$@" >/dev/null 2>&1; do
		tries=$((tries - 1))
		[ "$tries" -gt 0 ] || return 1
		sleep 0.05
	done
}

# stop NAME PIDFILE SIGNAL
stop() {
	local pid
	if alive "$2"; then
		pid=$(cat "$2")
		kill "-$3" "$pid"
		for _ in $(seq 1 600); do
			running "$pid" || break
			sleep 0.05
		done
		if running "$pid"; then
			say "$1 (pid $pid) did not stop within 30 s"
			return 1
		fi
	fi
	rm -f "$2"
}

# free_ports N: that many ports of 127.0.0.1 that nobody listens on, each a word.
free_ports() {
	# shellcheck disable=SC2016 # PHP's variables, not the shell's
	"$PHP" -n -r '
		for ( $i = 0; $i < (int) $argv[1]; $i++ ) {
			$all[] = $s = stream_socket_server( "tcp://127.0.0.1:0" );
			echo substr( strrchr( stream_socket_get_name( $s, false ), ":" ), 1 ), " ";
		}' "$1"
}

random_word() { head -c 18 /dev/urandom | base64 | tr -d '+/='; }

# new_folder PREFIX: a fresh folder that the web user can reach, wherever the repository lies.
new_folder() {
	local folder
	folder=$(mktemp -d "${TMPDIR:-/tmp}/$1.XXXXXX")
	chmod 755 "$folder"
	as test -x "$folder" || die "the user $TCS_USER cannot reach $folder: set TMPDIR to a folder that everybody may enter"
	printf '%s\n' "$folder"
}

# Where cargo leaves its files, absolute.
target_dir() {
	local dir=${CARGO_TARGET_DIR:-target}
	case $dir in /*) ;; *) dir=$REPO/$dir ;; esac
	printf '%s\n' "$dir"
}
