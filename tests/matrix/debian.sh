#!/usr/bin/env bash
# Packages of Debian's other suites as plain files, beside the system: a private apt whose sources are the host's own mirror, that checks signatures
# and hashes as apt always does, and that neither installs nor changes anything. Leaves what is in the packages to php and wordpress beside it.
# Everything is cached in $MATRIX: remove that folder for what the suites have today.
set -euo pipefail

# shellcheck source=tests/stack/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../stack/lib.sh"
# The web user runs what lies there: not below a clone under /root.
if [ -z "${MATRIX:-}" ]; then
	MATRIX=$(target_dir)/matrix
	mkdir -p "$MATRIX"
	as test -x "$MATRIX" || MATRIX=/var/tmp/tenant-crm-sync-matrix
fi
mkdir -p "$MATRIX"
[ -O "$MATRIX" ] || die "$MATRIX belongs to somebody else"
export MATRIX

# The suites that are looked into, in this order. Experimental is no suite of its own: it stands on sid.
# shellcheck disable=SC2034 # used by the scripts that read this file
suites=(bookworm trixie sid sid+experimental)

# use_suite SUITE: from here on apt-get and apt-cache know that suite alone; with SOURCES=1 its source packages too.
use_suite() {
	local home=$MATRIX/apt-$1${SOURCES:+-src} mirror security suite line
	unset APT_CONFIG
	# shellcheck disable=SC2016 # apt's variables, not the shell's
	mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 '/debian/\?$') ||
		die "apt knows no mirror that ends in /debian; run apt-get update, or look at /etc/apt/sources.list"
	# shellcheck disable=SC2016
	security=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -m1 '/debian-security/\?$') || security=
	mkdir -p "$home"/{lists/partial,cache/archives/partial}
	: >"$home/status"
	for suite in ${1//+/ }; do
		line="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror%/} $suite main"
		echo "deb $line"
		if [ -n "${SOURCES:-}" ]; then echo "deb-src $line"; fi
		case $suite in sid | experimental) continue ;; esac
		if [ -n "$security" ]; then
			line="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${security%/} $suite-security main"
			echo "deb $line"
			if [ -n "${SOURCES:-}" ]; then echo "deb-src $line"; fi
		fi
	done >"$home/sources.list"
	# What experimental has of PHP, but nothing else of it.
	printf 'Package: php8* libphp8*\nPin: release a=experimental\nPin-Priority: 500\n' >"$home/preferences"
	cat >"$home/apt.conf" <<-CONF
		Dir::Etc::sourcelist "$home/sources.list";
		Dir::Etc::sourceparts "/dev/null";
		Dir::Etc::preferences "$home/preferences";
		Dir::Etc::preferencesparts "/dev/null";
		Dir::State "$home";
		Dir::State::lists "$home/lists";
		Dir::State::status "$home/status";
		Dir::Cache "$home/cache";
		Acquire::Languages "none";
		APT::Install-Recommends "false";
		APT::Sandbox::User "$(id -un)";
	CONF
	export APT_CONFIG=$home/apt.conf APT_HOME=$home
	# Half an hour: a run must not see two states of a suite.
	if [ -z "$(find "$home/updated" -mmin -30 2>/dev/null)" ]; then
		apt-get update -qq || die "apt-get update of Debian's $1 failed, see above"
		touch "$home/updated"
	fi
}

# candidate PACKAGE: the version that apt would take; nothing if there is none.
candidate() { LC_ALL=C apt-cache policy "$1" | sed -nE 's/^ *Candidate: ([0-9].*)/\1/p'; }

# unpack FOLDER FILE.deb…: without documentation, as one tree.
unpack() {
	local folder=$1 file link
	shift
	mkdir -p "$folder"/usr/{bin,sbin,lib,lib64}
	for link in bin sbin lib lib64; do ln -sfn "usr/$link" "$folder/$link"; done
	for file in "$@"; do
		dpkg-deb --fsys-tarfile "$file" |
			tar -x -C "$folder" --keep-directory-symlink --no-same-owner --exclude=./usr/share/doc --exclude=./usr/share/man --exclude=./usr/share/locale
	done
}

# bring FOLDER PROGRAM NAME: a program that was unpacked in FOLDER/root, as FOLDER/bin/NAME, with its own C library: its loader, and its libraries before
# the system's, for what it loads later too.
bring() {
	mkdir -p "$1/bin"
	patchelf --set-interpreter "$1/root/usr/lib64/$(basename "$(patchelf --print-interpreter "$1/root/usr/$2")")" \
		--force-rpath --set-rpath "$1/root/usr/lib/$(uname -m)-linux-gnu" --output "$1/bin/$3" "$1/root/usr/$2"
	chmod 755 "$1/bin/$3"
}
