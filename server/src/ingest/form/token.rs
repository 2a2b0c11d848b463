//! What a form's page carries along, signed: when it was made, and a number of its own. It tells a person from a robot that sends at
//! once, and a double click from a second answer.

use crate::vault::Vault;
use chrono::{DateTime, Utc};
use towpath_engine::ids::EndpointId;
use uuid::Uuid;

/// Nobody reads and fills in a form faster, in milliseconds.
const LEAST: i64 = 150;
/// How long a preview's address lets in, in seconds.
const PREVIEW_SECONDS: i64 = 24 * 60 * 60;

/// A page's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen(pub Uuid);

/// Why a page's token doesn't do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotSeen {
    TooFast,
    /// Missing, changed, or of another form.
    Unknown,
}

/// For a page that is made now.
pub fn issue(vault: &Vault, form: EndpointId, now: DateTime<Utc>) -> String {
    let text = format!("{}.{}", now.timestamp_millis(), Uuid::new_v4().simple());
    let mac = mac(vault, "form-page", form, &text);
    format!("{text}.{mac}")
}

/// The page that this came from.
pub fn check(vault: &Vault, form: EndpointId, token: &str, now: DateTime<Utc>) -> Result<Seen, NotSeen> {
    let (text, given) = token.rsplit_once('.').ok_or(NotSeen::Unknown)?;
    if !is_ours(vault, "form-page", form, text, given) {
        return Err(NotSeen::Unknown);
    }
    let (made, number) = text.split_once('.').ok_or(NotSeen::Unknown)?;
    let made: i64 = made.parse().map_err(|_| NotSeen::Unknown)?;
    if now.timestamp_millis().saturating_sub(made) < LEAST {
        return Err(NotSeen::TooFast);
    }
    number.parse().map(Seen).map_err(|_| NotSeen::Unknown)
}

/// Lets a builder see a form that isn't published, for a day.
pub fn issue_preview(vault: &Vault, form: EndpointId, now: DateTime<Utc>) -> String {
    let until = (now.timestamp() + PREVIEW_SECONDS).to_string();
    let mac = mac(vault, "form-preview", form, &until);
    format!("{until}.{mac}")
}

pub fn check_preview(vault: &Vault, form: EndpointId, token: &str, now: DateTime<Utc>) -> bool {
    let Some((until, given)) = token.split_once('.') else { return false };
    is_ours(vault, "form-preview", form, until, given) && until.parse::<i64>().is_ok_and(|until| now.timestamp() <= until)
}

fn mac(vault: &Vault, purpose: &'static str, form: EndpointId, text: &str) -> String {
    hex::encode(vault.mac(purpose, &[form.0.as_bytes(), text.as_bytes()].concat()))
}

fn is_ours(vault: &Vault, purpose: &'static str, form: EndpointId, text: &str, given: &str) -> bool {
    hex::decode(given).is_ok_and(|given| vault.is_mac(purpose, &[form.0.as_bytes(), text.as_bytes()].concat(), &given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::Keys;
    use chrono::TimeDelta;

    /// Codes need no database.
    fn vault() -> Vault {
        Vault::new(Keys::generate(), sqlx::PgPool::connect_lazy("postgres://nobody").unwrap())
    }

    #[tokio::test]
    async fn a_page_is_known_again_when_a_person_could_have_filled_it_in() {
        let (vault, form, now) = (vault(), EndpointId::random(), DateTime::UNIX_EPOCH);
        let token = issue(&vault, form, now);
        assert_eq!(check(&vault, form, &token, now), Err(NotSeen::TooFast));
        let later = now + TimeDelta::seconds(5);
        let seen = check(&vault, form, &token, later).unwrap();
        assert_eq!(check(&vault, form, &token, later + TimeDelta::days(2)), Ok(seen), "a page may stay open for days");
        assert_eq!(check(&vault, EndpointId::random(), &token, later), Err(NotSeen::Unknown));
        assert_eq!(check(&vault, form, &token.replacen('0', "1", 1), later), Err(NotSeen::Unknown));
        assert_eq!(check(&vault, form, "", later), Err(NotSeen::Unknown));
    }

    #[tokio::test]
    async fn a_preview_lets_in_for_a_day_and_to_its_own_form() {
        let (vault, form, now) = (vault(), EndpointId::random(), DateTime::UNIX_EPOCH);
        let token = issue_preview(&vault, form, now);
        assert!(check_preview(&vault, form, &token, now + TimeDelta::hours(23)));
        assert!(!check_preview(&vault, form, &token, now + TimeDelta::hours(25)));
        assert!(!check_preview(&vault, EndpointId::random(), &token, now));
        assert!(!check_preview(&vault, form, &issue(&vault, form, now), now), "a page's token is no preview");
    }
}
