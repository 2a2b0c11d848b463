//! The rounds of a loop on the run page: how many ended how, a page of them, and the one that is looked at.

use super::words::badge;
use crate::{
    app::App,
    problem::Problem,
    store::{
        rounds::{self, Counts},
        run_pages::{self, History},
    },
};
use serde::Deserialize;
use std::collections::HashMap;
use towpath_engine::{
    Json,
    ids::{RunId, WorkspaceId},
    record::{Entry, LineEnd, LinesKind, Record},
    workflow::{LinePath, StepPath},
};
use towpath_web::runs::show::{RoundLink, RoundsView};

/// Rounds on a page.
pub const PAGE: i64 = 20;

/// What a person looks at on the page of a run.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Looking {
    /// The round of a loop, or a line inside it.
    pub round: Option<LinePath>,
    /// `all` rounds, or only those that `failed`; absent: the failed ones, if there are any.
    pub rounds: Option<String>,
    /// The rounds after this one, by its index.
    pub after: Option<i64>,
}

impl Looking {
    /// The address's own words for it, with their question mark; empty when nothing is chosen.
    pub fn query(&self) -> String {
        let parts = [
            self.round.as_ref().map(|line| format!("round={}", encoded(&line.0))),
            self.rounds.as_ref().map(|which| format!("rounds={}", encoded(which))),
            self.after.map(|after| format!("after={after}")),
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        if parts.is_empty() { String::new() } else { format!("?{}", parts.join("&")) }
    }
}

/// The history of a run with the round that is looked at, and a page of rounds for each of its loops.
pub struct Looked {
    pub history: History,
    pub round: Option<LinePath>,
    pub pages: HashMap<StepPath, Page>,
}

/// Some of the rounds of a loop.
#[derive(Default)]
pub struct Page {
    pub ends: Vec<Entry>,
    /// Only failed ones are on it.
    pub failed: bool,
    pub more: bool,
}

/// Reads what the page shows. Without a round that was chosen, it is the one that asks a person, or the first that failed.
pub async fn look(app: &App, workspace: WorkspaceId, run: RunId, looking: &Looking) -> Result<Looked, Problem> {
    let mut history = run_pages::history(&app.pool, workspace, run, looking.round.as_ref()).await?;
    let mut pages = HashMap::new();
    for (step, counts) in &history.rounds {
        let failed = match looking.rounds.as_deref() {
            Some("all") => false,
            Some("failed") => true,
            _ => counts.failed > 0,
        };
        let after = looking.after.unwrap_or(-1);
        pages.insert(step.clone(), page(app, workspace, run, &history, step, failed, after, PAGE).await?);
    }
    let mut round = looking.round.clone();
    if round.is_none() && !history.rounds.is_empty() {
        round = rounds::asked(&app.pool, workspace, run).await?;
        for step in history.rounds.iter().filter(|(_, counts)| counts.failed > 0).map(|(step, _)| step) {
            if round.is_none() {
                let first = page(app, workspace, run, &history, step, true, -1, 1).await?;
                round = first.ends.into_iter().find_map(|entry| line(&entry).cloned());
            }
        }
        if round.is_some() {
            history = run_pages::history(&app.pool, workspace, run, round.as_ref()).await?;
        }
    }
    Ok(Looked { history, round, pages })
}

/// A page of the rounds of a loop, those that travelled with the run's end included.
#[allow(clippy::too_many_arguments, reason = "what a page is asked by")]
pub async fn page(
    app: &App,
    workspace: WorkspaceId,
    run: RunId,
    history: &History,
    of: &StepPath,
    failed: bool,
    after: i64,
    limit: i64,
) -> Result<Page, Problem> {
    let mut ends = rounds::page(&app.pool, workspace, run, of, failed, after, limit + 1).await?;
    ends.extend(history.tail.iter().filter(|entry| is_of(entry, of, failed, after)).cloned());
    ends.sort_by_key(number);
    let limit = usize::try_from(limit).unwrap_or(0);
    let more = ends.len() > limit;
    ends.truncate(limit);
    Ok(Page { ends, failed, more })
}

fn line(entry: &Entry) -> Option<&LinePath> {
    match &entry.record {
        Record::LineEnded { line, .. } => Some(line),
        _ => None,
    }
}

pub fn number(entry: &Entry) -> i64 {
    line(entry).and_then(LinePath::opener).map_or(-1, |(_, number)| i64::from(number))
}

fn is_of(entry: &Entry, of: &StepPath, failed: bool, after: i64) -> bool {
    let Record::LineEnded { line, end, .. } = &entry.record else { return false };
    let Some((step, number)) = line.opener() else { return false };
    step == *of && i64::from(number) > after && (!failed || matches!(end, LineEnd::Failed { .. }))
}

/// "38 of 40 done, 2 failed": how far a loop has come. `None`: it never opened.
pub fn words(entries: &[&Entry], counts: &Counts) -> Option<String> {
    let (kind, total) = entries.iter().find_map(|entry| match &entry.record {
        Record::Opened { kind, lines, .. } => Some((*kind, *lines)),
        _ => None,
    })?;
    let mut words = match kind {
        LinesKind::Each => format!("{} of {total} done", counts.done),
        _ => format!("{} {}", counts.over(), if counts.over() == 1 { "round" } else { "rounds" }),
    };
    for (count, what) in [(counts.failed, "failed"), (counts.filtered, "filtered out"), (counts.cancelled, "cut off")] {
        if count > 0 && (kind == LinesKind::Each || what != "filtered out") {
            words.push_str(&format!(", {count} {what}"));
        }
    }
    Some(words)
}

/// How the rounds of a loop inside a round ended, from what happened there.
pub fn count(entries: &[Entry], of: &StepPath) -> Counts {
    let mut counts = Counts::default();
    for entry in entries.iter().filter(|entry| is_of(entry, of, false, -1)) {
        if let Record::LineEnded { end, .. } = &entry.record {
            counts.add(end);
        }
    }
    counts
}

/// The first page of them.
pub fn first(entries: &[Entry], of: &StepPath) -> Page {
    let limit = usize::try_from(PAGE).unwrap_or(0);
    let mut ends: Vec<Entry> = entries.iter().filter(|entry| is_of(entry, of, false, -1)).cloned().collect();
    ends.sort_by_key(number);
    ends.truncate(limit);
    Page { ends, failed: false, more: false }
}

/// The rounds of a loop as the page draws them.
pub fn view(run: &str, words: String, counts: &Counts, page: &Page, shown: Option<&LinePath>) -> RoundsView {
    let link = |line: &LinePath| format!("/runs/{run}?round={}", encoded(&line.0));
    let round = |entry: &Entry| {
        let Record::LineEnded { line, end, .. } = &entry.record else { return None };
        let (state, message) = match end {
            LineEnd::Done => (badge("ok", "done"), given(&entry.record)),
            LineEnd::Filtered => (badge("off", "filtered out"), None),
            LineEnd::Cancelled => (badge("off", "cut off"), None),
            LineEnd::Failed { failed } => (badge("bad", "failed"), Some(failed.error.message.clone())),
        };
        Some(RoundLink { number: number(entry) + 1, state, message, href: link(line), is_shown: shown == Some(line) })
    };
    let which = if page.failed { "failed" } else { "all" };
    let last = page.ends.last().map(number);
    RoundsView {
        words,
        links: page.ends.iter().filter_map(round).collect(),
        only_failed: page.failed,
        other: (counts.failed > 0 && counts.over() > counts.failed)
            .then(|| format!("/runs/{run}?rounds={}", if page.failed { "all" } else { "failed" })),
        more: last.filter(|_| page.more).map(|last| format!("/runs/{run}?rounds={which}&after={last}")),
    }
}

/// What a round of a for-each gave, in a few words.
fn given(record: &Record) -> Option<String> {
    let Record::LineEnded { result: Some(result), .. } = record else { return None };
    let text = match result {
        Json::Null | Json::Bool(_) => return None,
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    Some(text.chars().take(160).collect())
}

/// A path as a part of an address.
pub fn encoded(path: &str) -> String {
    path.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
