//! Hashing and checking passwords: Argon2id with OWASP's parameters, off the async threads, a few at a time. It knows nothing of
//! people; a missing hash costs as much as a wrong password.

use crate::problem::{Code, Problem};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// The fewest characters of a password. Length is the only rule: rules about kinds of characters make worse passwords.
pub const SHORTEST: usize = 10;
/// The most bytes of a password: hashing a megabyte is work for nobody.
pub const LONGEST: usize = 1_024;
/// How many may wait for a hash before the next is sent away.
const QUEUE: usize = 32;

/// The hasher. Each hash takes 19 MiB and a processor for some 30 ms, so two run at a time and the rest wait.
#[derive(Clone)]
pub struct Passwords {
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
}

impl Passwords {
    pub fn new() -> Self {
        Self { running: Arc::new(Semaphore::new(2)), admitted: Arc::new(Semaphore::new(QUEUE)) }
    }

    /// The hash to store for a new password, as a PHC string with its salt and parameters.
    pub async fn hash(&self, password: String) -> Result<String, Problem> {
        self.run(move || hash_now(&password)).await?
    }

    /// Does the password match? Without a hash (nobody of that name) the same work is done and the answer is no.
    pub async fn verify(&self, password: String, hash: Option<String>) -> Result<bool, Problem> {
        self.run(move || {
            static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("nobody").unwrap_or_default());
            let known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let matches = PasswordHash::new(&hash).is_ok_and(|hash| argon2().verify_password(password.as_bytes(), &hash).is_ok());
            known && matches
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| Problem {
            retry_after: Some(5),
            ..Problem::new(Code::TooManyRequests, "Many people are signing in at the moment. Wait a few seconds and try again.")
        })?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let _held = (admitted, running);
            work()
        })
        .await
        .map_err(|error| Problem::new(Code::Internal, "The error was written to the log.").source(error))
    }
}

impl Default for Passwords {
    fn default() -> Self {
        Self::new()
    }
}

/// Hashes on this thread, for the command line.
pub fn hash_now(password: &str) -> Result<String, Problem> {
    argon2()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Problem::new(Code::Internal, "The error was written to the log.").source(anyhow::anyhow!("{error}")))
}

/// Says what is wrong with a new password, if anything.
pub fn judge(password: &str, email: &str, name: &str) -> Result<(), &'static str> {
    let lower = password.to_lowercase();
    let mut kinds: Vec<char> = lower.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    if password.chars().count() < SHORTEST {
        Err("Use at least 10 characters. A few words in a row are easy to remember and hard to guess.")
    } else if password.len() > LONGEST {
        Err("Use at most 1,024 characters.")
    } else if kinds.len() < 5 {
        Err("This repeats the same few characters. Use a few words in a row.")
    } else if lower == email.to_lowercase() || lower == name.to_lowercase() {
        Err("This is your name or your e-mail address. Use something that others don't know.")
    } else if ["password", "towpath", "qwertyuiop", "1234567890", "0123456789", "changeme", "letmein"]
        .iter()
        .any(|known| lower.replace(known, "").chars().filter(|c| c.is_alphabetic()).count() < 3 && lower.contains(known))
    {
        Err("This is one of the first passwords that a stranger would try. Use a few words in a row.")
    } else {
        Ok(())
    }
}

fn argon2() -> Argon2<'static> {
    // OWASP's choice for Argon2id: 19 MiB, two passes, one lane. The values are written out so that they don't move with the crate.
    let params = Params::new(19 * 1024, 2, 1, Some(32)).expect("the parameters are within the algorithm's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hash_matches_its_own_password_only() {
        let passwords = Passwords::new();
        let hash = passwords.hash("a barge on the towpath".into()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(passwords.verify("a barge on the towpath".into(), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify("a barge on the tow path".into(), Some(hash)).await.unwrap());
        assert!(!passwords.verify("nobody".into(), None).await.unwrap(), "a missing person never matches");
        assert!(!passwords.verify("x".into(), Some("not a hash".into())).await.unwrap());
    }

    #[tokio::test]
    async fn too_many_at_once_are_sent_away() {
        let passwords = Passwords { running: Arc::new(Semaphore::new(1)), admitted: Arc::new(Semaphore::new(1)) };
        let _busy = Arc::clone(&passwords.admitted).try_acquire_owned().unwrap();
        assert_eq!(passwords.verify("x".into(), None).await.unwrap_err().code, Code::TooManyRequests);
    }

    #[test]
    fn weak_passwords_are_named_and_long_ones_pass() {
        for weak in
            ["short", "aaaaaaaaaaaaaaaa", "password123456", "Towpath2026!!", "ada@example.com", "1234567890", "1212121212121"]
        {
            assert!(judge(weak, "Ada@example.com", "Ada").is_err(), "{weak}");
        }
        for good in ["correct horse battery", "on the towpath at dawn", "pässwörter-Ω1", "x7#kQ9!zP2@m"] {
            assert!(judge(good, "ada@example.com", "Ada").is_ok(), "{good}");
        }
    }
}
