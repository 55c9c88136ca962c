#!/usr/bin/env bash
# A repository that lives on another git server is followed: a commit there starts a run here.
# The page: docs/how-to/remote-repositories.md
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "a repository on another server"

part "A stack"
export ROPEWALK_ADMIN_PASSWORD=three-strands-make-a-rope
compose/up --no-sample
printf 'machine localhost login admin password %s\n' "$ROPEWALK_ADMIN_PASSWORD" >>~/.netrc
chmod 600 ~/.netrc

part "Another git server, with a repository"
git init -q --bare -b main ~/served/shop.git
mkdir ~/served/cgi-bin
cat >~/served/cgi-bin/git <<'END'
#!/bin/sh
export GIT_PROJECT_ROOT=/served GIT_HTTP_EXPORT_ALL=1 GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
exec git http-backend
END
chmod 755 ~/served/cgi-bin/git
docker run -d --rm --name git.example --network build-infrastructure --volume ~/served:/served:ro \
    --entrypoint busybox ropewalk/server httpd -f -p 8080 -h /served
later docker rm -f git.example
mkdir ~/shop
cd ~/shop
git init -q -b main
git config user.name "Ada"
git config user.email ada@example.org
printf '%s\n' 'stages:' '  - name: Build' '    steps:' '      - run: echo building' >ropewalk.yml
git add ropewalk.yml
git commit -q -m "A pipeline"
git push -q ~/served/shop.git main

part "A terminal that may"
ropewalk_from_image
export ROPEWALK_URL=http://localhost:3000
ROPEWALK_TOKEN=$(curl -sSn --json '{"name": "terminal"}' $ROPEWALK_URL/api/v1/users/admin/tokens | jq -r .sha1)
export ROPEWALK_TOKEN

part "Follow it"
ropewalk repo mirror shop http://git.example:8080/cgi-bin/git/shop.git
# It is asked at once, without waiting for the minute.
within 15 ropewalk run show admin/shop 1
ropewalk run log -f admin/shop 1
shows "building"
ropewalk run show admin/shop 1
shows "passed"

part "A commit over there"
git commit -q --allow-empty -m "Another one"
git push -q ~/served/shop.git main
within 75 ropewalk run show admin/shop 2
ropewalk run log -f admin/shop 2
ropewalk run show --json admin/shop 2 | jq -c '[.status, .cause.kind, .commit]'
shows "[\"passed\",\"poll\",\"$(git rev-parse HEAD)\"]"

part "It takes no pushes"
if
    git push http://localhost:3000/admin/shop.git main:other
then fail "a mirror took a push"; fi
shows "admin/shop is a mirror and takes no pushes. Push to where it comes from; changes arrive within a minute."
