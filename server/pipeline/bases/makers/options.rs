//! Which options of a command name an image that it makes, and how: `--tag NAME`, `-tNAME`, `--output name=NAME`.

use super::words::{Part, Word};

/// Options that name an image whatever the tool is.
pub fn everywhere(command: &[Word]) -> Vec<Word> {
    let mut found = Vec::new();
    for (at, word) in command.iter().enumerate() {
        let lead = word.lead();
        let next = || command.get(at + 1).cloned();
        if lead == "--destination" {
            found.extend(next());
        }
        if let Some(value) = lead.strip_prefix("--destination=") {
            found.push(word.behind(lead.len() - value.len()));
        }
        // A name that is given another content than the registry's.
        let context = if lead == "--build-context" { next() } else { None };
        let inline = lead.strip_prefix("--build-context=").map(|rest| word.behind(lead.len() - rest.len()));
        for context in context.into_iter().chain(inline) {
            let name = context.lead().split('=').next().unwrap_or_default().to_owned();
            found.push(Word(vec![Part::Plain(name)]));
        }
        // `-Djib.to.image=x`, `-Ddocker.image.name=x`, `-Pimage=x`
        let property =
            (lead.starts_with("-D") || lead.starts_with("-P")) && lead.to_lowercase().contains("image");
        if let Some((name, _)) = lead.split_once('=').filter(|_| property) {
            found.push(word.behind(name.len() + 1));
        }
    }
    found.retain(|word| !word.0.is_empty());
    found
}

/// What `--tag` and `--output` name.
pub fn tagged(words: &[Word]) -> Vec<Word> {
    let mut found = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (lead, plain) = (word.lead(), word.plain().unwrap_or_default());
        let short = plain.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let is_cluster =
            short.is_some_and(|s| s.len() > 1 && s.ends_with('t') && s.bytes().all(|b| b"qt".contains(&b)));
        if matches!(plain, "-t" | "--tag" | "--image" | "--name") || is_cluster {
            found.extend(words.peek().map(|word| (*word).clone()));
        } else if let Some(rest) = lead.strip_prefix("--tag=").or(lead.strip_prefix("--image=")) {
            found.push(word.behind(lead.len() - rest.len()));
        } else if let Some(rest) = lead.strip_prefix("-t").filter(|_| lead.len() > 2 || word.0.len() > 1) {
            found.push(word.behind(lead.len() - rest.trim_start_matches('=').len()));
        } else if let Some(rest) = lead.strip_prefix("name=") {
            found.push(word.behind(lead.len() - rest.len()));
        } else if matches!(plain, "-o" | "--output") {
            found.extend(words.peek().into_iter().flat_map(|word| outputs(word)));
        } else if lead.starts_with("--output=") || lead.starts_with("-o") && lead.len() > 2 {
            found.extend(outputs(word));
        } else if let Some(at) = lead.find("tags=").filter(|_| !lead.starts_with('-')) {
            // `--set target.tags=x`
            found.push(word.behind(at + "tags=".len()));
        }
    }
    found.retain(|word| !word.0.is_empty());
    found
}

/// The names in `type=image,name=a,push=true`.
fn outputs(word: &Word) -> Vec<Word> {
    let mut found = Vec::new();
    let mut open: Option<Word> = None;
    let mut close = |open: &mut Option<Word>| found.extend(open.take().filter(|word| !word.0.is_empty()));
    for part in &word.0 {
        let Part::Plain(text) = part else {
            if let Some(word) = &mut open {
                word.0.push(part.clone());
            }
            continue;
        };
        for (index, piece) in text.split(',').enumerate() {
            if index > 0 {
                close(&mut open);
            }
            match (piece.split_once("name="), &mut open) {
                (Some((_, name)), _) => {
                    open = Some(Word(vec![Part::Plain(name.to_owned())]));
                    if name.is_empty() {
                        open = Some(Word::default());
                    }
                }
                (None, Some(word)) => word.0.push(Part::Plain(piece.to_owned())),
                // `"name=a,b"`
                (None, None) if index > 0 && !piece.contains('=') => {
                    open = Some(Word(vec![Part::Plain(piece.to_owned())]));
                }
                (None, None) => {}
            }
        }
    }
    close(&mut open);
    found
}
