//! What the text of a setting means: numbers, sizes, addresses. What means nothing is refused by the setting's name.

use std::str::FromStr;

use super::bad;
use crate::model::Result;

pub(super) fn parse<T: FromStr>(name: &str, text: &str) -> Result<T> {
    text.trim().parse().map_err(|_| bad(name, text))
}

pub(super) fn positive(name: &str, text: &str) -> Result<f64> {
    let number: f64 = parse(name, text)?;
    if number > 0.0 && number < 10_000.0 { Ok(number) } else { Err(bad(name, text)) }
}

/// 1 to a million.
pub(super) fn count(name: &str, text: &str) -> Result<usize> {
    let number: usize = parse(name, text)?;
    if (1..=1_000_000).contains(&number) { Ok(number) } else { Err(bad(name, text)) }
}

/// Bytes; with `k`, `m`, `g` or `t` powers of 1024. Never 0.
pub(super) fn size(name: &str, text: &str) -> Result<u64> {
    let lower = text.trim().to_ascii_lowercase();
    let plain = lower.strip_suffix("ib").or(lower.strip_suffix('b')).unwrap_or(&lower);
    let units = [('k', 10), ('m', 20), ('g', 30), ('t', 40)];
    let split = units.into_iter().find_map(|(unit, shift)| Some((plain.strip_suffix(unit)?, shift)));
    let (digits, shift) = split.unwrap_or((plain, 0));
    let number: u64 = parse(name, digits)?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| bad(name, text))
}

/// An http or https address without credentials and query; a slash at its end is taken off.
pub fn web_address(name: &str, text: &str) -> Result<String> {
    let good = |u: &url::Url| {
        matches!(u.scheme(), "http" | "https")
            && u.host_str().is_some_and(|host| !host.is_empty())
            && u.username().is_empty()
            && u.password().is_none()
            && u.query().is_none()
            && u.fragment().is_none()
    };
    match url::Url::parse(text) {
        Ok(parsed) if good(&parsed) => Ok(text.trim_end_matches('/').to_owned()),
        _ => Err(bad(name, text)),
    }
}

/// One or more, separated by commas; none of them twice.
pub(super) fn addresses(name: &str, text: &str) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for one in text.split(',').map(str::trim) {
        let address = web_address(name, one)?;
        if !all.contains(&address) {
            all.push(address);
        }
    }
    if all.is_empty() { Err(bad(name, text)) } else { Ok(all) }
}
