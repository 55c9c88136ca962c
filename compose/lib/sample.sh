# shellcheck shell=bash
# The sample, pushed the way a person pushes. Needs say.sh and stack.sh.

SAMPLE=$TOP/tests/samples/numbers
SAMPLE_SECONDS=300

# api PASSWORD METHOD PATH [JSON]: the answer's body; false for anything but 2xx. The password stays off the command line.
api() {
    local quoted=${1//\\/\\\\}
    quoted=${quoted//\"/\\\"}
    curl -fsS -m 30 -X "$2" --config <(printf 'user = "admin:%s"\n' "$quoted") \
        ${4:+-H 'Content-Type: application/json' --data "$4"} "http://localhost:$PORT/api/v1$3"
}

# git without anybody's settings: no signatures, no hooks, no other addresses.
plain_git() { GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 git "$@"; }

sample_push() {
    local password=$1 folder
    folder=$(mktemp -d)
    cp -r "$SAMPLE/." "$folder"
    plain_git -C "$folder" -c init.defaultBranch=main init -q
    plain_git -C "$folder" add -A
    plain_git -C "$folder" -c user.name=Ropewalk -c user.email=ropewalk@localhost commit -qm "Two services that show a random number"
    # shellcheck disable=SC2016  # the helper's own shell expands it
    ROPEWALK_PUSH=$password plain_git -C "$folder" -c credential.helper= \
        -c credential.helper='!f() { echo username=admin; echo "password=$ROPEWALK_PUSH"; }; f' \
        push -q "http://localhost:$PORT/admin/numbers.git" HEAD:refs/heads/main
    local code=$?
    rm -rf "$folder"
    return $code
}

run_status() {
    api "$1" GET /repos/admin/numbers/pipelines/numbers/runs/1 2>/dev/null | jq -r '.status // empty' 2>/dev/null
}
run_is_over() {
    case $(run_status "$1") in '' | queued | waiting | running) return 1 ;; esac
}

# What an earlier attempt made already is not made again.
sample_create() {
    api "$1" GET /repos/admin/numbers >/dev/null 2>&1 || api "$1" POST /user/repos '{"name": "numbers"}' >/dev/null || return 1
    api "$1" GET /repos/admin/numbers/pipelines/numbers/runs >/dev/null 2>&1 ||
        api "$1" POST /repos/admin/numbers/pipelines '{"name": "numbers", "path": "ch11/exercises/Jenkinsfile", "branches": ["main"]}' >/dev/null
}

# sample_ensure PASSWORD: the repository and its pipeline first, so that the push starts the run.
sample_ensure() {
    local address=http://localhost:$PORT/admin/numbers
    say "Pushing the sample to $address.git"
    if ! { sample_create "$1" && sample_push "$1"; }; then
        warn "the sample could not be pushed; the stack itself is up. The message above and 'docker logs $(container ropewalk)' say why."
        return 1
    fi
    say "Waiting for its first run"
    wait_until "$SAMPLE_SECONDS" run_is_over "$1" || true
    case $(run_status "$1") in
    passed) detail "run 1 passed: $address/pipelines/numbers/runs/1" ;;
    *) warn "the sample's first run is $(run_status "$1"), not passed; its log: $address/pipelines/numbers/runs/1" ;;
    esac
}
