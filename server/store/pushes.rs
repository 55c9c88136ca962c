//! Pushes that each Docker trigger has heard of: one image pushed once starts one run, however many notifications tell
//! of it. The same image at the same tag counts again only after another one was pushed there in between. What is kept
//! here decides nothing about streams, which follow what the tag names.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::rows::{millis, time};
use crate::model::{Announced, Result};

/// Whether a push is one that the trigger has started nothing for yet. `pushed_at` is the time that `note` is given,
/// too.
pub fn is_new(c: &Connection, webhook_id: i64, image: &Announced, pushed_at: Timestamp) -> Result<bool> {
    let Some(digest) = &image.digest else { return Ok(true) };
    let mut known = c.prepare_cached(
        "SELECT pushed_at, started FROM heard_pushes
         WHERE webhook_id = ?1 AND host = ?2 AND repository = ?3 AND tag = ?4 AND digest = ?5",
    )?;
    let key = params![webhook_id, image.host, image.repository, image.tag, digest.as_str()];
    let row = |row: &rusqlite::Row<'_>| Ok((time(row, 0)?, row.get::<_, bool>(1)?));
    let Some((last, started)) = known.query_row(key, row).optional()? else { return Ok(true) };
    if !started {
        return Ok(true);
    }
    let mut between = c.prepare_cached(
        "SELECT 1 FROM heard_pushes WHERE webhook_id = ?1 AND host = ?2 AND repository = ?3 AND tag = ?4
         AND digest <> ?5 AND pushed_at > ?6 AND pushed_at < ?7",
    )?;
    Ok(between.exists(params![
        webhook_id,
        image.host,
        image.repository,
        image.tag,
        digest.as_str(),
        millis(last),
        millis(pushed_at)
    ])?)
}

/// The trigger has heard of a push, and `started` a run for it or not.
pub fn note(
    c: &Connection,
    webhook_id: i64,
    image: &Announced,
    (pushed_at, started): (Timestamp, bool),
    at: Timestamp,
) -> Result<()> {
    let Some(digest) = &image.digest else { return Ok(()) };
    c.prepare_cached(
        "INSERT INTO heard_pushes (webhook_id, host, repository, tag, digest, pushed_at, heard_at, started)
         SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM docker_webhooks WHERE id = ?1
         ON CONFLICT DO UPDATE SET pushed_at = max(pushed_at, excluded.pushed_at), heard_at = excluded.heard_at,
            started = max(started, excluded.started)",
    )?
    .execute(params![
        webhook_id,
        image.host,
        image.repository,
        image.tag,
        digest.as_str(),
        millis(pushed_at),
        millis(at),
        started
    ])?;
    Ok(())
}

/// Forgets what was last heard of before `before`.
pub fn prune(c: &Connection, before: Timestamp) -> Result<()> {
    c.prepare_cached("DELETE FROM heard_pushes WHERE heard_at < ?1")?.execute([millis(before)])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Digest, ServerType, TagAddress};
    use crate::store::Store;
    use crate::store::docker_webhooks::{self, Token, Wanted};
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn image(n: usize) -> Announced {
        let address = TagAddress { host: "r:1".into(), repository: "a/b".into(), tag: "1".into() };
        Announced::new(
            &address,
            "",
            Some(Digest::new(format!("sha256:{}", n.to_string().repeat(64))).unwrap()),
        )
    }

    fn with_trigger(c: &Connection) -> i64 {
        let new = Wanted {
            name: "t".into(),
            description: String::new(),
            project: String::new(),
            pipeline_id: None,
            endpoint_id: None,
            image_pattern: String::new(),
            tag_pattern: String::new(),
            server_type: ServerType::Distribution,
            api_token: None,
            enabled: true,
            inputs: Default::default(),
        };
        let token = Token { sealed: vec![1], hash: [1; 32] };
        docker_webhooks::create(c, &new, &token, ("admin", at(0))).unwrap()
    }

    /// What the trigger loop does with each notification: whether it starts a run.
    fn told(c: &Connection, id: i64, n: usize, when: i64) -> bool {
        let new = is_new(c, id, &image(n), at(when)).unwrap();
        if new {
            note(c, id, &image(n), (at(when), true), at(when)).unwrap();
        }
        new
    }

    fn within<T: Send + 'static>(work: impl FnOnce(&Connection, i64) -> T + Send + 'static) -> T {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let write = move |c: &Connection| {
            let id = with_trigger(c);
            Ok(work(c, id))
        };
        runtime.block_on(store.write(write)).unwrap()
    }

    #[test]
    fn a_push_counts_once_and_again_when_the_tag_was_elsewhere_in_between() {
        within(|c, id| {
            assert!(told(c, id, 1, 10) && !told(c, id, 1, 10) && !told(c, id, 1, 11), "told of three times");
            assert!(told(c, id, 2, 20) && !told(c, id, 1, 10), "late word of the first");
            assert!(told(c, id, 1, 30) && !told(c, id, 2, 20) && !told(c, id, 2, 29), "back to the first");
            assert!(told(c, id, 2, 40));
            // What was heard of and started nothing counts when it is heard of again, and as something in between.
            note(c, id, &image(3), (at(50), false), at(50)).unwrap();
            assert!(told(c, id, 2, 60) && told(c, id, 3, 70) && !told(c, id, 3, 71));
            prune(c, at(100)).unwrap();
            assert!(told(c, id, 3, 101));
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        /// However often and in whatever order each push is told of: one run for each.
        #[test]
        fn each_of_different_pushes_starts_one_run(order in prop::collection::vec(0usize..6, 6..60)) {
            let runs = within(move |c, id| {
                order.iter().chain(&[0, 1, 2, 3, 4, 5]).filter(|n| told(c, id, **n, **n as i64 * 10)).count()
            });
            prop_assert_eq!(runs, 6);
        }
    }
}
