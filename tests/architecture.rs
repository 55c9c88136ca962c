//! The house against its map: arrows, no cycle, every folder on the map, one stranger per room, sizes.
//!
//! The map is the one at the top of `server/lib.rs`; what the code really uses is read from its source.
//! Map and code must agree in both directions, so neither an arrow nor this test can rot unseen.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // Here that is how a test fails.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

#[path = "architecture/source.rs"]
mod source;

use source::{File, files, production, root};

/// Longest file, in lines before its tests.
const LONGEST: usize = 300;

/// Crates that may be named in these rooms only. Every dependency is here or in `EVERYWHERE`.
const STRANGERS: &[(&str, &[&str])] = &[
    ("actix_web", &["web"]),
    ("aho_corasick", &["logs"]),
    ("ammonia", &["web"]),
    ("argon2", &["model"]),
    ("askama", &["web"]),
    ("bollard", &["docker"]),
    ("chacha20poly1305", &["store"]),
    ("clap", &["cli"]),
    ("comrak", &["web"]),
    ("flate2", &["git"]),
    ("fluent_bundle", &["messages"]),
    ("git2", &["git"]),
    ("globset", &["pipeline"]),
    ("mime_guess", &["web"]),
    ("notify", &["watch"]),
    ("oci_client", &["registry"]),
    ("parse_dockerfile", &["pipeline"]),
    ("regex", &["model"]),
    ("reqwest", &["cli", "registry"]),
    ("rusqlite", &["store"]),
    ("rusqlite_migration", &["store"]),
    ("rustix", &["health", "run", "store"]),
    ("rustls", &["cli", "main", "registry"]),
    ("schemars", &["pipeline"]),
    ("serde_saphyr", &["pipeline"]),
    ("subtle", &["model"]),
    ("tokio_rustls", &["registry"]),
    ("tracing_subscriber", &["main"]),
    ("utoipa", &["model", "web"]),
    ("utoipa_actix_web", &["web"]),
    ("vte", &["web"]),
    ("x509_cert", &["registry"]),
];

/// Crates that any room may use: they know nothing of the world outside, or everybody's part of it.
const EVERYWHERE: &[&str] = &[
    "base64",
    "bytes",
    "futures_util",
    "getrandom",
    "jiff",
    "memchr",
    "serde",
    "serde_json",
    "sha2",
    "thiserror",
    "tokio",
    "tracing",
    "url",
];

struct Room {
    name: String,
    /// Rooms it may use; for `all` every earlier one.
    arrows: BTreeSet<String>,
    all: bool,
}

/// The map of `server/lib.rs`, in its order: `name -> room room  comment`.
fn map() -> Vec<Room> {
    let text = fs::read_to_string(root().join("server/lib.rs")).unwrap();
    let mut rooms: Vec<Room> = Vec::new();
    for line in text.lines().filter_map(|line| line.strip_prefix("//! ")) {
        let Some((name, rest)) = line.split_once("->") else { continue };
        let name = name.trim().to_owned();
        let arrows = rest.trim_end().strip_prefix(' ').unwrap_or_default();
        let arrows = arrows.split_once("  ").map_or(arrows, |(arrows, _comment)| arrows);
        let all = arrows == "all";
        let earlier: BTreeSet<String> = rooms.iter().map(|room| room.name.clone()).collect();
        let arrows: BTreeSet<String> =
            if all { earlier.clone() } else { arrows.split_whitespace().map(str::to_owned).collect() };
        let later: Vec<_> = arrows.difference(&earlier).collect();
        assert!(
            later.is_empty(),
            "{name}: {later:?} must stand on an earlier line of the map (or there is a cycle)"
        );
        assert!(!earlier.contains(&name), "{name} is on the map twice");
        rooms.push(Room { name, arrows, all });
    }
    assert!(rooms.len() >= 15, "only {} rooms found: the map cannot be read any more", rooms.len());
    rooms
}

/// Production files of the rooms, without `lib.rs` and `main.rs`.
fn rooms_files() -> Vec<File> {
    let mut all = production("server");
    all.retain(|file| !matches!(file.room(), "lib" | "main"));
    assert!(all.len() >= 60, "only {} files found", all.len());
    all
}

fn assert_none(what: &str, offenders: &[String]) {
    assert!(offenders.is_empty(), "{what}:\n  {}", offenders.join("\n  "));
}

#[test]
fn every_folder_is_a_room_and_every_room_is_there() {
    let on_map: BTreeSet<String> = map().into_iter().map(|room| room.name).collect();
    let mut there = BTreeSet::new();
    for entry in fs::read_dir(root().join("server")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        there.insert(name.trim_end_matches(".rs").to_owned());
    }
    for loose in ["lib", "main"] {
        assert!(there.remove(loose), "server/{loose}.rs is missing");
    }
    assert_eq!(on_map, there, "the map (left) and the folders of server/ (right)");
    let lib = fs::read_to_string(root().join("server/lib.rs")).unwrap();
    let declared: BTreeSet<String> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';').map(str::to_owned))
        .collect();
    assert_eq!(on_map, declared, "the map (left) and the modules of lib.rs (right)");
}

#[test]
fn arrows_are_exactly_those_of_the_map() {
    let map = map();
    let names: BTreeSet<&str> = map.iter().map(|room| room.name.as_str()).collect();
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut offenders = Vec::new();
    for file in rooms_files() {
        let room = map.iter().find(|room| room.name == file.room()).unwrap();
        for name in file.root_names() {
            // The macro stands at the crate's root but is the model's.
            let target = if name == "msg" { "model" } else { &name };
            if target == room.name {
                continue;
            }
            if !names.contains(target) {
                offenders.push(format!("{}: crate::{name} is no room", file.path));
            } else if !room.arrows.contains(target) {
                offenders.push(format!("{}: {} -> {target} is not on the map", file.path, room.name));
            }
            used.entry(room.name.clone()).or_default().insert(target.to_owned());
        }
    }
    let nothing = BTreeSet::new();
    for room in map.iter().filter(|room| !room.all) {
        for stale in room.arrows.difference(used.get(&room.name).unwrap_or(&nothing)) {
            offenders
                .push(format!("server/lib.rs: nothing uses {} -> {stale}; take it off the map", room.name));
        }
    }
    assert_none("arrows", &offenders);
    let found: usize = used.values().map(BTreeSet::len).sum();
    assert!(found >= 40, "only {found} arrows found: the source cannot be read any more");
}

#[test]
fn one_stranger_per_room() {
    let files = production("server");
    let mut offenders = Vec::new();
    for (stranger, rooms) in STRANGERS {
        let users: BTreeSet<&str> =
            files.iter().filter(|f| f.names_crate(stranger)).map(File::room).collect();
        for file in files.iter().filter(|f| f.names_crate(stranger) && !rooms.contains(&f.room())) {
            offenders.push(format!("{}: {stranger} belongs to {}", file.path, rooms.join(", ")));
        }
        for absent in rooms.iter().filter(|room| !users.contains(*room)) {
            offenders.push(format!(
                "tests/architecture.rs: {absent} does not use {stranger}; take it off the list"
            ));
        }
    }
    for file in files.iter().filter(|f| f.room() != "git" && f.code.contains("process::Command")) {
        offenders.push(format!("{}: only git starts a program", file.path));
    }
    assert_none("strangers", &offenders);
}

#[test]
fn every_dependency_has_its_place() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let (_, rest) = manifest.split_once("\n[dependencies]\n").unwrap();
    let section = rest.split("\n[").next().unwrap();
    let names = section.lines().filter_map(|line| Some(line.split_once(" = ")?.0.replace('-', "_")));
    let (known, listed): (Vec<String>, Vec<String>) = names
        .partition(|name| EVERYWHERE.contains(&name.as_str()) || STRANGERS.iter().any(|(s, _)| s == name));
    assert_none("dependencies without a room in tests/architecture.rs", &listed);
    assert_eq!(known.len(), EVERYWHERE.len() + STRANGERS.len(), "a name in this test is no dependency");
    let files = production("server");
    let unused: Vec<String> =
        known.into_iter().filter(|name| !files.iter().any(|file| file.names_crate(name))).collect();
    assert_none("dependencies that nothing uses", &unused);
}

#[test]
fn sql_stays_in_the_store() {
    let sql = ["SELECT ", "INSERT INTO", "UPDATE ", "DELETE FROM", "CREATE TABLE"];
    let has_sql = |file: &File| {
        let strings = file.text.lines().filter(|line| !line.trim_start().starts_with("//"));
        strings.map(str::to_owned).any(|line| sql.iter().any(|word| line.contains(word)))
    };
    let (store, others): (Vec<_>, Vec<_>) =
        rooms_files().into_iter().partition(|file| file.room() == "store");
    assert!(store.iter().filter(|file| has_sql(file)).count() >= 6, "no SQL found in the store");
    let offenders: Vec<String> = others.iter().filter(|f| has_sql(f)).map(|f| f.path.clone()).collect();
    assert_none("SQL outside of store/", &offenders);
}

#[test]
fn files_are_short_enough_to_read() {
    let long = |file: &File| {
        (file.length() > LONGEST).then(|| format!("{}: {} lines before its tests", file.path, file.length()))
    };
    let offenders: Vec<String> = production("server").iter().filter_map(long).collect();
    assert_none("files over 300 lines", &offenders);
}

#[test]
fn every_file_says_what_it_is() {
    let all: Vec<File> = ["server", "tests"].into_iter().flat_map(files).collect();
    let silent = |file: &&File| !file.text.starts_with("//! ");
    let offenders: Vec<String> = all.iter().filter(silent).map(|f| f.path.clone()).collect();
    assert_none("files without an opening paragraph", &offenders);
}

#[test]
fn links_between_documents_lead_somewhere() {
    let (mut pages, mut offenders, mut links) = (Vec::new(), Vec::new(), 0);
    source::walk(&root().join("docs"), ".md", &mut pages);
    pages.extend(["README.md", "CHANGELOG.md"].map(|name| root().join(name)));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let targets = text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
        for target in targets.filter(|target| !target.contains("://") && !target.starts_with('#')) {
            links += 1;
            let path = page.parent().unwrap().join(target.split('#').next().unwrap());
            if !path.exists() {
                offenders.push(format!("{}: {target}", page.strip_prefix(root()).unwrap().display()));
            }
        }
    }
    assert!(links >= 12, "only {links} links found");
    assert_none("links to nowhere", &offenders);
}

#[test]
fn secrets_neither_print_nor_compare() {
    let secret = fs::read_to_string(root().join("server/model/secret.rs")).unwrap();
    let (before, _) = secret.split_once("pub struct Secret(").expect("Secret is a tuple struct");
    let derived = before.rsplit_once("#[derive(").expect("Secret derives something").1;
    assert_eq!(derived.trim(), "Clone)]", "what Secret derives");
    let mut offenders = Vec::new();
    for file in production("server") {
        for (number, line) in file.code.lines().enumerate() {
            let forbidden = ["PartialEq", "Display", "Serialize", "Hash", "Deref", "AsRef"]
                .iter()
                .any(|name| line.contains("impl") && line.contains(name) && line.contains("for Secret"));
            let compared = (line.contains("==") || line.contains("!=")) && line.contains(".reveal()");
            let emptiness = line.contains(".reveal().is_empty()");
            if forbidden || (compared && !emptiness) {
                offenders.push(format!("{}:{}", file.path, number + 1));
            }
        }
    }
    assert_none("secrets that print or compare", &offenders);
}

#[test]
fn the_reader_reads() {
    let code = source::strip(
        "let a = \"crate::store\"; // crate::git\nlet b = r#\"x\"y\"#; 'a'; &'a str; b'\\''; for_r\n",
    );
    assert_eq!(code, "let a =  ;  \nlet b =  ;  ; &'a str;  ; for_r\n");
    let text = "use crate::{git, model::{A, B}};\nuse crate::store::Store;\nfn f() { super::super::logs::x(); }\n#[cfg(test)]\nmod tests {\n use crate::web;\n}\n";
    let file = File { path: "server/run/x.rs".into(), text: text.into(), code: text.into() };
    let names: Vec<String> = file.root_names().into_iter().collect();
    assert_eq!(names, ["git", "logs", "model", "store", "web"]);
    assert_eq!((file.room(), file.length()), ("run", 3));
    let named =
        |code: &str| File { path: String::new(), text: String::new(), code: code.into() }.names_crate("git2");
    assert!(named("git2::Oid") && named("use git2;") && !named("my_git2::x") && !named("crate::git2::x"));
}
