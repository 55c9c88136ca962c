//! Passwords of accounts: which ones are taken, and argon2id over them.
//!
//! The rules follow OWASP ASVS 5.0 (6.2): length and a look at what everybody tries first, no demands
//! on the kinds of characters, no cutting. Hashing takes about 20 MiB and some 20 ms of one core, so
//! callers bound how many run at once and keep it off the threads that answer requests.

use std::fmt;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _, phc};
use argon2::{Algorithm, Argon2, Params, Version};

use super::{Error, Result, Secret};
use crate::msg;

pub const SHORTEST_PASSWORD: usize = 8;
pub const LONGEST_PASSWORD: usize = 128;

/// A PHC string of argon2id (19 MiB, two passes, one lane): what the store keeps.
#[derive(Clone)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Checks `password` for `account` against the rules, then hashes it with a fresh salt.
    pub fn new(password: &Secret, account: &str) -> Result<Self> {
        check(password, account)?;
        let hash: phc::PasswordHash = hasher()?
            .hash_password(password.reveal().as_bytes())
            .map_err(|e| Error::internal("hash a password", e))?;
        Ok(PasswordHash(hash.to_string()))
    }

    /// What `new` made earlier; nothing is checked before `verify`.
    pub fn stored(phc: impl Into<String>) -> Self {
        PasswordHash(phc.into())
    }

    /// Takes as long for a wrong password as for the right one.
    pub fn verify(&self, password: &Secret) -> bool {
        let Ok(hash) = phc::PasswordHash::new(&self.0) else { return false };
        Argon2::default().verify_password(password.reveal().as_bytes(), &hash).is_ok()
    }

    /// For a name nobody has: spends what `verify` would, so that the time does not tell who exists.
    pub fn verify_nobody(password: &Secret) {
        let Ok(hasher) = hasher() else { return };
        let mut out = [0u8; Params::DEFAULT_OUTPUT_LEN];
        let _ = hasher.hash_password_into(password.reveal().as_bytes(), b"nobody-has-this-name", &mut out);
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A hash can be attacked offline, so it does not print either.
impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(***)")
    }
}

/// The parameters are written out so that a new version of the library does not change them unseen.
fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(19_456, 2, 1, None).map_err(|e| Error::internal("argon2", e))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// 8 to 128 characters, and not one of those that everybody tries first.
fn check(password: &Secret, account: &str) -> Result<()> {
    let length = password.reveal().chars().count();
    if length < SHORTEST_PASSWORD {
        return Err(Error::Invalid(msg!("password-short", shortest = SHORTEST_PASSWORD)));
    }
    if length > LONGEST_PASSWORD {
        return Err(Error::Invalid(msg!("password-long", longest = LONGEST_PASSWORD)));
    }
    if password.reveal().chars().any(char::is_control) {
        return Err(Error::Invalid(msg!("password-control")));
    }
    if is_common(password.reveal(), account) {
        return Err(Error::Invalid(msg!("password-common")));
    }
    Ok(())
}

/// Whether it is a word of the list, the account or the product with the usual trimmings
/// (`Passw0rd!2024`), such a word twice, or a walk over the keyboard.
fn is_common(password: &str, account: &str) -> bool {
    let lower = password.to_lowercase();
    let account = account.to_lowercase();
    let known = |word: &str| word == account || COMMON.split_whitespace().any(|common| common == word);
    let trimmings = |c: char| c.is_ascii_digit() || c.is_ascii_punctuation();
    let plain = lower.trim_matches(trimmings);
    let readings =
        [lower.clone(), plain.to_owned(), unleet(plain), unleet(&lower).trim_matches(trimmings).into()];
    if readings.iter().any(|word| word.is_empty() || known(word) || half(word).is_some_and(known)) {
        return true;
    }
    is_walk(&lower)
}

/// `a` of `aa`.
fn half(word: &str) -> Option<&str> {
    let (first, second) = word.split_at_checked(word.len() / 2)?;
    (first == second).then_some(first)
}

/// Letters for the digits and signs that people write in their place.
fn unleet(word: &str) -> String {
    let letter = |c| match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    };
    word.chars().map(letter).collect()
}

/// Made of nothing but at most two different characters, neighbours on a keyboard row or in the
/// alphabet, or one such piece again and again.
fn is_walk(lower: &str) -> bool {
    const ROWS: [&str; 7] = [
        "1234567890",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "abcdefghijklmnopqrstuvwxyz",
        "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
        "1q2w3e4r5t6y7u8i9o0p",
    ];
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    let neighbours = |a: char, b: char| {
        let beside = |row: &&str| row.find(a).zip(row.find(b)).is_some_and(|(x, y)| x.abs_diff(y) <= 1);
        ROWS.iter().any(beside)
    };
    let letters: Vec<char> = lower.chars().collect();
    let breaks = letters.windows(2).filter(|pair| !neighbours(pair[0], pair[1])).count();
    // A walk of n characters may jump once every four, as in `1234qwer` or `asdfasdf`.
    different.len() <= 2 || breaks < letters.len() / 4
}

/// Words that lists of leaked passwords are made of; trimmings are taken off before the comparison.
const COMMON: &str = "
abc academia access account adm admin administrador administrator adobe alexander amanda amor andrea
andrew angel anthony apple asdf asdfgh ashley backup bailey banana baseball basketball batman beautiful
biteme brasil bismillah blink brandon build builder butterfly buster carlos changeit changeme charlie
cheese chelsea chicken chocolate christian cocacola computer consumer cookie corinthians daniel database
default demo deploy destiny developer devops diamond docker dockerhub dragon eagle elizabeth eminem
estrela facebook family felicidade fernando firewall flamengo flower football forever freedom friends
futebol gabriel garfield george gfhjkm ginger git gitea gogs google guest guilherme hannah harley hello
helloworld heslo hockey hunter iceman iloveyou internet isabella jackson jasmine jenkins jennifer
jessica jesus jesuschrist jonathan jordan joshua justin killer kubernetes letmein letmeinnow liverpool
login london lovely loveme lucas maggie manager manchester maria marina master matrix matthew mercedes
michael michelle mickey microsoft minecraft monkey monster mustang mypassword naruto newpassword
nicholas nicole ninja nothing operator oracle orange pass passwd passphrase password passwort patrick
pepper pipeline player please pokemon postgres princess private purple qazwsx qazwsxedc qwer qwerasdf
qwert qwerty qwertyu qwertyui qwertyuiop rangers rebecca registry richard robert root ropewalk samantha
samsung scooter secret secure security senha senhas server service shadow silver slipknot snoopy soccer
sparky spiderman starwars steelers summer sunshine super superman superstar support swordfish sysadmin
system taylor temp temporary tennis test tester testing testtest thomas thunder tigger tinkerbell toor
trustme trustno ubuntu unknown user username vanessa victoria vmware voodoo welcome whatever william
windows winter wordpress yankees zaq zxcvbn zxcvbnm 사랑해 비밀번호 dkssud dkssudgktpdy tkfkdgo rlaalsrb dkagh
wlsrb 密碼 我愛你 wojiushiwo woaini woainima a801016 spring autumn january december monday friday passord
geheim hallo azerty azertyuiop correcthorsebatterystaple ncc1701 jenkinsci mynoob qwe qweasd qweasdzxc
asd zxc asdasd qweqwe zxczxc iloveu fuckyou fuckoff pussy bigdaddy mommy daddy buddy sophie chester
cowboys dallas phoenix hotdog peanut rainbow loverboy babygirl sweety angels barcelona realmadrid
arsenal juventus";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(password: &str) -> Option<String> {
        match check(&Secret::new(password), "marta") {
            Ok(()) => None,
            Err(Error::Invalid(message)) => Some(message.key.into_owned()),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn length_is_counted_in_characters_and_nothing_is_cut() {
        assert_eq!(key("abwxyzk").as_deref(), Some("password-short"));
        assert_eq!(key("새벽에걷는긴밧줄"), None);
        assert_eq!(key(&"lantern-".repeat(16)), None);
        assert_eq!(key(&format!("{}x", "lantern-".repeat(16))).as_deref(), Some("password-long"));
        let long = "lantern-".repeat(16);
        let hash = PasswordHash::new(&Secret::new(long.clone()), "marta").unwrap();
        assert!(!hash.verify(&Secret::new(&long[..127])), "the last character counts");
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for bad in [
            "password",
            "Password1",
            "password1234",
            "P@ssw0rd!",
            "passw0rd2024",
            "12345678",
            "1234567890",
            "87654321",
            "qwertyuiop",
            "1q2w3e4r",
            "1qaz2wsx",
            "qwerty123",
            "aaaaaaaa",
            "abababab",
            "asdfasdf",
            "1234qwer",
            "abcdefgh",
            "adminadmin",
            "Welcome1",
            "changeme!",
            "ropewalk1",
            "marta1234",
            "martamarta",
            "!!!!1111",
            "11112222",
            "senha123",
            "iloveyou2",
            "비밀번호1234",
        ] {
            assert_eq!(key(bad).as_deref(), Some("password-common"), "{bad}");
        }
        for good in ["tin-roof-42-geese", "Wq8#kfpz2m", "long walk at dusk", "9f3b1c77e0d2", "haengbokhanba"]
        {
            assert_eq!(key(good), None, "{good}");
        }
        assert_eq!(key("tin-roof\u{7}42").as_deref(), Some("password-control"));
    }

    #[test]
    fn a_hash_is_strong_enough_and_fits_its_password_only() {
        let hash = PasswordHash::new(&Secret::new("tin-roof-42-geese"), "marta").unwrap();
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(!format!("{hash:?}").contains("argon"));
        let stored = PasswordHash::stored(hash.as_str());
        assert!(stored.verify(&Secret::new("tin-roof-42-geese")));
        assert!(!stored.verify(&Secret::new("tin-roof-42-geesE")));
        assert!(!PasswordHash::stored("").verify(&Secret::new("")));
        PasswordHash::verify_nobody(&Secret::new("tin-roof-42-geese"));
    }

    proptest! {
        #[test]
        fn the_rules_never_panic(text in "\\PC{0,140}", account in "[a-z]{0,8}") {
            let _ = check(&Secret::new(text), &account);
        }
    }
}
