# shellcheck shell=bash
# How the scripts speak: one line per deed on standard output, reasons for giving up on standard error.
# Every refusal names what is wrong and what to do about it.

say() { printf '%s\n' "==> $*"; }
detail() { printf '%s\n' "    $*"; }
warn() { printf '%s\n' "warning: $*" >&2; }

# die "what is wrong" ["what to do" ...]
die() {
    printf '%s\n' "error: $1" >&2
    shift
    local line
    for line in "$@"; do printf '%s\n' "       $line" >&2; done
    exit 1
}

# ask "question": true when a person at a terminal answers yes; false without a terminal.
ask() {
    local answer
    [ -t 0 ] || return 1
    read -r -p "$1 [y/N] " answer
    [[ $answer == [yY]* ]]
}

# wait_until SECONDS COMMAND...: true as soon as the command succeeds, false when the time is over.
wait_until() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.5
    done
}
