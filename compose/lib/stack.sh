# shellcheck shell=bash
# The two services: settings, start, health. Needs say.sh, engine.sh and images.sh.

PORT=${ROPEWALK_PORT:-3000}
STATE=/var/lib/ropewalk
WORKSPACES=$STATE/workspaces
# Exists once the first start was carried to its end (password shown, sample pushed).
WELCOMED=$STATE/welcomed
SERVER_UID=10001
HEALTH_SECONDS=120

stack() {
    (cd "$HERE" && "${COMPOSE[@]}" -p ropewalk -f docker-compose.yml -f docker-compose-linux.yml "$@")
}

# container SERVICE: the id of its container, empty for none. Asked of the engine: it answers before compose could.
container() {
    docker ps -aq --filter label=com.docker.compose.project=ropewalk --filter "label=com.docker.compose.service=$1" | head -n 1
}

health() {
    docker inspect -f '{{.State.Status}}/{{if .State.Health}}{{.State.Health.Status}}{{end}}' "$(container "$1")" 2>/dev/null
}
healthy() { [ "$(health "$1")" = running/healthy ]; }

# Forty random hex digits, without a program that might be missing.
random_token() { od -An -v -N 20 -t x1 /dev/urandom | tr -d ' \n'; }

# The settings in use, so that a plain docker-compose in this folder means the same stack.
stack_settings() {
    export ROPEWALK_PORT=$PORT ROPEWALK_REGISTRY_PORT=$REGISTRY_PORT
    # The address that follows from the port is not remembered, it follows again.
    export ROPEWALK_URL=${ROPEWALK_URL:-$(remembered ROPEWALK_URL | grep -v '^http://localhost:')}
    export ROPEWALK_URL=${ROPEWALK_URL:-http://localhost:$PORT}
    # What the registry's notifications carry. Made up once: another one would replace both containers.
    export ROPEWALK_HOOK_TOKEN=${ROPEWALK_HOOK_TOKEN:-$(remembered ROPEWALK_HOOK_TOKEN)}
    export ROPEWALK_HOOK_TOKEN=${ROPEWALK_HOOK_TOKEN:-$(random_token)}
    DOCKER_GID=$(stat -Lc %g "$ENGINE_SOCKET")
    export DOCKER_GID
    # Readable for its owner only: the token is a secret.
    rm -f "$HERE/.env"
    (umask 077 && printf '%s\n' '# Written by compose/up.' COMPOSE_PROJECT_NAME=ropewalk \
        COMPOSE_PATH_SEPARATOR=: COMPOSE_FILE=docker-compose.yml:docker-compose-linux.yml \
        "ROPEWALK_PORT=$ROPEWALK_PORT" "ROPEWALK_REGISTRY_PORT=$ROPEWALK_REGISTRY_PORT" \
        "ROPEWALK_URL=$ROPEWALK_URL" "ROPEWALK_HOOK_TOKEN=$ROPEWALK_HOOK_TOKEN" "DOCKER_GID=$DOCKER_GID" >"$HERE/.env")
}

# The password counts on the first start only. A container keeps the one it was made with: another value in the
# environment would make compose replace the container for nothing.
stack_keep_password() {
    local id line
    id=$(container ropewalk)
    [ -n "$id" ] || return 0
    line=$(docker inspect -f '{{range .Config.Env}}{{println .}}{{end}}' "$id" | grep '^ROPEWALK_ADMIN_PASSWORD=') || true
    if [ -n "$line" ]; then export "${line?}"; else unset ROPEWALK_ADMIN_PASSWORD; fi
}

port_is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# check_port SERVICE PORT VARIABLE: the port is ours already or free.
check_port() {
    case $(health "$1") in running/*) return ;; esac
    port_is_free "$2" && return
    local holder
    holder=$(docker ps --filter "publish=$2" --format 'the container {{.Names}}' | head -n 1)
    die "port $2 of this machine is in use by ${holder:-another program ('ss -ltnp' names it)}." \
        "Stop it, or choose another port: $3=NUMBER compose/up"
}

check_ports() {
    check_port ropewalk "$PORT" ROPEWALK_PORT
    check_port registry "$REGISTRY_PORT" ROPEWALK_REGISTRY_PORT
}

workspaces_ensure() {
    mkdir -p "$WORKSPACES"
    chown "$SERVER_UID:$SERVER_UID" "$WORKSPACES"
}

# What a container is made of and when it was made; it changes when compose replaces the container.
stack_identity() { docker ps -q --no-trunc --filter label=com.docker.compose.project=ropewalk | sort; }

stack_start() {
    local before said
    before=$(stack_identity)
    workspaces_ensure
    [ -n "$before" ] || say "Starting the stack"
    said=$(mktemp)
    if ! stack up -d >"$said" 2>&1; then
        cat "$said" >&2
        rm -f "$said"
        die "${COMPOSE[*]} could not start the stack." "Its message stands above; 'compose/down' and 'compose/up' start afresh without losing data."
    fi
    rm -f "$said"
    # shellcheck disable=SC2034  # compose/up reads it
    [ "$(stack_identity)" = "$before" ] || CHANGED=yes
    stack_wait
}

stack_wait() {
    local service
    for service in registry ropewalk; do
        wait_until "$HEALTH_SECONDS" healthy "$service" || stack_unhealthy "$service"
    done
}

stack_unhealthy() {
    local id
    id=$(container "$1")
    printf '%s\n' "The last lines of its log:" >&2
    docker logs --tail 20 "$id" >&2 2>&1
    die "the service '$1' is not healthy after $HEALTH_SECONDS seconds (it is $(health "$1"))." \
        "Mend what its log above names, then run compose/up again. The whole log: docker logs $id"
}

# first_password: what the server was given for admin, or what it made up and said once in its log. Kept in a file
# until the first start is done with: a container that is replaced meanwhile takes its log along.
first_password() {
    local kept=$STATE/first-password password=${ROPEWALK_ADMIN_PASSWORD:-}
    [ -n "$password" ] ||
        password=$(docker logs "$(container ropewalk)" 2>&1 | sed -n 's/.*first password for admin: *\([^ ]*\).*/\1/p' | tail -n 1)
    [ -n "$password" ] || password=$(cat "$kept" 2>/dev/null) || true
    (umask 077 && printf '%s\n' "$password" >"$kept")
    printf '%s\n' "$password"
}

first_start_done() {
    rm -f "$STATE/first-password"
    : >"$WELCOMED"
}
