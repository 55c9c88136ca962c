//! Reads in a step's output what it says it pushed. A hint and never more: a step can print anything, so
//! the registry is asked about each candidate before it is recorded. Only lines about our registry count,
//! memory is bounded whatever arrives, and chunks may be cut anywhere.

use std::mem;

use memchr::{memchr3, memmem};

use crate::model::{Digest, ImageReference};

const LONGEST_LINE: usize = 4096;
const MOST_CANDIDATES: usize = 1000;
const MOST_BEGUN: usize = 32;

/// An image a step says it pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub repository: String,
    pub tag: String,
    /// As the log states it. `None` where the tool does not say (compose v2): then only the exit code of
    /// the step tells that the push was completed, and the digest is whatever the tag names now.
    pub digest: Option<Digest>,
}

/// Fed with the output of a step in pieces; knows what docker push, docker-compose 1.29, compose v2,
/// buildx and crane print.
pub struct PushScanner {
    host: String,
    line: Vec<u8>,
    escape: Escape,
    /// What `docker push` said it is pushing; its later lines give only the tag.
    current: Option<String>,
    /// Build steps (`#6`) that buildx said are pushing, until it says that they are done.
    begun: Vec<(String, String)>,
    found: Vec<Candidate>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Started,
    /// `ESC [`: up to a letter.
    Control,
    /// `ESC ]`: up to BEL or `ESC \`.
    Command,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;

impl PushScanner {
    /// `host` as in image references, e.g. `registry.local:5000`.
    pub fn new(host: &str) -> Self {
        PushScanner {
            host: host.to_owned(),
            line: Vec::new(),
            escape: Escape::None,
            current: None,
            begun: Vec::new(),
            found: Vec::new(),
        }
    }

    pub fn feed(&mut self, mut bytes: &[u8]) {
        while let Some(&first) = bytes.first() {
            if self.escape != Escape::None {
                self.escaped(first);
                bytes = &bytes[1..];
                continue;
            }
            let end = memchr3(b'\n', b'\r', ESC, bytes).unwrap_or(bytes.len());
            let room = LONGEST_LINE.saturating_sub(self.line.len()).min(end);
            self.line.extend_from_slice(&bytes[..room]);
            match bytes.get(end) {
                Some(&ESC) => self.escape = Escape::Started,
                Some(_) => self.end_line(),
                None => return,
            }
            bytes = &bytes[end + 1..];
        }
    }

    /// What was found so far, in order of first mention, each repository and tag once.
    pub fn found(&self) -> &[Candidate] {
        &self.found
    }

    /// What was found, the last unfinished line included.
    pub fn finish(mut self) -> Vec<Candidate> {
        self.end_line();
        self.found
    }

    fn escaped(&mut self, byte: u8) {
        // No sequence goes over the end of a line: one that was cut must not swallow what follows.
        if matches!(byte, b'\n' | b'\r') {
            self.escape = Escape::None;
            return self.end_line();
        }
        self.escape = match (self.escape, byte) {
            (Escape::Started, b'[') => Escape::Control,
            (Escape::Started, b']') => Escape::Command,
            (Escape::Started, ESC) | (Escape::Command, ESC) => Escape::Started,
            (Escape::Control, 0x40..=0x7e) | (Escape::Command, BEL) | (Escape::Started | Escape::None, _) => {
                Escape::None
            }
            (state, _) => state,
        };
    }

    fn end_line(&mut self) {
        let mut line = mem::take(&mut self.line);
        let telling: [&[u8]; 3] = [b"ush", b": digest: ", b" DONE "];
        if telling.iter().any(|word| memmem::find(&line, word).is_some()) {
            self.read(&String::from_utf8_lossy(&line));
        }
        line.clear();
        self.line = line;
    }

    fn read(&mut self, line: &str) {
        if let Some((_, rest)) = line.split_once("The push refers to ") {
            let named =
                rest.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map(|(named, _)| named);
            self.current = named.and_then(|named| self.ours(named)).map(|image| image.repository);
        } else if let Some((before, after)) = line.split_once(": digest: ") {
            self.read_digest(before, after);
        } else if let Some((_, rest)) = line.split_once("pushing manifest for ") {
            self.add_reference(first_word(rest));
        } else if let Some((_, rest)) = line.split_once("Pushing ") {
            let Some((reference, rest)) = rest.split_once(": ") else { return };
            let status = rest.trim_start().split_once(' ').map_or("", |(_layer, status)| status.trim_start());
            if ["Pushed", "Layer already exists", "Mounted from"].iter().any(|done| status.starts_with(done))
            {
                self.add_reference(reference);
            }
        } else if let Some((step, rest)) = line.split_once(" pushing ")
            && let Some((reference, _)) = rest.split_once(" with docker")
            && self.begun.len() < MOST_BEGUN
        {
            self.begun.push((step.to_owned(), reference.to_owned()));
        } else if let Some((step, _)) = line.split_once(" DONE ") {
            let (done, begun) = mem::take(&mut self.begun).into_iter().partition(|(known, _)| known == step);
            self.begun = begun;
            let done: Vec<(String, String)> = done;
            done.iter().for_each(|(_, reference)| self.add_reference(reference));
        }
    }

    /// `v3-build-1: digest: sha256:... size: 1234`, after a line that named the repository, or the same
    /// with a whole reference for a tag.
    fn read_digest(&mut self, before: &str, after: &str) {
        let Ok(digest) = Digest::new(first_word(after)) else { return };
        let named = before.split_whitespace().next_back().unwrap_or_default();
        if named.contains('/') {
            if let Some(ImageReference { repository, tag: Some(tag), .. }) = self.ours(named) {
                self.add(Candidate { repository, tag, digest: Some(digest) });
            }
        } else if let Some(repository) = self.current.clone()
            && crate::model::is_tag(named)
        {
            self.add(Candidate { repository, tag: named.to_owned(), digest: Some(digest) });
        }
    }

    fn add_reference(&mut self, text: &str) {
        if let Some(ImageReference { repository, tag: Some(tag), digest, .. }) = self.ours(text) {
            self.add(Candidate { repository, tag, digest });
        }
    }

    fn ours(&self, text: &str) -> Option<ImageReference> {
        ImageReference::parse(text).ok().filter(|image| image.host.as_deref() == Some(self.host.as_str()))
    }

    /// A tag pushed twice is one candidate with the later digest.
    fn add(&mut self, new: Candidate) {
        let same = |known: &&mut Candidate| known.repository == new.repository && known.tag == new.tag;
        if let Some(known) = self.found.iter_mut().find(same) {
            known.digest = new.digest.or(known.digest.take());
        } else if self.found.len() < MOST_CANDIDATES {
            self.found.push(new);
        }
    }
}

fn first_word(text: &str) -> &str {
    text.split_whitespace().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: &str = "registry.local:5000";

    fn digest(c: char) -> Digest {
        Digest::new(format!("sha256:{}", c.to_string().repeat(64))).unwrap()
    }

    fn scan(text: &str) -> Vec<(String, String, Option<Digest>)> {
        let mut scanner = PushScanner::new(HOST);
        scanner.feed(text.as_bytes());
        scanner.finish().into_iter().map(|c| (c.repository, c.tag, c.digest)).collect()
    }

    fn one(repository: &str, tag: &str, digest: Option<Digest>) -> (String, String, Option<Digest>) {
        (repository.to_owned(), tag.to_owned(), digest)
    }

    #[test]
    fn docker_push_and_docker_compose_1_name_repository_then_tag() {
        let text = format!(
            "Pushing api (registry.local:5000/numbers/api:v3-build-1)...\n\
             The push refers to repository [registry.local:5000/numbers/api]\n\
             5f70bf18a086: Preparing\r\n5f70bf18a086: Pushing [====>  ] 1.2MB/3MB\r5f70bf18a086: Pushed\n\
             \x1b[32mv3-build-1\x1b[0m: digest: {} size: 1234\nlatest: digest: {} size: 1234\n\
             The push refers to repository [docker.io/library/other]\nlatest: digest: {} size: 9\n\
             The push refers to a repository [registry.local:5000/numbers/web]\nv3: digest: {} size: 1",
            digest('a'),
            digest('b'),
            digest('c'),
            digest('d'),
        );
        let expected = [
            one("numbers/api", "v3-build-1", Some(digest('a'))),
            one("numbers/api", "latest", Some(digest('b'))),
            one("numbers/web", "v3", Some(digest('d'))),
        ];
        assert_eq!(scan(&text), expected);
    }

    #[test]
    fn compose_2_buildx_and_crane_name_the_whole_reference() {
        let text = format!(
            " Pushing registry.local:5000/numbers/api:v3: 5f70bf18a086 Preparing \n \
              Pushing registry.local:5000/numbers/late:v3: 5f70bf18a086 Waiting \n \
              Pushing registry.local:5000/numbers/api:v3: 5f70bf18a086 Layer already exists \n \
              Pushing elsewhere.example/numbers/api:v3: 5f70bf18a086 Pushed \n\
             #8 pushing manifest for registry.local:5000/a/b:1@{0} 0.1s done\n\
             #9 pushing registry.local:5000/a/c:2 with docker\n\
             #9 pushing layer b9d8c52c1a0f 0.0s done\n#9 DONE 0.1s\n\
             #10 pushing registry.local:5000/a/d:2 with docker\n#10 ERROR: refused\n#1 DONE 0.0s\n\
             2024/05/01 10:00:00 registry.local:5000/a/e:3: digest: {0} size: 426\n",
            digest('a'),
        );
        let expected = [
            one("numbers/api", "v3", None),
            one("a/b", "1", Some(digest('a'))),
            one("a/c", "2", None),
            one("a/e", "3", Some(digest('a'))),
        ];
        assert_eq!(scan(&text), expected);
    }

    #[test]
    fn talk_about_pushing_is_no_push() {
        let text = format!(
            "Pushed web to http://registry.local:5000/v2/numbers/web/tags/list\nlatest: digest: {} size: 1\n\
             The push refers to repository [registry.local:5000/../x]\nlatest: digest: {} size: 1\n\
             pushing manifest for registry.local:5000/x:--@sha256:1\nregistry.local:5000/numbers/web:v1\n",
            digest('a'),
            digest('a'),
        );
        assert_eq!(scan(&text), []);
    }

    #[test]
    fn memory_stays_bounded() {
        let mut scanner = PushScanner::new(HOST);
        let chunk = [b'x'; 8192];
        for _ in 0..1000 {
            scanner.feed(&chunk);
        }
        for n in 0..3000 {
            let line = format!("\n#1 pushing manifest for registry.local:5000/a:t{n}@{}", digest('a'));
            scanner.feed(line.as_bytes());
        }
        assert!(scanner.line.capacity() <= 2 * LONGEST_LINE && scanner.found().len() == MOST_CANDIDATES);
    }

    proptest! {
        #[test]
        fn anything_in_any_pieces_gives_the_same(parts in proptest::collection::vec(prop_oneof![
            proptest::collection::vec(any::<u8>(), 0..12),
            Just(b"The push refers to repository [registry.local:5000/a]\n".to_vec()),
            Just(format!("t: digest: sha256:{} size: 1\n", "a".repeat(64)).into_bytes()),
            Just(b" Pushing registry.local:5000/b:t: 1 Pushed".to_vec()),
            Just(b"\x1b[1;2".to_vec()), Just(b"\x1b]0;t".to_vec()), Just(b"\x1b\\\n".to_vec()),
        ], 0..12), cut in 1usize..9) {
            let whole = parts.concat();
            let mut at_once = PushScanner::new(HOST);
            at_once.feed(&whole);
            let mut in_pieces = PushScanner::new(HOST);
            whole.chunks(cut).for_each(|piece| in_pieces.feed(piece));
            prop_assert_eq!(at_once.finish(), in_pieces.finish());
        }
    }
}
