# What the pages' handlers say: notices after forms, and why something is not there.

# After a form
pages-saved = Saved.
pages-deleted = { $name } is deleted.
pages-rerun = This run repeats #{ $of } with the same commit and inputs.
pages-mirror-made = The remote repository is being fetched. Reload in a moment.
pages-pipeline-made = The pipeline is there. Its next push, or the button, starts it.
pages-token-deleted = The token is revoked. Whoever used it is locked out from now on.
pages-token-days = A token is valid for 1 to { $most } days. Left empty, it is valid for half a year.
pages-password-changed = The password is changed. Your other sessions have ended.
pages-password-wrong = The current password is not right.
pages-account-made = The account { $name } is there. Tell its owner the password; it can be changed in the settings.
pages-account-changed = The account { $name } is changed.
pages-account-self = You cannot take your own rights away. Ask another administrator.
pages-error-too-many = Too many attempts

# Repositories
pages-private = Private
pages-private-tag = private
pages-private-hint = Only you and administrators see it; to everybody else it does not exist.
pages-default-branch = Default branch
pages-delete-repository = Delete the repository
pages-delete-what = Its commits, pipelines, runs and logs go with it. Images in the registry stay. Nothing brings it back.
pages-delete-type = Type { $name } to confirm
pages-delete-name = The name was not typed as it is: { $name }.
pages-no-file = There is no { $path } at { $at }.
pages-poll-failed = The remote repository could not be fetched
pages-polled = Looked at the remote repository
pages-poll-first = The remote repository is being looked at for the first time.
pages-mirror-empty = Nothing has been fetched yet, or the remote repository has no branches.
pages-queue = { $running } running, { $queued } waiting

# Pipelines and runs
pages-later = Show later lines
pages-delete-pipeline = Delete the pipeline
pages-delete-pipeline-what = Its runs and their logs go with it. Images in the registry stay.
pages-delete-discovered = As long as its definition is at the root of the repository, the next push makes it again.

# Registry and tracing
pages-tags-n = { $n ->
    [one] 1 tag
   *[other] { $n } tags
}
pages-runs-where = Running containers
pages-runs-nowhere = No container of this image runs on the engine beside this server.
pages-image-where = No run of this server pushed { $digest }, so it is not known in which repository of the registry to look for it.
pages-trace-nothing = Nothing was found
pages-trace-choose = Containers that run now
pages-trace-unclear = This is neither a digest, nor the name of an image, nor labels.
pages-trace-digest = No run of this server pushed an image with the digest { $digest }. If it is an image id, as docker images shows it, paste the image’s RepoDigests: an id names an image on its own machine only.
pages-trace-image-id = Found by the id of an image that runs here; this is its digest in the registry.
pages-trace-other-registry = The image is in the registry { $host }. Runs of this server push to { $ours }.
pages-trace-moved = No run here pushed what { $image } names today ({ $digest }). This is the run that pushed the tag last.
pages-trace-not-ours = The registry has { $image } ({ $digest }), but no run of this server pushed it.
pages-trace-gone = The registry no longer has { $image }.
pages-trace-no-tag = The registry { $host } has no { $image }, and no run of this server ever pushed it.
pages-trace-no-record = No run of this server has pushed { $image }.
pages-trace-commit = No run here belongs to the commit { $commit }.
pages-trace-labels = { $count ->
    [one] The label names neither a run of this server (such as build_tag) nor a commit.
   *[other] None of the { $count } labels names a run of this server (such as build_tag) or a commit.
}
pages-trace-build-tag = { $tag } looks like the BUILD_TAG of a run, but there is no such run.
pages-trace-word = { $word } is neither a running container on the engine beside this server nor a commit. An image needs its tag: { $word }:TAG.
pages-trace-container = The container { $name } runs { $image }, which no run of this server pushed.
pages-trace-no-images = This run pushed no images.

# Activity
pages-kind = Show
pages-kind-all = Everything
pages-kind-ref-moved = Branches and tags
pages-kind-run-finished = Ended runs
pages-kind-run-requested = Runs started by people
pages-kind-run-cancel-requested = Cancelled by people
pages-kind-image-pushed = Images
pages-kind-repository-created = New repositories
pages-kind-pipeline-created = New pipelines
pages-kind-signed-in = Sign-ins
pages-event-run-finished = { $run } ended: { $status }
pages-event-run-requested = { $by } started { $run }
pages-event-run-cancel = { $by } asked to cancel { $run }

# Health
pages-part-database = Database
pages-part-disk = Disk
pages-part-git = git
pages-part-docker = Docker Engine
pages-part-registry = Registry
pages-part-poll = Watching for changes
pages-part-queue = Queue

# Users
pages-enable = Enable
pages-disable = Disable
pages-disabled = disabled
pages-admin-give = Make administrator
pages-admin-take = Make member
web-clone-elsewhere = You came here by { $host }, which is none of the server's configured addresses; { $url } may not answer where you are. Whoever runs the server can add yours with --url.
