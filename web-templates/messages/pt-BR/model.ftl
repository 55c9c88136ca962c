name-empty = O nome está vazio.
name-too-long = O nome tem mais de { $longest } caracteres.
name-characters = O nome “{ $name }” só pode ter letras sem acento, dígitos, “.”, “_” e “-”.
name-edges = O nome “{ $name }” deve começar e terminar com letra ou dígito e não pode conter “..”.
name-reserved = O nome “{ $name }” é reservado.
name-ending = O nome “{ $name }” tem uma terminação reservada para outros usos.
ref-invalid = “{ $name }” não é um nome de branch ou tag aceito por este servidor.
commit-invalid = “{ $commit }” não é um id de commit completo.
repository-path = “{ $path }” não está na forma dono/nome.
status-unknown = Não existe o status “{ $status }”.
digest-invalid = “{ $digest }” não é um digest sha256.
image-invalid = “{ $image }” não é uma referência de imagem.
stream-tag-invalid = { $name } não é o nome de uma tag de fluxo.
    Escreve-se dono/fluxo:tag.
