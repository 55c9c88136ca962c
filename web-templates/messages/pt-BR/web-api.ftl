api-not-found = Não há nada neste endereço.
api-repository-not-found = O repositório { $path } não existe.
api-account-not-found = A conta “{ $name }” não existe.
api-pipeline-not-found = O repositório não tem o pipeline “{ $name }”.
api-run-not-found = O pipeline não tem a execução #{ $number }.
api-branch-not-found = O repositório não tem o branch “{ $name }”.
api-image-unknown = Nenhuma execução daqui enviou a imagem { $digest }.
api-repository-empty = O repositório ainda não tem branches. Envie um primeiro.
api-not-a-ref = “{ $revision }” é um commit, não um branch ou uma tag; uma execução começa em um deles.
api-no-definition = Não há o arquivo { $path } em { $name }.
api-no-definition-found = A raiz do repositório não tem ropewalk.yml, nem Jenkinsfile, nem scripts numerados na pasta ci.
api-run-refused = { $path } tem { $count ->
    [one] um item que não pode ser executado
   *[other] { $count } itens que não podem ser executados
} aqui, por isso a execução não começou.
api-run-cancelled = Cancelada por { $by }.
api-input-not-plain = O valor de “{ $name }” deve ser um texto, um número, true ou false.
api-description-long = A descrição pode ter no máximo { $longest } caracteres.
api-mirror-only = Repositórios remotos só podem ser criados como espelhos; omita “mirror” ou use true.
api-json-wanted = Envie o corpo em JSON, com o cabeçalho “Content-Type: application/json”.
api-malformed = Não foi possível ler a requisição: { $cause }.
api-form-malformed = Não foi possível ler o formulário. Volte, recarregue a página e envie de novo.
api-too-large = A requisição é maior do que este endereço aceita.
api-internal = O servidor cometeu um erro. A causa está no log dele, com o identificador { $id }.
api-not-yourself = Você não pode bloquear o seu próprio acesso.
auth-required = Entre na sua conta para fazer isso.
auth-wrong-password = O nome ou a senha está errado.
auth-wrong-token = O token é desconhecido, expirou ou foi excluído.
auth-malformed = O cabeçalho Authorization deve ser “token T”, “Bearer T” ou Basic.
auth-too-many = Muitas tentativas sem sucesso. Tente de novo em { $seconds ->
    [one] um segundo
   *[other] { $seconds } segundos
}.
auth-admin-only = Somente administradores podem fazer isso.
auth-scope = O token não permite isso; é preciso um com o escopo “{ $scope }”.
auth-read-only = Você pode ler { $path }, mas não alterar.
auth-not-your-account = Você não pode criar repositórios para { $owner }.
auth-foreign-origin = A requisição veio de uma página de outro site, por isso nada foi feito.
auth-form-expired = O formulário é de outra sessão. Recarregue a página e envie de novo.
auth-token-name = O token precisa de um nome com 1 a { $longest } caracteres.
auth-token-needs-person = Um token só pode criar tokens quando tem o escopo “admin”. Entre com a sua senha.
git-http-dumb = Este servidor só fala o protocolo inteligente do git. Use o git 1.6.6 ou mais novo.
git-http-type = Este endereço só aceita { $wanted }.
git-http-encoding = O corpo pode vir em gzip ou sem compressão, nada mais.
api-body-encoding = O corpo deve ser enviado como é, sem compressão.
git-http-mirror = { $path } é um espelho e não aceita push. Envie para o repositório de origem; as mudanças chegam em até um minuto.
git-http-run = Execução #{ $number } de { $pipeline }: { $url }
git-http-run-refused = A execução #{ $number } de { $pipeline } não começou. { $count ->
    [one] Isto não pode ser executado aqui:
   *[other] Estes { $count } itens não podem ser executados aqui:
}
git-http-run-page = Veja { $url }
git-http-undecided = O push foi registrado. As execuções aparecerão em { $url }
git-http-more-lines = ... e mais { $count ->
    [one] uma linha
   *[other] { $count } linhas
} na página.
