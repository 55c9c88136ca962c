# 密碼：命令列與儀表板共用。
password-short = 密碼至少需要 { $shortest } 個字元。
password-long = 密碼最多 { $longest } 個字元。
password-control = 密碼中含有控制字元。
password-common = 這是任何人都會最先嘗試的密碼。請換一個，例如三、四個互不相干的詞。

# 設定與用法。
cli-setting-value = { $name } 不能是「{ $value }」。
cli-variable-unknown = { $name } 不是 Ropewalk 的設定，請移除；`ropewalk serve --help` 列出全部設定。
cli-variable-meant = { $name } 不是 Ropewalk 的設定。您是不是要用 { $meant }？
cli-secret-twice = { $name } 與 { $name }_FILE 同時設定了，請只用其中一個。
cli-secret-file = 無法讀取檔案 { $path }：{ $cause }
cli-input = 「{ $input }」不是 NAME=VALUE 的形式。
cli-no-data = 沒有資料目錄 { $path }。請用 --data 指定。
cli-no-account = 沒有帳號「{ $name }」。
cli-no-file = 沒有檔案 { $path }。
cli-no-pipeline = { $repo } 還沒有管線。
cli-no-stage = 這次執行沒有階段「{ $stage }」。
cli-which-pipeline = 儲存庫有多條管線：{ $names }。請用 --pipeline 指定一條。
cli-unreadable = 無法讀取 { $path }：{ $cause }
cli-stdin = 無法讀取標準輸入：{ $cause }
cli-output = 無法寫出輸出：{ $cause }
cli-unreachable = { $url } 沒有回應：{ $cause }。伺服器在執行嗎？ROPEWALK_URL 是它的位址嗎？
cli-answer = 伺服器的回應中斷了：{ $cause }
cli-strange = 這個版本看不懂伺服器的回應。
cli-out-of-time = 執行 { $number } 沒有在限定時間內結束。
cli-internal = 這不該發生：{ $cause }
cli-runtime = 程式無法啟動：{ $cause }
cli-listen = 無法在 { $address } 接受連線：{ $cause }。是否有其他伺服器在執行？請用 --listen 選擇其他連接埠。

# 指令完成時的訊息。
cli-user-added = 已建立帳號 { $name }。
cli-password-set = 已變更 { $name } 的密碼，其工作階段均已結束。
cli-token-once = 權杖只會顯示這一次。
cli-ping-ok = { $url } 有回應。
cli-ping-status = { $url } 以狀態碼 { $status } 回應。
cli-check-ok = 一切完好：資料庫與 { $repositories } 個儲存庫。
cli-check-no-folder = 儲存庫的資料夾不見了
cli-run-told = 執行 { $number }：{ $status }，{ $url }

# 說明：指令。
cli-about = 集 Git 主機、建置迴圈、映像檔登錄用戶端與儀表板於一身的伺服器
cli-serve = 執行伺服器
cli-ping = 詢問伺服器是否有回應
cli-check = 檢查資料目錄中的資料庫與每個儲存庫
cli-lint = 檢查管線定義，或印出 ropewalk.yml 的結構描述
cli-user = 帳號（直接存取資料目錄）
cli-user-add = 新增帳號；未加 --password-stdin 時會產生密碼並印出
cli-user-password = 變更帳號的密碼並結束其工作階段
cli-token = API 權杖（直接存取資料目錄）
cli-token-create = 建立權杖並印出，僅此一次
cli-repo = 伺服器上的儲存庫
cli-repo-create = 建立自己的儲存庫並印出位址
cli-repo-mirror = 鏡像遠端儲存庫：每分鐘查看一次變更
cli-repo-list = 列出自己的儲存庫
cli-pipeline = 儲存庫的管線
cli-pipeline-create = 為儲存庫中的定義新增管線
cli-pipeline-list = 列出儲存庫的管線
cli-run = 管線的執行
cli-run-start = 開始一次執行；加 -f 則跟到結束
cli-run-list = 列出最近的執行
cli-run-show = 顯示一次執行及其階段與映像檔
cli-run-log = 印出執行的記錄；加 -f 則直到執行結束
cli-run-cancel = 取消執行
cli-run-rerun = 以相同的提交與輸入重新執行
cli-image = 登錄中的映像檔及其來源
cli-image-list = 列出登錄中的儲存庫
cli-image-tags = 列出映像檔的標籤
cli-image-trace = 顯示映像檔由哪次執行、哪個提交產生
cli-version = 印出版本

# 說明：旗標與引數。
cli-flag-json = 以 JSON 輸出
cli-flag-data = 伺服器的資料目錄 [ROPEWALK_DATA，否則 ./data]
cli-flag-admin = 可以管理伺服器
cli-flag-password-stdin = 從標準輸入的第一行讀取密碼
cli-flag-scope = 權杖可以做什麼
cli-flag-expires = 權杖到期前的天數（未指定時為 183 天）；0 表示不會到期
cli-flag-token-name = 權杖的用途
cli-flag-ping-url = 伺服器的位址 [ROPEWALK_LISTEN 的連接埠，否則 ROPEWALK_URL，否則 http://127.0.0.1:3000]
cli-flag-ping-timeout = 等待多久（秒）
cli-flag-schema = 印出 ropewalk.yml 的 JSON 結構描述
cli-flag-private = 只有您與管理員看得到
cli-flag-description = 一行說明
cli-flag-limit = 最多幾個
cli-flag-path = 定義在儲存庫中的路徑：Jenkinsfile、.yml 檔或編號指令稿的資料夾
cli-flag-branch = 只用於符合的分支；可重複給
cli-flag-pipeline = 哪一條管線 [唯一的那條，否則 default]
cli-flag-ref = 分支或標籤 [預設分支]
cli-flag-input = 輸入的值；可重複給
cli-flag-follow = 等到執行結束；未通過則以 1 結束
cli-flag-timeout = 經過這麼多秒就不再跟隨，以 124 結束；執行會繼續
cli-flag-stage = 只要這個階段，用名稱或從 0 起的編號
cli-flag-raw = 原樣輸出記錄的位元組；不要用於終端機
cli-arg-account = 帳號名稱
cli-arg-definition = 定義檔，或編號指令稿的資料夾
cli-arg-repo = 儲存庫，寫成 OWNER/REPO
cli-arg-repo-name = 新儲存庫的名稱，不含擁有者
cli-arg-pipeline = 管線名稱
cli-arg-remote = 遠端儲存庫的位址，http:// 或 https://，不含帳號密碼
cli-flag-remote-user = 遠端伺服器上的帳號
cli-arg-number = 執行的編號
cli-arg-image-name = 登錄中的映像檔儲存庫，不含主機與標籤
cli-arg-digest = sha256: 與 64 位數字

# 說明：伺服器的設定。
cli-set-data = 存放資料庫、儲存庫與記錄的地方
cli-set-listen = 接受連線的位址與連接埠
cli-set-url = 大家連到伺服器所用的位址；用於連結。可用逗號列出多個，第一個為主要位址
cli-set-registry = 各階段推送映像檔的登錄
cli-set-docker = Docker 引擎：unix://、npipe://、tcp:// 或 http://
cli-set-workspaces = 建立工作區的地方；引擎必須看到相同的路徑
cli-set-jobs = 同時進行幾個執行
cli-set-workers = 回應 HTTP 的執行緒數
cli-set-step-image = 未指定映像檔的步驟所用的映像檔
cli-set-step-socket = 交給步驟的引擎通訊端（引擎主機上的路徑）；留空則不交給步驟
cli-set-step-hosts = 寫入步驟 hosts 檔的名稱
cli-set-step-memory = 步驟的記憶體上限，例如 2g
cli-set-step-cpus = 步驟的核心數上限，例如 1.5
cli-set-step-pids = 步驟的行程數上限
cli-set-run-timeout = 管線未另訂時，執行多少分鐘後停止
cli-set-log-limit = 每個階段的記錄最多保留多少位元組
cli-set-max-push = 一次推送的位元組上限
cli-set-poll-seconds = 每隔幾秒查看所有儲存庫
cli-set-admin-password = 存放 admin 密碼的檔案，供第一次啟動使用
cli-set-hook-token = 存放登錄庫隨通知送出之權杖的檔案
cli-set-log = 伺服器記錄的內容，例如 info 或 ropewalk=debug
cli-set-log-format = 伺服器記錄的格式
