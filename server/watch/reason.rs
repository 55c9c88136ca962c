//! Why a registry could not be asked, in the words that stand in a stream's conditions, and what that says of the
//! registry itself, for the state of its endpoint. It asks nobody.

use jiff::Timestamp;

use crate::model::{Error, Message, Result};
use crate::msg;
use crate::store::{Connection, endpoints};

/// OpenShift's word for it, or one in its manner, and the sentence.
pub(super) fn reason(error: &Error) -> (&'static str, Message) {
    match error {
        Error::NotFound(message) => ("NotFound", message.clone()),
        Error::Denied(message) if message.key == "registry-host-unknown" => {
            ("NotConfigured", message.clone())
        }
        Error::Denied(message) => ("Unauthorized", message.clone()),
        Error::Invalid(message) => ("Invalid", message.clone()),
        Error::Conflict(message) => (of_conflict(message), message.clone()),
        Error::Internal(cause) => {
            tracing::warn!(cause, "a tag could not be looked at");
            ("InternalError", msg!("streams-internal"))
        }
    }
}

/// What a registry does that does not do its part.
fn of_conflict(message: &Message) -> &'static str {
    match &*message.key {
        "endpoints-certificate-changed"
        | "endpoints-certificate-not-vouched"
        | "registry-certificate-expired"
        | "registry-certificate-early"
        | "registry-certificate-name"
        | "registry-tls-none"
        | "registry-tls" => "Untrusted",
        "registry-digest-mismatch"
        | "registry-digest-missing"
        | "registry-digest-odd"
        | "registry-no-manifest"
        | "registry-blob-missing"
        | "registry-too-large"
        | "endpoints-blob-length" => "Damaged",
        _ => "Unreachable",
    }
}

/// Whether nothing was learned, so that it is asked again without being told to.
pub(super) fn is_in_vain(word: &str) -> bool {
    matches!(word, "Unreachable" | "Untrusted" | "Damaged" | "InternalError")
}

/// Whether there was no answer at all, so that another question is likely to get none, too.
pub(super) fn is_silence(error: &Error) -> bool {
    matches!(error, Error::Conflict(message) if of_conflict(message) != "Damaged")
}

/// What an answer says of the registry that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Impression {
    Well,
    Trouble(Message),
    /// It was not asked, or the fault is ours.
    Nothing,
}

impl Impression {
    pub fn of(error: Option<&Error>) -> Self {
        match error {
            None | Some(Error::NotFound(_)) => Impression::Well,
            Some(Error::Conflict(message)) => Impression::Trouble(message.clone()),
            Some(Error::Denied(message)) if message.key != "registry-host-unknown" => {
                Impression::Trouble(message.clone())
            }
            Some(Error::Denied(_) | Error::Invalid(_) | Error::Internal(_)) => Impression::Nothing,
        }
    }

    /// Whether the state of the host's endpoint is another one.
    pub fn is_news(&self, c: &Connection, host: &str) -> Result<bool> {
        match self {
            Impression::Well => endpoints::is_news(c, host, None),
            Impression::Trouble(message) => endpoints::is_news(c, host, Some(message)),
            Impression::Nothing => Ok(false),
        }
    }

    /// Writes it down as the state of the host's endpoint, if that is news.
    pub fn note(&self, c: &Connection, host: &str) -> Result<()> {
        match self {
            Impression::Well => endpoints::met(c, host, None, Timestamp::now()),
            Impression::Trouble(message) => endpoints::met(c, host, Some(message), Timestamp::now()),
            Impression::Nothing => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_its_word_and_says_something_of_the_registry_or_not() {
        let word = |error: Error| reason(&error).0;
        let trouble = |error: Error| matches!(Impression::of(Some(&error)), Impression::Trouble(_));
        let changed = || Error::Conflict(Message::new("endpoints-certificate-changed"));
        let lies = || Error::Conflict(Message::new("registry-digest-mismatch"));
        let slow = || Error::Conflict(Message::new("registry-timeout"));
        let unknown = || Error::Denied(Message::new("registry-host-unknown"));
        let refused = || Error::Denied(Message::new("endpoints-refused"));
        assert_eq!([word(changed()), word(lies()), word(slow())], ["Untrusted", "Damaged", "Unreachable"]);
        assert_eq!([word(unknown()), word(refused())], ["NotConfigured", "Unauthorized"]);
        assert!(trouble(changed()) && trouble(lies()) && trouble(slow()) && trouble(refused()));
        assert!(!trouble(unknown()) && !trouble(Error::Internal("x".into())));
        let gone = Error::NotFound(Message::new("streams-source-gone"));
        assert_eq!((word(gone.clone()), Impression::of(Some(&gone))), ("NotFound", Impression::Well));
        assert!(
            is_silence(&slow()) && is_silence(&changed()) && !is_silence(&lies()) && !is_silence(&refused())
        );
        for word in ["Unreachable", "Untrusted", "Damaged", "InternalError"] {
            assert!(is_in_vain(word));
        }
        assert!(!is_in_vain("NotFound") && !is_in_vain("Unauthorized"));
    }
}
