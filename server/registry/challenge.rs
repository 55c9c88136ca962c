//! What a registry asks for when it wants to know who we are: the header `WWW-Authenticate`. Pure; it decides
//! nothing about where to go.

/// One scheme with its parameters, names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Challenge {
    /// In lower case: `basic`, `bearer`.
    pub scheme: String,
    pub parameters: Vec<(String, String)>,
}

impl Challenge {
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Longer headers are nobody's.
const LONGEST: usize = 8 * 1024;

/// All challenges of a header, in its order. What cannot be read ends the list.
pub(super) fn parse(header: &str) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    let mut rest = header;
    if header.len() > LONGEST {
        return found;
    }
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        let (word, after) = token(rest);
        if word.is_empty() {
            return found;
        }
        let spaced = after.trim_start_matches([' ', '\t']);
        match spaced.strip_prefix('=') {
            // A parameter of the scheme before it.
            Some(value) if !found.is_empty() => {
                let value = value.trim_start_matches([' ', '\t']);
                let Some((value, after)) = quoted(value).or_else(|| Some(bare(value))) else { return found };
                if let Some(last) = found.last_mut() {
                    last.parameters.push((word.to_ascii_lowercase(), value));
                }
                rest = after;
            }
            Some(_) => return found,
            None => {
                found.push(Challenge { scheme: word.to_ascii_lowercase(), parameters: Vec::new() });
                rest = after;
            }
        }
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn token(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c| !is_token(c)).unwrap_or(text.len()))
}

/// A value without quotes, up to the next comma or space.
fn bare(text: &str) -> (String, &str) {
    let (value, rest) = text.split_at(text.find([',', ' ', '\t', '"']).unwrap_or(text.len()));
    // Whatever stands there is not ours to understand; go on behind it, so that this comes to an end.
    (value.to_owned(), rest.strip_prefix('"').unwrap_or(rest))
}

/// A value in quotes, backslashes undone; `None` when there are none or they do not end.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inside = text.strip_prefix('"')?;
    let mut value = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((value, &inside[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn headers_of_the_field_are_read() {
        let hub = r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/debian:pull,push""#;
        let found = parse(hub);
        assert_eq!((found.len(), found[0].scheme.as_str()), (1, "bearer"));
        assert_eq!(found[0].get("realm"), Some("https://auth.docker.io/token"));
        assert_eq!(found[0].get("scope"), Some("repository:library/debian:pull,push"));
        let both = parse(r#"BASIC Realm = "a \"b\", c", charset=UTF-8, Bearer realm=x"#);
        assert_eq!(both.len(), 2);
        assert_eq!((both[0].get("realm"), both[0].get("charset")), (Some("a \"b\", c"), Some("UTF-8")));
        assert_eq!((both[1].scheme.as_str(), both[1].get("realm")), ("bearer", Some("x")));
        assert_eq!(parse("Negotiate")[0].parameters, []);
        for odd in ["", ",,,", "=", "realm=\"x\"", "\"", &"a".repeat(9000)] {
            assert!(parse(odd).is_empty(), "{odd}");
        }
        assert_eq!(parse("Bearer realm=\"open").first().map(|c| c.parameters.len()), Some(1));
    }

    proptest! {
        #[test]
        fn reading_never_panics_and_ends(header in "\\PC{0,120}|(Bearer|Basic|,|=|\"|\\\\| |a|é){0,40}") {
            parse(&header);
        }

        #[test]
        fn what_is_written_is_read(realm in "[ -~]{0,40}", service in "[a-z.]{1,20}") {
            let escaped = realm.replace('\\', "\\\\").replace('"', "\\\"");
            let found = parse(&format!("Bearer realm=\"{escaped}\", service={service}"));
            prop_assert_eq!(found.len(), 1);
            prop_assert_eq!(found[0].get("realm"), Some(realm.as_str()));
            prop_assert_eq!(found[0].get("service"), Some(service.as_str()));
        }
    }
}
