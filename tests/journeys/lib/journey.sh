# shellcheck shell=bash
# What journeys share. A journey is a script of plain lines, as a person types them at a terminal; between them stand
# these functions, which look at what was said. It needs a machine without a stack and leaves it so.
#
# The pages of the guide quote the plain lines and what they print; tests/it/guide.rs keeps both in step.

set -eEuo pipefail
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
REGISTRY_IMAGES='registry.local:5000/*/*'

# begin "what it shows": an own home folder, the checkout as the place to stand, and the way back.
begin() {
    exec 3>&1
    [ "$(id -u)" = 0 ] || give_up "a journey must run as root."
    refuse_stack
    # A stack of its own, with nobody's settings.
    local name
    for name in $(compgen -e ROPEWALK_); do [ "$name" = ROPEWALK_BINARY ] || unset "$name"; done
    # Nor with the language, the rights of new files and the git of whoever calls it.
    umask 022
    unset LANGUAGE XDG_CONFIG_HOME "${!GIT_@}"
    export LC_ALL=C
    : "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
    # The tools that may have to build the server are found from the real home.
    export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo} RUSTUP_HOME=${RUSTUP_HOME:-$HOME/.rustup}
    PLACE=$(mktemp -d /tmp/ropewalk-journey.XXXXXX)
    export HOME=$PLACE/home GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0
    export no_proxy=localhost,127.0.0.1,registry.local NO_PROXY=localhost,127.0.0.1,registry.local
    mkdir "$HOME"
    SAID=$PLACE/said
    images >"$PLACE/images"
    trap 'finish $?' EXIT
    trap 'stumble $? "$LINENO" "$BASH_COMMAND"' ERR
    trap 'exit 130' INT TERM
    printf '== Journey: %s\n' "$1"
    # Every line is shown; what comes out of it is kept for `shows` and printed when the next part begins.
    exec >>"$SAID" 2>&1
    cd "$TOP"
}

give_up() {
    local line
    for line in "$@"; do printf 'journey: %s\n' "$line" >&3; done
    exit 1
}

# Two stacks cannot share the ports, and a journey ends with `compose/down --data`.
refuse_stack() {
    command -v docker >/dev/null || return 0
    local found
    found=$(
        docker ps -a --filter label=com.docker.compose.project=ropewalk --format 'the container {{.Names}}' 2>/dev/null | head -n 1
        docker volume ls -q 2>/dev/null | grep -x -e ropewalk-data -e registry-data | sed 's/^/the volume /' | head -n 1
    ) || true
    [ -z "$found" ] || give_up "there is a stack on this machine (${found//$'\n'/ and }); a journey needs one of its own." \
        "'compose/down --data' removes it with its repositories, runs and images."
}

images() { docker image ls --filter "reference=$REGISTRY_IMAGES" --format '{{.Repository}}:{{.Tag}}' 2>/dev/null | sort || true; }

# part "heading"
part() {
    tell
    printf '\n-- %s\n' "$1" >&3
}

# What was said since the last part.
tell() {
    cat "$SAID" >&3
    : >"$SAID"
}

fail() {
    trap - ERR
    tell
    printf '\nFAILED at line %s of %s: %s\n' "${BASH_LINENO[-2]}" "$(basename "$0")" "$*" >&3
    exit 1
}

stumble() {
    # A part of a line may fail; what comes of the line decides.
    [ "$BASHPID" = "$$" ] || return 0
    trap - ERR
    tell
    printf '\nFAILED at line %s of %s: this line ended with exit code %s: %s\n' "$2" "$(basename "$0")" "$1" "$3" >&3
    exit 1
}

# shows TEXT...: this part said every one of them.
shows() {
    local text
    for text in "$@"; do grep -qF -- "$text" "$SAID" || fail "it did not say '$text'"; done
}

# hides TEXT...: this part said none of them.
hides() {
    local text
    for text in "$@"; do ! grep -qF -- "$text" "$SAID" || fail "it said '$text'"; done
}

# is ACTUAL EXPECTED "what"
is() { [ "$1" = "$2" ] || fail "$3 is '$1', not '$2'"; }

# within SECONDS COMMAND...: it succeeds before the time is over.
within() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "in vain waited for: $*"
        sleep 0.5
    done
}

# The command line, as docs/how-to/run-the-stack.md takes it out of the image; tests/journeys/stack.sh walks that.
ropewalk_from_image() {
    mkdir -p ~/bin
    docker run --rm --entrypoint cat ropewalk/server /usr/bin/ropewalk >~/bin/ropewalk
    chmod +x ~/bin/ropewalk
    PATH=~/bin:$PATH
}

# later COMMAND...: done at the end, whatever happens.
LATER=()
later() { LATER+=("$*"); }

# Whatever happened: the machine as it was found.
finish() {
    local code=$1
    trap - EXIT ERR
    set +e
    tell
    if [ "$code" != 0 ]; then
        printf '\n-- The last lines of the server:\n'
        docker ps -aq --filter label=com.docker.compose.project=ropewalk --filter label=com.docker.compose.service=ropewalk |
            xargs -r docker logs --tail 30 2>&1
    fi >&3
    cd "$TOP" || exit 1
    local command
    for command in "${LATER[@]}"; do eval "$command" >/dev/null 2>&1; done
    printf '\n-- Taking everything away again\n' >&3
    compose/down --data --yes >&3 2>&1 || code=1
    images | comm -13 "$PLACE/images" - | xargs -r docker image rm -f >/dev/null 2>&1
    rm -rf "$PLACE"
    [ "$code" != 0 ] || printf '== Done in %s s\n' "$SECONDS" >&3
    exit "$code"
}
