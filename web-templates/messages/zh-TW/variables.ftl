run-variable-missing = 定義第 { $line } 行用到變數 { $name }，但沒有這個變數。變數由管理員在「設定」的「變數」頁面建立。
run-variable-closed = 無法用這台伺服器的金鑰解開變數 { $name } 的值：管理員必須在「設定」的「變數」頁面重新輸入。
run-variable-short = 秘密變數 { $name } 太短，無法在記錄中遮蔽：管理員必須在「設定」的「變數」頁面換成較長的值。
pipeline-credentials-name = 這裡只能寫 credentials('NAME')，其中是已儲存變數的名稱。
run-variables-large = 此執行的秘密變數合計超過 { $longest } 位元組，無法在記錄中全部遮蔽。
