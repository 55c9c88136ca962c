//! A command's options with their values, as Docker's programs take them.

/// Options of a build that take a value in the next word.
pub const OF_BUILD: &str = "-t --tag -f --file -m --memory -c --cpu-shares -o --output --add-host --allow --annotation --attest --build-arg \
    --build-context --builder --cache-from --cache-to --call --cgroup-parent --cpu-period --cpu-quota --cpuset-cpus \
    --iidfile --isolation --label --memory-swap --metadata-file --network --no-cache-filter --platform --progress \
    --provenance --sbom --secret --security-opt --shm-size --ssh --target";
/// Options before the subcommand that take a value in the next word.
pub const OF_DOCKER: &str = "-H --host -c --context -l --log-level --config -p --project-name --profile --ansi --progress --parallel --env-file";
/// The same of compose.
pub const OF_COMPOSE: &str = "-H --host -c --context -l --log-level --config -p --project-name --profile --ansi --progress --parallel --env-file \
    -f --file --project-directory";
pub const OF_STACK: &str = "-c --compose-file --orchestrator --resolve-image";

/// The words of a command that options are read from.
pub struct Options<'w> {
    pub words: &'w [String],
    /// Those that take a value in the next word.
    pub values: &'static str,
}

impl<'w> Options<'w> {
    fn takes_value(&self, name: &str) -> bool {
        self.values.split_ascii_whitespace().any(|known| known == name)
    }

    /// The option at `at` with its value, and how many words they are.
    fn at(&self, at: usize) -> Option<(&'w str, &'w str, usize)> {
        let word = self.words.get(at).filter(|word| word.starts_with('-') && word.len() > 1)?;
        if let Some((name, value)) = word.split_once('=') {
            return Some((name, value, 1));
        }
        if self.takes_value(word) {
            return Some((word, self.words.get(at + 1).map(String::as_str).unwrap_or_default(), 2));
        }
        // A short option may have its value right behind it.
        match word
            .get(..2)
            .filter(|short| !word.starts_with("--") && word.len() > 2 && self.takes_value(short))
        {
            Some(short) => Some((short, &word[2..], 1)),
            None => Some((word, "", 1)),
        }
    }

    pub fn before_the_first_word(&self) -> (Vec<(&'w str, &'w str)>, &'w [String]) {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some((name, value, length)) = self.at(at) {
            found.push((name, value));
            at += length;
        }
        (found, self.words.get(at..).unwrap_or_default())
    }

    /// All options, and the first word that is none.
    pub fn all(&self) -> (Vec<(&'w str, &'w str)>, Option<&'w str>) {
        let mut found = Vec::new();
        let mut first = None;
        let mut at = 0;
        while at < self.words.len() {
            match self.at(at) {
                Some((name, value, length)) => {
                    found.push((name, value));
                    at += length;
                }
                None => {
                    first = first.or(Some(self.words[at].as_str()));
                    at += 1;
                }
            }
        }
        (found, first)
    }
}
