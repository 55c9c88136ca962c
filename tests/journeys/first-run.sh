#!/usr/bin/env bash
# From a machine without a stack to an image that leads back to its commit.
# The page: docs/tutorials/first-run.md
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "the first run"

part "Bring the stack up"
export ROPEWALK_ADMIN_PASSWORD=three-strands-make-a-rope
compose/up --no-sample
shows "dashboard, git and API   http://localhost:3000" "registry                 http://registry.local:5000/v2/_catalog" \
    "sign in                  admin / three-strands-make-a-rope"

part "Say who you are"
printf 'machine localhost login admin password %s\n' "$ROPEWALK_ADMIN_PASSWORD" >>~/.netrc
chmod 600 ~/.netrc
api=http://localhost:3000/api/v1
curl -sSn $api/user | jq -r .login
shows "admin"

part "Make a repository with a pipeline"
curl -sSn --json '{"name": "numbers"}' $api/user/repos | jq -r .clone_url
shows "http://localhost:3000/admin/numbers.git"
curl -sSn --json '{"name": "numbers", "path": "ch11/exercises/Jenkinsfile"}' $api/repos/admin/numbers/pipelines | jq -r .name
shows "numbers"

part "Push the sample"
cp -r tests/samples/numbers ~/numbers
cd ~/numbers
git init -q -b main
git config user.name "Ada"
git config user.email ada@example.org
git add .
git commit -q -m "Two services that show a random number"
git push http://localhost:3000/admin/numbers.git main
shows "remote: Run #1 of numbers: http://localhost:3000/admin/numbers/pipelines/numbers/runs/1"

part "Watch it run"
runs=$api/repos/admin/numbers/pipelines/numbers/runs
curl -sSnN $runs/1/events | tail -n 4
shows "data: passed"
curl -sSn $runs/1 | jq -r '.stages[] | .name + " " + .status'
shows "Verify passed" "Build passed" "Test passed" "Push passed"

part "Look into the registry"
curl -sS http://registry.local:5000/v2/_catalog
shows '{"repositories":["library/debian","numbers/api","numbers/web"]}'
curl -sS http://registry.local:5000/v2/numbers/api/tags/list
shows '{"name":"numbers/api","tags":["v3-build-1"]}'
curl -sS http://registry.local:5000/v2/numbers/web/tags/list
shows '{"name":"numbers/web","tags":["v3-build-1"]}'

part "Look at an image"
docker pull -q registry.local:5000/numbers/api:v3-build-1
docker image inspect registry.local:5000/numbers/api:v3-build-1 | jq '.[0].Config.Labels | {version, build_number, build_tag}'
shows '"version": "3.0"' '"build_number": "1"' '"build_tag": "ropewalk-admin-numbers-numbers-1"'

part "Trace it to its commit"
digest=$(docker image inspect -f '{{index .RepoDigests 0}}' registry.local:5000/numbers/api:v3-build-1 | cut -d @ -f 2)
curl -sSn "$api/registry/images/$digest" | jq -r '.pushes[].run | .repository, .number, .commit'
git rev-parse HEAD
is "$(grep -cx "$(git rev-parse HEAD)" "$SAID")" 2 "how often the commit is named"

part "And in the dashboard"
curl -sSn "http://localhost:3000/trace?q=$digest" | grep -o 'href="/admin/numbers/[^"]*"' | sort -u
shows "/admin/numbers/pipelines/numbers/runs/1" "/admin/numbers/commits/$(git rev-parse HEAD)"

part "Break the test"
echo 'echo "the page shows no number" && exit 1' >ch11/exercises/ci/02-test.bat
git commit -q -a -m "Break the test"
git push http://localhost:3000/admin/numbers.git main
shows "remote: Run #2 of numbers: http://localhost:3000/admin/numbers/pipelines/numbers/runs/2"
curl -sSnN $runs/2/events | tail -n 4
shows "data: failed"
curl -sSn $runs/2 | jq -r '.stages[] | .name + " " + .status'
shows "Verify passed" "Build passed" "Test failed" "Push skipped"
curl -sSn $runs/2/stages/2/log
shows "the page shows no number"
curl -sS http://registry.local:5000/v2/numbers/api/tags/list
shows '{"name":"numbers/api","tags":["v3-build-1"]}'
is "$(curl -sSn $runs/2 | jq -c .images)" "[]" "what run 2 pushed"

part "Mend it"
git revert --no-edit HEAD
git push http://localhost:3000/admin/numbers.git main
curl -sSnN $runs/3/events | tail -n 4
shows "data: passed"
curl -sS http://registry.local:5000/v2/numbers/api/tags/list | jq -c '.tags | sort'
shows '["v3-build-1","v3-build-3"]'

part "Run it again, and cancel"
curl -sSn -X POST $runs/1/rerun | jq -c '[.number, .cause]'
shows '[4,{"kind":"rerun","by":"admin","of":1}]'
curl -sSn -X POST $runs/4/cancel | jq -r .number
curl -sSnN $runs/4/events | tail -n 4
shows "data: cancelled"
curl -sSn $runs/4 | jq -r .message
shows "Cancelled by admin."
curl -sS http://registry.local:5000/v2/numbers/api/tags/list | jq -c '.tags | sort'
shows '["v3-build-1","v3-build-3"]'

part "What a run leaves"
# shellcheck disable=SC2016  # the shell that is begun expands it
within 30 bash -c '[ -z "$(ls -A /var/lib/ropewalk/workspaces)" ]'
is "$(docker ps -aq --filter label=com.docker.compose.project=numbers-numbers-1)" "" "what is left of the services under test"

part "Take the stack down"
cd -
compose/down
shows "the data stays in the volumes ropewalk-data and registry-data"
is "$(docker ps -aq --filter label=com.docker.compose.project=ropewalk)" "" "what is left of the stack"
docker volume ls -q
shows ropewalk-data registry-data
