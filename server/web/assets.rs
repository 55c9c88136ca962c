//! The stylesheet, the script and the pictures, compiled in and served under names that carry a hash
//! of their content, so that a browser may keep them for ever and never has an old one. Nothing here
//! is read from disk or from another origin.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::ansi;

macro_rules! files {
    ($($name:literal => $kind:literal),* $(,)?) => {
        &[$(($name, $kind, include_str!(concat!("../../web-templates/static/", $name)))),*]
    };
}

/// `(name, media type, text)`; a stylesheet may name only files that stand before it.
const FILES: &[(&str, &str, &str)] = files![
    "favicon.svg" => "image/svg+xml",
    "favicon-passed.svg" => "image/svg+xml",
    "favicon-failed.svg" => "image/svg+xml",
    "favicon-running.svg" => "image/svg+xml",
    "ropewalk.js" => "text/javascript; charset=utf-8",
    "ropewalk.css" => "text/css; charset=utf-8",
];

#[derive(Debug)]
pub struct Asset {
    pub media_type: &'static str,
    pub body: Bytes,
}

#[derive(Default)]
struct Assets {
    /// `ropewalk.css` -> `/static/ropewalk.0123456789ab.css`.
    addresses: HashMap<&'static str, String>,
    /// By the name in the address.
    assets: HashMap<String, Asset>,
}

static ASSETS: LazyLock<Assets> = LazyLock::new(Assets::load);

impl Assets {
    fn load() -> Self {
        let mut all = Assets::default();
        for (name, media_type, text) in FILES {
            let mut text = (*text).to_owned();
            if name.ends_with(".css") {
                text.push_str(&ansi::rules());
            }
            let hash: String = Sha256::digest(&text).iter().take(6).map(|b| format!("{b:02x}")).collect();
            let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "txt"));
            let hashed = format!("{stem}.{hash}.{ending}");
            all.addresses.insert(name, format!("/static/{hashed}"));
            all.assets.insert(hashed, Asset { media_type, body: Bytes::from(text) });
        }
        all
    }
}

/// The address of the file `name` of `web-templates/static/`; an address that answers 404 when there is none.
pub fn address(name: &str) -> &'static str {
    ASSETS.addresses.get(name).map_or("/static/none", String::as_str)
}

/// The asset whose address ends in `hashed`.
pub fn find(hashed: &str) -> Option<&'static Asset> {
    ASSETS.assets.get(hashed)
}

/// `GET /static/{name}`.
pub async fn serve(name: web::Path<String>) -> HttpResponse {
    match find(&name) {
        Some(asset) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, asset.media_type))
            .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .body(asset.body.clone()),
        None => HttpResponse::NotFound().finish(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_has_an_address_that_answers() {
        for (name, _, _) in FILES {
            let hashed = address(name).strip_prefix("/static/").unwrap();
            assert!(find(hashed).is_some(), "{name}");
            assert!(hashed.len() > name.len() + 10, "{hashed}");
        }
        assert!(find("ropewalk.css").is_none() && find("../ropewalk.css").is_none());
    }

    #[test]
    fn nothing_names_another_origin() {
        for (name, _, text) in FILES {
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(
                !text.contains("http://") && !text.contains("https://") && !text.contains("@import"),
                "{name}"
            );
        }
    }

    /// The named colours of one block of the stylesheet.
    fn colours(block: &str) -> HashMap<&str, [u8; 3]> {
        let named = block.split(';').filter_map(|d| d.trim().strip_prefix("--")?.split_once(": #"));
        let hex = |text: &str, at: usize| u8::from_str_radix(text.get(at..at + 2)?, 16).ok();
        named.filter_map(|(name, v)| Some((name, [hex(v, 0)?, hex(v, 2)?, hex(v, 4)?]))).collect()
    }

    #[test]
    fn both_themes_have_the_contrasts_of_wcag_aa() {
        let css = include_str!("../../web-templates/static/ropewalk.css");
        let blocks: Vec<_> = css.split("--ground:").skip(1).map(|b| b.split('}').next().unwrap()).collect();
        assert_eq!(blocks.len(), 3, "light, dark by the browser, dark by choice");
        let parsed: Vec<_> =
            blocks.iter().map(|b| colours(&[";--ground:", b].concat().leak()[1..])).collect();
        assert_eq!(parsed[1], parsed[2], "dark is dark, however it was chosen");
        for theme in [&parsed[0], &parsed[1]] {
            let at_least = |wanted: f64, a: &str, b: &str| {
                let found = ansi::contrast(theme[a], theme[b]);
                assert!(found >= wanted, "{a} on {b}: {found:.2}");
            };
            for ground in ["ground", "surface", "sunken", "hover"] {
                ["ink", "ink-soft", "link"].iter().for_each(|ink| at_least(4.5, ink, ground));
            }
            for status in ["passed", "failed", "running", "unstable", "lost", "quiet"] {
                for ground in [&format!("{status}-ground"), "surface", "ground", "hover"] {
                    at_least(4.5, status, ground);
                }
                at_least(3.0, &format!("bar-{status}"), "surface");
            }
            at_least(4.5, "accent-ink", "accent");
            at_least(4.5, "accent-ink", "accent-hover");
            for ground in ["ground", "surface", "sunken"] {
                at_least(3.0, "line-strong", ground);
                at_least(3.0, "focus", ground);
            }
        }
    }
}
