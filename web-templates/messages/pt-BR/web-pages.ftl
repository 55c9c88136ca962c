# O que as páginas dizem: avisos depois de formulários, e por que algo não está lá.

# Depois de um formulário
pages-saved = Salvo.
pages-deleted = { $name } foi excluído.
pages-rerun = Esta execução repete a #{ $of } com o mesmo commit e as mesmas entradas.
pages-mirror-made = O repositório remoto está sendo buscado. Recarregue em instantes.
pages-pipeline-made = O pipeline foi criado. O próximo push, ou o botão, o inicia.
pages-token-deleted = O token foi revogado. Quem o usava não tem mais acesso.
pages-token-days = Um token vale de 1 a { $most } dias. Em branco, vale meio ano.
pages-password-changed = A senha foi alterada. Suas outras sessões foram encerradas.
pages-password-wrong = A senha atual não está correta.
pages-account-made = A conta { $name } foi criada. Informe a senha à pessoa; ela pode ser alterada nas configurações.
pages-account-changed = A conta { $name } foi alterada.
pages-account-self = Você não pode tirar os próprios direitos. Peça a outro administrador.
pages-error-too-many = Tentativas demais

# Repositórios
pages-private = Privado
pages-private-tag = privado
pages-private-hint = Só você e os administradores o veem; para os demais, ele não existe.
pages-default-branch = Branch padrão
pages-delete-repository = Excluir o repositório
pages-delete-what = Os commits, pipelines, execuções e logs são excluídos com ele. As imagens no registro ficam. Não há como desfazer.
pages-delete-type = Digite { $name } para confirmar
pages-delete-name = O nome não foi digitado como é: { $name }.
pages-no-file = Não há { $path } em { $at }.
pages-poll-failed = O repositório remoto não pôde ser buscado
pages-polled = Repositório remoto verificado
pages-poll-first = O repositório remoto está sendo verificado pela primeira vez.
pages-mirror-empty = Nada foi buscado ainda, ou o repositório remoto não tem branches.
pages-queue = { $running } em execução, { $queued } em espera

# Pipelines e execuções
pages-later = Mostrar as linhas seguintes
pages-delete-pipeline = Excluir o pipeline
pages-delete-pipeline-what = As execuções e seus logs são excluídos com ele. As imagens no registro ficam.
pages-delete-discovered = Enquanto a definição estiver na raiz do repositório, o próximo push o cria de novo.

# Registro e rastreamento
pages-tags-n = { $n ->
    [one] 1 tag
   *[other] { $n } tags
}
pages-runs-where = Contêineres em execução
pages-runs-nowhere = Nenhum contêiner desta imagem está em execução no engine ao lado deste servidor.
pages-image-where = Nenhuma execução deste servidor enviou { $digest }; por isso não se sabe em qual repositório do registro procurar.
pages-trace-nothing = Nada foi encontrado
pages-trace-choose = Contêineres em execução agora
pages-trace-unclear = Isto não é um digest, nem o nome de uma imagem, nem rótulos.
pages-trace-digest = Nenhuma execução deste servidor enviou uma imagem com o digest { $digest }. Se for um ID de imagem, como o docker images mostra, cole os RepoDigests da imagem: um ID só vale na própria máquina.
pages-trace-image-id = Encontrada pelo ID de uma imagem em execução aqui; este é o digest dela no registro.
pages-trace-other-registry = A imagem está no registro { $host }. As execuções deste servidor enviam para { $ours }.
pages-trace-moved = Nenhuma execução daqui enviou o que { $image } nomeia hoje ({ $digest }). Esta é a última execução que enviou a tag.
pages-trace-not-ours = O registro tem { $image } ({ $digest }), mas nenhuma execução deste servidor a enviou.
pages-trace-gone = O registro não tem mais { $image }.
pages-trace-no-tag = O registro { $host } não tem { $image }, e nenhuma execução deste servidor jamais a enviou.
pages-trace-no-record = Nenhuma execução deste servidor enviou { $image }.
pages-trace-commit = Nenhuma execução daqui pertence ao commit { $commit }.
pages-trace-labels = { $count ->
    [one] O rótulo não nomeia uma execução deste servidor (como build_tag) nem um commit.
   *[other] Nenhum dos { $count } rótulos nomeia uma execução deste servidor (como build_tag) ou um commit.
}
pages-trace-build-tag = { $tag } parece o BUILD_TAG de uma execução, mas não existe tal execução.
pages-trace-word = { $word } não é um contêiner em execução no engine ao lado deste servidor nem um commit. Uma imagem precisa da tag: { $word }:TAG.
pages-trace-container = O contêiner { $name } executa { $image }, que nenhuma execução deste servidor enviou.
pages-trace-no-images = Esta execução não enviou imagens.

# Atividade
pages-kind = Mostrar
pages-kind-all = Tudo
pages-kind-ref-moved = Branches e tags
pages-kind-run-finished = Execuções terminadas
pages-kind-run-requested = Execuções iniciadas por pessoas
pages-kind-run-cancel-requested = Canceladas por pessoas
pages-kind-image-pushed = Imagens
pages-kind-repository-created = Novos repositórios
pages-kind-pipeline-created = Novos pipelines
pages-kind-signed-in = Entradas
pages-event-run-finished = { $run } terminou: { $status }
pages-event-run-requested = { $by } iniciou { $run }
pages-event-run-cancel = { $by } pediu o cancelamento de { $run }

# Saúde
pages-part-database = Banco de dados
pages-part-disk = Disco
pages-part-git = git
pages-part-docker = Docker Engine
pages-part-registry = Registro
pages-part-poll = Observação de mudanças
pages-part-queue = Fila

# Usuários
pages-enable = Ativar
pages-disable = Desativar
pages-disabled = desativada
pages-admin-give = Tornar administrador
pages-admin-take = Tornar membro
web-clone-elsewhere = Você chegou por { $host }, que não é um dos endereços configurados do servidor; { $url } pode não responder onde você está. Quem opera o servidor pode acrescentar o seu com --url.
