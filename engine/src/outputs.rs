//! What expressions see on each line of a run: the fold of what its steps gave.
//!
//! There is one [`Context`], which stands on one line at a time. Going to another line takes the values of the old one out and puts
//! those of the new one in; a line sees what the lines around it gave, and nothing of those beside it. So what a step sees never
//! hangs on how far other lines have come, and after a crash it sees the same.
//!
//! The values of a round leave memory when it ends; what it gave stays. The lanes of a parallel step and the last round of a repeat
//! leave their values to the line around them.

mod gathered;
mod values;

use crate::{
    Json,
    error::StepError,
    expr::Context,
    lines::{LinesStep, Round},
    plan::{Kind, Plan},
    record::{Entry, LineEnd, LinesKind, Record},
    workflow::{LinePath, StepPath},
};
use chrono::{DateTime, Utc};
use gathered::Gathered;
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use values::{Entered, Values};

/// The most that the rounds of one loop may give together, in bytes of JSON.
pub const MAX_GATHERED: usize = 32 << 20;

/// The outputs of a run, by lines.
pub struct Outputs {
    context: Context,
    own: Values,
    inner: BTreeMap<LinePath, Values>,
    /// The lines on which the context stands, outermost first, with what they hid.
    stands_on: Vec<Entered>,
    gathered: HashMap<StepPath, Gathered>,
}

impl Outputs {
    /// Of a run of which nothing has happened yet.
    pub fn new(context: Context) -> Self {
        let own = Values::new(context.now());
        Self { context, own, inner: BTreeMap::new(), stands_on: Vec::new(), gathered: HashMap::new() }
    }

    /// Folds one more record in. Every record once, in the order of the history, each after the state took it in.
    pub fn apply(&mut self, entry: &Entry, plan: &Plan) {
        match &entry.record {
            Record::Opened { step, kind, .. } => {
                let line = step.line();
                let now = self.values(&line).now;
                let fresh = || Gathered::new(*kind, now);
                self.gathered.entry(step.clone()).or_insert_with(fresh).kind = *kind;
            }
            Record::LineEnded { line, end, result } => self.line_ended(line, end, result.as_ref(), plan),
            record => {
                let Some(step) = record.step() else { return };
                self.about_step(step, entry, plan);
            }
        }
    }

    fn about_step(&mut self, step: &StepPath, entry: &Entry, plan: &Plan) {
        let planned = plan.step(step);
        let opens = planned.is_some_and(|planned| matches!(planned.kind, Kind::Lines(_)));
        if !step.is_on_the_runs_line() && !self.inner.contains_key(&step.line()) {
            let line = step.line();
            self.begin(&line, plan);
        }
        let mut output = entry.record.output();
        if opens
            && output.is_some()
            && let Some(gathered) = self.gathered.remove(step)
        {
            self.join(step, gathered, output.as_mut(), plan);
        }
        let values = self.values_mut(&step.line());
        if matches!(entry.record, Record::Failed { .. }) {
            values.failed_at = entry.at;
        }
        // Only what can't be worked out again moves `now`, and all of that is on disk before an effect goes out: whoever repeats
        // the effect after a crash resolves its input to the same.
        let told = !matches!(entry.record, Record::Started { .. } | Record::Waiting { .. } | Record::Skipped { .. });
        if told && !opens && planned.is_some_and(|planned| !matches!(planned.kind, Kind::Pure(_))) {
            values.now = entry.at;
        }
        if let Some(output) = output {
            self.put(&step.line(), step.id(), output, plan);
        }
    }

    /// The lines of a step are over: what they gave becomes its output.
    fn join(&mut self, step: &StepPath, gathered: Gathered, output: Option<&mut Json>, plan: &Plan) {
        let line = step.line();
        let last = gathered.last;
        let values = self.values_mut(&line);
        values.now = values.now.max(last);
        self.stand_on(&line, plan);
        let left = gathered.finish(output);
        for (id, value) in left {
            self.put(&line, &id, value, plan);
        }
        self.drop_inside(|path| path.is_opened_by(step));
    }

    fn line_ended(&mut self, path: &LinePath, end: &LineEnd, result: Option<&Json>, plan: &Plan) {
        let Some((step, number)) = path.opener() else { return };
        let opener = step.line();
        self.stand_on(&opener, plan);
        let values = self.inner.remove(path);
        self.drop_inside(|inner| inner.is_inside(path));
        let Some(gathered) = self.gathered.get_mut(&step) else { return };
        gathered.line_ended(number, end, result);
        let Some(values) = values else { return };
        gathered.last = gathered.last.max(values.now);
        match gathered.kind {
            LinesKind::Each => {}
            LinesKind::Parallel => gathered.left.extend(values.steps),
            LinesKind::Repeat => {
                for (id, value) in values.steps {
                    self.put(&opener, &id, value, plan);
                }
            }
        }
    }

    fn drop_inside(&mut self, gone: impl Fn(&LinePath) -> bool) {
        self.inner.retain(|path, _| !gone(path));
        self.gathered.retain(|step, _| !gone(&step.line()));
    }

    /// Keeps the list of a for-each that was just worked out, so that it need not be worked out again.
    pub fn keep_list(&mut self, step: &StepPath, list: Vec<Json>) {
        let now = self.values(&step.line()).now;
        let gathered = self.gathered.entry(step.clone()).or_insert_with(|| Gathered::new(LinesKind::Each, now));
        gathered.list = Some(Arc::new(list));
    }

    /// The context at a step, for its expressions.
    pub fn at(&mut self, step: &StepPath, plan: &Plan) -> &Context {
        let line = step.line();
        self.stand_on(&line, plan);
        let now = self.values(&line).now;
        self.context.at(step, now)
    }

    /// What a line gives at its end: a round of a for-each that was not filtered its result, one of a repeat whether another follows.
    pub fn gives(&mut self, line: &LinePath, end: &LineEnd, plan: &Plan) -> Result<Option<Json>, StepError> {
        let Some((opener, number)) = line.opener() else { return Ok(None) };
        let Some(Kind::Lines(kind)) = plan.step(&opener).map(|step| &step.kind) else { return Ok(None) };
        if *end == LineEnd::Filtered && kind.kind() == LinesKind::Each {
            return Ok(None);
        }
        self.begin(line, plan);
        self.stand_on(line, plan);
        let now = self.values(line).now;
        let last = plan.steps_of(line).rev().map(|step| line.step(&step.id)).find(|step| self.context.step(step).is_some());
        // A seed of its own for each round.
        self.context.at(&StepPath(line.0.clone()), now);
        let last = last.and_then(|step| self.context.step(&step));
        let gives = kind.gives(&self.context, last)?;
        let room = self.gathered.get(&opener).map_or(MAX_GATHERED, |gathered| MAX_GATHERED.saturating_sub(gathered.bytes));
        match &gives {
            Some(value) if crate::json::size(value) > room => {
                let message = format!("What the rounds give is larger than {} MB together.", MAX_GATHERED >> 20);
                let hint = "Say under “Each round gives” which part of it is needed later.";
                Err(StepError::invalid_input(format!("{message} It was round {}.", number + 1)).hint(hint).field("result"))
            }
            _ => Ok(gives),
        }
    }

    /// When the last attempt on this line failed.
    pub fn failed_at(&self, line: &LinePath) -> DateTime<Utc> {
        self.values(line).failed_at
    }

    /// The context as it stands: for what is asked of the run as a whole.
    pub fn context(&self) -> &Context {
        &self.context
    }

    fn values(&self, line: &LinePath) -> &Values {
        self.inner.get(line).unwrap_or(&self.own)
    }

    fn values_mut(&mut self, line: &LinePath) -> &mut Values {
        self.inner.get_mut(line).unwrap_or(&mut self.own)
    }

    /// Makes the values of a line that nothing happened on yet, and of those around it.
    fn begin(&mut self, line: &LinePath, plan: &Plan) {
        if line.is_run() || self.inner.contains_key(line) {
            return;
        }
        let Some((step, _)) = line.opener() else { return };
        self.begin(&step.line(), plan);
        let now = match self.gathered.get(&step) {
            // Where rounds follow each other, time goes on from one to the next.
            Some(gathered) if at_once(plan, &step) == 1 => gathered.last,
            Some(gathered) => gathered.opened,
            None => self.values(&step.line()).now,
        };
        self.inner.insert(line.clone(), Values::new(now));
    }

    fn put(&mut self, line: &LinePath, id: &str, output: Json, plan: &Plan) {
        self.stand_on(line, plan);
        let before = self.context.put(id, Some(output));
        if let Some(entered) = self.stands_on.last_mut() {
            entered.hid(id, before);
        }
    }

    /// Goes to a line.
    fn stand_on(&mut self, line: &LinePath, plan: &Plan) {
        if self.stands_on.last().map_or(line.is_run(), |entered| entered.line == *line) {
            return;
        }
        while let Some(last) = self.stands_on.last()
            && last.line != *line
            && !line.is_inside(&last.line)
        {
            self.leave();
        }
        let mut around = Vec::new();
        let mut next = line.clone();
        while self.stands_on.last().map_or(!next.is_run(), |entered| entered.line != next) {
            let Some((step, _)) = next.opener() else { break };
            let outer = step.line();
            around.push(std::mem::replace(&mut next, outer));
        }
        for line in around.into_iter().rev() {
            self.enter(line, plan);
        }
        let rounds = self.stands_on.iter().filter_map(|entered| entered.round.clone()).collect();
        self.context.set_rounds(rounds);
    }

    fn enter(&mut self, line: LinePath, plan: &Plan) {
        self.begin(&line, plan);
        let round = self.round(&line, plan);
        let steps = self.inner.get_mut(&line).map(|values| std::mem::take(&mut values.steps)).unwrap_or_default();
        let mut entered = Entered::new(line, round);
        for (id, value) in steps {
            let before = self.context.put(&id, Some(value));
            entered.hid(&id, before);
        }
        self.stands_on.push(entered);
    }

    fn leave(&mut self) {
        let Some(entered) = self.stands_on.pop() else { return };
        let mut steps = crate::Object::new();
        for (id, before) in entered.hidden {
            if let Some(value) = self.context.put(&id, before) {
                steps.insert(id, value);
            }
        }
        if let Some(values) = self.inner.get_mut(&entered.line) {
            values.steps = steps;
        }
    }

    /// The round that a line is, if it is one. Its list is worked out again where a crash left none. The context stands on the
    /// line around it.
    fn round(&mut self, line: &LinePath, plan: &Plan) -> Option<Round> {
        let (step, index) = line.opener()?;
        let gathered = self.gathered.get(&step)?;
        if gathered.kind == LinesKind::Parallel {
            return None;
        }
        if gathered.kind == LinesKind::Each && gathered.list.is_none() {
            let opened = gathered.opened;
            let rounds = self.stands_on.iter().filter_map(|entered| entered.round.clone()).collect();
            self.context.set_rounds(rounds);
            self.context.at(&step, opened);
            let list = match plan.step(&step).map(|step| &step.kind) {
                Some(Kind::Lines(kind)) => kind.items(&self.context).ok().flatten(),
                _ => None,
            };
            self.keep_list(&step, list.unwrap_or_default());
        }
        Some(Round { list: self.gathered.get(&step)?.list.clone(), index })
    }
}

fn at_once(plan: &Plan, step: &StepPath) -> u32 {
    match plan.step(step).map(|step| &step.kind) {
        Some(Kind::Lines(kind @ (LinesStep::Each(_) | LinesStep::Repeat { .. }))) => kind.at_once(),
        _ => u32::MAX,
    }
}

#[cfg(test)]
mod tests;
