//! The language of the terminal, from the variables every program goes by.

use std::sync::OnceLock;

use crate::messages::{self, Language};
use crate::model::Message;

/// The language of this process: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set.
pub fn language() -> Language {
    if cfg!(test) {
        // Tests compare with the documentation, which is in English wherever they run.
        return Language::English;
    }
    static CHOSEN: OnceLock<Language> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        of_locale(&["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(set).unwrap_or_default())
    })
}

/// `pt_BR.UTF-8` is Portuguese; `C`, `POSIX` and what we do not speak is English.
fn of_locale(locale: &str) -> Language {
    let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    Language::negotiate(None, None, Some(&tag))
}

/// The sentence in the process's language.
pub fn say(message: &Message) -> String {
    messages::render(language(), message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_name_languages() {
        for (locale, language) in [
            ("pt_BR.UTF-8", "pt-BR"),
            ("ko_KR.UTF-8", "ko"),
            ("zh_TW.UTF-8@radical", "zh-TW"),
            ("C.UTF-8", "en"),
            ("POSIX", "en"),
            ("", "en"),
            ("de_DE", "en"),
        ] {
            assert_eq!(of_locale(locale).as_str(), language, "{locale}");
        }
    }
}
