app-locked = Another Ropewalk server (process { $pid }) uses { $path }. Stop it first, or give this one another directory with --data.
