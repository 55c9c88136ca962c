watch-fetch-failed = 원격 저장소를 가져오지 못했습니다. 원인은 서버 로그에 있습니다.
