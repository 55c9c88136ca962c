run-variable-missing = 없는 변수입니다: { $name } (정의의 { $line }번째 줄). 변수는 관리자가 설정의 변수 페이지에서 만듭니다.
run-variable-closed = 이 서버의 키로 값을 열 수 없는 변수입니다: { $name }. 관리자가 설정의 변수 페이지에서 값을 다시 입력해야 합니다.
run-variable-short = 값이 너무 짧아 로그에서 가릴 수 없는 비밀 변수입니다: { $name }. 관리자가 설정의 변수 페이지에서 더 긴 값을 넣어야 합니다.
pipeline-credentials-name = 여기에는 저장된 변수의 이름을 넣은 credentials('NAME') 하나만 쓸 수 있습니다.
run-variables-large = 이 실행의 비밀 변수를 합하면 { $longest }바이트가 넘어 로그에서 모두 가릴 수 없습니다.
