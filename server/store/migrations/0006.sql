-- Events wait by repository, so that one with many of them takes nobody's turn; 0 are those of no repository.
DROP INDEX events_undecided;
CREATE INDEX events_turns ON events(coalesce(repository_id, 0), id) WHERE undecided = 1;
