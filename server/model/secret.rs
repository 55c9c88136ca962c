//! A value that must not leak: it does not print, does not serialize and cannot be compared with `==`.

use std::fmt;

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    pub fn new(value: impl Into<String>) -> Self {
        Secret(value.into())
    }

    /// The value itself; call it only where the value leaves the house on purpose.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Constant-time comparison over SHA-256 of both sides, so that not even the length shows.
    pub fn matches(&self, other: &str) -> bool {
        Sha256::digest(self.0.as_bytes()).ct_eq(&Sha256::digest(other.as_bytes())).into()
    }

    /// SHA-256 of the value: what the store keeps of session ids and API tokens.
    pub fn fingerprint(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// `bytes` random bytes from the operating system as lower-case hex.
    pub fn random(bytes: usize) -> crate::model::Result<Self> {
        let mut buffer = vec![0u8; bytes];
        getrandom::fill(&mut buffer).map_err(|e| crate::model::Error::internal("random bytes", e))?;
        Ok(Secret(buffer.iter().map(|b| format!("{b:02x}")).collect()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}
