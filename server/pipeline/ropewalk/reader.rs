//! Takes maps, lists and values out of the tree, and says what is wrong when they are not what is expected.

use super::super::finding::{Findings, Place, nearest, shown};
use super::super::variables::{Scope, is_name};
use super::node::{Entry, Node, Value};
use crate::model::{ImageReference, Message, Piece, Text};
use crate::msg;

/// Longest time limit: seven days, in seconds.
const LONGEST_TIMEOUT: u64 = 7 * 24 * 3600;

pub struct Reader<'f> {
    pub findings: &'f mut Findings,
    pub step_count: usize,
}

/// A map whose keys were all known.
pub struct Fields<'n> {
    pub place: Place,
    entries: &'n [Entry],
}

impl<'n> Fields<'n> {
    pub fn entries(&self) -> &'n [Entry] {
        self.entries
    }

    pub fn get(&self, key: &str) -> Option<&'n Node> {
        self.entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }
}

impl Reader<'_> {
    pub fn say(&mut self, place: Place, message: Message) {
        self.findings.at(place, message);
    }

    /// The map at `node`; keys that are not in `known` are reported.
    pub fn fields<'n>(&mut self, node: &'n Node, what: &str, known: &[&'static str]) -> Option<Fields<'n>> {
        let entries = self.map(node, what)?;
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.as_str())) {
            if self.findings.is_full() {
                break;
            }
            let key = shown(&entry.key);
            self.findings.at(
                entry.place,
                match nearest(&entry.key, known.iter().copied()) {
                    Some(known) => msg!("pipeline-key-similar", key = key, known = known),
                    None => msg!("pipeline-key-unknown", key = key, known = known.join(", ")),
                },
            );
        }
        Some(Fields { place: node.place, entries })
    }

    /// The map at `node`, whatever its keys are.
    pub fn any_fields<'n>(&mut self, node: &'n Node, what: &str) -> Option<Fields<'n>> {
        let entries = self.map(node, what)?;
        Some(Fields { place: node.place, entries })
    }

    pub fn map<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Entry]> {
        match &node.value {
            Value::Map(entries) => Some(entries),
            _ => {
                self.say(node.place, msg!("pipeline-want-map", key = shown(what)));
                None
            }
        }
    }

    pub fn list<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Node]> {
        match &node.value {
            Value::List(list) => Some(list),
            _ => {
                self.say(node.place, msg!("pipeline-want-list", key = shown(what)));
                None
            }
        }
    }

    /// Any single value, as it was written; nothing (`~`, `null`, empty) is not a value.
    pub fn string<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n str> {
        match &node.value {
            Value::Text { text, plain } if !(*plain && is_null(text)) => Some(text),
            _ => {
                self.say(node.place, msg!("pipeline-want-text", key = shown(what)));
                None
            }
        }
    }

    pub fn boolean(&mut self, node: &Node, what: &str) -> Option<bool> {
        match &node.value {
            Value::Text { text, plain: true } if text == "true" => Some(true),
            Value::Text { text, plain: true } if text == "false" => Some(false),
            _ => {
                self.say(node.place, msg!("pipeline-want-boolean", key = shown(what)));
                None
            }
        }
    }

    /// `90s`, `30m`, `1h30m`, `2d`, in seconds.
    pub fn timeout(&mut self, fields: &Fields) -> Option<u64> {
        let node = fields.get("timeout")?;
        let text = self.string(node, "timeout")?;
        let seconds = duration(text).filter(|seconds| (1..=LONGEST_TIMEOUT).contains(seconds));
        if seconds.is_none() {
            self.say(node.place, msg!("pipeline-timeout", value = shown(text)));
        }
        seconds
    }

    pub fn image(&mut self, fields: &Fields) -> Option<String> {
        let node = fields.get("image")?;
        let text = self.string(node, "image")?;
        match ImageReference::parse(text) {
            Ok(_) => Some(text.to_owned()),
            Err(error) => {
                self.say(
                    node.place,
                    error.message().cloned().unwrap_or_else(|| msg!("image-invalid", image = shown(text))),
                );
                None
            }
        }
    }

    /// The `env` of a map; its names become known in `scope`.
    pub fn environment(&mut self, fields: &Fields, scope: &mut Scope) -> Vec<(String, Text)> {
        let mut found = Vec::new();
        let Some(entries) = fields.get("env").and_then(|node| self.map(node, "env")) else { return found };
        if let Some(entry) = entries.get(super::super::MAX_VARIABLES) {
            self.say(entry.place, msg!("pipeline-too-many-variables", most = super::super::MAX_VARIABLES));
            return found;
        }
        for Entry { key, place, value } in entries {
            if !is_name(key) {
                self.say(*place, msg!("pipeline-variable-name", name = shown(key)));
                continue;
            }
            if let Some(text) = self.text(value, key, scope) {
                found.push((key.clone(), text));
            }
            scope.add(key);
        }
        found
    }

    /// A value in which `${NAME}` is a variable; `$${` stands for `${`. Every other `$` is itself.
    pub fn text(&mut self, node: &Node, what: &str, scope: &Scope) -> Option<Text> {
        let text = self.string(node, what)?;
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        let mut good = true;
        while let Some(dollar) = rest.find('$') {
            literal.push_str(&rest[..dollar]);
            let behind = &rest[dollar + 1..];
            if let Some(after) = behind.strip_prefix("${") {
                literal.push_str("${");
                rest = after;
            } else if let Some((name, after)) = behind.strip_prefix('{').and_then(|name| name.split_once('}'))
            {
                good &= self.known(name, node.place, scope);
                if !literal.is_empty() {
                    pieces.push(Piece::Literal(std::mem::take(&mut literal)));
                }
                pieces.push(Piece::Variable(name.to_owned()));
                rest = after;
            } else if behind.starts_with('{') {
                self.say(
                    node.place,
                    msg!("pipeline-variable-open", key = shown(what), example = "${NAME}", literal = "$${"),
                );
                return None;
            } else {
                literal.push('$');
                rest = behind;
            }
        }
        literal.push_str(rest);
        if !literal.is_empty() || pieces.is_empty() {
            pieces.push(Piece::Literal(literal));
        }
        good.then_some(Text(pieces))
    }

    fn known(&mut self, name: &str, place: Place, scope: &Scope) -> bool {
        if self.findings.is_full() {
            return false;
        }
        let objection = match is_name(name) {
            true => scope.objection(name),
            false => Some(msg!("pipeline-variable-name", name = shown(name))),
        };
        objection.map(|message| self.say(place, message)).is_none()
    }
}

/// What YAML takes for nothing.
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

fn duration(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut rest = text;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let unit = match rest.get(digits..digits + 1)? {
            "d" => 24 * 3600,
            "h" => 3600,
            "m" => 60,
            "s" => 1,
            _ => return None,
        };
        // Largest unit first, each once.
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        total = total.checked_add(number.checked_mul(unit)?)?;
        rest = &rest[digits + 1..];
    }
    (smallest != u64::MAX).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_are_read() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("30m", Some(1800)),
            ("1h30m", Some(5400)),
            ("2d", Some(172_800)),
            ("30", None),
            ("", None),
            ("m", None),
            ("30m1h", None),
            ("1h1h", None),
            ("99999999999999999999s", None),
            ("9999999999999999999d", None),
            ("1é", None),
        ] {
            assert_eq!(duration(text), seconds, "{text}");
        }
    }
}
