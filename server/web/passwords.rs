//! Passwords: what is accepted as one, how it is hashed and how it is checked. Slow on purpose, so the
//! callers run it off the event loop and a few at a time (`gate`).

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};

use crate::model::{Error, Result};
use crate::msg;

/// Characters, not bytes: a Korean password is as good as any.
const SHORTEST: usize = 8;
const LONGEST: usize = 128;
/// Memory in KiB and passes (ASVS 5.0, appendix C): 19 MiB for each check.
const MEMORY: u32 = 19_456;
const PASSES: u32 = 2;

/// One password a line, lower case.
const COMMON: &str = include_str!("common-passwords.txt");

/// Checks a new password: long enough, and none that everybody tries first. `Invalid` says which rule it breaks.
pub fn check_rules(password: &str, account: &str) -> Result<()> {
    let length = password.chars().count();
    if length < SHORTEST {
        return Err(Error::Invalid(msg!("auth-password-short", shortest = SHORTEST)));
    }
    if length > LONGEST {
        return Err(Error::Invalid(msg!("auth-password-long", longest = LONGEST)));
    }
    let lower = password.to_lowercase();
    let same = lower.chars().all(|c| lower.starts_with(c));
    if same || lower == account.to_lowercase() || COMMON.lines().any(|common| common == lower) {
        return Err(Error::Invalid(msg!("auth-password-common")));
    }
    Ok(())
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|e| Error::internal("argon2", e))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of a password that `check_rules` accepted. Takes tens of milliseconds and 19 MiB.
pub fn hash(password: &str) -> Result<String> {
    let made: PasswordHash =
        hasher()?.hash_password(password.as_bytes()).map_err(|e| Error::internal("hash a password", e))?;
    Ok(made.to_string())
}

/// Whether `password` is the one that was hashed. A hash that cannot be read matches nothing.
pub fn verify(password: &str, hash: &str) -> bool {
    // No account has a longer one; hashing megabytes would be a way to keep us busy.
    if password.len() > LONGEST * 4 {
        return false;
    }
    match (PasswordHash::new(hash), hasher()) {
        (Ok(known), Ok(hasher)) => hasher.verify_password(password.as_bytes(), &known).is_ok(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_about_length_and_fame_only() {
        let long = "가".repeat(129);
        for bad in ["1234567", "password1234", "PASSWORD", "qwertyuiop", "aaaaaaaaaa", "minsu-kim", &long] {
            assert!(check_rules(bad, "Minsu-Kim").is_err(), "{bad}");
        }
        let longest = "x1".repeat(64);
        for good in ["m7 kettle", "안녕하세요반갑", "correct horse battery", &longest, &longest[..64]] {
            let padded = format!("{good}!");
            let taken = if good.chars().count() < 8 { &padded } else { good };
            assert!(check_rules(taken, "minsu").is_ok(), "{good}");
        }
    }

    #[test]
    fn hashes_are_argon2id_and_nothing_is_cut_off() {
        let made = hash("안녕하세요-친구들-1").unwrap();
        assert!(made.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{made}");
        assert!(verify("안녕하세요-친구들-1", &made));
        assert!(!verify("안녕하세요-친구들-2", &made) && !verify("", &made) && !verify("x", "not a hash"));
        let long = "y".repeat(128);
        assert!(!verify(&long[..127], &hash(&long).unwrap()), "all 128 characters count");
    }
}
