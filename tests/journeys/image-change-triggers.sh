#!/usr/bin/env bash
# A base image changes, and what stands on it runs once; it is rolled back, and what stands on it follows.
# The page: docs/tutorials/image-change-triggers.md
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "rebuild when a base image changes"

part "A stack"
export ROPEWALK_ADMIN_PASSWORD=three-strands-make-a-rope
compose/up --no-sample
printf 'machine localhost login admin password %s\n' "$ROPEWALK_ADMIN_PASSWORD" >>~/.netrc
chmod 600 ~/.netrc
git config --global user.name "Ada"
git config --global user.email ada@example.org
ropewalk_from_image

part "A terminal that may"
export ROPEWALK_URL=http://localhost:3000
ROPEWALK_TOKEN=$(curl -sSn --json '{"name": "terminal"}' $ROPEWALK_URL/api/v1/users/admin/tokens | jq -r .sha1)
export ROPEWALK_TOKEN

part "A base image and its stream"
tar -cf - --files-from /dev/null | docker import - registry.local:5000/admin/base:1
docker push registry.local:5000/admin/base:1
printf '%s\n' 'apiVersion: image.openshift.io/v1' 'kind: ImageStream' 'metadata: {name: base}' >~/base.yml
ropewalk apply -f ~/base.yml
shows "ImageStream admin/base created"
within 15 bash -c 'ropewalk stream show admin/base | grep sha256'
ropewalk stream show admin/base
shows "registry.local:5000/admin/base@sha256:"

part "A pipeline that watches it"
git init -q -b main ~/app
cd ~/app
printf '%s\n' 'stages:' '  - name: Build' '    steps:' '      - run: echo building' >ropewalk.yml
git add ropewalk.yml
git commit -q -m "A pipeline"
git push -q http://localhost:3000/admin/app.git main
ropewalk run log -f admin/app 1
printf '%s\n' 'apiVersion: build.openshift.io/v1' 'kind: BuildConfig' 'metadata: {name: default, annotations: {ropewalk.io/repository: admin/app}}' >trigger.yml
printf '%s\n' 'spec:' '  triggers:' '  - type: ImageChange' '    imageChange: {from: {kind: ImageStreamTag, name: "base:1"}}' >>trigger.yml
ropewalk apply -f trigger.yml
shows "BuildConfig admin/app default configured"
within 15 ropewalk run show admin/app 2
ropewalk run log -f admin/app 2

part "The base changes"
tar -cf - --files-from /dev/null | docker import - registry.local:5000/admin/base:1
docker push registry.local:5000/admin/base:1
within 75 ropewalk run show admin/app 3
ropewalk run log -f admin/app 3
ropewalk run show --json admin/app 3 | jq -c '[.status, .cause.kind]'
shows '["passed","image-change"]'

part "Roll back"
ropewalk stream rollback admin/base:1
within 15 ropewalk run show admin/app 4
ropewalk run log -f admin/app 4
