logs-disk-full = 磁碟已滿，無法儲存記錄。請在伺服器資料所在的位置騰出空間，然後重新執行。
logs-read-only = 伺服器資料所在的資料夾是唯讀的，無法儲存記錄。
logs-secret-short = 機密值至少要有一行達到 { $least } 個字元；太短的值無法在記錄中遮蔽。
logs-query-long = 搜尋文字最長為 { $longest } 個位元組。
