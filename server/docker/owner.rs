//! Whose something in the engine is: the installation, and which start of it. A copy of the data directory has the same
//! installation's name; only what this start made, or a start before it in the same directory, is ever removed.

use std::collections::{BTreeSet, HashMap};

pub(super) const LABEL_SERVER: &str = "ropewalk.server";
pub(super) const LABEL_START: &str = "ropewalk.start";

/// Starts of a server, by the random id of each.
#[derive(Clone, Debug, Default)]
pub struct Starts {
    pub own: String,
    /// Those before it, which are known to be over.
    pub over: BTreeSet<String>,
}

pub(super) struct Owner {
    pub server: String,
    pub starts: Starts,
}

impl Owner {
    /// For everything that is made.
    pub fn labels(&self) -> HashMap<String, String> {
        let pairs = [(LABEL_SERVER, &self.server), (LABEL_START, &self.starts.own)];
        pairs.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    /// Whether what has these labels may be removed when no run needs it. Without a start it is of an older version.
    pub fn owns(&self, labels: &HashMap<String, String>) -> bool {
        labels.get(LABEL_SERVER) == Some(&self.server)
            && labels
                .get(LABEL_START)
                .is_none_or(|start| *start == self.starts.own || self.starts.over.contains(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_start_made_is_left_unless_that_start_is_over() {
        let owner = |own: &str, over: &[&str]| Owner {
            server: "house".into(),
            starts: Starts { own: own.into(), over: over.iter().map(|start| (*start).to_owned()).collect() },
        };
        let now = owner("b", &["a"]);
        assert!(now.owns(&now.labels()));
        assert!(now.owns(&owner("a", &[]).labels()));
        assert!(!now.owns(&owner("c", &[]).labels()), "a start that is not known here");
        assert!(now.owns(&HashMap::from([(LABEL_SERVER.to_owned(), "house".to_owned())])));
        assert!(!now.owns(&HashMap::from([(LABEL_SERVER.to_owned(), "other".to_owned())])));
        assert!(!now.owns(&HashMap::new()));
    }
}
