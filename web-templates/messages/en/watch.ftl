watch-fetch-failed = The remote repository could not be fetched; the server’s log has the cause.
