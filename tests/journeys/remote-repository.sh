#!/usr/bin/env bash
# A repository that lives on another git server is followed: a commit there starts a run here. The page:
# docs/how-to/follow-a-remote-repository.md
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

part "Follow it"
api=http://localhost:3000/api/v1
curl -sSn --json '{"clone_addr": "http://git.example:8080/cgi-bin/git/shop.git", "repo_name": "shop", "mirror": true}' $api/repos/migrate | jq -r .original_url
shows "http://git.example:8080/cgi-bin/git/shop.git"
within 75 curl -fsSn $api/repos/admin/shop/pipelines/default/runs/1
runs=$api/repos/admin/shop/pipelines/default/runs
curl -sSnN $runs/1/events | tail -n 4
shows "data: passed"

part "A commit over there"
git commit -q --allow-empty -m "Another one"
git push -q ~/served/shop.git main
within 75 curl -fsSn $runs/2
curl -sSn $runs/2 | jq -c '[.cause.kind, .commit]'
shows "[\"poll\",\"$(git rev-parse HEAD)\"]"
curl -sSnN $runs/2/events | tail -n 4
shows "data: passed"

part "It takes no pushes"
if
    git push http://localhost:3000/admin/shop.git main:other
then fail "a mirror took a push"; fi
shows "admin/shop is a mirror and takes no pushes. Push to where it comes from; changes arrive within a minute."

part "When the other server is away"
docker rm -f git.example
within 90 bash -c "curl -fsSn $api/repos/admin/shop | jq -e '.mirror_error != null'"
curl -sSn $api/repos/admin/shop | jq -r .mirror_error
git ls-remote http://localhost:3000/admin/shop.git main
shows "$(git rev-parse HEAD)"
