//! Folders and files of a commit. What they are called and what is in them is whatever somebody pushed:
//! the raw form is never a page of ours, whatever it says it is.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use actix_web::{HttpResponse, web};

use super::commit_lines;
use super::pieces::{self, head};
use super::repository::At;
use super::visit::{Answer, Visit};
use crate::git::{self, OpenRepository};
use crate::model::{CommitId, Error, Result};
use crate::msg;
use crate::store::repositories::Repository;
use crate::web::errors::Failure;
use crate::web::pages::browse::{Content, Entry, EntryKind, File, Folder, crumbs};
use crate::web::pages::readme::{self, Origin};
use crate::web::pages::repository::Tab;
use crate::web::pages::{CommitBrief, links, respond};
use crate::web::state::Door;

/// Entries of a folder that are shown.
const MOST_ENTRIES: usize = 1000;
/// Refs to choose from, of each kind.
const MOST_REFS: usize = 500;
/// Bytes of a file that is shown as text.
const LONGEST_TEXT: u64 = 512 * 1024;
/// Bytes of a picture that is shown, and of a file that is handed out raw.
const LONGEST_RAW: u64 = 64 * 1024 * 1024;

/// What is looked at: a revision and a path in it.
pub struct Look {
    pub repository: String,
    pub at: String,
    pub path: String,
}

/// A folder as it is shown.
pub struct Seen {
    pub commit: CommitBrief,
    pub entries: Vec<Entry>,
    pub cut: bool,
    pub readme: Option<(String, String)>,
}

/// Branches, the default one first, then tags.
pub fn refs(door: &Door, repository: &Repository) -> Result<Vec<String>> {
    let all = door.git.list_refs(&repository.path)?.refs;
    let default = repository.default_branch.as_deref();
    let branches = all.iter().filter_map(|(name, _)| name.branch_name());
    let tags = all.iter().filter_map(|(name, _)| name.tag_name());
    let first = branches.clone().filter(|name| Some(*name) == default);
    let others = branches.filter(|name| Some(*name) != default).take(MOST_REFS);
    Ok(first.chain(others).chain(tags.take(MOST_REFS)).map(str::to_owned).collect())
}

/// The folder at a path; `None` when there is none. Blocking.
pub fn folder(open: &OpenRepository, look: &Look) -> Result<Option<Seen>> {
    let commit = open.resolve(&look.at)?.commit;
    let Some(listing) = open.list_tree(&commit, &look.path, MOST_ENTRIES)? else { return Ok(None) };
    let path = look.repository.parse()?;
    let entry = |entry: git::TreeEntry| {
        let below =
            if look.path.is_empty() { entry.name.clone() } else { format!("{}/{}", look.path, entry.name) };
        Entry {
            href: links::file(&look.repository, &look.at, &below),
            kind: kind(entry.kind),
            size: entry.size,
            name: entry.name,
        }
    };
    // One that cannot be read takes the page's other parts with it no more than one that is not there.
    let readme = open.readme(&commit, &look.path).unwrap_or_default();
    let readme = readme.map(|(name, blob)| {
        let html = rendered(&name, &blob.bytes, look);
        (name, html)
    });
    Ok(Some(Seen {
        commit: commit_lines::brief(&path, &open.commit(&commit)?),
        entries: listing.entries.into_iter().map(entry).collect(),
        cut: listing.truncated,
        readme,
    }))
}

const fn kind(kind: git::EntryKind) -> EntryKind {
    match kind {
        git::EntryKind::Folder => EntryKind::Folder,
        git::EntryKind::File | git::EntryKind::Executable => EntryKind::File,
        git::EntryKind::Link => EntryKind::Link,
        git::EntryKind::Submodule => EntryKind::Submodule,
    }
}

/// A README as HTML: Markdown by its name, else as it is typed.
fn rendered(name: &str, bytes: &[u8], look: &Look) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !is_markdown(name) {
        let mut html = String::from("<pre>");
        for c in text.chars() {
            match c {
                '<' => html.push_str("&lt;"),
                '>' => html.push_str("&gt;"),
                '&' => html.push_str("&amp;"),
                other => html.push(other),
            }
        }
        return html + "</pre>";
    }
    let origin =
        Origin { repository: look.repository.clone(), at: look.at.clone(), folder: look.path.clone() };
    readme::render(&text, origin)
}

fn is_markdown(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.ends_with(".md") || name.ends_with(".markdown")
}

/// What is at a path.
enum Thing {
    Folder(Seen),
    File(u64, Content),
}

fn thing(open: &OpenRepository, look: &Look) -> Result<Option<Thing>> {
    let commit = open.resolve(&look.at)?.commit;
    let Some(entry) = open.entry_at(&commit, &look.path)? else { return Ok(None) };
    let size = entry.size.unwrap_or_default();
    Ok(Some(match entry.kind {
        git::EntryKind::Folder => match folder(open, look)? {
            Some(seen) => Thing::Folder(seen),
            None => return Ok(None),
        },
        git::EntryKind::Submodule => Thing::File(0, Content::Link(entry.id.to_string())),
        git::EntryKind::Link => {
            let target = open.link_at(&commit, &look.path)?.unwrap_or_default();
            Thing::File(target.len() as u64, Content::Link(target))
        }
        git::EntryKind::File | git::EntryKind::Executable => {
            Thing::File(size, content(open, &commit, look, size)?)
        }
    }))
}

fn content(open: &OpenRepository, commit: &CommitId, look: &Look, size: u64) -> Result<Content> {
    if size > LONGEST_RAW {
        return Ok(Content::TooLarge);
    }
    let is_picture = mime_guess::from_path(&look.path).iter().any(|kind| kind.type_() == "image");
    if size > LONGEST_TEXT && !is_picture {
        return Ok(Content::TooLarge);
    }
    let bytes = open.blob_at(commit, &look.path, LONGEST_RAW)?.map(|blob| blob.bytes).unwrap_or_default();
    if picture(&bytes).is_some() {
        return Ok(Content::Picture);
    }
    if size > LONGEST_TEXT {
        return Ok(Content::TooLarge);
    }
    if bytes.contains(&0) {
        return Ok(Content::Binary);
    }
    if is_markdown(&look.path) {
        let (folder, _) = look.path.rsplit_once('/').unwrap_or_default();
        let look = Look { repository: look.repository.clone(), at: look.at.clone(), path: folder.to_owned() };
        return Ok(Content::Markdown(rendered("x.md", &bytes, &look)));
    }
    Ok(Content::Text(String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()))
}

/// The media type of a picture that a browser only draws; told from its first bytes, never from its name.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

type Address = web::Path<(String, String, String)>;

fn parts(address: &Address) -> ((String, String), String) {
    let (owner, name, path) = (&address.0, &address.1, &address.2);
    ((owner.clone(), name.clone()), path.trim_end_matches('/').to_owned())
}

/// `GET /{owner}/{name}/files/{path}`: a folder or a file.
pub async fn files(visit: Visit, address: Address, at: web::Query<At>) -> Answer {
    let (path, below) = parts(&address);
    let repository = pieces::readable(&visit, &path)?;
    let at = at.or_default(&repository).ok_or_else(Failure::not_found)?;
    let head = head(&visit, &repository, Tab::Files);
    let look = Look { repository: head.repository.clone(), at: at.clone(), path: below.clone() };
    let found = visit.door.git.read(&repository.path, move |open| thing(open, &look)).await?;
    let crumbs = crumbs(&head.repository, &at, &below);
    match found
        .ok_or_else(|| Error::NotFound(msg!("pages-no-file", path = shown(&below), at = shown(&at))))?
    {
        Thing::Folder(seen) => {
            let refs = refs(&visit.door, &repository)?;
            let Seen { entries, cut, readme, .. } = seen;
            Ok(respond(&Folder { page: visit.page, head, at, refs, crumbs, entries, cut, readme }))
        }
        Thing::File(size, content) => {
            let raw_href = links::raw(&head.repository, &at, &below);
            Ok(respond(&File { page: visit.page, head, at, crumbs, size, raw_href, content }))
        }
    }
}

/// `GET /{owner}/{name}/raw/{path}`: the bytes, as text, as a picture, or to be saved; never as a page.
pub async fn raw(visit: Visit, address: Address, at: web::Query<At>) -> Answer {
    let (path, below) = parts(&address);
    let repository = pieces::readable(&visit, &path)?;
    let at = at.or_default(&repository).ok_or_else(Failure::not_found)?;
    let wanted = below.clone();
    let look = move |open: &OpenRepository| open.blob_at(&open.resolve(&at)?.commit, &wanted, LONGEST_RAW);
    let blob = visit.door.git.read(&repository.path, look).await?.ok_or_else(Failure::not_found)?;
    let mut answer = HttpResponse::Ok();
    answer.insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    match picture(&blob.bytes) {
        Some(kind) => answer.insert_header((CONTENT_TYPE, kind)),
        None if !blob.bytes.contains(&0) => answer.insert_header((CONTENT_TYPE, "text/plain; charset=utf-8")),
        None => answer
            .insert_header((CONTENT_TYPE, "application/octet-stream"))
            .insert_header((CONTENT_DISPOSITION, "attachment")),
    };
    Ok(answer.body(blob.bytes))
}

/// A name as it may stand in a sentence.
pub fn shown(text: &str) -> String {
    text.chars().take(200).collect::<String>().escape_debug().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        assert_eq!(picture(b"\x89PNG\r\n\x1a\n"), Some("image/png"));
        assert_eq!(picture(b"<svg xmlns='http://www.w3.org/2000/svg'><script>"), None);
        assert_eq!(picture(b""), None);
    }

    #[test]
    fn a_plain_readme_is_text() {
        let look = Look { repository: "a/b".into(), at: "main".into(), path: String::new() };
        let html = rendered("README", b"<script>alert(1)</script> & more", &look);
        assert_eq!(html, "<pre>&lt;script&gt;alert(1)&lt;/script&gt; &amp; more</pre>");
        assert!(!rendered("README.md", b"<img src=x onerror=alert(1)>", &look).contains("<img"));
    }
}
