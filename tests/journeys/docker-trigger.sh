#!/usr/bin/env bash
# An image is pushed to the registry, and a pipeline runs with it as its input.
# The page: docs/tutorials/docker-trigger.md
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "run when an image is pushed"

part "A stack"
export ROPEWALK_ADMIN_PASSWORD=three-strands-make-a-rope
compose/up --no-sample
printf 'machine localhost login admin password %s\n' "$ROPEWALK_ADMIN_PASSWORD" >>~/.netrc
chmod 600 ~/.netrc
git config --global user.name "Ada"
git config --global user.email ada@example.org

part "A pipeline with inputs"
api=http://localhost:3000/api/v1
git init -q -b main ~/deploy
cd ~/deploy
# shellcheck disable=SC2016  # the step's shell expands it
printf '%s\n' 'triggers: {push: false}' 'inputs: {VERSION: none}' 'stages:' '  - name: Show' '    steps:' '      - run: echo "version $VERSION of $DOCKER_IMAGE_REF"' >ropewalk.yml
git add ropewalk.yml
git commit -q -m "A pipeline for images"
git push -q http://localhost:3000/admin/deploy.git main
curl -sSn --json '{"name": "on-push", "path": "ropewalk.yml"}' $api/repos/admin/deploy/pipelines | jq -r .name
shows "on-push"

part "The webhook"
# shellcheck disable=SC2016  # the server puts the tag in
curl -sSn --json '{"name": "team-api", "pipeline": "admin/deploy/on-push", "image_pattern": "team/api", "tag_pattern": "v[0-9]+", "inputs": {"VERSION": "${DOCKER_TAG}"}}' $api/webhooks/docker | jq -r .html_url
shows "http://localhost:3000/webhooks/team-api"

part "What would happen?"
curl -sSn --json '{"image": "registry.local:5000/team/api:latest"}' $api/webhooks/docker/team-api/test | jq -r '.images[0] | .would_start, (.checks[] | select(.good | not) | .message)'
shows "false" "The tag filter missed: “v[0-9]+” is not the whole of latest."

part "Push"
tar -cf - --files-from /dev/null | docker import - registry.local:5000/team/api:v1
docker push -q registry.local:5000/team/api:v1
within 15 curl -sfn -o /dev/null $api/repos/admin/deploy/pipelines/on-push/runs/1
curl -sSnN $api/repos/admin/deploy/pipelines/on-push/runs/1/events | tail -n 4
shows "data: passed"
curl -sSn $api/repos/admin/deploy/pipelines/on-push/runs/1/log | grep '^version'
shows "version v1 of registry.local:5000/team/api@sha256:"

part "Activity"
docker tag registry.local:5000/team/api:v1 registry.local:5000/team/api:latest
docker push -q registry.local:5000/team/api:latest
within 15 bash -c "curl -sSn '$api/activity?kind=image-announced' | grep -q 'tag filter missed'"
curl -sSn "$api/activity?kind=image-announced" | jq -r '.[] | .happened.image.tag + ": " + .outcomes[0].message'
shows "latest: The tag filter missed: “v[0-9]+” is not the whole of latest." "v1: Run queued."
cd -
