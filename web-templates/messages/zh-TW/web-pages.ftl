# 頁面的用語：送出表單後的通知，以及找不到的原因。

# 送出表單之後
pages-saved = 已儲存。
pages-deleted = 已刪除 { $name }。
pages-rerun = 這次執行以相同的提交和輸入值重做 #{ $of }。
pages-mirror-made = 正在擷取遠端儲存庫，請稍後重新整理。
pages-pipeline-made = 管線已建立。下次推送或按下按鈕就會執行。
pages-token-deleted = 權杖已撤銷，使用它的程式從現在起無法存取。
pages-token-days = 權杖的有效期為 1 到 { $most } 天。留空則為半年。
pages-password-changed = 密碼已變更，您的其他工作階段都已結束。
pages-password-wrong = 目前的密碼不正確。
pages-account-made = 帳號 { $name } 已建立。請把密碼告訴使用者，之後可在設定中變更。
pages-account-changed = 帳號 { $name } 已變更。
pages-account-self = 您無法取消自己的權限，請找另一位管理員。
pages-error-too-many = 嘗試次數過多

# 儲存庫
pages-private = 私人
pages-private-tag = 私人
pages-private-hint = 只有您和管理員看得到；對其他人來說它不存在。
pages-default-branch = 預設分支
pages-delete-repository = 刪除儲存庫
pages-delete-what = 提交、管線、執行和記錄會一併刪除，映像檔登錄中的映像檔會保留。刪除後無法復原。
pages-delete-type = 請輸入 { $name } 以確認
pages-delete-name = 輸入的名稱不符，應為 { $name }。
pages-no-file = { $at } 中沒有 { $path }。
pages-poll-failed = 無法擷取遠端儲存庫
pages-polled = 檢查遠端儲存庫：
pages-poll-first = 正在第一次檢查遠端儲存庫。
pages-mirror-empty = 尚未擷取任何內容，或遠端儲存庫沒有分支。
pages-queue = { $running } 個執行中，{ $queued } 個等待中

# 管線與執行
pages-later = 顯示後面的行
pages-delete-pipeline = 刪除管線
pages-delete-pipeline-what = 它的執行和記錄會一併刪除，映像檔登錄中的映像檔會保留。
pages-delete-discovered = 只要定義還在儲存庫的根目錄，下次推送就會再建立它。

# 登錄與追溯
pages-tags-n = { $n } 個標籤
pages-runs-where = 執行中的容器
pages-runs-nowhere = 這個伺服器旁的引擎上沒有使用此映像檔的容器。
pages-image-where = 這個伺服器的執行沒有推送過 { $digest }，因此不知道該在映像檔登錄的哪個儲存庫中尋找。
pages-trace-nothing = 找不到
pages-trace-choose = 目前執行中的容器
pages-trace-unclear = 這不是摘要、映像檔名稱，也不是中繼標籤。
pages-trace-digest = 這個伺服器的執行沒有推送過摘要為 { $digest } 的映像檔。如果這是 docker images 顯示的映像檔 ID，請貼上該映像檔的 RepoDigests：ID 只在它自己的機器上有效。
pages-trace-image-id = 依此處執行中映像檔的 ID 找到；這是它在映像檔登錄中的摘要。
pages-trace-other-registry = 這個映像檔在映像檔登錄 { $host }。這個伺服器的執行推送到 { $ours }。
pages-trace-moved = { $image } 目前所指的映像檔（{ $digest }）不是這裡推送的。以下是最後推送此標籤的執行。
pages-trace-not-ours = 映像檔登錄中有 { $image }（{ $digest }），但不是這個伺服器的執行推送的。
pages-trace-gone = 映像檔登錄中已經沒有 { $image }。
pages-trace-no-tag = 映像檔登錄 { $host } 中沒有 { $image }，這個伺服器的執行也從未推送過。
pages-trace-no-record = 這個伺服器的執行沒有推送過 { $image }。
pages-trace-commit = 這裡沒有屬於提交 { $commit } 的執行。
pages-trace-labels = { $count } 個中繼標籤都沒有指出這個伺服器的執行（例如 build_tag）或提交。
pages-trace-build-tag = { $tag } 看起來像執行的 BUILD_TAG，但沒有這次執行。
pages-trace-word = { $word } 不是這個伺服器旁的引擎上執行中的容器，也不是提交。映像檔需要標籤：{ $word }:TAG。
pages-trace-container = 容器 { $name } 執行的是 { $image }，不是這個伺服器的執行推送的。
pages-trace-no-images = 這次執行沒有推送映像檔。

# 活動
pages-kind = 顯示
pages-kind-all = 全部
pages-kind-ref-moved = 分支與標籤
pages-kind-run-finished = 已結束的執行
pages-kind-run-requested = 由人啟動的執行
pages-kind-run-cancel-requested = 由人取消的執行
pages-kind-image-pushed = 映像檔
pages-kind-repository-created = 新儲存庫
pages-kind-pipeline-created = 新管線
pages-kind-signed-in = 登入
pages-event-run-finished = { $run } 已結束：{ $status }
pages-event-run-requested = { $by } 啟動了 { $run }
pages-event-run-cancel = { $by } 要求取消 { $run }

# 健康狀況
pages-part-database = 資料庫
pages-part-disk = 磁碟
pages-part-git = git
pages-part-docker = Docker Engine
pages-part-registry = 映像檔登錄
pages-part-poll = 變更監看
pages-part-queue = 佇列

# 使用者
pages-enable = 啟用
pages-disable = 停用
pages-disabled = 已停用
pages-admin-give = 設為管理員
pages-admin-take = 取消管理員
web-clone-elsewhere = 您經由 { $host } 連線，它不在伺服器設定的位址之中；{ $url } 在您那裡可能沒有回應。管理伺服器的人可以用 --url 加入您的位址。
