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

    /// Whether `hex` is the HMAC-SHA256 of `body` with this secret as its key (RFC 2104), in constant time.
    pub fn signed(&self, body: &[u8], hex: &str) -> bool {
        let mut key = [0u8; 64];
        match self.0.len() {
            ..=64 => key[..self.0.len()].copy_from_slice(self.0.as_bytes()),
            _ => key[..32].copy_from_slice(&self.fingerprint()),
        }
        let padded = |with: u8| key.map(|byte| byte ^ with);
        let inner = Sha256::new().chain_update(padded(0x36)).chain_update(body).finalize();
        let outer = Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize();
        let expected: String = outer.iter().map(|byte| format!("{byte:02x}")).collect();
        expected.as_bytes().ct_eq(hex.trim().to_ascii_lowercase().as_bytes()).into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_those_of_the_standard() {
        // RFC 4231, case 2.
        let good = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let jefe = Secret::new("Jefe");
        assert!(jefe.signed(b"what do ya want for nothing?", good));
        assert!(jefe.signed(b"what do ya want for nothing?", &good.to_uppercase()));
        assert!(!jefe.signed(b"what do ya want for nothing!", good));
        assert!(!jefe.signed(b"what do ya want for nothing?", ""));
    }
}
