//! Which steps an expression may name: those that ran before it. The other roots are the expression compiler's to know.

use super::{Check, Severity};
use crate::{
    edit::LaneName,
    expr::closest,
    workflow::{Placed, Step},
};
use std::collections::HashMap;

/// What stands where, looked up by name.
pub(super) struct Names<'a> {
    positions: HashMap<&'a str, usize>,
    entries: Vec<Entry<'a>>,
}

struct Entry<'a> {
    step: &'a Step,
    /// The step and lane it is in.
    parent: Option<(usize, LaneName)>,
    /// A step before it in its lane that always ends the run.
    stop: Option<usize>,
}

impl<'a> Names<'a> {
    pub fn of(placed: &[Placed<'a>]) -> Self {
        let mut names = Self { positions: HashMap::with_capacity(placed.len()), entries: Vec::with_capacity(placed.len()) };
        let mut stops: HashMap<(Option<usize>, Option<LaneName>), usize> = HashMap::new();
        for (position, placed) in placed.iter().enumerate() {
            let parent = placed.place.parent.as_ref();
            let parent = parent.and_then(|parent| Some((*names.positions.get(parent.step.0.as_str())?, parent.lane)));
            let lane = (parent.map(|(branch, _)| branch), parent.map(|(_, lane)| lane));
            let inherited = parent.and_then(|(branch, _)| names.entries[branch].stop);
            let stop = stops.get(&lane).copied().or(inherited);
            if placed.step.operation == "stop" {
                stops.entry(lane).or_insert(position);
            }
            // With two of one name the first counts; that there are two is said elsewhere.
            names.positions.entry(&placed.step.id.0).or_insert(position);
            names.entries.push(Entry { step: placed.step, parent, stop });
        }
        names
    }

    /// The step that ends every run before this one.
    pub fn stop_before(&self, position: usize) -> Option<&'a str> {
        Some(name(self.entries[self.entries[position].stop?].step))
    }

    /// The steps around this place, innermost first, and in which lane of each it is.
    fn around(&self, reader: Reader) -> impl Iterator<Item = (usize, LaneName)> + '_ {
        let first = reader.inside.map(|lane| (reader.position, lane)).or(self.entries[reader.position].parent);
        std::iter::successors(first, |(step, _)| self.entries[*step].parent)
    }

    /// The lanes that `position` is in and the reader is not, outermost first: unless those lanes ran, the one has no value for the
    /// other.
    fn lanes_apart(&self, position: usize, reader: Reader) -> Vec<(usize, LaneName)> {
        let shared: Vec<_> = self.around(reader).collect();
        let mut apart: Vec<_> = self.around(Reader::at(position)).filter(|lane| !shared.contains(lane)).collect();
        apart.reverse();
        apart
    }

    /// Are both inside the rounds of the same repeat? Then what comes later in the document has a value of the round before.
    fn share_a_repeat(&self, position: usize, reader: Reader) -> bool {
        let repeats =
            |(step, lane): &(usize, LaneName)| *lane == LaneName::BODY && self.entries[*step].step.operation == "repeat";
        let shared: Vec<_> = self.around(reader).filter(repeats).collect();
        self.around(Reader::at(position)).any(|lane| shared.contains(&lane))
    }
}

/// Where an expression is worked out.
#[derive(Clone, Copy)]
pub(super) struct Reader {
    position: usize,
    /// At the end of this lane of the step, instead of where the step itself stands.
    inside: Option<LaneName>,
}

impl Reader {
    pub fn at(position: usize) -> Self {
        Self { position, inside: None }
    }

    /// At the end of a round of the loop at this position.
    pub fn after_round_of(position: usize) -> Self {
        Self { position, inside: Some(LaneName::BODY) }
    }
}

fn name(step: &Step) -> &str {
    step.title.as_deref().unwrap_or(&step.id.0)
}

/// Checks the paths that a field uses which is read there. `careful`: the field says itself what to do about missing values.
pub(super) fn check(check: &mut Check<'_>, field: &str, paths: &[String], careful: bool, reader: Reader) {
    let mut said: Vec<&str> = Vec::new();
    for path in paths {
        let (root, rest) = split(path);
        if let Some(message) = round(check, root, reader) {
            check.blocks(Some(field), message);
            continue;
        }
        if let ("vars", Some(rest)) = (root, rest)
            && let Some(message) = variable(check, split(rest).0)
        {
            let severity = if careful { Severity::Warning } else { Severity::Blocks };
            check.say(severity, Some(field.to_owned()), message);
            continue;
        }
        // Unknown roots don't compile; all others are always there.
        let ("steps", Some(rest)) = (root, rest) else { continue };
        let id = split(rest).0;
        if said.contains(&id) {
            continue;
        }
        said.push(id);
        if let Some((severity, message)) = step(check, id, careful, reader) {
            check.say(severity, Some(field.to_owned()), message);
        }
    }
}

/// What is wrong with naming the item or the round here.
fn round(check: &Check<'_>, root: &str, reader: Reader) -> Option<String> {
    let loops: &[&str] = match root {
        "item" => &["for_each"],
        "index" => &["for_each", "repeat"],
        _ => return None,
    };
    let inside = check
        .names
        .around(reader)
        .any(|(step, lane)| lane == LaneName::BODY && loops.contains(&check.names.entries[step].step.operation.as_str()));
    (!inside).then(|| match root {
        "item" => "“item” is only there inside a “For each”: it is the item of the list that the round is for.".into(),
        _ => "“index” is only there inside a loop: it is the number of the round, counted from 0.".into(),
    })
}

/// What is wrong with naming this variable.
fn variable(check: &Check<'_>, name: &str) -> Option<String> {
    let known = check.variables?;
    if known.iter().any(|it| it == name) {
        return None;
    }
    let near =
        closest(name, known.iter().map(String::as_str)).map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
    Some(format!("There is no variable \"{name}\" in this workspace.{near} Variables are made under Settings › Variables."))
}

fn step(check: &Check<'_>, id: &str, careful: bool, reader: Reader) -> Option<(Severity, String)> {
    let names = &check.names;
    let Some(&found) = names.positions.get(id) else {
        let near = closest(id, names.entries[..reader.position].iter().map(|entry| entry.step.id.0.as_str()));
        let near = near.map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
        return Some((Severity::Blocks, format!("There is no step with the id \"{id}\" (any more).{near}")));
    };
    let title = name(names.entries[found].step);
    let again = names.share_a_repeat(found, reader);
    if found == reader.position && !again {
        return Some((Severity::Blocks, "A step can't use its own result: it isn't there yet.".into()));
    }
    let inside =
        reader.inside.is_some_and(|lane| names.around(Reader::at(found)).any(|around| around == (reader.position, lane)));
    if found > reader.position && !again && !inside {
        let message = format!("“{title}” comes after this step, so its result isn't there yet. Move one of them.");
        return Some((Severity::Blocks, message));
    }
    let around = names.around(reader).find(|(step, lane)| *step == found && *lane != LaneName::RESCUE);
    if let Some((outer, _)) = around.filter(|(outer, _)| names.entries[*outer].step.operation != "branch") {
        let title = name(names.entries[outer].step);
        return Some((Severity::Blocks, format!("“{title}” has no result before it is done, so not for the steps inside it.")));
    }
    let apart = names.lanes_apart(found, reader);
    if let Some(message) = apart.iter().find_map(|lane| never_seen(names, *lane, title, reader)) {
        return Some((Severity::Blocks, message));
    }
    if careful {
        return None;
    }
    if found >= reader.position && again && !inside && apart.is_empty() {
        let message = format!(
            "“{title}” comes later in the round: here its result is that of the round before, and in the first round there is none. \
             Add a default: | default(\"\")."
        );
        return Some((Severity::Warning, message));
    }
    let (around, lane) = *apart.iter().find(|(step, lane)| may_not_run(names.entries[*step].step, *lane))?;
    let together = names.around(reader).any(|(other, _)| other == around);
    let outer = names.entries[around].step;
    let case = lane_words(outer, lane);
    Some((
        Severity::Warning,
        match (lane, outer.operation.as_str()) {
            (LaneName::RESCUE, _) => format!(
                "“{title}” only runs when “{}” fails. Add a default for runs in which it doesn't: | default(\"\").",
                name(outer)
            ),
            (_, "parallel") => format!(
                "“{title}” may be cut off: “{}” goes on before all of its lanes are done. Add a default: | default(\"\").",
                name(outer)
            ),
            _ if together => {
                format!("“{title}” is in {case} of the branch and never runs together with this step, so its result is missing.")
            }
            _ => {
                format!(
                    "“{title}” only runs in {case} of a branch. Add a default for runs that went another way: | default(\"\")."
                )
            }
        },
    ))
}

/// Why what is in this lane has no value for a reader outside of it, ever.
fn never_seen(names: &Names<'_>, (outer, lane): (usize, LaneName), title: &str, reader: Reader) -> Option<String> {
    let step = names.entries[outer].step;
    match (step.operation.as_str(), lane) {
        ("for_each", LaneName::BODY) => Some(format!(
            "“{title}” is done once for each item, so there is no single result here. What the rounds gave is in steps.{}.items.",
            step.id
        )),
        ("parallel", LaneName::Case(_))
            if names.around(reader).any(|(other, lane)| other == outer && lane != LaneName::RESCUE) =>
        {
            Some(format!(
                "“{title}” is in another lane, which goes on at the same time. Its result is there after “{}”.",
                name(step)
            ))
        }
        _ => None,
    }
}

/// May a run go past the lane without having gone through it?
fn may_not_run(step: &Step, lane: LaneName) -> bool {
    match (step.operation.as_str(), lane) {
        ("repeat", LaneName::BODY) => false,
        ("parallel", LaneName::Case(_)) => !matches!(step.input.get("join").and_then(crate::Json::as_str), None | Some("all")),
        _ => true,
    }
}

fn lane_words(branch: &Step, lane: LaneName) -> String {
    match lane {
        LaneName::Named(_) => "the otherwise case".to_owned(),
        LaneName::Case(index) => match branch.cases.get(index).map(|case| case.title.trim()) {
            Some(title) if !title.is_empty() => format!("the case “{title}”"),
            _ => format!("case {}", index + 1),
        },
    }
}

/// The first name of a path, and what follows it: `steps.find.items` and `steps["find"]` both begin with `steps`, then `find`.
fn split(path: &str) -> (&str, Option<&str>) {
    if let Some(rest) = path.strip_prefix("[\"") {
        let end = rest.find("\"]").unwrap_or(rest.len());
        return (
            &rest[..end],
            rest.get(end + 2..).map(|rest| rest.strip_prefix('.').unwrap_or(rest)).filter(|rest| !rest.is_empty()),
        );
    }
    let end = path.find(['.', '[']).unwrap_or(path.len());
    let rest = &path[end..];
    (&path[..end], Some(rest.strip_prefix('.').unwrap_or(rest)).filter(|rest| !rest.is_empty()))
}
