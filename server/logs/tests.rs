//! The room against real files.

use proptest::prelude::*;

use super::*;
use crate::model::Secret;

fn logs() -> (tempfile::TempDir, Logs) {
    let dir = tempfile::tempdir().unwrap();
    let logs = Logs::open(dir.path().join("logs")).unwrap();
    (dir, logs)
}

fn on_disk(dir: &tempfile::TempDir, path: &str) -> String {
    String::from_utf8(std::fs::read(dir.path().join("logs").join(path)).unwrap()).unwrap()
}

fn write(logs: &Logs, run: i64, stage: u32, text: &str) {
    let mut writer = logs.writer(run, stage, Mask::default()).unwrap();
    writer.append(Lane::Out, text.as_bytes()).unwrap();
    writer.flush().unwrap();
}

#[tokio::test]
async fn a_stage_is_written_masked_followed_and_read() {
    let (dir, logs) = logs();
    let mask = Mask::new(&[Secret::new("hunter22")]).unwrap();
    let mut bell = logs.bell(7);
    bell.borrow_and_update();
    let mut writer = logs.writer(7, 0, mask).unwrap();
    writer.append(Lane::Out, b"the password is hun").unwrap();
    bell.changed().await.unwrap();
    assert_eq!(logs.read(7, 0, 0, 100).unwrap(), "the password is ");
    writer.append(Lane::Err, b"+ echo\n").unwrap();
    writer.append(Lane::Out, b"ter22\n").unwrap();
    let end = writer.settle().unwrap();
    writer.line("[ropewalk] hunter22 again").unwrap();
    assert_eq!(logs.read(7, 0, end, 100).unwrap(), "[ropewalk] ******** again\n");
    writer.append(Lane::Out, b"hunt").unwrap();
    let length = writer.finish().await.unwrap();
    assert_eq!(on_disk(&dir, "7/0.log"), "the password is + echo\n********\n[ropewalk] ******** again\nhunt");
    assert_eq!(logs.len(7, 0).unwrap(), length);
    assert_eq!(logs.times(7, 0).unwrap()[0].0, 0);
    logs.done(7);
    bell.changed().await.unwrap();
    assert!(bell.changed().await.is_err(), "a bell of a run that is done is taken down");
    logs.remove(7).unwrap();
    logs.remove(7).unwrap();
    assert_eq!(logs.len(7, 0).unwrap(), 0);
}

#[tokio::test]
async fn the_owner_is_told_when_a_flush_is_due() {
    let (_dir, logs) = logs();
    let mut writer = logs.writer(1, 0, Mask::default()).unwrap();
    writer.append(Lane::Out, b"one ").unwrap();
    writer.append(Lane::Out, b"two").unwrap();
    writer.due().await;
    writer.flush().unwrap();
    assert_eq!(logs.read(1, 0, 0, 100).unwrap(), "one two");
}

#[test]
fn the_cap_leaves_one_marker() {
    let (dir, logs) = logs();
    let logs = logs.with_limit(100_000);
    let mut writer = logs.writer(1, 0, Mask::default()).unwrap();
    for _ in 0..50 {
        writer.append(Lane::Out, &[b'x'; 10_000]).unwrap();
    }
    writer.line("[ropewalk] over").unwrap();
    let text = on_disk(&dir, "1/0.log");
    assert!(text.starts_with(&"x".repeat(100_000)));
    assert_eq!(
        &text[100_000..],
        "\n[ropewalk] this log has reached 100000 bytes; what follows is not kept\n"
    );
    assert_eq!(writer.settle().unwrap(), text.len() as u64);
}

#[test]
fn a_crash_leaves_a_prefix_and_one_line() {
    let (dir, logs) = logs();
    write(&logs, 1, 0, "one\ntw");
    for _ in 0..3 {
        logs.close_after_crash(1, 0, "[ropewalk] the server\nwas stopped").unwrap();
        logs.close_after_crash(1, 1, "[ropewalk] never began").unwrap();
    }
    assert_eq!(on_disk(&dir, "1/0.log"), "one\ntw\n[ropewalk] the server was stopped\n");
    assert_eq!(on_disk(&dir, "1/1.log"), "[ropewalk] never began\n");
}

#[test]
fn a_run_reads_as_its_stages_in_order() {
    let (_dir, logs) = logs();
    for (stage, text) in [(0, "aaa"), (2, "c"), (10, "dd"), (1, "")] {
        write(&logs, 5, stage, text);
    }
    assert_eq!(logs.stages(5).unwrap(), [(0, 3), (1, 0), (2, 1), (10, 2)]);
    assert_eq!(logs.run_len(5).unwrap(), 6);
    for from in 0..=6 {
        for max in 0..8 {
            let end = (from + max).min(6);
            assert_eq!(logs.read_run(5, from as u64, max).unwrap(), &"aaacdd"[from..end]);
        }
    }
    assert_eq!(logs.read_run(5, 99, 5).unwrap(), "");
    assert_eq!(logs.read_run(6, 0, 5).unwrap(), "");
}

#[test]
fn readers_of_old_runs_leave_no_bells() {
    let (_dir, logs) = logs();
    for run in 0..100 {
        drop(logs.bell(run));
    }
    write(&logs, 200, 0, "x");
    drop(logs.bell(300));
    assert_eq!(logs.bells.count(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn lines_tails_and_hits_agree_with_the_plain_rule(text in "([abA]{0,3}\n?){0,40}", query in "[abA]{1,3}", tail in 0u64..60) {
        let (_dir, logs) = logs();
        write(&logs, 1, 0, &text);
        let mut starts = vec![0];
        starts.extend(text.match_indices('\n').map(|(at, _)| at as u64 + 1));
        starts.retain(|start| *start < text.len() as u64);
        for line in 1..=starts.len() + 2 {
            prop_assert_eq!(logs.line_offset(1, 0, line as u64).unwrap(), starts.get(line - 1).copied());
        }
        let from = (text.len() as u64).saturating_sub(tail);
        let got = logs.tail_start(1, 0, tail).unwrap();
        prop_assert!(got >= from);
        prop_assert!(starts.contains(&got) || got == from || got == text.len() as u64);
        prop_assert_eq!(logs.lines_before(1, 0, from).unwrap(), text[..from as usize].matches('\n').count() as u64);
        let needle = query.to_lowercase();
        let lines = text.lines().enumerate().filter(|(_, l)| l.to_lowercase().contains(&needle));
        let expected: Vec<_> = lines.map(|(n, _)| n as u64 + 1).collect();
        let found = logs.find(1, 0, &query, 1000).unwrap();
        prop_assert_eq!(found.hits.iter().map(|h| h.line).collect::<Vec<_>>(), expected.clone());
        for hit in &found.hits {
            prop_assert_eq!(hit.line_offset, starts[hit.line as usize - 1]);
            prop_assert!(text[hit.offset as usize..].to_lowercase().starts_with(&needle));
        }
        prop_assert_eq!(logs.find(1, 0, &query, 1).unwrap().more, expected.len() > 1);
    }
}

#[test]
fn a_hit_over_the_edge_of_a_block_is_found_once() {
    let (_dir, logs) = logs();
    let mut text = "\n".repeat(256 * 1024 - 3);
    text.push_str("needle in the middle\nneedle\n");
    write(&logs, 1, 0, &text);
    let found = logs.find(1, 0, "NEEDLE", 10).unwrap();
    let lines: Vec<u64> = found.hits.iter().map(|h| h.line).collect();
    assert_eq!(lines, [256 * 1024 - 2, 256 * 1024 - 1]);
}
