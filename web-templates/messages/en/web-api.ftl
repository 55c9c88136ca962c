api-not-found = There is nothing at this address.
api-repository-not-found = There is no repository { $path }.
api-account-not-found = There is no account “{ $name }”.
api-pipeline-not-found = The repository has no pipeline “{ $name }”.
api-run-not-found = The pipeline has no run #{ $number }.
api-branch-not-found = The repository has no branch “{ $name }”.
api-image-unknown = No run here has pushed the image { $digest }.
api-repository-empty = The repository has no branch yet. Push one first.
api-not-a-ref = “{ $revision }” is a commit, not a branch or tag; a run is started on one of these.
api-no-definition = There is no file { $path } on { $name }.
api-no-definition-found = The repository has no ropewalk.yml, no Jenkinsfile and no numbered scripts in the folder ci at its root.
api-run-refused = { $path } has { $count ->
    [one] one thing
   *[other] { $count } things
} that cannot be carried out here, so the run did not start.
api-run-cancelled = Cancelled by { $by }.
api-input-not-plain = The input “{ $name }” must be a text, a number, true or false.
api-description-long = The description may have at most { $longest } characters.
api-mirror-only = Only mirrors can be made of remote repositories; leave “mirror” out or set it to true.
api-json-wanted = Send the body as JSON, with the header “Content-Type: application/json”.
api-malformed = The request could not be read: { $cause }.
api-form-malformed = The form could not be read. Go back, load the page again and send it once more.
api-too-large = The request is larger than this address takes.
api-internal = The server made a mistake. Its log has the cause under the id { $id }.
api-not-yourself = You may not lock yourself out.
auth-required = Sign in to do this.
auth-wrong-password = The name or the password is wrong.
auth-wrong-token = The token is unknown, has expired or was deleted.
auth-malformed = The Authorization header is not one of “token T”, “Bearer T” and Basic.
auth-too-many = Too many failed attempts. Try again in { $seconds ->
    [one] one second
   *[other] { $seconds } seconds
}.
auth-admin-only = Only administrators may do this.
auth-scope = The token may not do this; it takes one with the scope “{ $scope }”.
auth-read-only = You may read { $path } but not change it.
auth-not-your-account = You may not make repositories for { $owner }.
auth-foreign-origin = The request comes from a page of another site, so nothing was done.
auth-form-expired = The form was made for another session. Load the page again and send it once more.
auth-token-name = A token needs a name of 1 to { $longest } characters.
auth-token-needs-person = A token can only make tokens when it has the scope “admin”. Sign in with your password.
git-http-dumb = This server speaks git's smart protocol only. Use git 1.6.6 or newer.
git-http-type = This address takes { $wanted } only.
git-http-encoding = The body may be gzipped or plain, nothing else.
api-body-encoding = The body must be sent as it is, not compressed.
git-http-mirror = { $path } is a mirror and takes no pushes. Push to where it comes from; changes arrive within a minute.
git-http-run = Run #{ $number } of { $pipeline }: { $url }
git-http-run-refused = Run #{ $number } of { $pipeline } did not start. { $count ->
    [one] This cannot be carried out here:
   *[other] These { $count } things cannot be carried out here:
}
git-http-run-page = See { $url }
git-http-undecided = The push is recorded. Its runs will appear at { $url }
git-http-more-lines = ... and { $count ->
    [one] one more line
   *[other] { $count } more lines
} on the page.
