# Senhas: usadas pela linha de comando e pelo painel.
password-short = A senha precisa de pelo menos { $shortest } caracteres.
password-long = A senha pode ter no máximo { $longest } caracteres.
password-control = A senha contém um caractere de controle.
password-common = Esta senha é uma das primeiras que qualquer pessoa tentaria. Escolha outra, por exemplo três ou quatro palavras sem relação entre si.

# Configurações e uso.
cli-setting-value = { $name } não pode ser “{ $value }”.
cli-variable-unknown = { $name } não é uma configuração do Ropewalk. Remova-a; `ropewalk serve --help` mostra todas.
cli-variable-meant = { $name } não é uma configuração do Ropewalk. Você quis dizer { $meant }?
cli-secret-twice = { $name } e { $name }_FILE estão definidas ao mesmo tempo. Use apenas uma delas.
cli-secret-file = Não foi possível ler o arquivo { $path }: { $cause }
cli-input = “{ $input }” não está no formato NAME=VALUE.
cli-no-data = Não existe o diretório de dados { $path }. Indique-o com --data.
cli-no-account = Não existe a conta “{ $name }”.
cli-no-file = Não existe o arquivo { $path }.
cli-no-pipeline = { $repo } ainda não tem pipeline.
cli-no-stage = A execução não tem o estágio “{ $stage }”.
cli-which-pipeline = O repositório tem vários pipelines: { $names }. Indique um com --pipeline.
cli-unreadable = Não foi possível ler { $path }: { $cause }
cli-stdin = Não foi possível ler a entrada padrão: { $cause }
cli-output = Não foi possível escrever a saída: { $cause }
cli-unreachable = { $url } não responde: { $cause }. O servidor está no ar, e ROPEWALK_URL é o endereço dele?
cli-answer = A resposta do servidor foi interrompida: { $cause }
cli-strange = Esta versão não entende a resposta do servidor.
cli-out-of-time = A execução { $number } não terminou no tempo dado.
cli-internal = Isto não deveria ter acontecido: { $cause }
cli-runtime = O programa não pode iniciar: { $cause }
cli-listen = Não é possível escutar em { $address }: { $cause }. Há outro servidor no ar? Escolha outra porta com --listen.

# O que os comandos dizem ao terminar.
cli-user-added = A conta { $name } foi criada.
cli-password-set = A senha de { $name } foi trocada e suas sessões foram encerradas.
cli-token-once = O token é mostrado somente desta vez.
cli-ping-ok = { $url } responde.
cli-ping-status = { $url } responde com o status { $status }.
cli-check-ok = Está tudo íntegro: o banco de dados e { $repositories } repositórios.
cli-check-no-folder = falta a pasta do repositório
cli-run-told = Execução { $number }: { $status }, { $url }

# Ajuda: os comandos.
cli-about = Hospedagem git, ciclo de build, cliente de registro e painel em um só servidor
cli-serve = Executa o servidor
cli-ping = Pergunta se um servidor responde
cli-check = Verifica o banco de dados e todos os repositórios de um diretório de dados
cli-lint = Verifica uma definição de pipeline ou imprime o esquema do ropewalk.yml
cli-user = Contas, no próprio diretório de dados
cli-user-add = Cria uma conta; sem --password-stdin, uma senha é gerada e impressa
cli-user-password = Dá uma nova senha a uma conta e encerra suas sessões
cli-token = Tokens da API, no próprio diretório de dados
cli-token-create = Cria um token e o imprime, só desta vez
cli-repo = Repositórios de um servidor
cli-repo-create = Cria um repositório seu e imprime o endereço
cli-repo-mirror = Espelha um repositório remoto: ele é consultado a cada minuto
cli-repo-list = Lista os seus repositórios
cli-pipeline = Pipelines de um repositório
cli-pipeline-create = Cria um pipeline para uma definição que está no repositório
cli-pipeline-list = Lista os pipelines de um repositório
cli-run = Execuções de um pipeline
cli-run-start = Inicia uma execução; com -f, acompanha até o fim
cli-run-list = Lista as execuções mais recentes
cli-run-show = Mostra uma execução com seus estágios e imagens
cli-run-log = Imprime o log de uma execução; com -f, até ela terminar
cli-run-cancel = Cancela uma execução
cli-run-rerun = Repete uma execução com o mesmo commit e as mesmas entradas
cli-image = Imagens do registro e de onde elas vêm
cli-image-list = Lista os repositórios do registro
cli-image-tags = Lista as tags de uma imagem
cli-image-trace = Mostra qual execução e qual commit geraram uma imagem
cli-version = Imprime a versão

# Ajuda: opções e argumentos.
cli-flag-json = Imprime JSON
cli-flag-data = O diretório de dados do servidor [ROPEWALK_DATA, ou ./data]
cli-flag-admin = Pode administrar o servidor
cli-flag-password-stdin = Lê a senha da primeira linha da entrada padrão
cli-flag-scope = O que o token pode fazer
cli-flag-expires = Dias até o token expirar (183 se não for informado); 0 para um que não expira
cli-flag-token-name = Para que serve o token
cli-flag-ping-url = Endereço do servidor [a porta de ROPEWALK_LISTEN, ou ROPEWALK_URL, ou http://127.0.0.1:3000]
cli-flag-ping-timeout = Quanto tempo esperar
cli-flag-schema = Imprime o esquema JSON do ropewalk.yml
cli-flag-private = Visível só para você e para administradores
cli-flag-description = Uma linha sobre ele
cli-flag-limit = Quantidade máxima
cli-flag-path = Caminho da definição no repositório: um Jenkinsfile, um arquivo .yml ou uma pasta de scripts numerados
cli-flag-branch = Só para os branches que combinam; pode ser repetida
cli-flag-pipeline = Qual pipeline [o único, ou default]
cli-flag-ref = Branch ou tag [o branch padrão]
cli-flag-input = Valor de uma entrada; pode ser repetida
cli-flag-follow = Espera a execução terminar; sai com 1 se ela não passar
cli-flag-timeout = Desiste de acompanhar depois desse tempo, com saída 124; a execução continua
cli-flag-stage = Só este estágio, pelo nome ou pelo número a partir de 0
cli-flag-raw = Os bytes do log como estão; não use em terminais
cli-arg-account = O nome da conta
cli-arg-definition = Um arquivo de definição ou uma pasta de scripts numerados
cli-arg-repo = O repositório, no formato OWNER/REPO
cli-arg-repo-name = O nome do novo repositório, sem o dono
cli-arg-pipeline = O nome do pipeline
cli-arg-remote = O endereço dele, http:// ou https://, sem credenciais
cli-flag-remote-user = Conta no servidor remoto
cli-arg-number = O número da execução
cli-arg-image-name = O repositório da imagem no registro, sem host nem tag
cli-arg-digest = sha256: e 64 dígitos

# Ajuda: configurações do servidor.
cli-set-data = Onde ficam o banco de dados, os repositórios e os logs
cli-set-listen = Endereço e porta em que o servidor escuta
cli-set-url = Endereço pelo qual as pessoas chegam ao servidor; usado nos links. Vários, separados por vírgulas: o primeiro é o principal
cli-set-registry = O registro para o qual os estágios enviam imagens
cli-set-docker = O Docker Engine: unix://, npipe://, tcp:// ou http://
cli-set-workspaces = Onde as áreas de trabalho são criadas; o Docker Engine precisa ver o mesmo caminho
cli-set-jobs = Quantas execuções ao mesmo tempo
cli-set-workers = Threads que respondem HTTP
cli-set-step-image = Imagem dos passos que não indicam nenhuma
cli-set-step-socket = O socket do Docker Engine entregue aos passos, no host dele; vazio não entrega nenhum
cli-set-step-hosts = Nomes que os passos encontram no arquivo hosts
cli-set-step-memory = Memória máxima de um passo, por exemplo 2g
cli-set-step-cpus = Máximo de núcleos de um passo, por exemplo 1.5
cli-set-step-pids = Máximo de processos de um passo
cli-set-run-timeout = Minutos até uma execução ser parada, se o pipeline não disser outra coisa
cli-set-log-limit = Máximo de bytes guardados do log de um estágio
cli-set-max-push = Máximo de bytes de um push
cli-set-poll-seconds = Segundos entre duas verificações de todos os repositórios
cli-set-admin-password = Arquivo com a senha de admin, para a primeira inicialização
cli-set-hook-token = Arquivo com o token que o registro envia com as notificações
cli-set-log = O que o servidor registra, por exemplo info ou ropewalk=debug
cli-set-log-format = Formato do log do servidor
