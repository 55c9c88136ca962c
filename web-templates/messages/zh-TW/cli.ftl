# 密碼：命令列與儀表板共用。
password-short = 密碼至少需要 { $shortest } 個字元。
password-long = 密碼最多 { $longest } 個字元。
password-control = 密碼中含有控制字元。
password-common = 這是任何人都會最先嘗試的密碼。請換一個，例如三、四個互不相干的詞。
