#!/usr/bin/env bash
# A Jenkinsfile that says more than is carried out here, and how it is told and mended.
# The page: docs/how-to/bring-a-jenkinsfile.md
# shellcheck disable=SC1111
# shellcheck source=tests/journeys/lib/journey.sh
. "$(dirname "$(readlink -f "$0")")/lib/journey.sh"
begin "a Jenkinsfile comes along"

part "A stack"
export ROPEWALK_ADMIN_PASSWORD=three-strands-make-a-rope
compose/up --no-sample
printf 'machine localhost login admin password %s\n' "$ROPEWALK_ADMIN_PASSWORD" >>~/.netrc
chmod 600 ~/.netrc

part "A repository from Jenkins"
mkdir ~/shop
cd ~/shop
git init -q -b main
git config user.name "Ada"
git config user.email ada@example.org
cat >Jenkinsfile <<'END'
pipeline {
    agent { docker 'maven:3' }
    stages {
        stage('Build') {
            when { branch 'main' }
            steps {
                sh 'echo building'
                archiveArtifacts 'shop.jar'
            }
        }
    }
    post {
        always { echo 'done' }
    }
}
END
git add Jenkinsfile
git commit -q -m "As it ran in Jenkins"

part "Ask before pushing"
if
    docker run --rm --volume "$PWD:$PWD:ro" ropewalk/server lint "$PWD/Jenkinsfile"
then fail "lint found nothing wrong"; fi
shows "Jenkinsfile:2:13:" "Jenkinsfile:5:13:" "Jenkinsfile:8:17:" "Jenkinsfile:12:5:"

part "Push it all the same"
git push http://localhost:3000/admin/shop.git main
shows "remote: Run #1 of default did not start. These 4 things cannot be carried out here:" \
    "remote:   Jenkinsfile:2:13: The agent “docker” is not carried out; write “agent any”, and name images in ropewalk.yml (“image”)." \
    "remote:   Jenkinsfile:5:13: “when” is not carried out; give the pipeline branches of its own instead." \
    "remote:   Jenkinsfile:8:17: “archiveArtifacts” is not carried out: files are not kept beyond the run." \
    "remote:   Jenkinsfile:12:5: “post” is not carried out." \
    "remote: See http://localhost:3000/admin/shop/pipelines/default/runs/1"

part "Read it again later"
runs=http://localhost:3000/api/v1/repos/admin/shop/pipelines/default/runs
curl -sSn $runs/1 | jq -r '.status, .message, (.findings[] | "\(.path):\(.line):\(.column) \(.code)")'
shows failed "The run failed before it started: 4 things in Jenkinsfile cannot be carried out here." "Jenkinsfile:8:17 pipeline-no-archive"
is "$(curl -sSn $runs/1 | jq -c '[.stages[].status]')" '[]' "what was carried out of run 1"

part "Mend it"
cat >Jenkinsfile <<'END'
pipeline {
    agent any
    stages {
        stage('Build') {
            steps {
                sh 'echo building'
            }
        }
    }
}
END
docker run --rm --volume "$PWD:$PWD:ro" ropewalk/server lint "$PWD/Jenkinsfile"
git commit -q -a -m "As it runs here"
git push http://localhost:3000/admin/shop.git main
shows "remote: Run #2 of default: http://localhost:3000/admin/shop/pipelines/default/runs/2"
curl -sSnN $runs/2/events | tail -n 4
shows "data: passed"
curl -sSn $runs/2/log
shows building
