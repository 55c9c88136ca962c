# 비밀번호: 명령줄과 대시보드가 함께 씁니다.
password-short = 비밀번호는 { $shortest }자 이상이어야 합니다.
password-long = 비밀번호는 { $longest }자까지 쓸 수 있습니다.
password-control = 비밀번호에 제어 문자가 들어 있습니다.
password-common = 누구나 가장 먼저 시도해 볼 만한 비밀번호입니다. 서로 관련 없는 낱말 서너 개를 이어 붙이는 식으로 다른 것을 고르세요.
