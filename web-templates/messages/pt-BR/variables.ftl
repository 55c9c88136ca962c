run-variable-missing = A linha { $line } da definição cita a variável { $name }, mas ela não existe. Um administrador cria variáveis na página Variáveis, em Configurações.
run-variable-closed = O valor da variável { $name } não pode ser aberto com a chave deste servidor: um administrador precisa informá-lo de novo na página Variáveis, em Configurações.
run-variable-short = A variável secreta { $name } é curta demais para ser ocultada nos logs: um administrador precisa dar a ela um valor mais longo na página Variáveis, em Configurações.
pipeline-credentials-name = Escreva aqui apenas credentials('NAME'), com o nome de uma variável armazenada.
run-variables-large = As variáveis secretas desta execução somam mais de { $longest } bytes: demais para serem ocultadas nos logs.
