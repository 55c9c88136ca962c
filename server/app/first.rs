//! What a server has before anything else: a token for its registry, an account.

use base64::Engine as _;
use jiff::Timestamp;

use crate::model::{Error, OwnerName, PasswordHash, Result, Secret};
use crate::msg;
use crate::store::{Store, accounts, settings};

const ADMIN: &str = "admin";

/// What the stack's registry must send with its notifications: as given, else as it was, else made up. Kept sealed.
pub async fn hook_token(store: &Store, given: Option<&Secret>) -> Result<Secret> {
    const NAME: &str = "registry-hook-token";
    let code = base64::engine::general_purpose::STANDARD;
    let kept = store.read(|c| settings::get(c, NAME))?;
    // One that does not open any more, since the key was lost and renewed, is as good as none.
    let kept =
        kept.and_then(|text| code.decode(text).ok()).and_then(|sealed| store.sealer().unseal(&sealed).ok());
    if let (Some(kept), None) = (&kept, given) {
        return Ok(kept.clone());
    }
    if let Some(given) = given
        && !is_travelling(given.reveal())
    {
        return Err(Error::Invalid(msg!("cli-setting-value", name = "hook-token", value = "***")));
    }
    let token = given.map_or_else(|| Secret::random(20), |given| Ok(given.clone()))?;
    if !kept.is_some_and(|kept| kept.matches(token.reveal())) {
        let sealed = code.encode(store.sealer().seal(&token)?);
        store.write(move |c| settings::set(c, NAME, &sealed)).await?;
    }
    Ok(token)
}

/// Letters, digits and a few signs, 16 to 200 of them: it stands in headers.
fn is_travelling(text: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    (16..=200).contains(&text.len()) && text.bytes().all(letter)
}

/// Makes `admin` when there is no account. Returns the password when it was generated.
pub async fn first_account(store: &Store, given: Option<&Secret>) -> Result<Option<Secret>> {
    if store.read(accounts::any)? {
        return Ok(None);
    }
    let generated = if given.is_some() { None } else { Some(Secret::random(10)?) };
    let Some(password) = given.or(generated.as_ref()) else { return Ok(None) };
    let hash = PasswordHash::new(password, ADMIN)?;
    let name = OwnerName::new(ADMIN)?;
    store.write(move |c| accounts::create(c, &name, hash.as_str(), true, Timestamp::now())).await?;
    Ok(generated)
}
