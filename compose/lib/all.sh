# shellcheck shell=bash
# Reads the parts in the order in which they need each other. The reader sets TOP, the checkout's folder.

HERE=$TOP/compose
# Files that go into images must be readable there, whatever the login's umask is; messages of programs are read in English.
umask 022
export LC_ALL=C
unset LANGUAGE
# A service or a container may have no HOME, which Docker's and cargo's programs want.
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
export HOME
# Of a git hook that calls this.
unset "${!GIT_@}"

# What was chosen the first time stays chosen; the environment decides anew.
remembered() {
    [ ! -f "$HERE/.env" ] || sed -n "s/^$1=//p" "$HERE/.env"
}
ROPEWALK_PORT=${ROPEWALK_PORT:-$(remembered ROPEWALK_PORT)}
ROPEWALK_REGISTRY_PORT=${ROPEWALK_REGISTRY_PORT:-$(remembered ROPEWALK_REGISTRY_PORT)}

# A proxy for the outside world knows nothing of these names.
export no_proxy=localhost,127.0.0.1,registry.local${no_proxy:+,$no_proxy} NO_PROXY=localhost,127.0.0.1,registry.local${NO_PROXY:+,$NO_PROXY}

# Set to yes by everything that makes or changes something, so that `up` can say when there was nothing to do.
CHANGED=

# shellcheck source=compose/lib/say.sh
. "$HERE/lib/say.sh"
# shellcheck source=compose/lib/packages.sh
. "$HERE/lib/packages.sh"
# shellcheck source=compose/lib/engine.sh
. "$HERE/lib/engine.sh"
# shellcheck source=compose/lib/images.sh
. "$HERE/lib/images.sh"
# shellcheck source=compose/lib/binary.sh
. "$HERE/lib/binary.sh"
# shellcheck source=compose/lib/stack.sh
. "$HERE/lib/stack.sh"
# shellcheck source=compose/lib/sample.sh
. "$HERE/lib/sample.sh"
