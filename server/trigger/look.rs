//! What git says of the commits that refs point to, many of one repository in one go: the pipeline found at the root, and
//! the definitions that stand at paths. A definition is read and parsed once, however many commits have it. Blocking.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::git::OpenRepository;
use crate::model::{CommitId, Definition, Finding, Message, Result};
use crate::msg;
use crate::pipeline;

/// When so much time is used up, the rest waits for the repository's next turn.
const BUDGET: Duration = Duration::from_millis(200);

/// One commit, as far as pipelines are concerned.
pub struct Look {
    pub commit: CommitId,
    /// The path of the pipeline found without being asked.
    pub found: Option<String>,
    /// Why none was found although something is called like one.
    pub odd: Option<Message>,
    /// What stands at the paths asked for and at `found`; `None` is nothing.
    pub sources: BTreeMap<String, Result<Option<Source>>>,
}

#[derive(Clone)]
pub struct Source {
    /// Id in git.
    pub object: String,
    pub definition: Arc<Result<Definition, Vec<Finding>>>,
}

/// Looks at what refs point to, in this order, until the time is used up; at least at the first.
pub fn look_at(open: &OpenRepository, tips: &[CommitId], paths: &[String]) -> Vec<Result<Arc<Look>>> {
    let mut looking = Looking { open, paths, commits: BTreeMap::new(), sources: BTreeMap::new() };
    let begun = Instant::now();
    let mut looks = Vec::new();
    for tip in tips {
        if !looks.is_empty() && begun.elapsed() >= BUDGET {
            break;
        }
        looks.push(looking.tip(tip));
    }
    looks
}

struct Looking<'a> {
    open: &'a OpenRepository,
    paths: &'a [String],
    commits: BTreeMap<String, Result<Arc<Look>>>,
    sources: BTreeMap<(String, String), Source>,
}

impl Looking<'_> {
    fn tip(&mut self, tip: &CommitId) -> Result<Arc<Look>> {
        let commit = self.open.tip(tip)?;
        if let Some(known) = self.commits.get(commit.as_str()) {
            return known.clone();
        }
        let look = self.commit(&commit).map(Arc::new);
        self.commits.insert(commit.to_string(), look.clone());
        look
    }

    fn commit(&mut self, commit: &CommitId) -> Result<Look> {
        let names = self.open.definition_names(commit)?;
        let found = pipeline::discover(&names).map(str::to_owned);
        let odd = match found {
            Some(_) => None,
            None => self.odd(commit)?,
        };
        let mut sources = BTreeMap::new();
        for path in self.paths.iter().chain(&found) {
            if !sources.contains_key(path) {
                sources.insert(path.clone(), self.source(commit, path));
            }
        }
        Ok(Look { commit: commit.clone(), found, odd, sources })
    }

    fn odd(&self, commit: &CommitId) -> Result<Option<Message>> {
        let others = self.open.other_names(commit)?;
        Ok(pipeline::discover(&others).map(|path| msg!("trigger-definition-no-file", path = path)))
    }

    fn source(&mut self, commit: &CommitId, path: &str) -> Result<Option<Source>> {
        let Some(object) = self.open.definition_object(commit, path)? else { return Ok(None) };
        let key = (path.to_owned(), object);
        if let Some(known) = self.sources.get(&key) {
            return Ok(Some(known.clone()));
        }
        let Some(read) = self.open.definition_source(commit, path)? else { return Ok(None) };
        let definition = Arc::new(pipeline::read_found(path, &read));
        let source = Source { object: read.object, definition };
        self.sources.insert(key, source.clone());
        Ok(Some(source))
    }
}
