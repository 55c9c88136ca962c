app-locked = 另一個 Ropewalk 伺服器（行程 { $pid }）正在使用 { $path }。請先停止它，或以 --data 指定其他目錄。
