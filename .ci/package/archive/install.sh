#!/bin/sh
# Installs tenant_crm_sync.so into a PHP of this host, and enables it, unless sites still declare its class themselves. As root.
#
# Usage: ./install.sh [--php=/path/of/php] [--force] [--remove]
#   --php     which PHP (default: php in PATH); its FPM and Apache module use the same folders on most systems
#   --force   enable it although sites declare the class TenantCRMSync (they set tenant_crm_sync.register_class = 0)
#   --remove  disable it and take its files away; keys and settings that were changed stay
set -eu
here=$(cd "$(dirname "$0")" && pwd)
php=php force="" remove=""
for argument in "$@"; do
	case $argument in
		--php=*) php=${argument#--php=} ;;
		--force) force=1 ;;
		--remove) remove=1 ;;
		*) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
	esac
done
die() { echo "error: $*" >&2; exit 1; }
command -v "$php" >/dev/null || die "there is no $php: name PHP with --php=/path/of/php"

# ask CODE: what this PHP says of itself, whatever its settings.
ask() { "$php" -n -r "$1"; }
minor=$(ask 'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION;')
extensions=$("$php" -r 'echo ini_get( "extension_dir" );' 2>/dev/null)
[ -d "$extensions" ] || die "$php says that its extensions are in \"$extensions\", which is no folder"
# Debian's PHP has a way of its own to enable modules; others a folder that they read settings from, or only a php.ini.
folder=$(ask 'echo explode( ":", (string) PHP_CONFIG_FILE_SCAN_DIR )[0];')
available=/etc/php/$minor/mods-available
if [ "${folder#/etc/php/"$minor"/}" != "$folder" ] && command -v phpenmod >/dev/null && [ -d "$available" ]; then
	ini=$available/tenant_crm_sync.ini
else
	available=
	[ -d "$folder" ] || die "$php reads no folder of settings. Copy tenant_crm_sync.so to $extensions and write the lines of tenant_crm_sync.ini into its php.ini"
	ini=$folder/30-tenant_crm_sync.ini
fi

if [ -n "$remove" ]; then
	# With its notes on who wanted it so: a package that is installed later decides anew.
	if [ -n "$available" ]; then
		phpdismod -q -f -v "$minor" tenant_crm_sync || true
		find "/var/lib/php/modules/$minor" -name tenant_crm_sync -delete
		find "/var/lib/php/modules/$minor" -type d -name '*abled_by_*' -empty -delete
	fi
	if cmp -s "$here/tenant_crm_sync.ini" "$ini"; then rm -f "$ini"; elif [ -e "$ini" ]; then
		[ -n "$available" ] || mv "$ini" "$ini.removed"
		echo "Your settings stay: $(ls "$ini" "$ini.removed" 2>/dev/null)"
	fi
	rm -f "$extensions/tenant_crm_sync.so"
	# The counters of the CRMs' limits, unless another PHP counts there too.
	ls /usr/lib/php/*/tenant_crm_sync.so >/dev/null 2>&1 || rm -f /dev/shm/tenant_crm_sync.*.limits
	echo "Removed. Restart PHP-FPM. Keys stay where they are."
	exit
fi

# A wrong file would be a mere warning at each start of PHP. It is asked itself.
said=$("$php" -n -d extension="$here/tenant_crm_sync.so" -r 'echo class_exists( "TenantCRMSync" ) ? "loaded" : "";' 2>&1) || true
[ "$said" = loaded ] || die "this archive is not for $php ($(ask 'echo PHP_VERSION, PHP_ZTS ? " with threads" : "", ", ", php_uname( "m" );')): $said"

# Beside and then over it: workers that run go on with the old file.
cp "$here/tenant_crm_sync.so" "$extensions/tenant_crm_sync.so.new"
chmod 644 "$extensions/tenant_crm_sync.so.new"
mv "$extensions/tenant_crm_sync.so.new" "$extensions/tenant_crm_sync.so"
echo "Copied: $extensions/tenant_crm_sync.so"

code=0
if [ -z "$force" ] && [ ! -e "$ini" ]; then files=$("$here/preflight") || code=$?; fi
if [ "$code" != 0 ]; then
	echo "NOT enabled: these files declare the class TenantCRMSync, which the extension has, or could not be looked at:"
	echo "$files" | sed 's/^/  /'
	echo "Take the class out of them and run this again; or set tenant_crm_sync.register_class = 0 for their sites and run: $0 --force"
	exit 1
fi
# Settings are the host's: an existing file stays.
[ -e "$ini" ] || { cp "$here/tenant_crm_sync.ini" "$ini" && chmod 644 "$ini"; }
if [ -n "$available" ]; then phpenmod -v "$minor" tenant_crm_sync; fi
"$php" --ri tenant_crm_sync >/dev/null || die "$php does not load it: see above"
echo "Enabled: $ini. Restart PHP-FPM; hosters.md says how to make the keys."
