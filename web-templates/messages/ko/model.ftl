name-empty = 이름이 비어 있습니다.
name-too-long = 이름은 최대 { $longest }자까지 쓸 수 있습니다.
name-characters = 잘못된 이름: “{ $name }”. 영문자, 숫자, “.”, “_”, “-”만 쓸 수 있습니다.
name-edges = 잘못된 이름: “{ $name }”. 영문자나 숫자로 시작하고 끝나야 하며 “..”를 포함할 수 없습니다.
name-reserved = 예약된 이름: “{ $name }”. 다른 이름을 쓰세요.
name-ending = 잘못된 이름: “{ $name }”. 다른 용도로 예약된 말로 끝납니다.
ref-invalid = 이 서버에서 쓸 수 없는 브랜치 또는 태그 이름: “{ $name }”.
commit-invalid = 완전한 커밋 ID가 아닙니다: “{ $commit }”.
repository-path = owner/name 형식이 아닙니다: “{ $path }”.
status-unknown = 알 수 없는 상태: “{ $status }”.
digest-invalid = sha256 다이제스트가 아닙니다: “{ $digest }”.
image-invalid = 이미지 참조가 아닙니다: “{ $image }”.
stream-tag-invalid = 스트림 태그 이름이 아닙니다: { $name }.
    소유자/스트림:태그 형식으로 씁니다.
