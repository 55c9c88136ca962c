//! Variables in image references, as Dockerfiles and compose files write them: `$V`, `${V}`, `${V:-d}`, `${V-d}`,
//! `${V:+x}`, `${V+x}`, `${V:?e}`, `${V?e}`. Pure; bounded in depth and length, since the text is a stranger's. What
//! is not of these forms is a problem and never guessed at.

use std::ops::Range;

/// Deepest `${A:-${B:-...}}`.
const DEEPEST: usize = 8;
/// Longest result, in bytes; references are shorter.
const LONGEST: usize = 1024;

/// What is known of a variable before a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    Set(String),
    Unset,
    /// Only the run itself, or whoever builds, knows it.
    Later,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// A backslash makes the next character plain.
    Dockerfile,
    /// `$$` is a dollar.
    Compose,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The variable's value is not known yet.
    Later(String),
    Malformed,
}

/// Where the value of a text that is one variable and nothing else stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alone {
    /// Where that variable gets its value.
    Variable(String),
    /// In these bytes of the text: the default within it.
    Default(Range<usize>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded {
    pub text: String,
    pub alone: Option<Alone>,
    /// Every variable that was looked at.
    pub used: Vec<String>,
}

/// `word` with its variables put in.
pub fn expand(word: &str, dialect: Dialect, look: &dyn Fn(&str) -> Known) -> Result<Expanded, Problem> {
    Expander { dialect, look }.expand(word, 0)
}

/// Where the default ends in a text that is plain but for one variable with a default at its very end, as in
/// `x:${TAG:-old}`: what is put there belongs to the default and to no other value.
pub fn tail_default(word: &str) -> Option<usize> {
    let start = word.find('$')?;
    let variable = variable(&word[start..]).ok()?;
    let (operator, default, from) = variable.operator?;
    let is_default = matches!(operator, ":-" | "-") && !default.is_empty() && !default.contains(['$', '@']);
    (is_default && start > 0 && start + variable.length == word.len()).then_some(start + from + default.len())
}

struct Expander<'a> {
    dialect: Dialect,
    look: &'a dyn Fn(&str) -> Known,
}

/// A variable as it is written.
struct Variable<'w> {
    name: &'w str,
    /// `:-` and the like, and the word behind it with its place in the text.
    operator: Option<(&'w str, &'w str, usize)>,
    /// Bytes from the dollar to its end.
    length: usize,
}

impl Expander<'_> {
    fn expand(&self, word: &str, depth: usize) -> Result<Expanded, Problem> {
        if depth > DEEPEST {
            return Err(Problem::Malformed);
        }
        let mut out = Expanded::default();
        let mut at = 0;
        let mut quoted = false;
        while let Some(c) = word.get(at..).and_then(|rest| rest.chars().next()) {
            if out.text.len() > LONGEST {
                return Err(Problem::Malformed);
            }
            let rest = &word[at..];
            match c {
                '\\' if self.dialect == Dialect::Dockerfile => {
                    let next = rest[1..].chars().next().ok_or(Problem::Malformed)?;
                    out.text.push(next);
                    at += 1 + next.len_utf8();
                }
                '$' if self.dialect == Dialect::Compose && rest.starts_with("$$") => {
                    out.text.push('$');
                    at += 2;
                }
                '$' => {
                    let variable = variable(rest)?;
                    let (value, alone) = self.value(&variable, depth, &mut out.used)?;
                    if at == 0 && variable.length == word.len() {
                        out.alone = alone;
                    }
                    out.text.push_str(&value);
                    at += variable.length;
                }
                // Within single quotes nothing is put in; double quotes only come off.
                '\'' if self.dialect == Dialect::Dockerfile && !quoted => {
                    let length = rest[1..].find('\'').ok_or(Problem::Malformed)?;
                    out.text.push_str(&rest[1..=length]);
                    at += length + 2;
                }
                '"' if self.dialect == Dialect::Dockerfile => {
                    quoted = !quoted;
                    at += 1;
                }
                c => {
                    out.text.push(c);
                    at += c.len_utf8();
                }
            }
        }
        if quoted { Err(Problem::Malformed) } else { Ok(out) }
    }

    fn value(
        &self,
        variable: &Variable<'_>,
        depth: usize,
        used: &mut Vec<String>,
    ) -> Result<(String, Option<Alone>), Problem> {
        let name = variable.name.to_owned();
        used.push(name.clone());
        let known = (self.look)(&name);
        let Some((operator, word, start)) = variable.operator else {
            return match known {
                Known::Set(value) => Ok((value, Some(Alone::Variable(name)))),
                Known::Unset => Ok((String::new(), None)),
                Known::Later => Err(Problem::Later(name)),
            };
        };
        let is_set = match &known {
            Known::Set(value) => !operator.starts_with(':') || !value.is_empty(),
            Known::Unset => false,
            Known::Later => return Err(Problem::Later(name)),
        };
        let own = match known {
            Known::Set(value) => value,
            Known::Unset | Known::Later => String::new(),
        };
        let other = |used: &mut Vec<String>| -> Result<(String, Option<Alone>), Problem> {
            let inner = self.expand(word, depth + 1)?;
            used.extend(inner.used);
            let alone = match inner.alone {
                Some(Alone::Default(range)) => Alone::Default(start + range.start..start + range.end),
                Some(Alone::Variable(name)) => Alone::Variable(name),
                None => Alone::Default(start..start + word.len()),
            };
            Ok((inner.text, Some(alone)))
        };
        match (operator.trim_start_matches(':'), is_set) {
            ("-", true) | ("?", true) => Ok((own, Some(Alone::Variable(name)))),
            ("-", false) => other(used),
            ("+", true) => other(used).map(|(text, _)| (text, None)),
            ("+", false) => Ok((String::new(), None)),
            _ => Err(Problem::Malformed),
        }
    }
}

/// The variable at the beginning of `text`, which is a dollar.
fn variable(text: &str) -> Result<Variable<'_>, Problem> {
    let is_name = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let braced = text.as_bytes().get(1) == Some(&b'{');
    let start = if braced { 2 } else { 1 };
    let name_length = text.bytes().skip(start).take_while(|b| is_name(*b)).count();
    let name = text.get(start..start + name_length).unwrap_or_default();
    if name.is_empty() || name.as_bytes()[0].is_ascii_digit() {
        return Err(Problem::Malformed);
    }
    let behind = start + name_length;
    if !braced {
        return Ok(Variable { name, operator: None, length: behind });
    }
    let rest = &text[behind..];
    if rest.starts_with('}') {
        return Ok(Variable { name, operator: None, length: behind + 1 });
    }
    let operators = [":-", ":+", ":?", "-", "+", "?"];
    let operator = operators.into_iter().find(|o| rest.starts_with(o)).ok_or(Problem::Malformed)?;
    let from = behind + operator.len();
    let length = closing(&text[from..]).ok_or(Problem::Malformed)?;
    Ok(Variable {
        name,
        operator: Some((operator, &text[from..from + length], from)),
        length: from + length + 1,
    })
}

/// Where the brace that closes `${` stands in what follows it.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'{' if at > 0 && text.as_bytes()[at - 1] == b'$' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn look(name: &str) -> Known {
        match name {
            "A" => Known::Set("debian".into()),
            "EMPTY" => Known::Set(String::new()),
            "LATER" => Known::Later,
            _ => Known::Unset,
        }
    }

    fn text(word: &str) -> Option<String> {
        expand(word, Dialect::Compose, &look).ok().map(|e| e.text)
    }

    #[test]
    fn every_form_is_read() {
        for (word, expected) in [
            ("$A:12", "debian:12"),
            ("${A}:12", "debian:12"),
            ("${NO:-x}", "x"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${NO-x${A}}", "xdebian"),
            ("${A:+y}", "y"),
            ("${EMPTY:+y}", ""),
            ("${EMPTY+y}", "y"),
            ("${A:?gone}", "debian"),
            ("$$A", "$A"),
            ("a$NO", "a"),
        ] {
            assert_eq!(text(word).as_deref(), Some(expected), "{word}");
        }
        for word in ["$", "${", "${A", "${A:-", "${NO:?gone}", "$1", "${A#x}", "$LATER", "${LATER:-x}"] {
            assert_eq!(text(word), None, "{word}");
        }
    }

    #[test]
    fn one_variable_alone_is_known_with_the_place_of_its_value() {
        let alone = |word: &str| expand(word, Dialect::Dockerfile, &look).ok().and_then(|e| e.alone);
        assert_eq!(alone("$A"), Some(Alone::Variable("A".into())));
        assert_eq!(alone("${NO:-debian:12}"), Some(Alone::Default(6..15)));
        assert_eq!(alone("${NO:-${X:-debian}}"), Some(Alone::Default(11..17)));
        assert_eq!(alone("${A}:12"), None);
        assert_eq!(alone("debian"), None);
    }

    #[test]
    fn quotes_come_off_in_a_dockerfile_alone() {
        let text = |word: &str| expand(word, Dialect::Dockerfile, &look).ok().map(|e| e.text);
        for (word, expected) in [
            ("debian:\"${A}-slim\"", Some("debian:debian-slim")),
            ("'x$A'y", Some("x$Ay")),
            ("\"it's\"", Some("it's")),
            ("${NO:-\"x\"}", Some("x")),
            ("a''b\"\"", Some("ab")),
            ("\"a", None),
            ("'a", None),
        ] {
            assert_eq!(text(word).as_deref(), expected, "{word}");
        }
        assert_eq!(super::tests::text("'x'").as_deref(), Some("'x'"));
    }

    #[test]
    fn a_default_at_the_end_is_found_and_no_other() {
        let found = |word: &str| tail_default(word).map(|end| word[..end].to_owned());
        assert_eq!(found("r.io/x:${TAG:-old}").as_deref(), Some("r.io/x:${TAG:-old"));
        assert_eq!(found("r.io/x:${TAG-old}").as_deref(), Some("r.io/x:${TAG-old"));
        for word in
            ["x:${T:-}", "x:${T:+y}", "$R/x:${T:-y}", "x:${T:-y}z", "x:${T:-$Y}", "${T:-y}", "x", "x:${T"]
        {
            assert_eq!(found(word), None, "{word}");
        }
    }

    proptest! {
        #[test]
        fn expanding_never_panics(word in "[$A-C{}:+?\\\\é\"-]{0,40}") {
            for dialect in [Dialect::Dockerfile, Dialect::Compose] {
                if let Ok(Expanded { alone: Some(Alone::Default(range)), .. }) = expand(&word, dialect, &look) {
                    prop_assert!(word.get(range).is_some());
                }
            }
        }
    }
}
