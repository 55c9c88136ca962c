//! The filters of many Docker triggers at once: which of them an image passes. Patterns are compiled together, once, so
//! that an image costs the length of its name and not the number of triggers. Which of the triggers start, and why
//! not, is said by their own questions alone; this only finds the ones that are worth asking.

use std::collections::HashMap;

use regex::Regex;
use regex::bytes::{RegexSet, RegexSetBuilder};

use super::docker_webhook::pattern;

/// Bytes of one compiled set; a set that needs more is cut in two.
const LARGEST_SET: usize = 4 * 1024 * 1024;
/// Bytes that a search of one set may keep for the next.
const LARGEST_MEMORY: usize = 4 * 1024 * 1024;

/// Cannot be changed: made anew when a trigger changes.
#[derive(Debug, Default)]
pub struct Filters {
    images: Patterns,
    tags: Patterns,
    /// In the order they were given: the id, and the places of the two patterns.
    triggers: Vec<(i64, usize, usize)>,
}

impl Filters {
    /// Of triggers by their ids, with the patterns for image and tag as they are kept.
    pub fn new<'a>(triggers: impl IntoIterator<Item = (i64, &'a str, &'a str)>) -> Filters {
        let (mut images, mut tags) = (Distinct::default(), Distinct::default());
        let place = |(id, image, tag)| (id, images.place(image), tags.place(tag));
        let triggers = triggers.into_iter().map(place).collect();
        Filters { images: Patterns::new(images), tags: Patterns::new(tags), triggers }
    }

    pub fn ids(&self) -> impl ExactSizeIterator<Item = i64> + '_ {
        self.triggers.iter().map(|trigger| trigger.0)
    }

    /// The triggers whose two patterns are for the whole of these names.
    pub fn fitting(&self, image: &str, tag: &str) -> Vec<i64> {
        if self.triggers.is_empty() {
            return Vec::new();
        }
        let (images, tags) = (self.images.fitting(image), self.tags.fitting(tag));
        let fits = |trigger: &&(i64, usize, usize)| images[trigger.1] && tags[trigger.2];
        self.triggers.iter().filter(fits).map(|trigger| trigger.0).collect()
    }
}

/// Each pattern once, with its place.
#[derive(Default)]
struct Distinct<'a> {
    places: HashMap<&'a str, usize>,
}

impl<'a> Distinct<'a> {
    fn place(&mut self, text: &'a str) -> usize {
        let next = self.places.len();
        *self.places.entry(text).or_insert(next)
    }
}

#[derive(Debug, Default)]
struct Patterns {
    count: usize,
    /// The empty pattern takes every name; so does one that cannot be compiled, whose trigger then says so.
    always: Vec<usize>,
    /// Names without anything special.
    plain: HashMap<String, Vec<usize>>,
    /// The places of each set's patterns, in its order.
    sets: Vec<(RegexSet, Vec<usize>)>,
    /// What can only be compiled for all of Unicode.
    alone: Vec<(Regex, usize)>,
}

impl Patterns {
    fn new(distinct: Distinct<'_>) -> Patterns {
        let mut all = Patterns { count: distinct.places.len(), ..Patterns::default() };
        let (mut whole, mut ends) = (Vec::new(), Vec::new());
        for (text, place) in distinct.places {
            match (text, plain(text), end(text)) {
                ("" | ".*", _, _) => all.always.push(place),
                _ if is_of_unicode(text) => all.compile_alone(text, place),
                (_, Some(name), _) => all.plain.entry(name).or_default().push(place),
                (_, None, Some(end)) => ends.push((end, place)),
                (_, None, None) => whole.push((text, place)),
            }
        }
        // The same sets for the same patterns.
        whole.sort_unstable();
        ends.sort_unstable();
        all.compile("^", &whole);
        all.compile("", &ends);
        all
    }

    /// All in one set, or in as many as it takes. `start` is what stands before each.
    fn compile(&mut self, start: &str, some: &[(&str, usize)]) {
        let built = match some {
            [] => return,
            _ => RegexSetBuilder::new(some.iter().map(|(text, _)| format!("{start}(?:{text})$")))
                // Names in a registry are ASCII: the large tables of Unicode would find nothing more.
                .unicode(false)
                .size_limit(LARGEST_SET)
                .dfa_size_limit(LARGEST_MEMORY)
                .nest_limit(50)
                .build(),
        };
        match (built, some) {
            (Ok(set), _) => self.sets.push((set, some.iter().map(|(_, place)| *place).collect())),
            (Err(_), [(text, place)]) => {
                let text = if start.is_empty() { format!(".*{text}") } else { (*text).to_owned() };
                self.compile_alone(&text, *place);
            }
            (Err(_), _) => {
                let (left, right) = some.split_at(some.len() / 2);
                self.compile(start, left);
                self.compile(start, right);
            }
        }
    }

    fn compile_alone(&mut self, text: &str, place: usize) {
        match pattern(text) {
            Ok(Some(compiled)) => self.alone.push((compiled, place)),
            Ok(None) | Err(_) => self.always.push(place),
        }
    }

    /// By place.
    fn fitting(&self, name: &str) -> Vec<bool> {
        // A registry has no other names; their triggers are asked one by one.
        let known = name.is_ascii() && !name.contains('\n');
        let mut fits = vec![!known; self.count];
        let plain = self.plain.get(name).into_iter().flatten();
        let alone = self.alone.iter().filter(|(compiled, _)| compiled.is_match(name)).map(|(_, place)| place);
        for place in self.always.iter().chain(plain).chain(alone) {
            fits[*place] = true;
        }
        for (set, places) in &self.sets {
            for found in set.matches(name.as_bytes()) {
                fits[places[found]] = true;
            }
        }
        fits
    }
}

/// Whether a pattern may speak of letters beyond ASCII, of which some are ASCII's own in the other case.
fn is_of_unicode(text: &str) -> bool {
    !text.is_ascii() || ["\\u", "\\U", "\\x", "\\p", "\\P"].iter().any(|escape| text.contains(escape))
}

/// The one name that a pattern is for, when it has nothing special in it.
fn plain(text: &str) -> Option<String> {
    let mut name = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => name.push(letters.next().filter(|next| matches!(next, '.' | '-' | '/'))?),
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '/' => name.push(letter),
            _ => return None,
        }
    }
    Some(name)
}

/// What a name must end with for a pattern that says no more than that: `x` of `.*x`. Hundreds of `.*`, each followed
/// through every letter of a name, are what makes a set slow; these begin anywhere instead.
fn end(text: &str) -> Option<&str> {
    let end = text.strip_prefix(".*")?;
    // Another meaning of the star, or a pattern of several of which only the first begins so.
    (!end.starts_with(['?', '+', '*', '{']) && !end.contains('|')).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// One trigger after the other, as the questions do it.
    fn one_by_one(triggers: &[(String, String)], image: &str, tag: &str) -> Vec<i64> {
        let fits = |text: &str, name: &str| pattern(text).is_ok_and(|p| p.is_none_or(|p| p.is_match(name)));
        let both =
            |(n, (i, t)): (usize, &(String, String))| (fits(i, image) && fits(t, tag)).then_some(n as i64);
        triggers.iter().enumerate().filter_map(both).collect()
    }

    fn at_once(triggers: &[(String, String)]) -> Filters {
        Filters::new(triggers.iter().enumerate().map(|(n, (i, t))| (n as i64, i.as_str(), t.as_str())))
    }

    fn both(image: &str, tag: &str) -> (String, String) {
        (image.to_owned(), tag.to_owned())
    }

    #[test]
    fn together_they_say_what_each_says_alone() {
        let triggers = [
            both("", ""),
            both("numbers/api", "1"),
            both("numbers/api", r"\d+\.\d+"),
            both(r"numbers\/(api|web)", ""),
            both("api", ".*"),
            both(".*/api", ".*?2"),
            both(".*/web|numbers/.*", ".*^1.*$"),
            both(r".*\pL/api", r".*\.\d"),
            both(".*", ".*$"),
            both("numbers/api", r"1\.2"),
            // For Unicode only, and in which Unicode has letters that are also plain ones.
            both(r"\pL+/api", ""),
            both("(?i)NUMBERS/AP\u{131}|numbers/api", ""),
            both("(?i)\u{212a}", "(?i)\u{212a}"),
            both(r"(?i)\x{212a}", r"(?i)\u{212A}"),
            both("numbers/api", "(?i)V?1.2"),
        ];
        let filters = at_once(&triggers);
        assert_eq!(filters.ids().len(), triggers.len());
        for (image, tag) in [("numbers/api", "1.2"), ("numbers/web", "1"), ("numbers/api", ""), ("k", "K")] {
            assert_eq!(filters.fitting(image, tag), one_by_one(&triggers, image, tag), "{image}:{tag}");
        }
        assert_eq!(filters.fitting("k", "K"), [0, 8, 12, 13]);
        assert_eq!(Filters::default().fitting("a", "b"), Vec::<i64>::new());
    }

    #[test]
    fn what_is_too_large_together_is_cut_in_parts() {
        let large = |n: usize| both(&format!("team-{n}/([a-z]{{40}}|x.{{0,200}}y){{1,20}}"), "");
        let triggers: Vec<_> = (0..60).map(large).collect();
        let filters = at_once(&triggers);
        assert!(filters.images.sets.len() > 1 && filters.images.alone.is_empty());
        assert_eq!(filters.fitting("team-59/x123y", "1"), [59]);
    }

    proptest! {
        #[test]
        fn together_as_alone(
            triggers in prop::collection::vec((r"(\.\*)?[ab.*?|/^$]{0,5}", r"(\.\*)?[01.\\d|]{0,4}"), 0..12),
            image in "[ab/]{0,5}", tag in "[01.]{0,3}",
        ) {
            let good = |t: &(String, String)| pattern(&t.0).is_ok() && pattern(&t.1).is_ok();
            let triggers: Vec<_> = triggers.into_iter().filter(good).collect();
            prop_assert_eq!(at_once(&triggers).fitting(&image, &tag), one_by_one(&triggers, &image, &tag));
        }
    }
}
