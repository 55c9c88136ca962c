run-variable-missing = Line { $line } of the definition names the variable { $name }, but there is none. An administrator makes variables on the page Variables, under Settings.
run-variable-closed = The value of the variable { $name } cannot be opened with this server's key: an administrator has to enter it again on the page Variables, under Settings.
run-variable-short = The secret variable { $name } is too short to be hidden in logs: an administrator has to give it a longer value on the page Variables, under Settings.
pipeline-credentials-name = Write credentials('NAME') here and nothing more, with the name of a stored variable.
run-variables-large = The secret variables of this run have more than { $longest } bytes together: too much to be hidden in logs.
