# 정의: 파일 전체
pipeline-path = 정의의 경로로 쓸 수 없습니다: “{ $path }”. 저장소 루트 아래의 경로여야 하며 “..”을 포함할 수 없습니다.
pipeline-kind-unknown = Jenkinsfile도 .yml 파일도 아닙니다: “{ $path }”. 읽을 수 있도록 파일 이름을 바꾸세요.
pipeline-too-large = 정의가 { $longest }바이트보다 큽니다.
pipeline-not-utf8 = 여기서부터 UTF-8 텍스트가 아닙니다.
pipeline-empty = 정의가 비어 있습니다.
pipeline-more-findings = 처음 { $shown }건만 표시합니다.
pipeline-too-deep = 블록이 너무 깊이 중첩되어 있습니다.
pipeline-too-many-stages = 파이프라인의 스테이지는 최대 { $most }개입니다.
pipeline-too-many-steps = 파이프라인의 스텝은 최대 { $most }개입니다.
pipeline-too-many-variables = 블록 하나의 변수는 최대 { $most }개입니다.
pipeline-too-many-inputs = 파이프라인의 입력은 최대 { $most }개입니다.
pipeline-too-many-branches = 파이프라인의 브랜치 패턴은 최대 { $most }개입니다.
pipeline-branch-glob = 브랜치 패턴이 아닙니다: “{ $glob }”. 이름에 “*”, “**”, “?”, “[a-z]”를 쓸 수 있고 “!”는 쓸 수 없습니다.
pipeline-dir = 작업 공간 루트 아래의, 변수 없이 적은 폴더가 아닙니다: “{ $path }”
pipeline-stage-name = 스테이지 이름으로 쓸 수 없습니다: “{ $name }”. 변수 없이 눈에 보이는 문자 1~100자로 지으세요.
pipeline-stage-twice = 스테이지 이름이 중복됩니다: "{ $name }"
pipeline-no-stages = 스테이지가 없습니다.
pipeline-variable-name = 변수 이름으로 쓸 수 없습니다: “{ $name }”. 영문자나 “_”로 시작하고 영문자, 숫자, “_”만 이어져야 합니다.
pipeline-variable-twice = 이 블록에서 두 번 설정된 변수: “{ $name }”
pipeline-variable-nul = 값에 NUL 문자가 있습니다: “{ $name }”
pipeline-unknown-variable = 여기에 없는 변수입니다: “{ $name }”. 서버도 이 정의도 설정하지 않습니다.
pipeline-unknown-variable-similar = 여기에 없는 변수입니다: “{ $name }”. 혹시 “{ $known }”인가요?
pipeline-text-too-long = 변수를 채우면 이 텍스트가 { $longest }바이트보다 길어집니다.
pipeline-environment-too-large = 환경 변수 전체가 { $longest }바이트보다 큽니다.

# 번호가 붙은 스크립트
pipeline-script-name = 번호는 있지만 실행할 수 없는 파일입니다: “{ $name }”. “00-verify.sh”, “00-verify.bat”, “00-verify”처럼 영문자, 숫자, “-”, “_”로 이름을 지으세요.
pipeline-no-scripts = “00-verify.sh”처럼 번호가 붙은 스크립트가 없습니다: “{ $path }”

# 입력
pipeline-input-unknown = 이 파이프라인에 없는 입력입니다: “{ $name }”
pipeline-input-unknown-similar = 이 파이프라인에 없는 입력입니다: “{ $name }”. 혹시 “{ $known }”인가요?
pipeline-input-missing = 값이 필요한 입력입니다: “{ $name }”
pipeline-input-too-long = 입력 값이 { $longest }바이트보다 깁니다: “{ $name }”
pipeline-input-one-line = 입력 값은 한 줄이어야 합니다: “{ $name }”
pipeline-input-boolean = 입력 “{ $name }”: true 또는 false여야 하며 “{ $value }” 값은 쓸 수 없습니다.
pipeline-input-number = 입력 “{ $name }”: 숫자여야 하며 “{ $value }” 값은 쓸 수 없습니다.
pipeline-input-choice = 입력 “{ $name }”: “{ $value }” 값은 쓸 수 없습니다. 다음 중에서 고르세요: { $choices }
pipeline-input-builtin = 서버가 설정하는 이름이라 입력으로 쓸 수 없습니다: “{ $name }”
pipeline-input-type = 없는 입력 유형입니다: “{ $value }”. 다음 중 하나를 쓰세요: { $known }
pipeline-input-choices-missing = choice 유형의 입력에는 값 1~200개의 목록인 “choices”가 필요합니다.
pipeline-input-choices-extra = “choices”는 choice 유형의 입력에만 쓸 수 있습니다.

# ropewalk.yml
pipeline-yaml = 올바른 YAML이 아닙니다: { $problem }
pipeline-yaml-tag = YAML 태그는 쓰지 않습니다. 지우세요.
pipeline-yaml-documents = 파일 하나에 파이프라인 하나입니다. 두 번째 YAML 문서를 지우세요.
pipeline-yaml-nul = 값에 NUL 문자를 쓸 수 없습니다.
pipeline-yaml-alias = 이 별칭이 가리키는 값이 앞에서 완성되지 않았습니다.
pipeline-yaml-key = 키는 단순한 이름이어야 합니다.
pipeline-yaml-too-large = 별칭을 펼치면 정의가 너무 커집니다.
pipeline-key-twice = 여기에 두 번 나오는 키: “{ $key }”
pipeline-key-unknown = 여기에 쓸 수 없는 키입니다: “{ $key }”. 쓸 수 있는 키: { $known }
pipeline-key-similar = 여기에 쓸 수 없는 키입니다: “{ $key }”. 혹시 “{ $known }”인가요?
pipeline-key-missing = 여기에 빠진 키: “{ $key }”
pipeline-empty-list = 목록이 비어 있습니다: “{ $key }”. 채우거나 지우세요.
pipeline-want-text = “{ $key }” 값은 텍스트여야 합니다.
pipeline-want-list = “{ $key }” 값은 목록이어야 합니다.
pipeline-want-map = “{ $key }” 값은 키와 값의 맵이어야 합니다.
pipeline-want-boolean = “{ $key }” 값은 true 또는 false여야 합니다.
pipeline-timeout = 시간 제한이 아닙니다: “{ $value }”. 90s, 30m, 1h30m, 2d처럼 쓰며 최대 7일입니다.
pipeline-variable-open = “{ $key }” 안에 닫히지 않은 변수가 있습니다. 이렇게 쓰세요: { $example } (글자 그대로 쓰려면: { $literal })
pipeline-step-kind = 스텝에는 “run”과 “echo” 중 하나만 있어야 합니다.

# Jenkinsfile: 텍스트
pipeline-string-open = 이 문자열이 끝나지 않습니다.
pipeline-comment-open = 이 주석이 끝나지 않습니다.
pipeline-escape = Groovy의 이스케이프가 아닙니다: “{ $escape }”. 백슬래시 하나는 두 개로 쓰세요.
pipeline-dollar = 달러 기호 뒤에 올 수 없는 문자입니다. 큰따옴표 안에서는 달러 기호를 이렇게 쓰세요: { $example } 또는 작은따옴표를 쓰세요.
pipeline-slashy = 슬래시로 감싼 문자열은 읽지 않습니다. 따옴표를 쓰세요.
pipeline-bracket-other = { $line }번째 줄을 “{ $expected }” 기호로 닫아야 할 곳에 “{ $found }” 기호가 있습니다.
pipeline-bracket-extra = 짝이 없는 기호입니다: “{ $found }”
pipeline-bracket-open = “{ $opener }” 기호가 “{ $expected }” 기호로 닫히지 않았습니다.
pipeline-unexpected = 예상하지 못한 내용입니다: “{ $found }”
pipeline-value-missing = 여기에 값이 없습니다.
pipeline-expression = Groovy 코드입니다: “{ $code }”. 문자열과 변수, 그 사이의 “+”만 처리합니다.
pipeline-params = “parameters”를 처리하지 않으므로 값이 없습니다: “{ $name }”. ropewalk.yml의 “inputs”를 쓰세요.

# Jenkinsfile: 섹션
pipeline-none = “pipeline” 블록이 없습니다.
pipeline-scripted = “pipeline” 블록 밖의 스크립트 방식입니다: “{ $name }”. 선언형 파이프라인만 처리합니다.
pipeline-outside = “pipeline” 블록 밖에 있어 처리하지 않습니다: “{ $name }”
pipeline-section-missing = 필수 섹션이 없습니다: "{ $name }"
pipeline-section-twice = 여기에 한 번만 쓸 수 있습니다: “{ $name }”
pipeline-unknown-section = 정의되지 않은 섹션입니다: “{ $name }”
pipeline-unknown-section-similar = 정의되지 않은 섹션입니다: “{ $name }”. 혹시 “{ $known }”인가요?
pipeline-needs-block = 다른 것 없이 중괄호 블록이 필요합니다: “{ $name }”
pipeline-environment-entry = NAME = '값' 형식이 아닙니다: “{ $found }”
pipeline-agent-empty = “agent”에는 유형이 필요합니다. “agent any”라고 쓰세요.
pipeline-agent-none = “agent none”은 처리하지 않습니다. “agent any”라고 쓰세요.
pipeline-agent-other = 사용할 수 없는 에이전트입니다: “{ $name }”. 에이전트는 한 종류뿐이니 “agent any”라고 쓰세요.
pipeline-agent-image = 처리하지 않는 에이전트입니다: “{ $name }”. “agent any”라고 쓰고, 이미지는 ropewalk.yml의 “image”에 적으세요.
pipeline-agent-unknown = 잘못된 에이전트 유형입니다: "{ $name }". 다음 중 하나여야 합니다: [{ $known }]
pipeline-stage-work-missing = 스테이지 "{ $stage }": "steps", "stages", "parallel" 중 하나가 필요합니다.
pipeline-stage-work-many = 스테이지 "{ $stage }": "matrix", "parallel", "stages", "steps" 중 하나만 쓸 수 있습니다.
pipeline-no-steps = 스테이지 "{ $stage }": 스텝이 없습니다.

# Jenkinsfile: 스텝
pipeline-unknown-step = 없는 스텝입니다: “{ $name }”. 처리하는 스텝: { $known }
pipeline-unknown-step-similar = 없는 스텝입니다: “{ $name }”. 혹시 “{ $known }”인가요?
pipeline-groovy = Groovy 코드라서 처리하지 않습니다: “{ $name }”. 셸로 작성하세요.
pipeline-step-needs = “{ $step }” 스텝에 필요한 인수: “{ $argument }”
pipeline-argument-unsupported = “{ $step }” 스텝에서 처리하지 않는 인수: “{ $name }”
pipeline-argument-similar = 잘못된 인수입니다: "{ $name }". 혹시 "{ $known }"인가요?
pipeline-unsupported = 처리하지 않습니다: “{ $name }”
pipeline-no-options = 처리하지 않습니다: “{ $name }”. 시간 제한은 ropewalk.yml의 “timeout”으로 정할 수 있습니다.
pipeline-no-parameters = “parameters”는 처리하지 않습니다. ropewalk.yml의 “inputs”를 쓰세요.
pipeline-no-triggers = “triggers”는 처리하지 않습니다. 푸시하면 실행이 저절로 시작되니 지우세요.
pipeline-no-tools = 처리하지 않습니다: “{ $name }”. 스텝이 실행되는 이미지에 도구를 넣으세요.
pipeline-no-libraries = 공유 라이브러리는 처리하지 않습니다: “{ $name }”. 스크립트를 저장소에 넣으세요.
pipeline-no-post = “post”는 처리하지 않습니다.
pipeline-no-when = “when”은 처리하지 않습니다. 대신 파이프라인에 브랜치를 지정하세요.
pipeline-no-input = “input”은 처리하지 않습니다. 실행은 응답을 기다리지 않습니다.
pipeline-no-parallel = 스테이지 안에서는 처리하지 않습니다: “{ $name }”. 그 안의 스테이지를 차례로 적으세요.
pipeline-no-script = “script”는 Groovy 코드라서 처리하지 않습니다. 셸로 작성하세요.
pipeline-no-credentials = 여기서 쓸 수 없습니다: “{ $name }”. 저장된 변수는 environment 안에 TOKEN = credentials('NAME') 항목을 적어 가져옵니다.
pipeline-no-with-env = “withEnv”는 처리하지 않습니다. 스테이지의 “environment”를 쓰세요.
pipeline-no-checkout = 필요하지 않습니다: “{ $name }”. 커밋은 이미 작업 공간에 있으니 지우세요.
pipeline-no-archive = 처리하지 않습니다: “{ $name }”. 파일은 실행이 끝나면 보관되지 않습니다.
pipeline-no-powershell = 스텝 이미지에서 쓸 수 없습니다: “{ $name }”. “sh”를 쓰세요.
pipeline-no-docker = 처리하지 않습니다: “{ $name }”. “sh”로 docker 프로그램을 호출하세요.
