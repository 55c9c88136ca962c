# Definições: o arquivo como um todo
pipeline-path = “{ $path }” não é um caminho de definição: deve ficar abaixo da raiz do repositório, sem “..”.
pipeline-kind-unknown = “{ $path }” não é um Jenkinsfile nem um arquivo .yml; dê a ele um nome que possa ser reconhecido.
pipeline-too-large = A definição passa de { $longest } bytes.
pipeline-not-utf8 = A partir daqui a definição não é texto UTF-8.
pipeline-empty = A definição está vazia.
pipeline-more-findings = Só os primeiros { $shown } problemas são mostrados.
pipeline-too-deep = Os blocos estão aninhados demais aqui.
pipeline-too-many-stages = Um pipeline pode ter no máximo { $most } estágios.
pipeline-too-many-steps = Um pipeline pode ter no máximo { $most } passos.
pipeline-too-many-variables = Um bloco pode ter no máximo { $most } variáveis.
pipeline-too-many-inputs = Um pipeline pode ter no máximo { $most } entradas.
pipeline-too-many-branches = Um pipeline pode ter no máximo { $most } padrões de branch.
pipeline-branch-glob = “{ $glob }” não é um padrão de branch. Use nomes com “*”, “**”, “?” ou “[a-z]”; “!” não é aceito.
pipeline-dir = “{ $path }” não é uma pasta abaixo da raiz da área de trabalho, escrita sem variáveis.
pipeline-stage-name = “{ $name }” não pode ser nome de estágio: use de 1 a 100 caracteres visíveis, sem variáveis.
pipeline-stage-twice = Nome de estágio duplicado: "{ $name }"
pipeline-no-stages = Nenhum estágio foi definido.
pipeline-variable-name = “{ $name }” não é nome de variável: uma letra ou “_”, depois letras, dígitos e “_”.
pipeline-variable-twice = A variável “{ $name }” é definida duas vezes neste bloco.
pipeline-variable-nul = O valor de “{ $name }” contém um caractere NUL.
pipeline-unknown-variable = Não há variável “{ $name }” aqui: nem o servidor nem esta definição a definem.
pipeline-unknown-variable-similar = Não há variável “{ $name }” aqui; você quis dizer “{ $known }”?
pipeline-text-too-long = Com as variáveis substituídas, este texto passa de { $longest } bytes.
pipeline-environment-too-large = O ambiente passa de { $longest } bytes.

# Scripts numerados
pipeline-script-name = “{ $name }” tem número, mas não pode ser executado: use um nome como “00-verify.sh”, “00-verify.bat” ou “00-verify”, com letras, dígitos, “-” e “_”.
pipeline-no-scripts = Não há script numerado como “00-verify.sh” em “{ $path }”.

# Entradas
pipeline-input-unknown = Este pipeline não tem a entrada “{ $name }”.
pipeline-input-unknown-similar = Este pipeline não tem a entrada “{ $name }”; você quis dizer “{ $known }”?
pipeline-input-missing = A entrada “{ $name }” precisa de um valor.
pipeline-input-too-long = O valor de “{ $name }” passa de { $longest } bytes.
pipeline-input-one-line = O valor de “{ $name }” deve ter uma só linha.
pipeline-input-boolean = “{ $name }” deve ser true ou false, não “{ $value }”.
pipeline-input-number = “{ $name }” deve ser um número, não “{ $value }”.
pipeline-input-choice = “{ $name }” não pode ser “{ $value }”; escolha um destes: { $choices }.
pipeline-input-builtin = “{ $name }” é definida pelo servidor e não pode ser uma entrada.
pipeline-input-type = Não há tipo de entrada “{ $value }”; use um destes: { $known }.
pipeline-input-choices-missing = Uma entrada do tipo choice precisa de “choices”, uma lista de 1 a 200 valores.
pipeline-input-choices-extra = “choices” só vale para entradas do tipo choice.

# ropewalk.yml
pipeline-yaml = Isto não é YAML válido: { $problem }
pipeline-yaml-tag = Tags YAML não são usadas aqui; remova-a.
pipeline-yaml-documents = Um arquivo contém um só pipeline; remova o segundo documento YAML.
pipeline-yaml-nul = Um valor não pode ter o caractere NUL.
pipeline-yaml-alias = Este alias não aponta para nada que esteja completo antes dele.
pipeline-yaml-key = Uma chave deve ser um nome simples.
pipeline-yaml-too-large = Com os aliases expandidos, a definição fica grande demais.
pipeline-key-twice = A chave “{ $key }” aparece duas vezes aqui.
pipeline-key-unknown = Não há chave “{ $key }” aqui. Chaves aceitas: { $known }.
pipeline-key-similar = Não há chave “{ $key }” aqui; você quis dizer “{ $known }”?
pipeline-key-missing = Falta aqui a chave “{ $key }”.
pipeline-empty-list = A lista “{ $key }” está vazia; preencha-a ou retire-a.
pipeline-want-text = “{ $key }” deve ser um texto.
pipeline-want-list = “{ $key }” deve ser uma lista.
pipeline-want-map = “{ $key }” deve ser um mapa de chaves e valores.
pipeline-want-boolean = “{ $key }” deve ser true ou false.
pipeline-timeout = “{ $value }” não é um limite de tempo: escreva 90s, 30m, 1h30m ou 2d, no máximo sete dias.
pipeline-variable-open = Em “{ $key }” há uma variável que não fecha: escreva { $example }, ou { $literal } para os próprios caracteres.
pipeline-step-kind = Um passo tem “run” ou “echo”, um só dos dois.

# Jenkinsfile: o texto
pipeline-string-open = Esta string não termina.
pipeline-comment-open = Este comentário não termina.
pipeline-escape = “{ $escape }” não é um escape em Groovy; escreva duas barras invertidas para obter uma.
pipeline-dollar = Caractere inválido depois do cifrão: entre aspas duplas escreva { $example } para um cifrão, ou use aspas simples.
pipeline-slashy = Strings entre barras não são lidas; use aspas.
pipeline-bracket-other = Há “{ $found }” onde “{ $expected }” deveria fechar a linha { $line }.
pipeline-bracket-extra = “{ $found }” não fecha nada.
pipeline-bracket-open = “{ $opener }” nunca é fechado com “{ $expected }”.
pipeline-unexpected = “{ $found }” inesperado.
pipeline-value-missing = Falta um valor aqui.
pipeline-expression = “{ $code }” é código Groovy; só strings, variáveis e “+” entre elas são executados.
pipeline-params = “{ $name }” não tem valor, pois “parameters” não é executado; use “inputs” em ropewalk.yml.

# Jenkinsfile: as seções
pipeline-none = Não há bloco “pipeline”.
pipeline-scripted = “{ $name }” fora de um bloco “pipeline” é um pipeline por script; só os declarativos são executados.
pipeline-outside = “{ $name }” está fora do bloco “pipeline” e não é executado.
pipeline-section-missing = Falta a seção obrigatória "{ $name }"
pipeline-section-twice = “{ $name }” só pode aparecer uma vez aqui.
pipeline-unknown-section = Seção não definida: “{ $name }”.
pipeline-unknown-section-similar = Seção não definida: “{ $name }”; você quis dizer “{ $known }”?
pipeline-needs-block = “{ $name }” precisa de um bloco entre chaves, e nada mais.
pipeline-environment-entry = “{ $found }” não tem a forma NOME = 'valor'.
pipeline-agent-empty = “agent” precisa de um tipo; escreva “agent any”.
pipeline-agent-none = “agent none” não é executado; escreva “agent any”.
pipeline-agent-other = O agente “{ $name }” não está disponível: há um só tipo de agente; escreva “agent any”.
pipeline-agent-image = O agente “{ $name }” não é executado; escreva “agent any” e indique imagens em ropewalk.yml (“image”).
pipeline-agent-unknown = Tipo de agente inválido: "{ $name }". Deve ser um destes: [{ $known }]
pipeline-stage-work-missing = O estágio "{ $stage }" precisa de "steps", "stages" ou "parallel"
pipeline-stage-work-many = O estágio "{ $stage }" só pode ter um entre "matrix", "parallel", "stages" e "steps"
pipeline-no-steps = O estágio "{ $stage }" não tem passos.

# Jenkinsfile: os passos
pipeline-unknown-step = Não há passo “{ $name }”. São executados: { $known }.
pipeline-unknown-step-similar = Não há passo “{ $name }”; você quis dizer “{ $known }”?
pipeline-groovy = “{ $name }” é código Groovy e não é executado; escreva-o em shell.
pipeline-step-needs = “{ $step }” precisa do argumento “{ $argument }”.
pipeline-argument-unsupported = O argumento “{ $name }” de “{ $step }” não é executado.
pipeline-argument-similar = Parâmetro inválido: "{ $name }"; você quis dizer "{ $known }"?
pipeline-unsupported = “{ $name }” não é executado.
pipeline-no-options = “{ $name }” não é executado; limites de tempo podem ser definidos com “timeout” em ropewalk.yml.
pipeline-no-parameters = “parameters” não é executado; use “inputs” em ropewalk.yml.
pipeline-no-triggers = “triggers” não é executado; os pushes já iniciam execuções, então remova-o.
pipeline-no-tools = “{ $name }” não é executado; coloque as ferramentas na imagem em que os passos rodam.
pipeline-no-libraries = “{ $name }”: bibliotecas compartilhadas não são executadas; coloque os scripts no repositório.
pipeline-no-post = “post” não é executado.
pipeline-no-when = “when” não é executado; em vez disso, dê branches ao pipeline.
pipeline-no-input = “input” não é executado: uma execução não espera resposta.
pipeline-no-parallel = “{ $name }” dentro de um estágio não é executado; escreva seus estágios um após o outro.
pipeline-no-script = “script” é código Groovy e não é executado; escreva-o em shell.
pipeline-no-credentials = “{ $name }” não está disponível aqui. Uma variável armazenada vem de uma entrada TOKEN = credentials('NAME') em environment.
pipeline-no-with-env = “withEnv” não é executado; use “environment” no estágio.
pipeline-no-checkout = “{ $name }” não é necessário: o commit já está na área de trabalho; remova-o.
pipeline-no-archive = “{ $name }” não é executado: os arquivos não são guardados depois da execução.
pipeline-no-powershell = “{ $name }” não está disponível nas imagens dos passos; use “sh”.
pipeline-no-docker = “{ $name }” não é executado; chame o programa docker com “sh”.
