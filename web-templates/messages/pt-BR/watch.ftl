watch-fetch-failed = Não foi possível buscar o repositório remoto; a causa está no log do servidor.
