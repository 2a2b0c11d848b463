//! What a connector is excused from: the rule, why, and until when. An excuse that nobody needs any more is a failure, and so is one
//! whose day has passed.

use super::Outcome;
use crate::manifest::read::typed;
use chrono::NaiveDate;
use serde::Deserialize;

/// One excuse.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    pub connector: String,
    pub rule: String,
    /// Only this operation or case; all of the rule's without it.
    #[serde(default)]
    pub subject: Option<String>,
    pub reason: String,
    /// The last day on which it holds.
    pub until: NaiveDate,
}

/// The waivers of this repository.
pub fn built_in() -> Vec<Waiver> {
    read(include_str!("../../waivers.yaml")).expect("a test reads the file")
}

/// Reads a list of waivers.
///
/// # Errors
/// What is wrong with it.
pub fn read(text: &str) -> Result<Vec<Waiver>, String> {
    let written = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let waivers: Vec<Waiver> = typed(written).map_err(|(path, what)| format!("{path}: {what}"))?;
    match waivers.iter().find(|waiver| waiver.reason.trim().len() < 15) {
        Some(waiver) => Err(format!("the waiver of {} for {} has no reason", waiver.connector, waiver.rule)),
        None => Ok(waivers),
    }
}

/// Excuses what the waivers of a connector name, and adds a failure for each that is stale or needless.
pub fn apply(outcomes: &mut Vec<Outcome>, connector: &str, waivers: &[Waiver], today: NaiveDate) {
    for waiver in waivers.iter().filter(|waiver| waiver.connector == connector) {
        let subject = waiver.subject.clone().unwrap_or_else(|| "*".into());
        let named = format!("{} {subject}", waiver.rule);
        if waiver.until < today {
            outcomes.push(Outcome::of(
                connector,
                "waiver",
                named,
                Err(format!("it held until {}; mend the connector or say why it needs longer", waiver.until)),
            ));
            continue;
        }
        let mut needed = false;
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.rule == waiver.rule && outcome.failure.is_some()) {
            if waiver.subject.as_ref().is_none_or(|subject| *subject == outcome.subject) {
                outcome.waived = Some(waiver.reason.clone());
                needed = true;
            }
        }
        if !needed {
            outcomes.push(Outcome::of(connector, "waiver", named, Err("nothing fails that it would excuse; take it out".into())));
        }
    }
}
