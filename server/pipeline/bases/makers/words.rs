//! Scripts as the search for makers reads them: commands of words, a word of literal and variable parts. Any kind of
//! text is read the same lenient way (shell, Makefile, YAML, JSON, HCL, Groovy): quotes keep nothing together, since no
//! image's name has a space, and a command within `$(...)` is a command of its own. Bounded in depth and length.

/// Deepest `$(... $(...))`.
const DEEPEST: usize = 6;
/// Most words of all texts together.
const MOST_WORDS: usize = 400_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    Plain(String),
    /// With the word behind `:-`, if there is one.
    Variable(String, Option<String>),
    /// What only the shell knows.
    Any,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Word(pub Vec<Part>);

impl Word {
    /// The text of a word without variables.
    pub fn plain(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Part::Plain(text)] => Some(text),
            _ => None,
        }
    }

    /// What it begins with.
    pub fn lead(&self) -> &str {
        match self.0.first() {
            Some(Part::Plain(text)) => text,
            _ => "",
        }
    }

    /// The word without its first `length` bytes, which are plain.
    pub fn behind(&self, length: usize) -> Word {
        let mut parts = self.0.clone();
        if let Some(Part::Plain(text)) = parts.first_mut() {
            *text = text.get(length..).unwrap_or_default().to_owned();
        }
        parts.retain(|part| *part != Part::Plain(String::new()));
        Word(parts)
    }

    fn push(&mut self, c: char) {
        match self.0.last_mut() {
            Some(Part::Plain(text)) => text.push(c),
            _ => self.0.push(Part::Plain(c.to_string())),
        }
    }
}

/// How the text of a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `#` begins a comment; a quote joins what is beside it.
    Script,
    /// A quote, a comma or a bracket ends a word.
    Data,
}

pub type Command = Vec<Word>;

/// The commands of a text, those within others included.
pub fn commands(text: &str, kind: Kind) -> Vec<Command> {
    let mut reader = Reader { kind, all: Vec::new(), left: MOST_WORDS };
    reader.read(text, 0);
    reader.all
}

struct Reader {
    kind: Kind,
    all: Vec<Command>,
    left: usize,
}

/// What is being put together.
#[derive(Default)]
struct Open {
    command: Command,
    word: Word,
}

impl Reader {
    fn end_word(&mut self, open: &mut Open) {
        if !open.word.0.is_empty() && self.left > 0 {
            self.left -= 1;
            open.command.push(std::mem::take(&mut open.word));
        }
        open.word = Word::default();
    }

    fn end_command(&mut self, open: &mut Open) {
        self.end_word(open);
        if !open.command.is_empty() {
            self.all.push(std::mem::take(&mut open.command));
        }
    }

    fn read(&mut self, text: &str, depth: usize) {
        let mut open = Open::default();
        let mut at = 0;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let rest = &text[at..];
            let before = text[..at].chars().next_back();
            at += match c {
                '\\' | '^' if is_line_end(&rest[1..]) => {
                    self.end_word(&mut open);
                    line_end(rest)
                }
                '\\' => escaped(rest, &mut open.word),
                '$' | '`' | '%' | '{' => self.special(rest, depth, &mut open),
                '#' if self.kind == Kind::Script && open.word.0.is_empty() && !is_token(before) => {
                    rest.find('\n').unwrap_or(rest.len())
                }
                '&' if before == Some('>') || rest.starts_with("&>") => {
                    self.end_word(&mut open);
                    1
                }
                '\n' | ';' | '|' | '&' | '(' | ')' => {
                    self.end_command(&mut open);
                    1
                }
                '"' | '\'' if self.kind == Kind::Script => 1,
                ',' if self.kind == Kind::Script => {
                    open.word.push(c);
                    1
                }
                '"' | '\'' | ',' | '[' | ']' | '<' | '>' | '}' => {
                    self.end_word(&mut open);
                    1
                }
                c if c.is_whitespace() => {
                    self.end_word(&mut open);
                    c.len_utf8()
                }
                c => {
                    open.word.push(c);
                    c.len_utf8()
                }
            };
        }
        self.end_command(&mut open);
    }

    /// What may be a variable or a command within the text; how many bytes it has.
    fn special(&mut self, rest: &str, depth: usize, open: &mut Open) -> usize {
        let within =
            |from: usize, close: &str| rest.get(from..)?.find(close).map(|end| &rest[from..from + end]);
        if let Some(inner) = rest.strip_prefix("{{").and_then(|_| within(2, "}}")) {
            let name = inner.trim().trim_start_matches('.');
            let part = if is_name(name) { Part::Variable(name.to_owned(), None) } else { Part::Any };
            open.word.0.push(part);
            return inner.len() + 4;
        }
        match rest.chars().next() {
            Some('`') => match within(1, "`").filter(|inner| !inner.contains('\n')) {
                Some(inner) => {
                    self.nested(inner, depth, open);
                    inner.len() + 2
                }
                None => 1,
            },
            Some('%') => match within(1, "%").filter(|name| is_name(name)) {
                Some(name) => {
                    open.word.0.push(Part::Variable(name.to_owned(), None));
                    name.len() + 2
                }
                None => 1,
            },
            Some('{') => {
                self.end_word(open);
                1
            }
            _ => self.dollar(rest, depth, open),
        }
    }

    fn dollar(&mut self, rest: &str, depth: usize, open: &mut Open) -> usize {
        // A Makefile's `$$NAME` is the shell's `$NAME`.
        let doubled = usize::from(rest.starts_with("$$"));
        let behind = &rest[1 + doubled..];
        let name_length = behind.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        let lead = 1 + doubled;
        if let Some(inner) = behind.strip_prefix('{') {
            let length = closing(inner, '{', '}').unwrap_or(inner.len());
            open.word.0.push(braced(&inner[..length]));
            return (lead + 1 + length + 1).min(rest.len());
        }
        if let Some(inner) = behind.strip_prefix('(') {
            let length = closing(inner, '(', ')').unwrap_or(inner.len());
            match is_name(&inner[..length]) {
                true => open.word.0.push(Part::Variable(inner[..length].to_owned(), None)),
                false => self.nested(&inner[..length], depth, open),
            }
            return (lead + 1 + length + 1).min(rest.len());
        }
        if name_length > 0 && !behind.as_bytes()[0].is_ascii_digit() {
            open.word.0.push(Part::Variable(behind[..name_length].to_owned(), None));
            return lead + name_length;
        }
        // `$1`, `$@`, `$?`
        open.word.0.push(Part::Any);
        lead + behind.chars().next().map_or(0, |c| if c.is_ascii() && !c.is_whitespace() { 1 } else { 0 })
    }

    fn nested(&mut self, inner: &str, depth: usize, open: &mut Open) {
        open.word.0.push(Part::Any);
        if depth < DEEPEST {
            self.read(inner, depth + 1);
        }
    }
}

/// What stands between braces behind a dollar.
fn braced(inner: &str) -> Part {
    let length = inner.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let (name, operator) = inner.split_at(length);
    if !is_name(name) {
        // `${params.NAME}`, `${env.NAME}` of Groovy and others.
        let last = inner.trim().rsplit('.').next().unwrap_or_default();
        return if is_name(last) { Part::Variable(last.to_owned(), None) } else { Part::Any };
    }
    let default = operator.strip_prefix(":-").or(operator.strip_prefix('-')).or(operator.strip_prefix(":="));
    match (operator.is_empty() || operator.starts_with(":?"), default) {
        (true, _) => Part::Variable(name.to_owned(), None),
        (false, Some(default)) if !default.contains('$') => {
            Part::Variable(name.to_owned(), Some(default.trim_matches(['"', '\'']).to_owned()))
        }
        _ => Part::Any,
    }
}

pub fn is_name(name: &str) -> bool {
    let start = name.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_');
    start && name.len() <= 200 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_token(c: Option<char>) -> bool {
    c.is_some_and(|c| !c.is_whitespace() && c != ';')
}

fn is_line_end(text: &str) -> bool {
    text.starts_with('\n') || text.starts_with("\r\n")
}

fn line_end(text: &str) -> usize {
    text.find('\n').map_or(text.len(), |end| end + 1)
}

/// A backslash and what it makes plain; an escaped quote of JSON is a quote.
fn escaped(rest: &str, word: &mut Word) -> usize {
    match rest[1..].chars().next() {
        Some(c @ ('"' | '\'')) => 1 + c.len_utf8(),
        Some(c) => {
            word.push(c);
            1 + c.len_utf8()
        }
        None => 1,
    }
}

/// Where the bracket that is open is closed.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let mut depth = 1usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
