# 페이지가 하는 말: 양식을 보낸 뒤의 알림, 찾을 수 없는 까닭.

# 양식을 보낸 뒤
pages-saved = 저장했습니다.
pages-deleted = 삭제했습니다: { $name }
pages-rerun = #{ $of }번 실행을 같은 커밋과 입력값으로 다시 실행합니다.
pages-mirror-made = 원격 저장소를 가져오고 있습니다. 잠시 뒤 새로 고치십시오.
pages-pipeline-made = 파이프라인을 만들었습니다. 다음 푸시나 시작 버튼으로 실행됩니다.
pages-token-deleted = 토큰을 취소했습니다. 이제 이 토큰으로는 접근할 수 없습니다.
pages-token-days = 토큰의 유효 기간은 1일부터 { $most }일까지입니다. 비워 두면 반년입니다.
pages-password-changed = 비밀번호를 바꿨습니다. 다른 세션은 모두 끝났습니다.
pages-password-wrong = 현재 비밀번호가 맞지 않습니다.
pages-account-made = 계정을 만들었습니다: { $name }. 주인에게 비밀번호를 알려 주십시오. 설정에서 바꿀 수 있습니다.
pages-account-changed = 계정을 바꿨습니다: { $name }
pages-account-self = 자신의 권한은 없앨 수 없습니다. 다른 관리자에게 부탁하십시오.
pages-error-too-many = 시도가 너무 많습니다

# 저장소
pages-private = 비공개
pages-private-tag = 비공개
pages-private-hint = 본인과 관리자에게만 보이고, 다른 사람에게는 없는 저장소로 보입니다.
pages-default-branch = 기본 브랜치
pages-delete-repository = 저장소 삭제
pages-delete-what = 커밋, 파이프라인, 실행, 로그가 함께 사라집니다. 레지스트리의 이미지는 남습니다. 되돌릴 수 없습니다.
pages-delete-type = 확인하려면 입력하십시오: { $name }
pages-delete-name = 이름이 다릅니다. 그대로 입력하십시오: { $name }
pages-no-file = 이 리비전({ $at })에 없는 경로입니다: { $path }
pages-poll-failed = 원격 저장소를 가져오지 못했습니다
pages-polled = 원격 저장소 확인:
pages-poll-first = 원격 저장소를 처음으로 확인하고 있습니다.
pages-mirror-empty = 아직 가져온 것이 없거나, 원격 저장소에 브랜치가 없습니다.
pages-queue = 실행 중 { $running }, 대기 { $queued }

# 파이프라인과 실행
pages-later = 다음 줄 보기
pages-delete-pipeline = 파이프라인 삭제
pages-delete-pipeline-what = 실행과 로그가 함께 사라집니다. 레지스트리의 이미지는 남습니다.
pages-delete-discovered = 정의가 저장소 최상위에 있는 동안에는 다음 푸시 때 다시 만들어집니다.

# 레지스트리와 추적
pages-tags-n = 태그 { $n }개
pages-runs-where = 실행 중인 컨테이너
pages-runs-nowhere = 이 서버 옆의 엔진에서 이 이미지로 실행 중인 컨테이너가 없습니다.
pages-image-where = 이 서버의 실행이 푸시한 적 없는 이미지({ $digest })라서 레지스트리의 어느 저장소를 찾아야 하는지 알 수 없습니다.
pages-trace-nothing = 찾지 못했습니다
pages-trace-choose = 지금 실행 중인 컨테이너
pages-trace-unclear = 다이제스트도, 이미지 이름도, 레이블도 아닙니다.
pages-trace-digest = 다이제스트가 { $digest }인 이미지를 푸시한 실행이 없습니다. docker images가 보여 주는 이미지 ID라면 그 이미지의 RepoDigests를 붙여 넣으십시오. ID는 그 기기 안에서만 통합니다.
pages-trace-image-id = 여기서 실행 중인 이미지의 ID로 찾았습니다. 레지스트리의 다이제스트는 아래와 같습니다.
pages-trace-other-registry = 다른 레지스트리({ $host })의 이미지입니다. 이 서버의 실행은 { $ours } 레지스트리에 푸시합니다.
pages-trace-moved = 지금 { $image } 태그가 가리키는 이미지({ $digest })는 여기서 푸시한 것이 아닙니다. 아래는 이 태그를 마지막으로 푸시한 실행입니다.
pages-trace-not-ours = 레지스트리에 { $image } 이미지({ $digest })가 있지만, 이 서버의 실행이 푸시한 것이 아닙니다.
pages-trace-gone = 레지스트리에 더는 없는 이미지입니다: { $image }
pages-trace-no-tag = 레지스트리({ $host })에 없고, 이 서버의 실행이 푸시한 적도 없는 이미지입니다: { $image }
pages-trace-no-record = 이 서버의 실행이 푸시한 적 없는 이미지입니다: { $image }
pages-trace-commit = 여기에는 이 커밋의 실행이 없습니다: { $commit }
pages-trace-labels = 레이블 { $count }개 가운데 이 서버의 실행(build_tag 등)이나 커밋을 가리키는 것이 없습니다.
pages-trace-build-tag = 실행의 BUILD_TAG처럼 보이지만 그런 실행은 없습니다: { $tag }
pages-trace-word = 이 서버 옆의 엔진에서 실행 중인 컨테이너도, 커밋도 아닙니다: { $word }. 이미지라면 태그를 붙이십시오({ $word }:TAG).
pages-trace-container = 컨테이너 { $name }: 이 서버의 실행이 푸시한 적 없는 이미지로 실행 중입니다({ $image }).
pages-trace-no-images = 이 실행은 이미지를 푸시하지 않았습니다.

# 활동
pages-kind = 보기
pages-kind-all = 모두
pages-kind-ref-moved = 브랜치와 태그
pages-kind-run-finished = 끝난 실행
pages-kind-run-requested = 사람이 시작한 실행
pages-kind-run-cancel-requested = 사람이 취소한 실행
pages-kind-image-pushed = 이미지
pages-kind-repository-created = 새 저장소
pages-kind-pipeline-created = 새 파이프라인
pages-kind-signed-in = 로그인
pages-event-run-finished = { $run } 끝남: { $status }
pages-event-run-requested = { $run } 시작 요청: { $by }
pages-event-run-cancel = { $run } 취소 요청: { $by }

# 상태
pages-part-database = 데이터베이스
pages-part-disk = 디스크
pages-part-git = git
pages-part-docker = Docker Engine
pages-part-registry = 레지스트리
pages-part-poll = 변경 감시
pages-part-queue = 대기열

# 사용자
pages-enable = 사용 허용
pages-disable = 사용 중지
pages-disabled = 사용 중지됨
pages-admin-give = 관리자로 지정
pages-admin-take = 관리자 해제
web-clone-elsewhere = { $host }(으)로 접속하셨지만 이 이름은 서버에 설정된 주소가 아닙니다. 계신 곳에서는 { $url }이(가) 응답하지 않을 수 있습니다. 서버 관리자가 --url로 주소를 추가할 수 있습니다.
