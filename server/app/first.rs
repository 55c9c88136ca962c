//! What a server has before anything else: its data directory for itself, a name, a token for its registry, an account.

use std::io::{Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;

use crate::model::{Error, OwnerName, PasswordHash, Result, Secret};
use crate::msg;
use crate::store::{Store, accounts, settings};

const ADMIN: &str = "admin";
const LOCK_TRIES: usize = 25;
const LOCK_WAIT: Duration = Duration::from_millis(20);

/// One server per data directory: the second is told the first one's process id.
pub fn lock(data: &Path) -> Result<std::fs::File> {
    let path = data.join("lock");
    let open = std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(|e| Error::internal(format_args!("open {}", path.display()), e))?;
    match lock_soon(&file) {
        Ok(()) => {
            let write = file
                .set_len(0)
                .and_then(|()| file.rewind())
                .and_then(|()| write!(file, "{}", std::process::id()));
            // The lock holds without it; only a second server's message would lack the number.
            if let Err(error) = write {
                tracing::warn!(%error, "the process id could not be written into the lock file");
            }
            Ok(file)
        }
        Err(std::fs::TryLockError::WouldBlock) => {
            let holder = std::fs::read_to_string(&path).unwrap_or_default();
            Err(Error::Conflict(msg!("app-locked", path = data.display(), pid = holder.trim())))
        }
        Err(std::fs::TryLockError::Error(e)) => Err(Error::internal("lock the data directory", e)),
    }
}

/// A process that the one before was just starting has its files until it runs its own program: a moment.
fn lock_soon(file: &std::fs::File) -> std::result::Result<(), std::fs::TryLockError> {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(LOCK_WAIT),
            done => return done,
        }
    }
    file.try_lock()
}

/// The name of this installation, made once: what it labels in the engine is told from another server's.
pub async fn installation(store: &Store) -> Result<String> {
    const NAME: &str = "installation";
    if let Some(name) = store.read(|c| settings::get(c, NAME))? {
        return Ok(name);
    }
    let name = Secret::random(8)?.reveal().to_owned();
    let kept = name.clone();
    store.write(move |c| settings::set(c, NAME, &kept)).await?;
    Ok(name)
}

/// What the stack's registry must send with its notifications: as given, else as it was, else made up. Kept sealed.
pub async fn hook_token(store: &Store, given: Option<&Secret>) -> Result<Secret> {
    const NAME: &str = "registry-hook-token";
    let code = base64::engine::general_purpose::STANDARD;
    let kept = store.read(|c| settings::get(c, NAME))?;
    let kept = kept.and_then(|text| code.decode(text).ok()).map(|sealed| store.sealer().unseal(&sealed));
    let kept = kept.transpose()?;
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
