trigger-started = Execução enfileirada.
trigger-started-once = Execução enfileirada, só desta vez: { $image } está no formato antigo (schema 1), que não tem digest, e mudanças posteriores não são percebidas.
trigger-findings = { $count ->
    [one] A execução falhou antes de começar: um item de { $path } não pode ser executado aqui.
   *[other] A execução falhou antes de começar: { $count } itens de { $path } não podem ser executados aqui.
}
trigger-not-a-trigger = Este tipo de evento não inicia nada.
trigger-no-repository = O repositório não existe mais.
trigger-ref-deleted = “{ $name }” foi excluído; não há o que executar.
trigger-unreadable = Não foi possível ler o commit.
trigger-no-pipeline = Nada a executar: não há ropewalk.yml, Jenkinsfile nem ci/NN-* na raiz, e o repositório não tem outro pipeline.
trigger-branch-filtered = Sem execução: o filtro de branches do pipeline não corresponde a “{ $branch }”.
trigger-no-definition = Sem execução: não há { $path } neste commit.
trigger-tags-off = Sem execução: o pipeline não é iniciado por tags.
trigger-push-off = Sem execução: o pipeline não é iniciado por pushes.
trigger-nobody-watches = Ninguém observa esta imagem.
trigger-same-image = Nada de novo: a execução mais recente já usou esta imagem.
trigger-paused = O gatilho está pausado.
trigger-loop = Interrompido: a imagem vem do próprio pipeline ({ $pipelines }).
trigger-no-branch = O repositório ainda não tem branch.
trigger-exists = O pipeline já observa isso.
trigger-not-found = O pipeline não tem esse gatilho.
trigger-same-push = Nenhuma execução: este envio já tinha sido anunciado ({ $digest }), e nenhuma outra imagem foi enviada à tag nesse meio-tempo.
trigger-perhaps-own = Espera o fim de { $run }: talvez essa execução tenha enviado a imagem, e então ela não inicia nada.
