# 비밀번호: 명령줄과 대시보드가 함께 씁니다.
password-short = 비밀번호는 { $shortest }자 이상이어야 합니다.
password-long = 비밀번호는 { $longest }자까지 쓸 수 있습니다.
password-control = 비밀번호에 제어 문자가 들어 있습니다.
password-common = 누구나 가장 먼저 시도해 볼 만한 비밀번호입니다. 서로 관련 없는 낱말 서너 개를 이어 붙이는 식으로 다른 것을 고르세요.

# 설정과 사용법.
cli-setting-value = { $name }: “{ $value }” 값은 쓸 수 없습니다.
cli-variable-unknown = { $name }: Ropewalk에 없는 설정입니다. 변수를 지우세요. 전체 목록은 `ropewalk serve --help`에 있습니다.
cli-variable-meant = { $name }: Ropewalk에 없는 설정입니다. 혹시 { $meant }인가요?
cli-secret-twice = { $name }, { $name }_FILE 두 가지가 모두 설정되어 있습니다. 하나만 쓰세요.
cli-secret-file = 파일을 읽을 수 없습니다({ $path }): { $cause }
cli-input = “{ $input }”: NAME=VALUE 형식이 아닙니다.
cli-no-data = 데이터 디렉터리가 없습니다: { $path }. --data로 지정하세요.
cli-no-account = 그런 계정이 없습니다: “{ $name }”
cli-no-file = 그런 파일이 없습니다: { $path }
cli-no-pipeline = { $repo }: 아직 파이프라인이 없습니다.
cli-no-stage = 이 실행에는 그런 단계가 없습니다: “{ $stage }”
cli-which-pipeline = 저장소에 파이프라인이 여러 개 있습니다: { $names }. --pipeline으로 하나를 고르세요.
cli-unreadable = 읽을 수 없습니다({ $path }): { $cause }
cli-stdin = 표준 입력을 읽을 수 없습니다: { $cause }
cli-output = 출력을 쓸 수 없습니다: { $cause }
cli-unreachable = { $url }: 응답이 없습니다({ $cause }). 서버가 실행 중인지, ROPEWALK_URL이 맞는 주소인지 확인하세요.
cli-answer = 서버의 응답이 중간에 끊겼습니다: { $cause }
cli-strange = 이 버전이 이해할 수 없는 응답을 서버가 보냈습니다.
cli-out-of-time = 실행 { $number }: 정해진 시간 안에 끝나지 않았습니다.
cli-internal = 일어나서는 안 되는 일입니다: { $cause }
cli-runtime = 프로그램을 시작할 수 없습니다: { $cause }
cli-listen = { $address }: 이 주소에서 연결을 받을 수 없습니다({ $cause }). 다른 서버가 실행 중인가요? --listen으로 다른 포트를 고르세요.

# 명령을 마쳤을 때.
cli-user-added = 계정을 만들었습니다: { $name }
cli-password-set = 비밀번호를 바꾸고 세션을 모두 끝냈습니다: { $name }
cli-token-once = 토큰은 지금 한 번만 보여 드립니다.
cli-ping-ok = { $url }: 응답합니다.
cli-ping-status = { $url }: 상태 코드 { $status }로 응답합니다.
cli-check-ok = 모두 온전합니다: 데이터베이스와 저장소 { $repositories }개.
cli-check-no-folder = 저장소의 폴더가 없습니다
cli-run-told = 실행 { $number }: { $status }, { $url }

# 도움말: 명령.
cli-about = Git 호스트, 빌드 루프, 레지스트리 클라이언트, 대시보드를 하나로 묶은 서버
cli-serve = 서버를 실행합니다
cli-ping = 서버가 응답하는지 묻습니다
cli-check = 데이터 디렉터리의 데이터베이스와 모든 저장소를 검사합니다
cli-lint = 파이프라인 정의를 검사하거나 ropewalk.yml의 스키마를 출력합니다
cli-user = 계정(데이터 디렉터리에서 직접)
cli-user-add = 계정을 추가합니다. --password-stdin이 없으면 비밀번호를 만들어 출력합니다
cli-user-password = 계정의 비밀번호를 바꾸고 세션을 모두 끝냅니다
cli-token = API 토큰(데이터 디렉터리에서 직접)
cli-token-create = 토큰을 만들어 한 번만 출력합니다
cli-repo = 서버의 저장소
cli-repo-create = 내 저장소를 만들고 주소를 출력합니다
cli-repo-mirror = 원격 저장소의 미러를 만듭니다. 변경 사항은 1분마다 확인합니다
cli-repo-list = 내 저장소 목록
cli-pipeline = 저장소의 파이프라인
cli-pipeline-create = 저장소 안의 정의 파일로 파이프라인을 추가합니다
cli-pipeline-list = 저장소의 파이프라인 목록
cli-run = 파이프라인의 실행
cli-run-start = 실행을 시작합니다. -f를 주면 끝날 때까지 지켜봅니다
cli-run-list = 최근 실행 목록
cli-run-show = 실행의 단계와 이미지를 보여 줍니다
cli-run-log = 실행의 로그를 출력합니다. -f를 주면 끝날 때까지 출력합니다
cli-run-cancel = 실행을 취소합니다
cli-run-rerun = 같은 커밋과 입력값으로 다시 실행합니다
cli-image = 레지스트리의 이미지와 그 출처
cli-image-list = 레지스트리의 저장소 목록
cli-image-tags = 이미지의 태그 목록
cli-image-trace = 이미지를 만든 실행과 커밋을 보여 줍니다
cli-version = 버전을 출력합니다

# 도움말: 플래그와 인수.
cli-flag-json = JSON으로 출력
cli-flag-data = 서버의 데이터 디렉터리 [ROPEWALK_DATA, 없으면 ./data]
cli-flag-admin = 서버 관리 권한을 줍니다
cli-flag-password-stdin = 표준 입력의 첫 줄에서 비밀번호를 읽습니다
cli-flag-scope = 토큰으로 할 수 있는 일
cli-flag-expires = 토큰이 만료될 때까지의 일수(지정하지 않으면 183일). 0이면 만료되지 않습니다
cli-flag-token-name = 토큰의 용도
cli-flag-ping-url = 서버 주소 [ROPEWALK_LISTEN의 포트, 없으면 ROPEWALK_URL, 없으면 http://127.0.0.1:3000]
cli-flag-ping-timeout = 기다릴 시간(초)
cli-flag-schema = ropewalk.yml의 JSON 스키마를 출력
cli-flag-private = 나와 관리자에게만 보입니다
cli-flag-description = 한 줄 설명
cli-flag-limit = 최대 개수
cli-flag-path = 저장소 안의 정의 경로: Jenkinsfile, .yml 파일 또는 번호 붙은 스크립트 폴더
cli-flag-branch = 일치하는 브랜치에만 적용. 여러 번 쓸 수 있습니다
cli-flag-pipeline = 파이프라인 이름 [하나뿐이면 그것, 아니면 default]
cli-flag-ref = 브랜치나 태그 [기본 브랜치]
cli-flag-input = 입력값. 여러 번 쓸 수 있습니다
cli-flag-follow = 실행이 끝날 때까지 기다립니다. 통과하지 못하면 종료 코드 1
cli-flag-timeout = 이 시간(초)이 지나면 그만 지켜보고 종료 코드 124로 끝냅니다. 실행은 계속됩니다
cli-flag-stage = 이 단계만. 이름 또는 0부터 시작하는 번호
cli-flag-raw = 로그의 바이트를 그대로 출력. 터미널에는 쓰지 마세요
cli-arg-account = 계정 이름
cli-arg-definition = 정의 파일 또는 번호 붙은 스크립트 폴더
cli-arg-repo = 저장소(OWNER/REPO 형식)
cli-arg-repo-name = 새 저장소의 이름(소유자 없이)
cli-arg-pipeline = 파이프라인 이름
cli-arg-remote = 원격 저장소의 주소(http:// 또는 https://, 인증 정보 없이)
cli-flag-remote-user = 원격 서버의 계정
cli-arg-number = 실행 번호
cli-arg-image-name = 레지스트리 안의 이미지 저장소(호스트와 태그 없이)
cli-arg-digest = sha256:와 64자리 숫자

# 도움말: 서버 설정.
cli-set-data = 데이터베이스, 저장소, 로그를 두는 곳
cli-set-listen = 연결을 받을 주소와 포트
cli-set-url = 사람들이 서버에 접속하는 주소. 링크에 쓰입니다. 쉼표로 여러 개를 적을 수 있으며 첫째가 주 주소입니다
cli-set-registry = 단계가 이미지를 푸시하는 레지스트리
cli-set-docker = 도커 엔진: unix://, npipe://, tcp:// 또는 http://
cli-set-workspaces = 작업 공간을 만드는 곳. 엔진에서도 같은 경로여야 합니다
cli-set-jobs = 동시에 진행할 실행 수
cli-set-workers = HTTP에 응답하는 스레드 수
cli-set-step-image = 이미지를 지정하지 않은 스텝의 이미지
cli-set-step-socket = 스텝에 줄 엔진 소켓(엔진 호스트의 경로). 비우면 주지 않습니다
cli-set-step-hosts = 스텝의 hosts 파일에 넣을 이름
cli-set-step-memory = 스텝의 최대 메모리(예: 2g)
cli-set-step-cpus = 스텝의 최대 코어 수(예: 1.5)
cli-set-step-pids = 스텝의 최대 프로세스 수
cli-set-run-timeout = 파이프라인에 따로 정하지 않았을 때 실행을 멈추기까지의 시간(분)
cli-set-log-limit = 단계 하나의 로그를 보관하는 최대 바이트
cli-set-max-push = 푸시 한 번의 최대 바이트
cli-set-poll-seconds = 모든 저장소를 살펴보는 간격(초)
cli-set-admin-password = 첫 시작 때 쓸 admin 비밀번호가 든 파일
cli-set-hook-token = 레지스트리가 알림과 함께 보내는 토큰이 든 파일
cli-set-log = 서버 로그에 남길 것(예: info, ropewalk=debug)
cli-set-log-format = 서버 로그의 형식
