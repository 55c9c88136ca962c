app-locked = 다른 Ropewalk 서버(프로세스 { $pid })가 { $path } 디렉터리를 쓰고 있습니다. 먼저 그 서버를 멈추거나 --data 옵션으로 다른 디렉터리를 지정하십시오.
