# Páginas do painel

web-skip = Ir para o conteúdo
web-nav = Principal
web-nav-home = Repositórios
web-nav-activity = Atividade
web-nav-registry = Registro
web-nav-trace = Rastrear imagem
web-nav-health = Saúde
web-nav-settings = Configurações
web-nav-admin = Usuários
web-sign-out = Sair
web-language = Idioma
web-language-unknown = Este servidor não fala esse idioma.
web-apply = Aplicar
web-theme = Cores
web-theme-auto = Automático
web-theme-light = Claro
web-theme-dark = Escuro
web-close = Fechar
web-copy = Copiar
web-copied = Copiado
web-copy-digest = Copiar o digest
web-more = Mostrar mais
web-back = Voltar
web-save = Salvar
web-create = Criar
web-show = Mostrar

web-keys = Teclas
web-key-help = Mostrar esta lista
web-key-search = Buscar
web-key-lines = Linha seguinte e anterior
web-key-ends = Ir ao início, ir ao fim
web-key-neighbours = Execução anterior e seguinte
web-key-follow = Acompanhar o log
web-key-times = Mostrar horários
web-key-rerun = Executar de novo
web-key-cancel = Cancelar a execução

web-time-now = agora há pouco
web-time-minutes = há { $n } min
web-time-hours = há { $n } h
web-time-days = { $n ->
    [one] ontem
   *[other] há { $n } dias
}
web-time-date = { $date }
web-time-future = em breve
web-duration-s = { $s }s
web-duration-ms = { $m }min { $s }s
web-duration-hm = { $h }h { $m }min

web-status-queued = na fila
web-status-waiting = em espera
web-status-running = em execução
web-status-passed = aprovada
web-status-unstable = instável
web-status-failed = falhou
web-status-cancelled = cancelada
web-status-superseded = substituída
web-status-lost = perdida
web-status-skipped = pulada
web-bars-label = { $total ->
    [one] Última execução: { $passed } aprovada(s)
   *[other] Últimas { $total } execuções: { $passed } aprovada(s)
}

web-cause-push = push de { $by }
web-cause-poll = mudança encontrada na verificação periódica
web-cause-person = iniciada por { $by }
web-cause-rerun = #{ $of } repetida por { $by }

web-sign-in = Entrar
web-sign-in-title = Entrar no Ropewalk
web-sign-in-hint = As contas são criadas por um administrador; não há cadastro.
web-account-name = Nome da conta
web-password = Senha

web-search-repositories = Procurar um repositório
web-new-repository = Novo repositório
web-new-mirror = Seguir um repositório remoto
web-running-now = Em execução e em espera
web-home-caption = Repositórios e sua última execução
web-home-empty-title = Ainda não há repositórios
web-home-empty = Crie um aqui ou faça push para um endereço seu: o primeiro push cria o repositório.
web-home-none = Nenhum repositório corresponde a “{ $query }”.
web-repository = Repositório
web-last-run = Última execução
web-commit = Commit
web-when = Quando
web-took = Duração
web-last-20 = Últimas 20 execuções
web-no-runs = Ainda não há execuções.

web-repository-nav = Repositório
web-mirror-of = segue { $url }
web-tab-files = Arquivos
web-tab-commits = Commits
web-tab-pipelines = Pipelines
web-revision = Branch ou tag
web-files = Arquivos
web-name = Nome
web-size = Tamanho
web-clone = Clonar
web-new = Novo
web-no-pipelines = Ainda não há pipelines. Um ropewalk.yml, um Jenkinsfile ou scripts numerados em ci/ na raiz viram um automaticamente.
web-last-runs = Últimas execuções
web-empty-title = Este repositório está vazio
web-empty-intro = Faça um push. O primeiro branch que chegar será o branch padrão.
web-empty-new = Começar do zero
web-empty-existing = Enviar o que você já tem
web-empty-then = Se houver um ropewalk.yml, um Jenkinsfile ou ci/00-verify.sh, o push inicia a primeira execução.
web-description = Descrição
web-name-hint = Letras sem acento, dígitos, “.”, “_” e “-”.
web-new-push-hint = Não é necessário antes de um push: um push para um nome que não existe cria o repositório.
web-mirror-intro = O Ropewalk verifica o repositório uma vez por minuto e executa os pipelines quando algo muda.
web-mirror-url = Endereço (http ou https)
web-credentials = Credenciais
web-credentials-hint = Só para um repositório que não é aberto a todos. São guardadas cifradas e nunca mais exibidas.
web-password-or-token = Senha ou token
web-list-cut = Há mais; só a primeira parte é mostrada.
web-path = Caminho
web-content = Conteúdo
web-lines = { $n ->
    [one] 1 linha
   *[other] { $n } linhas
}
web-raw = Bruto
web-file-link = Link simbólico para
web-file-binary = Este arquivo não é texto. A forma bruta pode ser baixada.
web-file-large = Este arquivo é grande demais para ser mostrado. A forma bruta pode ser baixada.
web-author = Autor
web-parents = Pais
web-browse-here = Arquivos neste commit
web-changes = { $n ->
    [one] 1 arquivo alterado
   *[other] { $n } arquivos alterados
}
web-change-added = adicionado
web-change-changed = alterado
web-change-removed = removido
web-change-renamed = renomeado
web-commit-gone = não está mais no repositório

web-new-pipeline = Novo pipeline
web-start = Iniciar execução
web-start-title = Iniciar { $pipeline }
web-findings = A definição não pode ser executada
web-matrix = Etapas por execução
web-usually = normalmente { $time }
web-definition-path = Caminho da definição
web-definition-hint = Um ropewalk.yml ou Jenkinsfile em qualquer lugar do repositório, ou uma pasta de scripts numerados.
web-branches = Branches
web-branches-hint = Padrões separados por espaços; vazio para todos os branches.
web-no-inputs = Este pipeline não pede nenhum valor.
web-required = Obrigatório.

web-run = Execução
web-runs = Execuções
web-stage = Etapa
web-stages = Etapas
web-stage-no-log = Nada foi escrito.
web-progress = Progresso em relação às execuções anteriores
web-left = faltam cerca de { $time }
web-longer = mais demorada que o normal
web-previous-run = Execução anterior, #{ $n }
web-next-run = Próxima execução, #{ $n }
web-rerun = Executar de novo
web-cancel = Cancelar
web-cancelling = Cancelando…
web-confirm-cancel = Cancelar esta execução?
web-confirm-rerun = Executar de novo com o mesmo commit e os mesmos valores?
web-find = Procurar no log
web-times = Horários
web-follow = Acompanhar
web-connection-lost = Conexão perdida, tentando de novo …
web-reload = Recarregar esta página
web-news-more = e mais { $n }
web-to-bottom = Ir ao fim
web-earlier = Mostrar linhas anteriores
web-exit = saída { $code }
web-origin = Origem
web-cause = Causa
web-definition = Definição
web-started = Início
web-finished = Fim
web-images = Imagens
web-no-images = Nenhuma imagem foi enviada.
web-base-images = Imagens base

web-registry-empty = O registro ainda está vazio. As imagens enviadas por uma execução aparecem aqui.
web-registry-repositories = Repositórios do registro
web-last-tag = Última tag
web-pushed = Enviada
web-not-ours = não veio de uma execução daqui
web-not-ours-long = Nenhuma execução deste servidor enviou esta imagem.
web-no-tags = Este repositório não tem tags.
web-tags = Tags
web-tag = Tag
web-digest = Digest
web-created = Criação
web-labels = Rótulos
web-labels-n = { $n ->
    [one] 1 rótulo
   *[other] { $n } rótulos
}
web-no-labels = Esta imagem não tem rótulos.
web-image = Imagem
web-platform = Plataforma
web-media-type = Tipo de mídia
web-layers = Camadas
web-trace-title = Rastrear uma imagem
web-trace-intro = De uma imagem ou de um contêiner em execução até a execução e o commit que a produziram.
web-trace-question = Digest, tag ou rótulos de um contêiner
web-trace-how = Onde encontrar esses dados
web-trace-running = Na máquina em que o contêiner roda, estes comandos mostram o que pode ser colado aqui:

web-activity-intro = Tudo o que aconteceu e o que resultou disso.
web-activity-all = Mostrar todos os repositórios
web-activity-empty = Ainda não aconteceu nada.
web-undecided = Ainda não avaliado.
web-event-ref-created = { $reference } apareceu
web-event-ref-created-by = { $by } enviou { $reference }, que é novo
web-event-ref-moved = { $reference } mudou
web-event-ref-moved-by = { $by } fez push em { $reference }
web-event-ref-deleted = { $reference } desapareceu
web-event-ref-deleted-by = { $by } excluiu { $reference }
web-event-repository-created = { $by } criou o repositório
web-event-repository-deleted = { $by } excluiu o repositório
web-event-pipeline-created = { $by } criou o pipeline { $pipeline }
web-event-pipeline-deleted = { $by } excluiu o pipeline { $pipeline }
web-event-run-requested = { $by } iniciou uma execução
web-event-run-cancel-requested = { $by } pediu o cancelamento de uma execução
web-event-run-finished = Uma execução terminou: { $status }
web-event-image-pushed = { $image } foi enviada
web-event-signed-in = { $by } entrou
web-event-sign-in-refused = Alguém em { $address } não conseguiu entrar como { $name }
web-event-account-created = { $by } criou a conta { $name }
web-event-token-created = { $by } criou o token de API { $name }

web-health-good = Tudo funciona
web-health-degraded = Funciona, com limitações
web-health-failing = Algo está quebrado
web-state-good = funciona
web-state-degraded = limitado
web-state-failing = quebrado

web-tokens = Tokens de API
web-tokens-intro = Para git, linha de comando e programas, no lugar da sua senha.
web-token-once = Copie o token agora. Ele não será mostrado de novo.
web-token-create = Criar token
web-scope = Escopo
web-scope-read = Leitura
web-scope-write = Leitura e escrita
web-scope-admin = Administração
web-expires = Expira
web-expires-days = Validade (dias)
web-last-used = Último uso
web-never = nunca
web-never-used = nunca
web-action = Ação
web-revoke = Revogar
web-revoke-what = Quem o usa é recusado imediatamente. Ele não pode ser recuperado.
web-password-current = Senha atual
web-password-new = Nova senha
web-password-hint = Pelo menos 8 caracteres; 15 ou mais é melhor. Senhas comuns são recusadas.
web-password-change = Trocar a senha
web-language-mine = Meu idioma
web-users = Usuários
web-role = Papel
web-role-admin = administrador
web-role-member = membro
web-last-sign-in = Último acesso
web-user-new = Nova conta
web-make-admin = Pode gerenciar usuários e o servidor

web-error-not-found = Não encontrado
web-error-conflict = Isso não combina com o que já existe
web-error-invalid = Isso não pode ser aceito assim
web-error-denied = Não permitido
web-error-internal = Algo quebrou do nosso lado
web-error-internal-text = A causa está no log do servidor. Nada do que já estava guardado se perdeu.
web-error-id = Procure este id no log:
web-error-home = Para os repositórios

web-cause-image-change = { $image } mudou
web-cause-image-changes = { $image } e mais { $others } imagens mudaram
web-cause-webhook = { $image } foi enviada (gatilho { $webhook })
web-base-made = Criada
web-event-tag-moved = { $image } agora é { $digest }
web-event-tag-undigested = { $image } agora é uma imagem no formato antigo (schema 1), que não tem digest
web-event-tag-gone = { $image } não existe mais
web-event-stream-tagged = { $by } marcou { $image } como { $stream }
web-event-stream-imported = { $stream } agora é { $image }
web-event-stream-untagged = { $stream } foi removida
web-event-import-failed = A importação para { $stream } falhou
web-event-stream-created = { $by } criou o fluxo de imagens { $stream }
web-event-stream-deleted = { $by } excluiu o fluxo de imagens { $stream }
web-event-trigger-changed = { $by } alterou um gatilho de imagem de { $pipeline }
web-event-image-announced = { $image } foi anunciada ao gatilho { $webhook }
web-event-delivery-refused = Uma entrega não foi levada adiante
web-error-unavailable = Não é possível agora
