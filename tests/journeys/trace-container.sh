#!/usr/bin/env bash
# From a container that runs somewhere to the run and the commit it was made by.
# The page: docs/how-to/trace-a-container.md
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "where does this container come from?"

part "A stack with its sample"
export ROPEWALK_ADMIN_PASSWORD=three-strands-make-a-rope
compose/up
shows "run 1 passed: http://localhost:3000/admin/numbers/pipelines/numbers/runs/1"
printf 'machine localhost login admin password %s\n' "$ROPEWALK_ADMIN_PASSWORD" >>~/.netrc
chmod 600 ~/.netrc

part "A container in use"
docker run -d --rm --name numbers-api registry.local:5000/numbers/api:v3-build-1
later docker rm -f numbers-api

part "What it says of itself"
docker inspect numbers-api | jq '.[0].Config.Labels | {version, build_number, build_tag}'
shows '"build_number": "1"' '"build_tag": "ropewalk-admin-numbers-numbers-1"'

part "Its digest"
image=$(docker inspect -f '{{.Image}}' numbers-api)
digest=$(docker image inspect -f '{{index .RepoDigests 0}}' "$image" | cut -d @ -f 2)
echo "$digest"
shows "sha256:"

part "Its run and its commit"
curl -sSn "http://localhost:3000/api/v1/registry/images/$digest" | jq '.pushes[0] | {repository, tag, run: .run.html_url, commit: .run.commit}'
shows '"repository": "numbers/api"' '"tag": "v3-build-1"' '"run": "http://localhost:3000/admin/numbers/pipelines/numbers/runs/1"'
ropewalk_from_image
ROPEWALK_URL=http://admin:$ROPEWALK_ADMIN_PASSWORD@localhost:3000 ropewalk image trace "$digest"
shows "$(git -C ~ ls-remote http://localhost:3000/admin/numbers.git main | cut -c 1-12)"

part "In the dashboard: what docker inspect prints, the digest, and where it runs"
labels=$(docker inspect -f '{{json .Config.Labels}}' numbers-api)
curl -sSnG --data-urlencode "q=$labels" http://localhost:3000/trace | grep -o 'href="/admin/numbers/[^"]*"' | sort -u
shows "/admin/numbers/pipelines/numbers/runs/1"
# What runs on the engine is looked at every few seconds.
within 30 bash -c "curl -sSnG --data-urlencode 'q=$digest' http://localhost:3000/trace | grep '<strong>numbers-api</strong>'"

part "The commit"
commit=$(curl -sSn "http://localhost:3000/api/v1/registry/images/$digest" | jq -r '.pushes[0].run.commit')
git clone -q http://localhost:3000/admin/numbers.git ~/numbers
git -C ~/numbers show --stat --format=%s "$commit"
shows "Two services that show a random number" "ch11/exercises/api/api.pl"
is "$commit" "$(git -C ~/numbers rev-parse main)" "the commit the image leads to"
