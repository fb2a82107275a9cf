//! Passwords: what may be one, and argon2id on a bounded number of threads, so that a storm of
//! sign-ins can take neither all memory (19 MiB each) nor all cores.

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use domain::{Code, Rejection};
use spine::{Refusal, Secret};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

pub const PASSWORD_CHARS_MIN: usize = 10;
pub const PASSWORD_CHARS_MAX: usize = 200;
/// At the same time; each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Waiting for their turn, before we say that we are busy.
const WAITING_MAX: usize = 128;
/// OWASP's first choice for argon2id: 19 MiB, 2 passes, 1 lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    /// Checked when there is no account, so that the answer takes as long.
    nobody: Arc<str>,
}

impl Passwords {
    /// `random` makes the hash that nobody's password has.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when argon2 refuses its parameters.
    pub fn new(random: [u8; 32]) -> Result<Self, Refusal> {
        let (salt, password) = random.split_at(16);
        let nobody = hash(password, salt)?;
        Ok(Self { turns: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::default(), nobody: nobody.into() })
    }

    /// The PHC string of a new password.
    ///
    /// # Errors
    /// `busy` when too many wait.
    pub async fn hash(&self, password: Secret, salt: [u8; 16]) -> Result<String, Refusal> {
        self.in_turn(move || hash(password.expose().as_bytes(), &salt)).await?
    }

    /// Whether the password fits. Without a stored hash the answer is no, after the same work.
    ///
    /// # Errors
    /// `busy` when too many wait.
    pub async fn verify(&self, password: Secret, stored: Option<&str>) -> Result<bool, Refusal> {
        let known = stored.is_some();
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        self.in_turn(move || verify(password.expose().as_bytes(), &stored) && known).await
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= WAITING_MAX {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return Err(Code::Busy.into());
        }
        let turn = self.turns.acquire().await;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        let _turn = turn.map_err(Refusal::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Refusal::internal)
    }
}

fn argon2() -> Result<Argon2<'static>, Refusal> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).map_err(Refusal::internal)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8], salt: &[u8]) -> Result<String, Refusal> {
    let hash: PasswordHash = argon2()?.hash_password_with_salt(password, salt).map_err(Refusal::internal)?;
    Ok(hash.to_string())
}

fn verify(password: &[u8], stored: &str) -> bool {
    let (Ok(stored), Ok(argon2)) = (PasswordHash::new(stored), argon2()) else { return false };
    argon2.verify_password(password, &stored).is_ok()
}

/// Words that start most leaked passwords, also the ones of this product and of Chinese users.
const COMMON: &[&str] = &[
    "password",
    "passw0rd",
    "p@ssword",
    "p@ssw0rd",
    "pa55word",
    "motdepasse",
    "passwort",
    "contrasena",
    "qwerty",
    "qwertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "qazwsx",
    "qazwsxedc",
    "iloveyou",
    "woaini",
    "woaini1314",
    "wodemima",
    "mima",
    "letmein",
    "welcome",
    "welcometo",
    "admin",
    "administrator",
    "root",
    "toor",
    "changeme",
    "changethis",
    "default",
    "secret",
    "superman",
    "batman",
    "football",
    "baseball",
    "basketball",
    "princess",
    "sunshine",
    "monkey",
    "dragon",
    "master",
    "shadow",
    "michael",
    "jordan",
    "liverpool",
    "chelsea",
    "arsenal",
    "whatever",
    "trustno",
    "starwars",
    "pokemon",
    "computer",
    "internet",
    "samsung",
    "google",
    "facebook",
    "microsoft",
    "windows",
    "android",
    "iphone",
    "alibaba",
    "taobao",
    "wechat",
    "weixin",
    "tencent",
    "steward",
    "helpdesk",
    "support",
    "service",
    "customer",
    "kefu",
    "test",
    "testtest",
    "testing",
    "user",
    "guest",
    "demo",
    "company",
    "hello",
    "helloworld",
    "spring",
    "summer",
    "autumn",
    "winter",
    "january",
    "february",
    "monday",
    "friday",
    "china",
    "beijing",
    "shanghai",
    "shenzhen",
    "zhongguo",
    "abcdef",
    "abcdefgh",
    "abc",
    "aa",
    "a",
    "qq",
    "li",
    "wang",
    "zhang",
    "asd",
    "zxc",
    "qwe",
];

/// Checks a new password: length, and not one that attackers try first. `about` are words
/// about the person (name, address) that must not be all of it.
///
/// # Errors
/// `too_short`, `too_long` or `password_too_common` on `password`.
pub fn acceptable(password: &str, about: &[&str]) -> Result<(), Rejection> {
    let chars = password.chars().count();
    let refuse = |code| Err(Rejection::new(code).on("password"));
    if chars < PASSWORD_CHARS_MIN {
        return Err(Rejection::new(Code::TooShort).with("min", PASSWORD_CHARS_MIN).on("password"));
    }
    if chars > PASSWORD_CHARS_MAX {
        return Err(Rejection::new(Code::TooLong).with("max", PASSWORD_CHARS_MAX).on("password"));
    }
    let lower = password.to_lowercase();
    let mut different: Vec<char> = lower.chars().collect();
    different.sort_unstable();
    different.dedup();
    if different.len() < 5 || is_run(&lower) {
        return refuse(Code::PasswordTooCommon);
    }
    // `Password123!` is `password` to an attacker.
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let about = about.iter().flat_map(|text| text.split(['@', ' '])).map(str::to_lowercase);
    let known = COMMON.contains(&core) || COMMON.contains(&lower.as_str());
    if known || about.into_iter().any(|word| !word.is_empty() && (core == word || lower == word)) {
        return refuse(Code::PasswordTooCommon);
    }
    Ok(())
}

/// `1234567890`, `abcdefghij`, `9876543210`: every character next to the one before.
fn is_run(text: &str) -> bool {
    let codes: Vec<i64> = text.chars().map(|c| i64::from(u32::from(c))).collect();
    let steps: Vec<i64> = codes.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?)).collect();
    let near = steps.iter().filter(|step| matches!(step, -1..=1 | 9 | -9)).count();
    near * 10 >= steps.len() * 9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_passwords_are_taken() {
        let about = ["Li Xiaoming", "xiaoming.li@example.com"];
        let cases = [
            ("short", Some(Code::TooShort)),
            ("ninechars", Some(Code::TooShort)),
            ("password12", Some(Code::PasswordTooCommon)),
            ("Password123!", Some(Code::PasswordTooCommon)),
            ("!!1234qwertyuiop", Some(Code::PasswordTooCommon)),
            ("1234567890", Some(Code::PasswordTooCommon)),
            ("abcdefghijk", Some(Code::PasswordTooCommon)),
            ("aaaaaaaaaaaa", Some(Code::PasswordTooCommon)),
            ("xiaoming.li2026", Some(Code::PasswordTooCommon)),
            ("woaini1314520", Some(Code::PasswordTooCommon)),
            ("correct horse battery", None),
            ("我爱北京天安门上太阳升", None),
            ("k7#mPq9z!vR2", None),
        ];
        for (password, expected) in cases {
            assert_eq!(acceptable(password, &about).err().map(|r| r.code), expected, "{password}");
        }
        let longest = "k7#mPq9z!v".repeat(20);
        assert!(acceptable(&longest, &about).is_ok());
        assert_eq!(acceptable(&format!("{longest}x"), &about).unwrap_err().code, Code::TooLong);
    }

    #[tokio::test]
    async fn a_hash_checks_only_its_password() {
        let passwords = Passwords::new([1; 32]).unwrap();
        let stored = passwords.hash(Secret::new("correct horse"), [2; 16]).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(passwords.verify(Secret::new("correct horse"), Some(&stored)).await.unwrap());
        for wrong in ["", "correct horse ", "Correct horse", "\0", "correct horse\0"] {
            assert!(!passwords.verify(Secret::new(wrong), Some(&stored)).await.unwrap(), "{wrong:?}");
        }
        for broken in ["", "x", "$argon2id$", "$2b$10$abcdefghijklmnopqrstuv"] {
            assert!(!passwords.verify(Secret::new("correct horse"), Some(broken)).await.unwrap(), "{broken}");
        }
        assert!(!passwords.verify(Secret::new("correct horse"), None).await.unwrap());
    }
}
