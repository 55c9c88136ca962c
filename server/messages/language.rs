//! The four languages and how one is chosen for a reader: their setting, else the cookie, else what
//! their browser asks for, else English. It never guesses from an address or a name.

use std::fmt;
use std::str::FromStr;

use crate::model::{Error, Result};
use crate::msg;

/// A language of the catalogue; the text form is the folder's name below `web-templates/messages/`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Language {
    #[default]
    English,
    Korean,
    TraditionalChinese,
    BrazilianPortuguese,
}

impl Language {
    pub const ALL: [Language; 4] =
        [Language::English, Language::Korean, Language::TraditionalChinese, Language::BrazilianPortuguese];

    /// `en`, `ko`, `zh-TW` or `pt-BR`: for the `lang` attribute, the cookie and the account's setting.
    pub const fn as_str(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Korean => "ko",
            Language::TraditionalChinese => "zh-TW",
            Language::BrazilianPortuguese => "pt-BR",
        }
    }

    /// The language's own name for itself, as it stands in a list of languages.
    pub const fn endonym(self) -> &'static str {
        match self {
            Language::English => "English",
            Language::Korean => "한국어",
            Language::TraditionalChinese => "繁體中文",
            Language::BrazilianPortuguese => "Português (Brasil)",
        }
    }

    /// The language for a reader: `setting` of the account, then `cookie`, then the request's
    /// `Accept-Language`; whatever of them cannot be read is passed over.
    pub fn negotiate(setting: Option<Language>, cookie: Option<&str>, accept: Option<&str>) -> Language {
        setting
            .or_else(|| cookie.and_then(|value| value.parse().ok()))
            .or_else(|| accept.and_then(Language::from_accept))
            .unwrap_or_default()
    }

    /// The best match of an `Accept-Language` header (RFC 9110, 12.5.4); `None` when none is wanted.
    fn from_accept(header: &str) -> Option<Language> {
        let mut best: Option<(f32, Language)> = None;
        for entry in header.split(',').take(32) {
            let mut parts = entry.split(';');
            let tag = parts.next().unwrap_or_default().trim();
            let quality =
                parts.find_map(|p| p.trim().strip_prefix("q=")).map_or(Some(1.0), |q| q.trim().parse().ok());
            let (Some(language), Some(quality)) = (Language::closest(tag), quality) else { continue };
            if quality > 0.0 && best.is_none_or(|(found, _)| quality > found) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// By the primary subtag only: a reader of any Portuguese or Chinese is nearer to ours than to English.
    fn closest(tag: &str) -> Option<Language> {
        let primary = tag.split(['-', '_']).next().unwrap_or_default();
        match primary.to_ascii_lowercase().as_str() {
            "en" | "*" => Some(Language::English),
            "ko" => Some(Language::Korean),
            "zh" => Some(Language::TraditionalChinese),
            "pt" => Some(Language::BrazilianPortuguese),
            _ => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = Error;
    /// Exactly one of the four names, in any case.
    fn from_str(value: &str) -> Result<Self> {
        let known = Language::ALL.into_iter().find(|l| l.as_str().eq_ignore_ascii_case(value));
        known.ok_or_else(|| Error::Invalid(msg!("web-language-unknown")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_setting_wins_then_the_cookie_then_the_browser() {
        let accept = Some("fr;q=1, pt-PT;q=0.8, ko-KR;q=0.9, en;q=0.1");
        assert_eq!(Language::negotiate(None, None, accept), Language::Korean);
        assert_eq!(Language::negotiate(None, Some("zh-tw"), accept), Language::TraditionalChinese);
        let setting = Some(Language::BrazilianPortuguese);
        assert_eq!(Language::negotiate(setting, Some("ko"), accept), Language::BrazilianPortuguese);
        assert_eq!(Language::negotiate(None, Some("xx"), Some("ko;q=0, de")), Language::English);
    }

    proptest! {
        #[test]
        fn any_header_is_read(text in "\\PC{0,200}") {
            let _ = Language::negotiate(None, Some(&text), Some(&text));
        }
    }
}
