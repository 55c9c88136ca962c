//! The guide says what is so. A journey that names its page is the page's proof: every line of a `sh`
//! block there stands in the journey as it is, every line of a `text` block is one that the journey looks for, in this order.
//! And each row of the reference that names a test names one that there is.

use std::fs;
use std::path::{Path, PathBuf};

const HERE: &str = env!("CARGO_MANIFEST_DIR");
const NAMES_PAGE: &str = "# The page: ";

#[test]
fn every_line_of_a_page_is_walked_by_its_journey() {
    let journeys = files(&Path::new(HERE).join("tests/journeys"), "sh");
    assert!(!journeys.is_empty());
    let mut proven = Vec::new();
    for journey in &journeys {
        let script = fs::read_to_string(journey).unwrap();
        let page = script.lines().find_map(|line| line.strip_prefix(NAMES_PAGE));
        let page = page.unwrap_or_else(|| panic!("{} names no page", journey.display()));
        let text = fs::read_to_string(Path::new(HERE).join(page)).unwrap_or_else(|e| panic!("{page}: {e}"));
        compare(page, &text, journey, &script);
        proven.push(Path::new(HERE).join(page));
    }
    for tutorial in files(&Path::new(HERE).join("docs/tutorials"), "md") {
        assert!(proven.contains(&tutorial), "no journey walks {}", tutorial.display());
    }
}

/// Looks for each command behind the one before; the journey may have more. Output is looked for behind the first
/// command of the block above it, as a journey looks at what each command said before it goes on.
fn compare(page: &str, text: &str, journey: &Path, script: &str) {
    let script: Vec<&str> = script.lines().map(str::trim).collect();
    let (mut commands, mut outputs) = (0, 0);
    let mut block = None;
    for (number, line) in text.lines().enumerate() {
        if let Some(language) = line.strip_prefix("```") {
            block = block.is_none().then_some((language, true));
            continue;
        }
        let (Some((language, first)), line) = (block, line.trim()) else { continue };
        if line.is_empty() {
            continue;
        }
        let missing = || panic!("{page}:{}: not in {}, in this order: {line}", number + 1, journey.display());
        if language == "sh" {
            let found = script[commands..].iter().position(|one| *one == line).unwrap_or_else(missing);
            commands += found + 1;
            if first {
                (outputs, block) = (commands, Some((language, false)));
            }
        } else if language == "text" {
            outputs += script[outputs..].iter().position(|one| one.contains(line)).unwrap_or_else(missing);
        }
    }
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut all: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|e| e == extension));
    all.sort();
    all
}

/// Tables of the reference whose last column names the tests that hold what a row says.
const HELD_BY: &str = "held by";
/// Of these pages such tables are expected.
const SENTENCE_BY_SENTENCE: [&str; 3] = ["build-config.md", "docker-triggers.md", "image-streams.md"];

#[test]
fn every_row_of_the_reference_is_held_by_a_test_that_exists_or_is_not_done() {
    let mut code = String::new();
    for folder in ["server", "tests"] {
        read_all(&Path::new(HERE).join(folder), &mut code);
    }
    for page in files(&Path::new(HERE).join("docs/reference"), "md") {
        let name = page.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&page).unwrap();
        let rows = held_rows(&text);
        assert!(!rows.is_empty() || !SENTENCE_BY_SENTENCE.contains(&&*name), "{name} has no such table");
        for (number, line, tests) in rows {
            assert!(
                !tests.is_empty() || line.contains("not done"),
                "{name}:{number}: nothing holds it: {line}"
            );
            for test in tests {
                let is_there = code.contains(&format!("fn {test}("));
                assert!(is_there, "{name}:{number}: there is no test {test}");
            }
        }
    }
}

/// The rows of such tables: number, text, and the names in the last column.
fn held_rows(text: &str) -> Vec<(usize, &str, Vec<&str>)> {
    let mut found = Vec::new();
    let mut within = false;
    for (number, line) in (1..).zip(text.lines()) {
        let Some(cells) = line.strip_prefix('|').and_then(|line| line.trim_end().strip_suffix('|')) else {
            within = false;
            continue;
        };
        let last = cells.rsplit('|').next().unwrap_or_default().trim();
        if last == HELD_BY {
            within = true;
        } else if within && !last.starts_with("---") {
            found.push((number, line, last.split('`').skip(1).step_by(2).collect()));
        }
    }
    found
}

fn read_all(folder: &Path, into: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
