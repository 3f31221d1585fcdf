#!/usr/bin/env bash
# Installs with apt what is missing on a bare Debian 12, and only that; says what to do where it cannot.
# Usage: deps.sh build|run|test|browser|bench|valgrind|package …   Needs root only if something is missing. Starts no daemon.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export PATH="$HOME/.cargo/bin:$PATH:/usr/sbin"

build=(php8.2-dev php8.2-cli build-essential clang libclang-dev ca-certificates)
# php, php8.2-fpm and nginx are named beside wordpress, or apt would choose Apache for it.
run=(php php8.2-fpm php8.2-mysql php8.2-curl php8.2-mbstring php8.2-xml php8.2-gd php8.2-intl php8.2-zip nginx-light
	mariadb-server wordpress wordpress-theme-twentytwentythree curl ca-certificates)
tests=(patchelf phpunit php-codesniffer php-guzzlehttp-guzzle shellcheck gettext binutils zip unzip python3-venv redis-server openssl faketime)

# Whom the benchmarks are run against; curl comes with the rest.
bench=(php-guzzlehttp-guzzle php-symfony-http-client)

# What a release is packed with, and the clean root that it is tried in.
package=(zip unzip python3-venv dpkg-dev binutils debootstrap git)

wanted=$(sed -n 's/^rust-version *= *"\(.*\)"/\1/p' "$here/../../Cargo.toml")

# at_least HAVE WANT
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n1)" = "$2" ]; }

rust_is_good() {
	local have
	have=$(rustc --version 2>/dev/null | cut -d' ' -f2) && command -v cargo >/dev/null && at_least "${have:-0}" "$wanted"
}

missing=()
need() {
	local package
	for package in "$@"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
	done
}

want_rust=() want_tools=()
for group in "$@"; do
	case $group in
		build) need "${build[@]}"; rust_is_good || want_rust=(rustc-web cargo-web) ;;
		run) need "${run[@]}" ;;
		valgrind) need valgrind ;;
		package) need "${package[@]}" ;;
		bench) need "${bench[@]}" ;;
		test)
			need "${tests[@]}"
			cargo fmt --version >/dev/null 2>&1 || want_tools+=(rustfmt-web)
			cargo clippy --version >/dev/null 2>&1 || want_tools+=(rust-web-clippy)
			;;
		browser)
			need chromium
			# Not by package: Node's own packages bring npm along, Debian's do not.
			command -v node >/dev/null || missing+=(nodejs)
			command -v npm >/dev/null || missing+=(npm)
			;;
		*) echo "usage: deps.sh build|run|test|browser|bench|valgrind|package …" >&2; exit 2 ;;
	esac
done
[ ${#missing[@]} -gt 0 ] || [ ${#want_rust[@]} -gt 0 ] || [ ${#want_tools[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || { echo "error: this is not Debian. Install what these packages hold: ${missing[*]}, and Rust $wanted or newer." >&2; exit 1; }
if [ "$(id -u)" != 0 ]; then
	echo "error: packages are missing: ${missing[*]} ${want_rust[*]} ${want_tools[*]}" >&2
	echo "Run this once as root: sudo bash $here/deps.sh $*" >&2
	exit 1
fi

# A package's post-install step must not start MariaDB, Redis, nginx or FPM: ours run privately.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# --no-remove: nothing of the machine's owner goes away for our sake.
install() {
	echo "installing: $*"
	apt-get install -y --no-install-recommends --no-remove "$@" >"$log" 2>&1 || { tail -n 30 "$log" >&2; return 1; }
}
apt-get update -qq
[ ${#missing[@]} -eq 0 ] || install "${missing[@]}"

# Debian 12's own rustc (1.63) is too old. Its security updates carry a newer one, the one that browsers are built with.
candidate() { LC_ALL=C apt-cache policy "$1" | sed -n 's/^ *Candidate: //p' | sed 's/+.*//'; }
rust_help() {
	echo "error: $1" >&2
	echo "Rust $wanted or newer is needed. Install it with rustup (https://rustup.rs), then run this again; ~/.cargo/bin is looked into." >&2
	exit 1
}
if [ ${#want_rust[@]} -gt 0 ]; then
	version=$(candidate rustc-web)
	at_least "${version:-0}" "$wanted" || rust_help "apt offers no recent Rust (rustc-web: ${version:-none}; are Debian's security updates among apt's sources?)"
	install "${want_rust[@]}" || rust_help "rustc-web cannot be installed beside what is here (see above; an old rustc of Debian's? then: apt-get remove rustc cargo)"
	hash -r
	rust_is_good || rust_help "the Rust found first in PATH is $(rustc --version 2>/dev/null || echo none)"
fi
[ ${#want_tools[@]} -eq 0 ] || install "${want_tools[@]}" || rust_help "cargo fmt and cargo clippy are missing (rustup component add rustfmt clippy)"
rm -f "$log"
