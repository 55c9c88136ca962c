//! Credentials for other systems, encrypted at rest: XChaCha20-Poly1305 with a key file beside the
//! database. It protects backups and copies of the database, not a host whose key file is readable.
//!
//! The key is made when the first value is sealed, and never again: where sealed values are there and their key is not, a
//! new one would hide for good what a backup of the key can still open. What was sealed is listed in `sealed_values`.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use jiff::Timestamp;

use crate::model::{Error, Result, Secret};
use crate::msg;

const NONCE: usize = 24;
const KEY: usize = 32;

pub struct Sealer {
    path: PathBuf,
    cipher: OnceLock<XChaCha20Poly1305>,
}

impl Sealer {
    /// Reads the 32-byte key of `path` if it is there; `Conflict` when something else is.
    pub fn open(path: &Path) -> Result<Sealer> {
        let sealer = Sealer { path: path.to_owned(), cipher: OnceLock::new() };
        sealer.read()?;
        Ok(sealer)
    }

    /// Whether there is a key to open anything with.
    pub fn has_key(&self) -> bool {
        self.read().is_ok_and(|cipher| cipher.is_some())
    }

    /// Nonce and ciphertext, to be stored. Makes the key if there is none.
    pub fn seal(&self, secret: &Secret) -> Result<Vec<u8>> {
        let cipher = match self.read()? {
            Some(cipher) => cipher,
            None => {
                create_key(&self.path)?;
                self.read()?.ok_or_else(|| Error::Internal("the key is gone again".into()))?
            }
        };
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| Error::internal("random bytes", e))?;
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), secret.reveal().as_bytes())
            .map_err(|_| Error::Internal("encryption failed".into()))?;
        Ok([&nonce[..], &sealed[..]].concat())
    }

    /// The other way; `Internal` when the key is not the one it was sealed with.
    pub fn unseal(&self, stored: &[u8]) -> Result<Secret> {
        let wrong = || Error::Internal("a stored credential does not open with this key file".into());
        let (nonce, sealed) = stored.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        let cipher = self.read()?.ok_or_else(wrong)?;
        let plain = cipher.decrypt(&XNonce::from(*nonce), sealed).map_err(|_| wrong())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| wrong())
    }

    fn read(&self) -> Result<Option<&XChaCha20Poly1305>> {
        if let Some(cipher) = self.cipher.get() {
            return Ok(Some(cipher));
        }
        let key = match std::fs::read(&self.path) {
            Ok(key) => key,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(cause) => {
                let path = self.path.display();
                return Err(Error::Conflict(msg!("store-key-unreadable", path = path, cause = cause)));
            }
        };
        let cipher = XChaCha20Poly1305::new_from_slice(&key).map_err(|_| {
            let path = self.path.display();
            Error::Conflict(msg!("store-key-length", path = path, found = key.len(), wanted = KEY))
        })?;
        Ok(Some(self.cipher.get_or_init(|| cipher)))
    }
}

/// Makes a key readable by the owner alone, whole or not at all; one that is there by now is left.
fn create_key(path: &Path) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut key = vec![0u8; KEY];
    getrandom::fill(&mut key).map_err(|e| Error::internal("random bytes", e))?;
    let draft = path.with_extension(format!("new-{}", Secret::random(6)?.reveal()));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        file.write_all(&key)?;
        file.sync_all()?;
        match std::fs::hard_link(&draft, path) {
            Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => return Err(e),
            _ => {}
        }
        std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    let written = write();
    let _ = std::fs::remove_file(&draft);
    written.map_err(|e| Error::internal(format_args!("write {}", path.display()), e))
}

/// Puts the key of `path` aside, if there is one, and makes another. Returns where the old one is now.
pub fn renew(path: &Path, now: Timestamp) -> Result<Option<PathBuf>> {
    let aside = path.with_extension(format!("before-{}", now.as_millisecond()));
    let moved = match std::fs::rename(path, &aside) {
        Ok(()) => Some(aside),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(Error::internal(format_args!("rename {}", path.display()), e)),
    };
    create_key(path)?;
    Ok(moved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_only() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let sealer = Sealer::open(&path("key")).unwrap();
        assert!(!sealer.has_key() && !path("key").exists(), "made when it is needed");
        let stored = sealer.seal(&Secret::new("hunter2-hunter2")).unwrap();
        assert!(!stored.windows(7).any(|w| w == b"hunter2"));
        let again = Sealer::open(&path("key")).unwrap();
        assert_eq!(again.unseal(&stored).unwrap().reveal(), "hunter2-hunter2");
        let other = Sealer::open(&path("other")).unwrap();
        other.seal(&Secret::new("x")).unwrap();
        assert!(other.unseal(&stored).is_err());
        assert!(sealer.unseal(&stored[..10]).is_err());
        let kept = renew(&path("key"), Timestamp::now()).unwrap().unwrap();
        assert!(Sealer::open(&path("key")).unwrap().unseal(&stored).is_err());
        assert!(Sealer::open(&kept).unwrap().unseal(&stored).is_ok());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 3, "no draft is left");
    }

    #[test]
    fn what_is_no_key_is_said() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("key");
        for bytes in [&b""[..], b"short", &[7; 33]] {
            std::fs::write(&path, bytes).unwrap();
            let refused = Sealer::open(&path).err().unwrap();
            assert!(matches!(refused, Error::Conflict(ref m) if m.key == "store-key-length"), "{refused}");
        }
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        let refused = Sealer::open(&path).err().unwrap();
        assert!(matches!(refused, Error::Conflict(ref m) if m.key == "store-key-unreadable"), "{refused}");
    }
}
