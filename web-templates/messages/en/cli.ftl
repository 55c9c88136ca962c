# Passwords: used by the command line and by the dashboard.
password-short = The password needs at least { $shortest } characters.
password-long = The password may have at most { $longest } characters.
password-control = The password has a control character in it.
password-common = This password is one of the first that anybody would try. Choose another, such as three or four words that do not belong together.

# Settings and usage.
cli-setting-value = { $name } cannot be “{ $value }”.
cli-variable-unknown = { $name } is not a setting of Ropewalk. Unset it; `ropewalk serve --help` lists them all.
cli-variable-meant = { $name } is not a setting of Ropewalk. Did you mean { $meant }?
cli-secret-twice = { $name } and { $name }_FILE are both set. Use one of them.
cli-secret-file = The file { $path } cannot be read: { $cause }
cli-input = “{ $input }” is not of the form NAME=VALUE.
cli-no-data = There is no data directory { $path }. Name it with --data.
cli-no-account = There is no account “{ $name }”.
cli-no-file = There is no file { $path }.
cli-no-pipeline = { $repo } has no pipeline yet.
cli-no-stage = The run has no stage “{ $stage }”.
cli-which-pipeline = The repository has several pipelines: { $names }. Name one with --pipeline.
cli-unreadable = { $path } cannot be read: { $cause }
cli-stdin = Standard input cannot be read: { $cause }
cli-output = The output cannot be written: { $cause }
cli-unreachable = { $url } does not answer: { $cause }. Is the server running, and is ROPEWALK_URL its address?
cli-answer = The server's answer was cut off: { $cause }
cli-strange = The server's answer is not one that this version understands.
cli-out-of-time = Run { $number } has not ended in the time given.
cli-internal = This should not have happened: { $cause }
cli-runtime = The program cannot start: { $cause }
cli-listen = { $address } cannot be listened on: { $cause }. Is another server running? Choose another port with --listen.

# What commands say when they are done.
cli-user-added = Account { $name } is made.
cli-password-set = The password of { $name } is changed and its sessions have ended.
cli-token-once = The token is shown this one time only.
cli-ping-ok = { $url } answers.
cli-ping-status = { $url } answers with status { $status }.
cli-check-ok = Everything is whole: the database and { $repositories } repositories.
cli-check-no-folder = the repository's folder is missing
cli-run-told = Run { $number } is { $status }: { $url }

# Help: the commands.
cli-about = Git host, build loop, registry client and dashboard in one server
cli-serve = Run the server
cli-ping = Ask whether a server answers
cli-check = Check the database and every repository of a data directory
cli-lint = Check a pipeline definition, or print the schema of ropewalk.yml
cli-user = Accounts, in the data directory itself
cli-user-add = Add an account; without --password-stdin a password is made up and printed
cli-user-password = Give an account a new password and end its sessions
cli-token = API tokens, in the data directory itself
cli-token-create = Make a token and print it, this once
cli-repo = Repositories of a server
cli-repo-create = Create a repository of your own and print its address
cli-repo-mirror = Mirror a remote repository: it is asked for changes every minute
cli-repo-list = List your repositories
cli-pipeline = Pipelines of a repository
cli-pipeline-create = Add a pipeline for a definition in the repository
cli-pipeline-list = List the pipelines of a repository
cli-run = Runs of a pipeline
cli-run-start = Start a run; with -f follow it to its end
cli-run-list = List the newest runs
cli-run-show = Show a run with its stages and images
cli-run-log = Print the log of a run; with -f until the run has ended
cli-run-cancel = Cancel a run
cli-run-rerun = Start a run again, with the same commit and inputs
cli-image = Images in the registry, and where they come from
cli-image-list = List the repositories of the registry
cli-image-tags = List the tags of an image
cli-image-trace = Show which run and commit made an image
cli-version = Print the version

# Help: flags and arguments.
cli-flag-json = Print JSON
cli-flag-data = The server's data directory [ROPEWALK_DATA, else ./data]
cli-flag-admin = May administer the server
cli-flag-password-stdin = Read the password from the first line of standard input
cli-flag-scope = What the token may do
cli-flag-expires = Days until the token ends (183 unless given); 0 for one that does not end
cli-flag-token-name = What the token is for
cli-flag-ping-url = The server's address [the port of ROPEWALK_LISTEN, else ROPEWALK_URL, else http://127.0.0.1:3000]
cli-flag-ping-timeout = How long to wait
cli-flag-schema = Print the JSON schema of ropewalk.yml
cli-flag-private = Only you and administrators see it
cli-flag-description = One line about it
cli-flag-limit = How many at most
cli-flag-path = The definition's path in the repository: a Jenkinsfile, a .yml file or a folder of numbered scripts
cli-flag-branch = Only for branches that match; may be given again
cli-flag-pipeline = Which pipeline [the only one, else default]
cli-flag-ref = Branch or tag [the default branch]
cli-flag-input = Value of an input; may be given again
cli-flag-follow = Stay until the run has ended; exit 1 unless it passed
cli-flag-timeout = Give up following after so long, with exit 124; the run goes on
cli-flag-stage = Only this stage, by name or by number from 0
cli-flag-raw = The log's bytes as they are; not for terminals
cli-arg-account = The account's name
cli-arg-definition = A definition file, or a folder of numbered scripts
cli-arg-repo = The repository, as OWNER/REPO
cli-arg-repo-name = The new repository's name, without its owner
cli-arg-pipeline = The pipeline's name
cli-arg-remote = Its address, http:// or https://, without credentials
cli-flag-remote-user = Account at the remote server
cli-arg-number = The run's number
cli-arg-image-name = The image's repository in the registry, without host and tag
cli-arg-digest = sha256: and 64 digits

# Help: settings of the server.
cli-set-data = Where database, repositories and logs are kept
cli-set-listen = Address and port to listen on
cli-set-url = Where people reach the server; goes into links. Several, separated by commas: the first is the main one
cli-set-registry = The registry that stages push to
cli-set-docker = The engine: unix://, npipe://, tcp:// or http://
cli-set-workspaces = Where workspaces are made; the engine must see the same path
cli-set-jobs = How many runs at once
cli-set-workers = Threads that answer HTTP
cli-set-step-image = Image of steps that name none
cli-set-step-socket = The engine's socket as steps get it, on the engine's host; empty keeps it from them
cli-set-step-hosts = Names that steps find in their hosts file
cli-set-step-memory = Most memory of a step, such as 2g
cli-set-step-cpus = Most cores of a step, such as 1.5
cli-set-step-pids = Most processes of a step
cli-set-run-timeout = Minutes after which a run is stopped, unless its pipeline says otherwise
cli-set-log-limit = Most bytes kept of a stage's log
cli-set-max-push = Most bytes of one push
cli-set-poll-seconds = Seconds between two looks at every repository
cli-set-admin-password = File with the password of admin, for the first start
cli-set-hook-token = File with the token that the registry sends with its notifications
cli-set-log = What the server logs, such as info or ropewalk=debug
cli-set-log-format = Form of the server's log
