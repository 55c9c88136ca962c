//! Markdown from a repository to HTML that is safe on our origin: comrak without raw HTML, then ammonia
//! with a short list of elements. Pictures and links to other schemes than http(s) and mailto are
//! dropped; there is no other renderer, so nothing in a repository can bring a script to a page.

use std::borrow::Cow;
use std::collections::HashSet;

use ammonia::{Builder, UrlRelative, UrlRelativeEvaluate};

use super::links;

/// Longer texts are shown as plain files.
pub const LONGEST: usize = 512 * 1024;

const ELEMENTS: [&str; 30] = [
    "a",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
];

/// Where a text stands: links in it are relative to that.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `owner/name`.
    pub repository: String,
    /// The revision that is shown.
    pub at: String,
    /// Its folder, without slashes at the ends; empty for the root.
    pub folder: String,
}

/// Sanitized HTML of `markdown`.
pub fn render(markdown: &str, origin: Origin) -> String {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    let html = comrak::markdown_to_html(markdown, &options);
    let mut elements = HashSet::from(ELEMENTS);
    elements.extend(["tr", "ul"]);
    Builder::default()
        .tags(elements)
        .tag_attributes([("a", HashSet::from(["href"])), ("ol", HashSet::from(["start"]))].into())
        .generic_attributes(HashSet::new())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .link_rel(Some("noopener noreferrer nofollow"))
        .url_relative(UrlRelative::Custom(Box::new(origin)))
        .clean(&html)
        .to_string()
}

impl UrlRelativeEvaluate<'static> for Origin {
    fn evaluate<'url>(&self, link: &'url str) -> Option<Cow<'url, str>> {
        resolved(link, self).map(Cow::Owned)
    }
}

/// The page of the file a relative link means; `None` (the link is dropped) for what leaves the repository.
fn resolved(link: &str, origin: &Origin) -> Option<String> {
    let path = decoded(link.split(['#', '?']).next().unwrap_or_default());
    if path.is_empty() || path.starts_with("//") || path.contains(['\\', ':']) {
        return None;
    }
    let folder = if path.starts_with('/') { "" } else { &origin.folder };
    let mut way: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                way.pop()?;
            }
            part => way.push(part),
        }
    }
    Some(links::file(&origin.repository, &origin.at, &way.join("/")))
}

/// `%41` to `A`; what is not UTF-8 afterwards becomes the replacement character.
fn decoded(text: &str) -> String {
    let digit =
        |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while let Some(byte) = bytes.get(at) {
        match (byte, digit(bytes.get(at + 1)), digit(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push(high * 16 + low);
                at += 3;
            }
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn html(markdown: &str) -> String {
        let origin = Origin { repository: "a/b".into(), at: "main".into(), folder: "docs".into() };
        render(markdown, origin)
    }

    #[test]
    fn nothing_in_a_readme_can_act() {
        for hostile in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "[x](javascript:alert(1))",
            "[x](data:text/html;base64,PHNjcmlwdD4=)",
            "![x](http://elsewhere/track.png)",
            "<a href=\"&#106;avascript:alert(1)\">x</a>",
            "<style>*{display:none}</style>",
            "<form action=/sign-out method=post><button>x</button></form>",
            "<iframe src=/></iframe><svg onload=alert(1)>",
            "```mermaid\n<script>\n```",
            "[x](//elsewhere/y)",
            "[x](vbscript:x)",
            "[x](\\\\elsewhere\\y)",
        ] {
            let html = html(hostile);
            for bad in [
                "<script",
                "<img",
                "<style",
                "<form",
                "<iframe",
                "<svg",
                "javascript:",
                "data:",
                "vbscript:",
                "elsewhere",
            ] {
                assert!(!html.contains(bad), "{hostile} -> {html}");
            }
        }
    }

    #[test]
    fn links_stay_in_the_repository() {
        assert!(html("[x](../src/a%20b.rs)").contains("/a/b/files/src/a%20b.rs?at=main"));
        assert!(html("[x](guide.md#top)").contains("/a/b/files/docs/guide.md?at=main"));
        assert!(!html("[x](../../../etc/passwd)").contains("href"));
        assert!(!html("[x](%2e%2e/%2E%2E/..%2fetc)").contains("href"));
        assert!(html("[x](https://example.org/)").contains("href=\"https://example.org/\""));
        assert!(html("|a|\n|-|\n|b|").contains("<td>b</td>"));
    }

    proptest! {
        #[test]
        fn any_text_is_rendered_without_scripts(text in "[<>a-z\"'()\\[\\]!/:&;#=` \n*_-]{0,200}") {
            let html = html(&text);
            prop_assert!(!html.contains("<script") && !html.contains("<img"));
        }
    }
}
