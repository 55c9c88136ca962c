logs-disk-full = The log could not be stored: the disk is full. Free some space where the server keeps its data, then run it again.
logs-read-only = The log could not be stored: the folder where the server keeps its data is read-only.
logs-secret-short = A secret needs at least { $least } characters on one of its lines; a shorter one could not be hidden in logs.
logs-query-long = Search for at most { $longest } bytes of text.
