# shellcheck shell=bash
# Debian packages: installs what is missing, nothing else. Needs say.sh.

require_root() {
    [ "$(id -u)" = 0 ] || die "this must run as root." "Run it again with sudo, or as root."
}

require_apt() {
    command -v apt-get >/dev/null ||
        die "this machine has no apt-get, and something is missing: $*." \
            "Install it with your system's own tools and run this again."
}

package_installed() {
    dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed
}

package_known() {
    apt-cache show "$1" >/dev/null 2>&1
}

# The package lists are fetched once per script, and only when something has to be installed.
PACKAGE_LISTS_FRESH=
update_package_lists() {
    [ -z "$PACKAGE_LISTS_FRESH" ] || return 0
    apt-get update -qq >/dev/null ||
        die "apt-get update failed." "Check /etc/apt/sources.list and the network, then run this again."
    PACKAGE_LISTS_FRESH=yes
}

# ensure_packages NAME...: installs those that are missing.
ensure_packages() {
    local name said missing=()
    require_apt "$@"
    for name in "$@"; do package_installed "$name" || missing+=("$name"); done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "Installing ${missing[*]}"
    update_package_lists
    said=$(mktemp)
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$said" 2>&1; then
        cat "$said" >&2
        rm -f "$said"
        die "apt-get could not install: ${missing[*]}." "Try 'apt-get install ${missing[*]}' and mend what it names above."
    fi
    rm -f "$said"
}

# ensure_command COMMAND PACKAGE...: installs the packages when the command is not there.
ensure_command() {
    local command=$1
    shift
    command -v "$command" >/dev/null || ensure_packages "$@"
}
