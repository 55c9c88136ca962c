//! Credentials for other systems, encrypted at rest: XChaCha20-Poly1305 with a key file beside the
//! database. It protects backups and copies of the database, not a host whose key file is readable.

use std::io::Write as _;
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use crate::model::{Error, Result, Secret};

const NONCE: usize = 24;

pub struct Sealer {
    cipher: XChaCha20Poly1305,
}

impl Sealer {
    /// Reads the 32-byte key of `path`, or makes one readable by the owner alone.
    pub fn open(path: &Path) -> Result<Sealer> {
        let key = match std::fs::read(path) {
            Ok(key) => key,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => create_key(path)?,
            Err(e) => return Err(Error::internal(format_args!("read {}", path.display()), e)),
        };
        let cipher = XChaCha20Poly1305::new_from_slice(&key)
            .map_err(|_| Error::Internal(format!("{} is not a 32-byte key", path.display())))?;
        Ok(Sealer { cipher })
    }

    /// Nonce and ciphertext, to be stored.
    pub fn seal(&self, secret: &Secret) -> Result<Vec<u8>> {
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|e| Error::internal("random bytes", e))?;
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), secret.reveal().as_bytes())
            .map_err(|_| Error::Internal("encryption failed".into()))?;
        Ok([&nonce[..], &sealed[..]].concat())
    }

    /// The other way; `Internal` when the key is not the one it was sealed with.
    pub fn unseal(&self, stored: &[u8]) -> Result<Secret> {
        let wrong = || Error::Internal("a stored credential does not open with this key file".into());
        let (nonce, sealed) = stored.split_first_chunk::<NONCE>().ok_or_else(wrong)?;
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), sealed).map_err(|_| wrong())?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| wrong())
    }
}

fn create_key(path: &Path) -> Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut key = vec![0u8; 32];
    getrandom::fill(&mut key).map_err(|e| Error::internal("random bytes", e))?;
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(&key)?;
        file.sync_all()
    };
    write().map_err(|e| Error::internal(format_args!("write {}", path.display()), e))?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_opens_with_its_key_only() {
        let directory = tempfile::tempdir().unwrap();
        let sealer = Sealer::open(&directory.path().join("key")).unwrap();
        let stored = sealer.seal(&Secret::new("hunter2-hunter2")).unwrap();
        assert!(!stored.windows(7).any(|w| w == b"hunter2"));
        let again = Sealer::open(&directory.path().join("key")).unwrap();
        assert_eq!(again.unseal(&stored).unwrap().reveal(), "hunter2-hunter2");
        let other = Sealer::open(&directory.path().join("other")).unwrap();
        assert!(other.unseal(&stored).is_err());
        assert!(sealer.unseal(&stored[..10]).is_err());
    }
}
