name-empty = 名稱是空的。
name-too-long = 名稱不可超過 { $longest } 個字元。
name-characters = 名稱「{ $name }」只能包含英文字母、數字、「.」、「_」和「-」。
name-edges = 名稱「{ $name }」的開頭和結尾必須是英文字母或數字，且不可包含「..」。
name-reserved = 名稱「{ $name }」已保留，不能使用。
name-ending = 名稱「{ $name }」的結尾保留作其他用途。
ref-invalid = 「{ $name }」不是這個伺服器接受的分支或標籤名稱。
commit-invalid = 「{ $commit }」不是完整的提交 ID。
repository-path = 「{ $path }」不是 owner/name 的形式。
status-unknown = 沒有「{ $status }」這種狀態。
digest-invalid = 「{ $digest }」不是 sha256 摘要。
image-invalid = 「{ $image }」不是映像檔參照。
stream-tag-invalid = { $name } 不是串流標籤的名稱。
    格式為 擁有者/串流:標籤。
