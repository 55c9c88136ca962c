# shellcheck shell=bash
# The Docker Engine of this machine: installed, started, told about the registry. Needs say.sh and packages.sh.
#
# Every function may be called again: what is already so stays as it is. On a machine with systemd the engine is
# systemd's; elsewhere dockerd is started here, detached, and writes to /var/log/ropewalk-dockerd.log.

ENGINE_SOCKET=/var/run/docker.sock
ENGINE_PID=/var/run/docker.pid
ENGINE_LOG=/var/log/ropewalk-dockerd.log
ENGINE_SETTINGS=/etc/docker/daemon.json
REGISTRY_PORT=${ROPEWALK_REGISTRY_PORT:-5000}
REGISTRY_HOST=registry.local
REGISTRY=$REGISTRY_HOST:$REGISTRY_PORT

engine_answers() { docker info >/dev/null 2>&1; }
has_systemd() { [ -d /run/systemd/system ]; }

# The base images and the published ports belong to this machine, so a remote engine is no use here.
engine_must_be_local() {
    case ${DOCKER_HOST:-} in
    '' | unix:///var/run/docker.sock | unix:///run/docker.sock) ;;
    *) die "DOCKER_HOST points to another engine ($DOCKER_HOST)." "Ropewalk's stack needs this machine's own: unset DOCKER_HOST." ;;
    esac
}

# pid_runs FILE PROGRAM: the process named in the pid file is alive and is that program.
pid_runs() {
    local pid
    pid=$(cat "$1" 2>/dev/null) && [ -n "$pid" ] && grep -qx "$2" "/proc/$pid/comm" 2>/dev/null
}

# A killed dockerd leaves its pid files; when the number was given to another process, dockerd would refuse to start.
remove_stale_pid_files() {
    pid_runs "$ENGINE_PID" dockerd || rm -f "$ENGINE_PID"
    pid_runs /var/run/docker/containerd/containerd.pid containerd || rm -f /var/run/docker/containerd/containerd.pid
}

mount_cgroups_when_missing() {
    grep -q ' cgroup2\? ' /proc/mounts && return 0
    mkdir -p /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
        warn "no control groups are mounted and mounting them failed; the engine may refuse to start."
}

engine_install() {
    local wanted=()
    command -v dockerd >/dev/null || wanted+=(docker.io)
    if ! command -v docker >/dev/null || [ ${#wanted[@]} -gt 0 ]; then
        update_package_lists
        package_known docker-cli && wanted+=(docker-cli)
    fi
    [ ${#wanted[@]} -eq 0 ] || ensure_packages "${wanted[@]}" iptables ca-certificates
}

# A dockerd that is just starting answers soon; one that is stopping must be gone before the next can start.
engine_settled() { engine_answers || ! pid_runs "$ENGINE_PID" dockerd; }

engine_launch() {
    if has_systemd; then
        systemctl enable --now docker >/dev/null 2>&1 || systemctl start docker ||
            die "systemd could not start the Docker Engine." "See 'journalctl -u docker' for the reason."
        return
    fi
    mount_cgroups_when_missing
    remove_stale_pid_files
    # Its output must not keep the caller's pipe open, and it must outlive the caller.
    setsid nohup dockerd >>"$ENGINE_LOG" 2>&1 </dev/null &
}

engine_wait() {
    wait_until 90 engine_answers && return
    has_systemd || tail -n 15 "$ENGINE_LOG" >&2
    die "the Docker Engine did not answer on $ENGINE_SOCKET within 90 seconds." \
        "Its own words are in $(has_systemd && echo "'journalctl -u docker'" || echo "$ENGINE_LOG")."
}

# engine_ensure: afterwards `docker` exists and an engine answers it.
engine_ensure() {
    engine_answers && return
    engine_install
    wait_until 60 engine_settled || die "dockerd runs (process $(cat "$ENGINE_PID")) but does not answer." "See its log; end it if it hangs, then run this again."
    engine_answers && return
    say "Starting the Docker Engine"
    engine_launch
    engine_wait
    CHANGED=yes
}

engine_restart() {
    say "Restarting the Docker Engine"
    if has_systemd; then
        systemctl restart docker || die "systemd could not restart the Docker Engine." "See 'journalctl -u docker'."
    else
        local pid
        pid_runs "$ENGINE_PID" dockerd ||
            die "the Docker Engine runs, but $ENGINE_PID does not say as which process." \
                "Restart it yourself, then run this again."
        pid=$(cat "$ENGINE_PID")
        kill -TERM "$pid"
        wait_until 90 eval "! kill -0 $pid" || die "dockerd (process $pid) did not stop within 90 seconds." "See $ENGINE_LOG."
        engine_launch
    fi
    engine_wait
}

# The name is the book's; the engine trusts plain HTTP to 127.0.0.0/8, and containers get it as an extra host.
hosts_ensure() {
    local address
    address=$(getent ahostsv4 "$REGISTRY_HOST" | awk 'NR == 1 { print $1 }') || true
    case $address in
    127.*) return ;;
    '') ;;
    *) die "$REGISTRY_HOST already means $address on this machine." \
        "Ropewalk needs it to mean 127.0.0.1: change or remove it in /etc/hosts (or in DNS)." ;;
    esac
    say "Adding '127.0.0.1 $REGISTRY_HOST' to /etc/hosts"
    # The last line of a hand-edited file may lack its end.
    [ -z "$(tail -c 1 /etc/hosts)" ] || echo >>/etc/hosts
    echo "127.0.0.1 $REGISTRY_HOST" >>/etc/hosts
    CHANGED=yes
}

# Both entries want the scheme: BuildKit in Engine 20.10 reads a bare host:port as nothing.
engine_settings_wanted() {
    local address="http://$REGISTRY"
    jq --arg a "$address" '
        def with($list): if any($list[]?; . == $a) then $list else ($list // []) + [$a] end;
        ."registry-mirrors" = with(."registry-mirrors") | ."insecure-registries" = with(."insecure-registries")
    ' "$1"
}

# engine_configure_file: the settings file has our two entries and keeps everything else.
engine_configure_file() {
    local current wanted
    mkdir -p "$(dirname "$ENGINE_SETTINGS")"
    current=$(mktemp)
    if [ -s "$ENGINE_SETTINGS" ]; then cp "$ENGINE_SETTINGS" "$current"; else echo '{}' >"$current"; fi
    if ! wanted=$(engine_settings_wanted "$current" 2>/dev/null); then
        rm -f "$current"
        die "$ENGINE_SETTINGS is not the JSON object that the Docker Engine expects." "Mend it ('jq . $ENGINE_SETTINGS' shows where) and run this again."
    fi
    if [ "$wanted" != "$(jq . "$current")" ]; then
        say "Adding the registry http://$REGISTRY to $ENGINE_SETTINGS"
        [ ! -s "$ENGINE_SETTINGS" ] || cp -n "$ENGINE_SETTINGS" "$ENGINE_SETTINGS.before-ropewalk"
        printf '%s\n' "$wanted" >"$ENGINE_SETTINGS"
    fi
    rm -f "$current"
}

# The running engine, asked itself: does it use the mirror and plain HTTP?
engine_knows_registry() {
    docker info --format '{{json .RegistryConfig}}' 2>/dev/null |
        jq -e --arg m "http://$REGISTRY" --arg r "$REGISTRY" '
            any(.Mirrors[]?; . == $m + "/" or . == $m) and .IndexConfigs[$r].Secure == false' >/dev/null
}

# Containers that are neither the stack's own nor a run's step.
other_peoples_containers() {
    docker ps --format '{{.Names}}|{{.Label "com.docker.compose.project"}}|{{.Label "ropewalk.run"}}' |
        awk -F '|' '$2 != "ropewalk" && $3 == "" { print $1 }'
}

# engine_may_restart ask|yes|no: true to go ahead; false to carry on without; ends the script when nobody can say.
engine_may_restart() {
    local others
    [ "$1" != yes ] || return 0
    [ "$1" != no ] || return 1
    others=$(other_peoples_containers | paste -sd ' ')
    [ -n "$others" ] || return 0
    ask "The Docker Engine must be restarted once to learn of http://$REGISTRY. It runs: $others. Restart it now?" && return 0
    die "the Docker Engine must be restarted once to learn of http://$REGISTRY, and it runs: $others." \
        "Run this again with --restart-engine when these containers may be interrupted, or with" \
        "--no-restart-engine to go on without: FROM lines then find no mirror until the engine's next start."
}

# engine_configure [ask|yes|no]: hosts entry, settings file and, once, the restart that makes them count.
engine_configure() {
    # Settings in the file and an engine that was told on its command line would clash; such an engine needs nothing.
    engine_knows_registry && return
    engine_configure_file
    if engine_may_restart "${1:-ask}"; then
        engine_restart
        CHANGED=yes
        engine_knows_registry ||
            die "the Docker Engine was restarted but does not use http://$REGISTRY." "Look for another settings file in how it is started ('docker info' shows what it uses)."
    else
        warn "the Docker Engine was not restarted; FROM lines find no mirror until its next start."
    fi
}

# engine_ready [ask|yes|no]: everything above. An engine that does not run yet starts with the right settings at once.
engine_ready() {
    engine_must_be_local
    ensure_command jq jq
    hosts_ensure
    engine_answers || engine_configure_file
    engine_ensure
    engine_configure "${1:-ask}"
}

# compose_ensure: afterwards "${COMPOSE[@]}" runs Compose, version 2 when it is there, else 1.29.
COMPOSE=()
compose_find() {
    if docker compose version >/dev/null 2>&1; then
        COMPOSE=(docker compose)
    elif docker-compose version >/dev/null 2>&1; then
        COMPOSE=(docker-compose)
    else
        return 1
    fi
}
compose_ensure() {
    compose_find && return
    ensure_packages docker-compose
    compose_find || die "docker-compose is installed but does not run." "Try 'docker-compose version' and mend what it says."
}
