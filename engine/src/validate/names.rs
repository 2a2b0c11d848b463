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
    /// The branch and lane it is in.
    parent: Option<(usize, LaneName)>,
    /// A step before it in its lane that always ends the run.
    stop: Option<usize>,
}

impl<'a> Names<'a> {
    pub fn of(placed: &[Placed<'a>]) -> Self {
        let mut names = Self { positions: HashMap::with_capacity(placed.len()), entries: Vec::with_capacity(placed.len()) };
        let mut stops: HashMap<(Option<usize>, Option<usize>), usize> = HashMap::new();
        for (position, placed) in placed.iter().enumerate() {
            let parent = placed.place.parent.as_ref();
            let parent = parent.and_then(|parent| Some((*names.positions.get(parent.step.0.as_str())?, parent.lane)));
            let lane = (parent.map(|(branch, _)| branch), parent.and_then(|(_, lane)| case_index(lane)));
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

    /// The branches around a step, and in which lane of each it is.
    fn around(&self, position: usize) -> impl Iterator<Item = (usize, LaneName)> + '_ {
        std::iter::successors(self.entries[position].parent, |(branch, _)| self.entries[*branch].parent)
    }

    /// A lane that `position` is in and `reader` is not, outermost first: unless that lane ran, the one has no value for the other.
    fn lane_apart(&self, position: usize, reader: usize) -> Option<(usize, LaneName)> {
        let shared: Vec<_> = self.around(reader).collect();
        self.around(position).filter(|lane| !shared.contains(lane)).last()
    }
}

/// `None` for the otherwise lane.
fn case_index(lane: LaneName) -> Option<usize> {
    match lane {
        LaneName::Case(index) => Some(index),
        LaneName::Otherwise(_) => None,
    }
}

fn name(step: &Step) -> &str {
    step.title.as_deref().unwrap_or(&step.id.0)
}

/// Checks the paths that a field of the step at `position` uses. `careful`: the field says itself what to do about missing values.
pub(super) fn check(check: &mut Check<'_>, field: &str, paths: &[String], careful: bool, position: usize) {
    let mut said: Vec<&str> = Vec::new();
    for path in paths {
        // Unknown roots don't compile; all others but `steps` are always there.
        let ("steps", Some(rest)) = split(path) else { continue };
        let id = split(rest).0;
        if said.contains(&id) {
            continue;
        }
        said.push(id);
        if let Some((severity, message)) = step(check, id, careful, position) {
            check.say(severity, Some(field.to_owned()), message);
        }
    }
}

fn step(check: &Check<'_>, id: &str, careful: bool, position: usize) -> Option<(Severity, String)> {
    let names = &check.names;
    let Some(&found) = names.positions.get(id) else {
        let near = closest(id, names.entries[..position].iter().map(|entry| entry.step.id.0.as_str()));
        let near = near.map(|near| format!(" Did you mean \"{near}\"?")).unwrap_or_default();
        return Some((Severity::Blocks, format!("There is no step with the id \"{id}\" (any more).{near}")));
    };
    let title = name(names.entries[found].step);
    if found == position {
        return Some((Severity::Blocks, "A step can't use its own result: it isn't there yet.".into()));
    }
    if found > position {
        let message = format!("“{title}” comes after this step, so its result isn't there yet. Move one of them.");
        return Some((Severity::Blocks, message));
    }
    if careful {
        return None;
    }
    let (branch, lane) = names.lane_apart(found, position)?;
    let apart = names.around(position).any(|(around, _)| around == branch);
    let case = lane_words(names.entries[branch].step, lane);
    Some((
        Severity::Warning,
        match apart {
            true => {
                format!("“{title}” is in {case} of the branch and never runs together with this step, so its result is missing.")
            }
            false => {
                format!(
                    "“{title}” only runs in {case} of a branch. Add a default for runs that went another way: | default(\"\")."
                )
            }
        },
    ))
}

fn lane_words(branch: &Step, lane: LaneName) -> String {
    match lane {
        LaneName::Otherwise(_) => "the otherwise case".to_owned(),
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
