name-empty = The name is empty.
name-too-long = The name is longer than { $longest } characters.
name-characters = The name “{ $name }” may only have letters, digits, “.”, “_” and “-”.
name-edges = The name “{ $name }” must start and end with a letter or digit and may not have “..”.
name-reserved = The name “{ $name }” is reserved.
name-ending = The name “{ $name }” ends in a way that is kept for other uses.
ref-invalid = “{ $name }” is not a branch or tag name this server takes.
commit-invalid = “{ $commit }” is not a full commit id.
repository-path = “{ $path }” is not of the form owner/name.
status-unknown = There is no status “{ $status }”.
digest-invalid = “{ $digest }” is not a sha256 digest.
image-invalid = “{ $image }” is not an image reference.
stream-tag-invalid = { $name } is not the name of a stream tag.
    It is written owner/stream:tag.
