# What the pages' handlers say: notices after forms, and why something is not there.
pages-deleted = { $name } is deleted.
pages-later = Show later lines
pages-no-file = There is no { $path } at { $at }.
pages-rerun = This run repeats #{ $of } with the same commit and inputs.
pages-error-too-many = Too many attempts
