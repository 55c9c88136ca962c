app-locked = Outro servidor Ropewalk (processo { $pid }) usa { $path }. Pare-o primeiro ou indique outro diretório com --data.
