#!/usr/bin/env bash
# The stack itself: up with a green run, up again changes nothing, down keeps the data, down --data does not.
# The page: docs/how-to/run-the-stack.md
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "up, up again, down, up, down with the data"
run=http://localhost:3000/api/v1/repos/admin/numbers/pipelines/numbers/runs/1
ids() { docker ps -q --no-trunc --filter label=com.docker.compose.project=ropewalk | sort; }

part "Up"
compose/up
shows "run 1 passed: http://localhost:3000/admin/numbers/pipelines/numbers/runs/1" "sign in                  admin / "
password=$(sed -n 's,.*sign in  *admin / ,,p' "$SAID")
printf 'machine localhost login admin password %s\n' "$password" >~/.netrc
is "$(curl -sSn $run | jq -r .status)" passed "run 1"
before=$(ids)

part "Up again"
compose/up
shows "The stack is up already; nothing was changed."
hides "$password" "==> B" "==> Push" "==> Start"
is "$(ids)" "$before" "the containers"

part "The command line on the host"
mkdir -p ~/bin
docker run --rm --entrypoint cat ropewalk/server /usr/bin/ropewalk >~/bin/ropewalk
chmod +x ~/bin/ropewalk
~/bin/ropewalk ping --url http://localhost:3000 --json
shows '"ok": true'

part "The server is not root, and has few rights"
server=$(docker ps -q --filter label=com.docker.compose.project=ropewalk --filter label=com.docker.compose.service=ropewalk)
docker exec "$server" id -u
shows 10001
is "$(docker inspect -f '{{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.Privileged}}' "$server")" "true [ALL] false" "its rights"
docker inspect -f '{{join .Config.Healthcheck.Test " "}}' "$server"
shows "CMD ropewalk ping"

part "Files that a step makes as root go with the run"
mkdir ~/root
cd ~/root
git init -q -b main
git config user.name "Ada"
git config user.email ada@example.org
printf '%s\n' 'stages:' '  - name: Only' '    steps:' '      - run: mkdir -m 700 -p made/.by/root; touch made/.by/root/file; id -u; chown -R 0:0 .; chmod 700 .' >ropewalk.yml
git add .
git commit -q -m "Files of root"
git push http://localhost:3000/admin/root.git main
curl -sSnN http://localhost:3000/api/v1/repos/admin/root/pipelines/default/runs/1/events | tail -n 4
shows "data: passed"
# shellcheck disable=SC2016
within 30 bash -c '[ -z "$(ls -A /var/lib/ropewalk/workspaces)" ]'
cd "$TOP"

part "Down, and up with everything there"
compose/down
is "$(ids)" "" "the containers"
is "$(docker network ls -q --filter name=build-infrastructure)" "" "the network"
compose/up
shows "The stack is up."
hides "$password"
is "$(curl -sSn $run | jq -r .status)" passed "run 1"
curl -sS http://registry.local:5000/v2/numbers/api/tags/list
shows v3-build-1

part "Down with the data"
if compose/down --data; then fail "the data went without anybody having been asked"; fi
shows "the data was not removed"
compose/down --data --yes
is "$(docker volume ls -q | grep -c -x -e ropewalk-data -e registry-data || true)" 0 "the number of volumes left"
[ ! -e /var/lib/ropewalk ] || fail "/var/lib/ropewalk is still there"
[ ! -e compose/.env ] || fail "compose/.env is still there"
