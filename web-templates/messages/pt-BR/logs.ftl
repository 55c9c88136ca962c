logs-disk-full = Não foi possível gravar o log: o disco está cheio. Libere espaço onde o servidor guarda seus dados e execute de novo.
logs-read-only = Não foi possível gravar o log: a pasta onde o servidor guarda seus dados é somente leitura.
logs-secret-short = Um segredo precisa ter pelo menos { $least } caracteres em uma de suas linhas; um mais curto não poderia ser ocultado nos logs.
logs-query-long = Pesquise um texto de no máximo { $longest } bytes.
