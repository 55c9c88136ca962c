# 定義：整個檔案
pipeline-path = 「{ $path }」不是定義檔的路徑：必須位於儲存庫根目錄之下，且不含「..」。
pipeline-kind-unknown = 「{ $path }」既不是 Jenkinsfile，也不是 .yml 檔；請改成可辨識的檔名。
pipeline-too-large = 定義超過 { $longest } 位元組。
pipeline-not-utf8 = 從這裡開始不是 UTF-8 文字。
pipeline-empty = 定義是空的。
pipeline-more-findings = 只顯示前 { $shown } 項。
pipeline-too-deep = 這裡的區塊巢狀過深。
pipeline-too-many-stages = 一條管線最多 { $most } 個階段。
pipeline-too-many-steps = 一條管線最多 { $most } 個步驟。
pipeline-too-many-variables = 一個區塊最多 { $most } 個變數。
pipeline-too-many-inputs = 一條管線最多 { $most } 個輸入。
pipeline-too-many-branches = 一條管線最多 { $most } 個分支樣式。
pipeline-branch-glob = 「{ $glob }」不是分支樣式。名稱中可用「*」、「**」、「?」或「[a-z]」，不能用「!」。
pipeline-dir = 「{ $path }」不是工作區根目錄之下、不含變數的資料夾。
pipeline-stage-name = 「{ $name }」不能作為階段名稱：請用 1 到 100 個看得見的字元，不含變數。
pipeline-stage-twice = 階段名稱重複："{ $name }"
pipeline-no-stages = 沒有任何階段。
pipeline-variable-name = 「{ $name }」不是變數名稱：開頭為字母或「_」，其後為字母、數字和「_」。
pipeline-variable-twice = 變數「{ $name }」在此區塊中設定了兩次。
pipeline-variable-nul = 「{ $name }」的值含有 NUL 字元。
pipeline-unknown-variable = 這裡沒有變數「{ $name }」：伺服器和此定義都沒有設定它。
pipeline-unknown-variable-similar = 這裡沒有變數「{ $name }」；您是指「{ $known }」嗎？
pipeline-text-too-long = 代入變數後，這段文字超過 { $longest } 位元組。
pipeline-environment-too-large = 環境變數總計超過 { $longest } 位元組。

# 編號腳本
pipeline-script-name = 「{ $name }」有編號但無法執行：請以字母、數字、「-」和「_」命名，例如「00-verify.sh」、「00-verify.bat」或「00-verify」。
pipeline-no-scripts = 「{ $path }」中沒有像「00-verify.sh」這樣的編號腳本。

# 輸入
pipeline-input-unknown = 此管線沒有輸入「{ $name }」。
pipeline-input-unknown-similar = 此管線沒有輸入「{ $name }」；您是指「{ $known }」嗎？
pipeline-input-missing = 輸入「{ $name }」需要一個值。
pipeline-input-too-long = 「{ $name }」的值超過 { $longest } 位元組。
pipeline-input-one-line = 「{ $name }」的值必須是一行。
pipeline-input-boolean = 「{ $name }」必須是 true 或 false，不能是「{ $value }」。
pipeline-input-number = 「{ $name }」必須是數字，不能是「{ $value }」。
pipeline-input-choice = 「{ $name }」不能是「{ $value }」；請選擇：{ $choices }。
pipeline-input-builtin = 「{ $name }」由伺服器設定，不能作為輸入。
pipeline-input-type = 沒有輸入類型「{ $value }」；請使用：{ $known }。
pipeline-input-choices-missing = choice 類型的輸入需要「choices」，即 1 到 200 個值的清單。
pipeline-input-choices-extra = 「choices」只能用於 choice 類型的輸入。

# ropewalk.yml
pipeline-yaml = 這不是有效的 YAML：{ $problem }
pipeline-yaml-tag = 這裡不使用 YAML 標記；請移除。
pipeline-yaml-documents = 一個檔案只放一條管線；請移除第二份 YAML 文件。
pipeline-yaml-nul = 值不能含有 NUL 字元。
pipeline-yaml-alias = 這個別名所指的內容在它之前尚未完成。
pipeline-yaml-key = 鍵必須是單純的名稱。
pipeline-yaml-too-large = 展開別名後，定義過大。
pipeline-key-twice = 鍵「{ $key }」在這裡出現兩次。
pipeline-key-unknown = 這裡沒有鍵「{ $key }」。可用的鍵：{ $known }。
pipeline-key-similar = 這裡沒有鍵「{ $key }」；您是指「{ $known }」嗎？
pipeline-key-missing = 這裡缺少鍵「{ $key }」。
pipeline-empty-list = 清單「{ $key }」是空的；請填入內容或整個省略。
pipeline-want-text = 「{ $key }」必須是文字。
pipeline-want-list = 「{ $key }」必須是清單。
pipeline-want-map = 「{ $key }」必須是鍵與值的對應。
pipeline-want-boolean = 「{ $key }」必須是 true 或 false。
pipeline-timeout = 「{ $value }」不是時間限制：請寫 90s、30m、1h30m 或 2d，最多七天。
pipeline-variable-open = 「{ $key }」中有未結束的變數：請寫 { $example }；若要字元本身，請寫 { $literal }。
pipeline-step-kind = 一個步驟只能有「run」或「echo」其中之一。

# Jenkinsfile：文字
pipeline-string-open = 這個字串沒有結尾。
pipeline-comment-open = 這段註解沒有結尾。
pipeline-escape = 「{ $escape }」不是 Groovy 的跳脫字元；一個反斜線請寫成兩個。
pipeline-dollar = 錢號之後的字元不合法：在雙引號中請以 { $example } 表示錢號，或改用單引號。
pipeline-slashy = 不讀取以斜線括住的字串；請使用引號。
pipeline-bracket-other = 應以「{ $expected }」結束第 { $line } 行之處出現了「{ $found }」。
pipeline-bracket-extra = 「{ $found }」沒有對應的開頭。
pipeline-bracket-open = 「{ $opener }」沒有以「{ $expected }」結束。
pipeline-unexpected = 非預期的「{ $found }」。
pipeline-value-missing = 這裡缺少值。
pipeline-expression = 「{ $code }」是 Groovy 程式碼；只能處理字串、變數以及兩者之間的「+」。
pipeline-params = 「{ $name }」沒有值，因為不處理「parameters」；請使用 ropewalk.yml 的「inputs」。

# Jenkinsfile：區段
pipeline-none = 沒有「pipeline」區塊。
pipeline-scripted = 「pipeline」區塊外的「{ $name }」屬於腳本式管線；只處理宣告式管線。
pipeline-outside = 「{ $name }」在「pipeline」區塊之外，不會處理。
pipeline-section-missing = 缺少必要的區段 "{ $name }"
pipeline-section-twice = 「{ $name }」在這裡只能出現一次。
pipeline-unknown-section = 未定義的區段「{ $name }」。
pipeline-unknown-section-similar = 未定義的區段「{ $name }」；您是指「{ $known }」嗎？
pipeline-needs-block = 「{ $name }」需要一個大括號區塊，不能有其他內容。
pipeline-environment-entry = 「{ $found }」不是 NAME = '值' 的形式。
pipeline-agent-empty = 「agent」需要類型；請寫「agent any」。
pipeline-agent-none = 不處理「agent none」；請寫「agent any」。
pipeline-agent-other = 沒有代理程式「{ $name }」：代理程式只有一種；請寫「agent any」。
pipeline-agent-image = 不處理代理程式「{ $name }」；請寫「agent any」，並在 ropewalk.yml 的「image」指定映像檔。
pipeline-agent-unknown = 代理程式類型 "{ $name }" 無效，必須是下列之一：[{ $known }]
pipeline-stage-work-missing = 階段 "{ $stage }" 需要 "steps"、"stages" 或 "parallel" 其中之一
pipeline-stage-work-many = 階段 "{ $stage }" 只能有 "matrix"、"parallel"、"stages" 或 "steps" 其中之一
pipeline-no-steps = 階段 "{ $stage }" 沒有步驟。

# Jenkinsfile：步驟
pipeline-unknown-step = 沒有步驟「{ $name }」。可處理的步驟：{ $known }。
pipeline-unknown-step-similar = 沒有步驟「{ $name }」；您是指「{ $known }」嗎？
pipeline-groovy = 「{ $name }」是 Groovy 程式碼，不會處理；請以 shell 撰寫。
pipeline-step-needs = 「{ $step }」需要引數「{ $argument }」。
pipeline-argument-unsupported = 不處理「{ $step }」的引數「{ $name }」。
pipeline-argument-similar = 參數 "{ $name }" 無效；您是指 "{ $known }" 嗎？
pipeline-unsupported = 不處理「{ $name }」。
pipeline-no-options = 不處理「{ $name }」；時間限制可在 ropewalk.yml 以「timeout」設定。
pipeline-no-parameters = 不處理「parameters」；請使用 ropewalk.yml 的「inputs」。
pipeline-no-triggers = 不處理「triggers」；推送會自動啟動執行，請移除。
pipeline-no-tools = 不處理「{ $name }」；請把工具放進步驟所用的映像檔。
pipeline-no-libraries = 「{ $name }」：不處理共用程式庫；請把腳本放進儲存庫。
pipeline-no-post = 不處理「post」。
pipeline-no-when = 不處理「when」；請改為替管線指定分支。
pipeline-no-input = 不處理「input」：執行不會等待回應。
pipeline-no-parallel = 不處理階段內的「{ $name }」；請將其中的階段依序寫出。
pipeline-no-script = 「script」是 Groovy 程式碼，不會處理；請以 shell 撰寫。
pipeline-no-credentials = 「{ $name }」在這裡無法使用。已儲存的變數由 environment 內的項目 TOKEN = credentials('NAME') 取得。
pipeline-no-with-env = 不處理「withEnv」；請在階段中使用「environment」。
pipeline-no-checkout = 不需要「{ $name }」：提交已在工作區中，請移除。
pipeline-no-archive = 不處理「{ $name }」：執行結束後不會保留檔案。
pipeline-no-powershell = 步驟的映像檔中沒有「{ $name }」；請使用「sh」。
pipeline-no-docker = 不處理「{ $name }」；請以「sh」呼叫 docker 程式。
