//! Groovy's quoted strings: single, double and triple, their escapes, and what `$` means in double quotes.

use super::super::finding::{Place, shown};
use super::lexer::Lexer;
use super::token::Part;
use crate::msg;

/// What encloses us while we look for the end of `${ ... }`.
enum Inside {
    Code,
    Quotes { quote: char, triple: bool },
}

/// A string as it grows: literal text is gathered until something else comes.
#[derive(Default)]
struct Parts {
    done: Vec<Part>,
    literal: String,
}

impl Parts {
    fn push(&mut self, part: Part) {
        if !self.literal.is_empty() {
            self.done.push(Part::Literal(std::mem::take(&mut self.literal)));
        }
        self.done.push(part);
    }

    fn finish(mut self) -> Vec<Part> {
        if !self.literal.is_empty() || self.done.is_empty() {
            self.done.push(Part::Literal(self.literal));
        }
        self.done
    }
}

impl Lexer<'_, '_> {
    /// The string that starts here with `quote`; `None` when it does not end.
    pub fn string(&mut self, quote: char) -> Option<Vec<Part>> {
        let start = self.place();
        let triple = self.at_three(quote);
        self.skip(if triple { 3 } else { 1 });
        let mut parts = Parts::default();
        loop {
            let closed = if triple { self.at_three(quote) } else { self.peek() == Some(quote) };
            if closed {
                self.skip(if triple { 3 } else { 1 });
                return Some(parts.finish());
            }
            match self.peek() {
                Some('\\') => self.escape(&mut parts.literal),
                Some('$') if quote == '"' => self.dollar(&mut parts, start)?,
                Some(c) if triple || c != '\n' => {
                    parts.literal.push(c);
                    self.bump();
                }
                _ => {
                    self.findings.at(start, msg!("pipeline-string-open"));
                    return None;
                }
            }
        }
    }

    fn at_three(&self, quote: char) -> bool {
        let mut chars = self.rest().chars();
        (0..3).all(|_| chars.next() == Some(quote))
    }

    fn escape(&mut self, out: &mut String) {
        let place = self.place();
        self.bump();
        let Some(c) = self.bump() else { return };
        let plain = match c {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            'b' => Some('\u{8}'),
            'f' => Some('\u{c}'),
            '\\' | '\'' | '"' | '$' => Some(c),
            '\n' => return,
            'u' => self.digits(4, 16, None),
            '0'..='7' => self.digits(if c < '4' { 2 } else { 1 }, 8, c.to_digit(8)),
            _ => None,
        };
        match plain.filter(|&c| c != '\0') {
            Some(c) => out.push(c),
            None => self.findings.at(place, msg!("pipeline-escape", escape = shown(&format!("\\{c}")))),
        }
    }

    /// The character of `\uXXXX` (exactly `count` digits) or of an octal escape that began with `first`.
    fn digits(&mut self, count: usize, radix: u32, first: Option<u32>) -> Option<char> {
        let mut value = first.unwrap_or(0);
        for _ in 0..count {
            match self.peek().and_then(|c| c.to_digit(radix)) {
                Some(digit) => {
                    value = value * radix + digit;
                    self.bump();
                }
                None if first.is_some() => break,
                None => return None,
            }
        }
        char::from_u32(value)
    }

    /// A `$` in double quotes: a variable, code, or, as Groovy sees it, a mistake.
    fn dollar(&mut self, parts: &mut Parts, start: Place) -> Option<()> {
        let place = self.place();
        self.bump();
        match self.peek() {
            Some('{') => {
                let code = self.code(start)?;
                parts.push(match dotted(code.trim()) {
                    Some(path) => Part::Path(path, place),
                    None => Part::Code(code, place),
                });
            }
            Some(c) if c.is_alphabetic() || c == '_' => {
                let mut path = vec![self.name()];
                while self.rest().strip_prefix('.').is_some_and(starts_name) {
                    self.bump();
                    path.push(self.name());
                }
                parts.push(Part::Path(path, place));
            }
            _ => self.findings.at(place, msg!("pipeline-dollar", example = "\\$")),
        }
        Some(())
    }

    fn name(&mut self) -> String {
        let mut name = String::new();
        while let Some(c) = self.peek().filter(|&c| c.is_alphanumeric() || c == '_') {
            name.push(c);
            self.bump();
        }
        name
    }

    /// What stands between the `{` here and its `}`, strings and nested braces in between; `None` when
    /// there is no end. The nesting is kept on the heap, so that depth costs no stack.
    fn code(&mut self, start: Place) -> Option<String> {
        let before = self.rest();
        let mut inside: Vec<Inside> = Vec::new();
        loop {
            let Some(c) = self.peek() else {
                self.findings.at(start, msg!("pipeline-string-open"));
                return None;
            };
            match inside.last() {
                None | Some(Inside::Code) => match c {
                    '{' => inside.push(Inside::Code),
                    '}' => drop(inside.pop()),
                    '\'' | '"' => {
                        let triple = self.at_three(c);
                        self.skip(if triple { 2 } else { 0 });
                        inside.push(Inside::Quotes { quote: c, triple });
                    }
                    _ => {}
                },
                Some(&Inside::Quotes { quote, triple }) => match c {
                    '\\' => self.skip(1),
                    '\n' if !triple => drop(inside.pop()),
                    '$' if quote == '"' && self.rest().starts_with("${") => {
                        self.skip(1);
                        inside.push(Inside::Code);
                    }
                    c if c == quote && (!triple || self.at_three(quote)) => {
                        self.skip(if triple { 2 } else { 0 });
                        inside.pop();
                    }
                    _ => {}
                },
            }
            self.bump();
            if inside.is_empty() {
                let length = before.len() - self.rest().len();
                return Some(before.get(1..length - 1).unwrap_or_default().to_owned());
            }
        }
    }
}

fn starts_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The names of `a.b.c`, when that is all there is.
fn dotted(code: &str) -> Option<Vec<String>> {
    let name = |part: &str| starts_name(part) && part.chars().all(|c| c.is_alphanumeric() || c == '_');
    code.split('.').all(name).then(|| code.split('.').map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::finding::Findings;
    use super::super::lexer::tokens;
    use super::super::token::Kind;
    use super::*;

    /// The string in `source`, variables as `<a.b>`, code as `<<code>>`; or the findings' keys.
    fn read(source: &str) -> String {
        let mut findings = Findings::new("Jenkinsfile");
        let tokens = tokens(source, &mut findings);
        if !findings.is_empty() {
            let one = |f: crate::model::Finding| format!("{}:{} {}", f.line, f.column, f.message.key);
            return findings.into_vec().into_iter().map(one).collect::<Vec<_>>().join(", ");
        }
        let one = |part: &Part| match part {
            Part::Literal(text) => text.clone(),
            Part::Path(path, _) => format!("<{}>", path.join(".")),
            Part::Code(code, _) => format!("<<{code}>>"),
        };
        match &tokens.expect("tokens")[0].kind {
            Kind::Str(parts) => parts.iter().map(one).collect(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn strings_are_read_as_groovy_reads_them() {
        for (source, expected) in [
            (r"'a $B ${C} \'d\' \\ \n'", "a $B ${C} 'd' \\ \n"),
            (r#""a $B.""#, "a <B>."),
            (r#""$B/v2 ${env.C} ${ params.D } \$E""#, "<B>/v2 <env.C> <params.D> $E"),
            (r#""$env.B.x""#, "<env.B.x>"),
            (r#""${f("}")}!""#, "<<f(\"}\")>>!"),
            (r#""${ a ? "${b}" : '}' }!""#, "<< a ? \"${b}\" : '}' >>!"),
            ("'''a\n'b' ''c'''", "a\n'b' ''c"),
            ("\"\"\"a \"$B\"\n\"\"\"", "a \"<B>\"\n"),
            ("''", ""),
            (r"'\u00e9\101\0612'", "éA12"),
            ("'a\\\nb'", "ab"),
            ("\"$B한글\"", "<B한글>"),
            ("'open", "1:1 pipeline-string-open"),
            ("'open\n'", "1:1 pipeline-string-open"),
            (r#""cost $5 $""#, "1:7 pipeline-dollar, 1:10 pipeline-dollar"),
            (r#""$(date)""#, "1:2 pipeline-dollar"),
            (r"'\d \u12'", "1:2 pipeline-escape, 1:5 pipeline-escape"),
            (r"'\0'", "1:2 pipeline-escape"),
            ("\"${a", "1:1 pipeline-string-open"),
            ("/* open", "1:1 pipeline-comment-open"),
            ("/a/", "Slashy"),
        ] {
            assert_eq!(read(source), expected, "{source}");
        }
    }
}
