trigger-started = Run queued.
trigger-started-once = Run queued, this once: { $image } is in the old format (schema 1), which has no digest, so later changes of it are not seen.
trigger-findings = { $count ->
    [one] The run failed before it started: one thing in { $path } cannot be carried out here.
   *[other] The run failed before it started: { $count } things in { $path } cannot be carried out here.
}
trigger-not-a-trigger = This kind of event starts nothing.
trigger-no-repository = The repository no longer exists.
trigger-ref-deleted = “{ $name }” was deleted; nothing to run.
trigger-unreadable = The commit could not be read.
trigger-no-pipeline = Nothing to run: there is no ropewalk.yml, Jenkinsfile or ci/NN-* at the root, and the repository has no other pipeline.
trigger-branch-filtered = No run: the pipeline's branch filter does not match “{ $branch }”.
trigger-no-definition = No run: there is no { $path } in this commit.
trigger-tags-off = No run: the pipeline is not triggered by tags.
trigger-push-off = No run: the pipeline is not triggered by pushes.
trigger-nobody-watches = Nobody watches this image.
trigger-same-image = Nothing new: the newest run has this image already.
trigger-paused = The trigger is paused.
trigger-loop = Stopped: the image comes from the pipeline itself ({ $pipelines }).
trigger-no-branch = The repository has no branch yet.
trigger-exists = The pipeline watches that already.
trigger-not-found = The pipeline has no such trigger.
trigger-same-push = No run: this push was told of before ({ $digest }), and no other image was pushed to the tag in between.
trigger-perhaps-own = Waits for the end of { $run }: it may have pushed this image itself, and then it starts nothing.
