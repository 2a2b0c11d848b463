//! The one suite that every connector goes through. Its trials come from the folder itself: a new connector is covered at once. What a
//! connector can do picks the trials; a waiver excuses one, with a reason and until a day. It talks to nobody: the door is scripted.

mod case;
mod door;
mod secrets;
mod trials;
pub mod waiver;

use crate::manifest::{Folder, check::check};
use chrono::NaiveDate;
use waiver::Waiver;

/// What one trial came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub connector: String,
    /// The rule that a waiver names: `errors`, `pagination` …
    pub rule: &'static str,
    /// What was tried: an operation, or a case.
    pub subject: String,
    /// What is wrong; `None` when it passed.
    pub failure: Option<String>,
    /// Why a failure is excused.
    pub waived: Option<String>,
}

impl Outcome {
    fn of(connector: &str, rule: &'static str, subject: impl Into<String>, result: Result<(), String>) -> Self {
        Self { connector: connector.into(), rule, subject: subject.into(), failure: result.err(), waived: None }
    }

    /// Does it count against the connector?
    pub fn is_bad(&self) -> bool {
        self.failure.is_some() && self.waived.is_none()
    }
}

/// Runs every trial of a folder. `today` decides which waivers hold; a stale or needless waiver is a failure of its own.
pub async fn run(folder: &Folder, waivers: &[Waiver], today: NaiveDate) -> Vec<Outcome> {
    let id = folder.name.as_str();
    let mut outcomes = match check(folder) {
        Err(problems) => {
            let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
            vec![Outcome::of(id, "manifest", "connector.yaml", Err(said.join("\n")))]
        }
        Ok(checked) => {
            let mut outcomes = vec![Outcome::of(id, "manifest", "connector.yaml", Ok(()))];
            outcomes.extend(trials::all(folder, &checked).await);
            outcomes
        }
    };
    waiver::apply(&mut outcomes, id, waivers, today);
    outcomes
}

#[cfg(test)]
mod tests;
