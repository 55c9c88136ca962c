watch-fetch-failed = 無法擷取遠端儲存庫；原因在伺服器記錄中。
