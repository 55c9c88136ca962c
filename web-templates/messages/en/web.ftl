# Pages of the dashboard. Short words are labels of tables, buttons and fields.

# The frame of every page
web-skip = Skip to the content
web-nav = Main
web-nav-home = Repositories
web-nav-activity = Activity
web-nav-registry = Registry
web-nav-trace = Trace an image
web-nav-health = Health
web-nav-settings = Settings
web-nav-admin = Users
web-sign-out = Sign out
web-language = Language
web-language-unknown = This server does not speak that language.
web-apply = Apply
web-theme = Colours
web-theme-auto = Automatic
web-theme-light = Light
web-theme-dark = Dark
web-close = Close
web-copy = Copy
web-copied = Copied
web-copy-digest = Copy the digest
web-more = Show more
web-back = Back
web-save = Save
web-create = Create
web-show = Show

# Keys
web-keys = Keys
web-key-help = Show this list
web-key-search = Search
web-key-lines = Next and previous line
web-key-ends = To the top, to the bottom
web-key-neighbours = Previous and next run
web-key-follow = Follow the log
web-key-times = Show times
web-key-rerun = Run again
web-key-cancel = Cancel the run

# Times
web-time-now = just now
web-time-minutes = { $n } min ago
web-time-hours = { $n } h ago
web-time-days = { $n ->
    [one] yesterday
   *[other] { $n } days ago
}
web-time-date = { $date }
web-time-future = soon
web-duration-s = { $s }s
web-duration-ms = { $m }m { $s }s
web-duration-hm = { $h }h { $m }m

# Statuses
web-status-queued = queued
web-status-waiting = waiting
web-status-running = running
web-status-passed = passed
web-status-unstable = unstable
web-status-failed = failed
web-status-cancelled = cancelled
web-status-superseded = superseded
web-status-lost = lost
web-status-skipped = skipped
web-bars-label = { $total ->
    [one] Last run: { $passed } passed
   *[other] Last { $total } runs: { $passed } passed
}

# What started a run
web-cause-push = pushed by { $by }
web-cause-poll = change found by polling
web-cause-person = started by { $by }
web-cause-rerun = #{ $of } run again by { $by }

# Signing in
web-sign-in = Sign in
web-sign-in-title = Sign in to Ropewalk
web-sign-in-hint = An administrator makes accounts; there is no sign-up.
web-account-name = Account name
web-password = Password

# Home
web-search-repositories = Find a repository
web-new-repository = New repository
web-new-mirror = Follow a remote repository
web-running-now = Running and waiting
web-home-caption = Repositories with their last run
web-home-empty-title = No repositories yet
web-home-empty = Create one here, or push to an address of your own: the first push creates the repository.
web-home-none = No repository matches “{ $query }”.
web-repository = Repository
web-last-run = Last run
web-commit = Commit
web-when = When
web-took = Took
web-last-20 = Last 20 runs
web-no-runs = No runs yet.

# A repository
web-repository-nav = Repository
web-mirror-of = follows { $url }
web-tab-files = Files
web-tab-commits = Commits
web-tab-pipelines = Pipelines
web-revision = Branch or tag
web-files = Files
web-name = Name
web-size = Size
web-clone = Clone
web-new = New
web-no-pipelines = No pipeline yet. A ropewalk.yml, a Jenkinsfile or numbered scripts in ci/ at the root become one by themselves.
web-last-runs = Last runs
web-empty-title = This repository is empty
web-empty-intro = Push something to it. The first branch that arrives becomes the default branch.
web-empty-new = Start from nothing
web-empty-existing = Push what you already have
web-empty-then = With a ropewalk.yml, a Jenkinsfile or ci/00-verify.sh in it, the push starts the first run.
web-description = Description
web-name-hint = Letters without accents, digits, “.”, “_” and “-”.
web-new-push-hint = Not needed before a push: pushing to a name that does not exist creates it.
web-mirror-intro = Ropewalk looks at it once a minute and runs its pipelines when something changed.
web-mirror-url = Address (http or https)
web-credentials = Credentials
web-credentials-hint = Only for a repository that is not open to everybody. Stored encrypted and never shown again.
web-password-or-token = Password or token
web-list-cut = There are more; only the first part is shown.
web-path = Path
web-content = Content
web-lines = { $n ->
    [one] 1 line
   *[other] { $n } lines
}
web-raw = Raw
web-file-link = A symbolic link to
web-file-binary = This file is not text. Its raw form can be downloaded.
web-file-large = This file is too large to show. Its raw form can be downloaded.
web-author = Author
web-parents = Parents
web-browse-here = Files at this commit
web-changes = { $n ->
    [one] 1 file changed
   *[other] { $n } files changed
}
web-change-added = added
web-change-changed = changed
web-change-removed = removed
web-change-renamed = renamed
web-commit-gone = no longer in the repository

# Pipelines
web-new-pipeline = New pipeline
web-start = Start a run
web-start-title = Start { $pipeline }
web-findings = The definition cannot be carried out
web-matrix = Stages by run
web-usually = usually { $time }
web-definition-path = Path of the definition
web-definition-hint = A ropewalk.yml or Jenkinsfile anywhere in the repository, or a folder of numbered scripts.
web-branches = Branches
web-branches-hint = Patterns separated by spaces; empty for every branch.
web-no-inputs = This pipeline asks for nothing.
web-required = Needed.

# A run
web-run = Run
web-runs = Runs
web-stage = Stage
web-stages = Stages
web-stage-no-log = Nothing was written.
web-progress = Progress against earlier runs
web-left = about { $time } left
web-longer = longer than usual
web-previous-run = Previous run, #{ $n }
web-next-run = Next run, #{ $n }
web-rerun = Run again
web-cancel = Cancel
web-cancelling = Cancelling…
web-confirm-cancel = Cancel this run?
web-confirm-rerun = Run this again with the same commit and inputs?
web-find = Find in the log
web-times = Times
web-follow = Follow
web-connection-lost = Connection lost, trying again …
web-reload = Load this page again
web-news-more = and { $n } more
web-to-bottom = To the bottom
web-earlier = Show earlier lines
web-exit = exit { $code }
web-origin = Origin
web-cause = Cause
web-definition = Definition
web-started = Started
web-finished = Finished
web-images = Images
web-no-images = No images were pushed.
web-base-images = Base images

# Registry
web-registry-empty = The registry holds nothing yet. The images that a run pushes appear here.
web-registry-repositories = Repositories of the registry
web-last-tag = Last tag
web-pushed = Pushed
web-not-ours = not from a run here
web-not-ours-long = No run of this server has pushed this image.
web-no-tags = This repository has no tags.
web-tags = Tags
web-tag = Tag
web-digest = Digest
web-created = Created
web-labels = Labels
web-labels-n = { $n ->
    [one] 1 label
   *[other] { $n } labels
}
web-no-labels = This image carries no labels.
web-image = Image
web-platform = Platform
web-media-type = Media type
web-layers = Layers
web-trace-title = Trace an image
web-trace-intro = From an image or a running container to the run and the commit it was made from.
web-trace-question = Digest, tag, or the labels of a container
web-trace-how = Where to find these
web-trace-running = On the machine where the container runs, these print what can be pasted here:

# Activity
web-activity-intro = Everything that happened, and what came of it.
web-activity-all = Show all repositories
web-activity-empty = Nothing has happened yet.
web-undecided = Not looked at yet.
web-event-ref-created = { $reference } appeared
web-event-ref-created-by = { $by } pushed { $reference }, which is new
web-event-ref-moved = { $reference } moved
web-event-ref-moved-by = { $by } pushed to { $reference }
web-event-ref-deleted = { $reference } disappeared
web-event-ref-deleted-by = { $by } deleted { $reference }
web-event-repository-created = { $by } created the repository
web-event-repository-deleted = { $by } deleted the repository
web-event-pipeline-created = { $by } created the pipeline { $pipeline }
web-event-pipeline-deleted = { $by } deleted the pipeline { $pipeline }
web-event-run-requested = { $by } started a run
web-event-run-cancel-requested = { $by } asked to cancel a run
web-event-run-finished = A run ended: { $status }
web-event-image-pushed = { $image } was pushed
web-event-signed-in = { $by } signed in
web-event-sign-in-refused = Somebody at { $address } failed to sign in as { $name }
web-event-account-created = { $by } created the account { $name }
web-event-token-created = { $by } created the API token { $name }

# Health
web-health-good = Everything works
web-health-degraded = Works, with limits
web-health-failing = Something is broken
web-state-good = works
web-state-degraded = limited
web-state-failing = broken

# Settings and users
web-tokens = API tokens
web-tokens-intro = For git, the command line and programs, in place of your password.
web-token-once = Copy the token now. It is not shown again.
web-token-create = Create a token
web-scope = Scope
web-scope-read = Read
web-scope-write = Read and write
web-scope-admin = Administration
web-expires = Expires
web-expires-days = Valid for (days)
web-last-used = Last used
web-never = never
web-never-used = never
web-action = Action
web-revoke = Revoke
web-revoke-what = Whoever uses it is turned away at once. It cannot be brought back.
web-password-current = Current password
web-password-new = New password
web-password-hint = At least 8 characters; 15 or more are better. Common passwords are refused.
web-password-change = Change the password
web-language-mine = My language
web-users = Users
web-role = Role
web-role-admin = administrator
web-role-member = member
web-last-sign-in = Last sign-in
web-user-new = New account
web-make-admin = May manage users and the server

# Errors
web-error-not-found = Not found
web-error-conflict = That does not fit what is already there
web-error-invalid = That cannot be taken as it is
web-error-denied = Not allowed
web-error-internal = Something broke on our side
web-error-internal-text = The server’s log has the cause. Nothing that was already stored is lost.
web-error-id = Look for this id in the log:
web-error-home = To the repositories

web-cause-image-change = { $image } moved
web-cause-image-changes = { $image } and { $others } more images moved
web-cause-webhook = { $image } was pushed (trigger { $webhook })
web-base-made = Made
web-event-tag-moved = { $image } is now { $digest }
web-event-tag-undigested = { $image } is now an image in the old format (schema 1), which has no digest
web-event-tag-gone = { $image } is gone
web-event-stream-tagged = { $by } tagged { $image } as { $stream }
web-event-stream-imported = { $stream } is now { $image }
web-event-stream-untagged = { $stream } was taken away
web-event-import-failed = The import into { $stream } failed
web-event-stream-created = { $by } created the image stream { $stream }
web-event-stream-deleted = { $by } deleted the image stream { $stream }
web-event-trigger-changed = { $by } changed an image trigger of { $pipeline }
web-event-image-announced = { $image } was announced to the trigger { $webhook }
web-event-delivery-refused = A delivery was not taken further
web-error-unavailable = Not possible right now
