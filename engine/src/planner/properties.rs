//! What holds for every workflow and every world: random trees, random outcomes, a crash after every record.

use super::{line::taken_lane, *};
use crate::{
    Json,
    catalogue::Effect,
    error::ErrorKind,
    ids::RunId,
    plan::{Kind, PlannedStep},
    record::{Decision, EndState},
    rehearsal::{
        Outcome, Shell, World, operations,
        random::{Dice, dice, workflows, workflows_in_order},
    },
    state::{Status, Word},
    workflow::{OnError, Step, Workflow},
};
use proptest::prelude::*;
use std::collections::{HashMap, HashSet};

fn planned(workflow: Workflow) -> Plan {
    Plan::new(1, workflow, &operations()).expect("random workflows run")
}

/// Checks the promises over a finished run's history. `crashes`: the process died in between, so attempts may repeat.
fn keeps_its_promises(plan: &Plan, shell: &Shell<'_>, crashes: bool) {
    let run = shell.state.run();
    let ends = shell.history.iter().filter(|record| matches!(record, Record::Ended { .. })).count();
    assert_eq!(ends, 1, "a run ends once");
    let mut acted = HashSet::new();
    for (step, attempt, effect) in &shell.acted {
        let first = acted.insert((step, attempt));
        assert!(first || (crashes && *effect != Some(Effect::Unsafe)), "attempt {attempt} of {step} acts once");
    }
    let mut ended = HashSet::new();
    let mut state = RunState::new(run);
    for record in &shell.history {
        if let Record::Started { step, attempt, .. }
        | Record::Succeeded { step, attempt, .. }
        | Record::Failed { step, attempt, .. } = record
        {
            let allowed = plan.step(step).unwrap().retry.attempts + state.step(step).map_or(0, |step| step.uncounted);
            assert!(*attempt <= allowed, "{step} is tried {attempt} times of {allowed}");
            if state.step(step).is_none() {
                assert_nothing_before_is_open(plan, &state, step);
            }
        }
        if let Record::LineEnded { line, .. } = record {
            assert!(ended.insert(line.clone()), "{line} ends once");
        }
        let before = state.clone();
        state.apply(record);
        let mut again = state.clone();
        again.apply(record);
        assert_eq!(again, state, "the same record twice is one: {record:?}");
        assert_ne!(before, state, "every record says something new: {record:?}");
    }
    let mut twice = state.clone();
    shell.history.iter().for_each(|record| twice.apply(record));
    assert_eq!(twice, state, "folding a history again changes nothing");
    assert_eq!(shell.state, state, "the state is the fold of the history");
    all_lines_end(plan, shell, &ended);
}

/// When a step with lines is done, each of its lines that did anything has ended, and as many as it counts.
fn all_lines_end(plan: &Plan, shell: &Shell<'_>, ended: &HashSet<LinePath>) {
    for (at, record) in shell.history.iter().enumerate() {
        let (Record::Succeeded { step, .. } | Record::Failed { step, .. }) = record else { continue };
        if !plan.step(step).is_some_and(|planned| matches!(planned.kind, Kind::Lines(_))) {
            continue;
        }
        let began =
            shell.history[..at].iter().filter_map(Record::step).map(StepPath::line).filter(|line| line.is_opened_by(step));
        for line in began {
            let whole = std::iter::successors(Some(line), |line| line.opener().map(|(step, _)| step.line()));
            let direct = whole.take_while(|line| line.is_opened_by(step)).last().expect("it is one of them");
            assert!(ended.contains(&direct), "{direct} was left open when {step} was done");
        }
        for late in &shell.history[at..] {
            assert!(!late.step().is_some_and(|path| path.line().is_opened_by(step)), "{late:?} came after {step} was done");
        }
    }
}

/// Everything before the step on its line is at rest, the branches around it chose the lane it is in, and the step that opened its line
/// is open.
fn assert_nothing_before_is_open(plan: &Plan, state: &RunState, step: &StepPath) {
    let position = plan.position(step).unwrap();
    let line = step.line();
    let (range, opener) = plan.line(&line).unwrap();
    let known = |planned: &PlannedStep| state.step(&line.step(&planned.id));
    let mut at = range.start;
    while at < position {
        let before = &plan.steps()[at];
        at = before.after_lines(at);
        let Some(found) = known(before) else { panic!("{step} began before {}", before.id) };
        let settled = match &found.status {
            Status::Succeeded | Status::Skipped(_) | Status::Decided(Word::WentThrough) => true,
            Status::Failed | Status::Decided(Word::Fail) => before.on_error != OnError::Fail,
            _ => false,
        };
        assert!(settled, "{step} began while {} was {:?}", before.id, found.status);
    }
    let mut inner = plan.step(step).unwrap();
    while let Some((parent, lane)) = inner.parent.filter(|(parent, _)| Some(*parent) != opener) {
        inner = &plan.steps()[parent];
        let taken = known(inner).and_then(|state| taken_lane(inner, state));
        assert_eq!(taken, Some(lane), "{step} is in a lane that was not chosen");
    }
    if let Some((opener, number)) = line.opener() {
        let state = state.step(&opener).expect("whoever opened a line has a state");
        assert_eq!(state.status, Status::Open, "{step} began on a line of {opener}, which is over");
        assert!(number < state.lines.as_ref().unwrap().total);
    }
}

/// Outcomes fixed per step, all final at the first attempt.
struct Fixed(HashMap<String, Outcome>);

impl World for Fixed {
    fn outcome(&mut self, step: &PlannedStep, _attempt: u16) -> Outcome {
        self.0[&step.id.0].clone()
    }
    fn decide(&mut self, _step: &StepPath) -> Decision {
        panic!("nothing here is uncertain")
    }
}

/// How a lane of the model came out.
#[derive(PartialEq)]
enum Flow {
    On,
    /// A filter ended the lane.
    Filtered,
    /// The round fails.
    Failed,
    Ended,
}

/// What the document means, told by plain recursion over the tree: the other way to know what the planner should do.
#[derive(Default)]
struct Model {
    done: Vec<String>,
    end: Option<(EndState, Option<String>)>,
    /// How many loops are around.
    depth: usize,
}

impl Model {
    /// Two rounds of a for-each, one of a repeat. `None`: the step failed.
    fn rounds(&mut self, step: &Step, world: &Fixed) -> Result<Option<Json>, Flow> {
        let each = step.operation == "for_each";
        let body = step.body.as_ref().map(|lane| lane.steps.as_slice()).unwrap_or_default();
        let stops = !each || step.input["on_failed"] == "stop";
        self.depth += 1;
        for _ in 0..if each { 2 } else { 1 } {
            match self.lane(body, world, true) {
                Flow::Ended => return Err(Flow::Ended),
                Flow::Failed if stops => {
                    self.depth -= 1;
                    return Ok(None);
                }
                _ => {}
            }
        }
        self.depth -= 1;
        self.done.push(step.id.0.clone());
        Ok(Some(Json::Null))
    }

    fn lane(&mut self, steps: &[Step], world: &Fixed, top: bool) -> Flow {
        for step in steps {
            let output = match &world.0[&step.id.0] {
                Outcome::Done(_) if step.operation == "for_each" || step.operation == "repeat" => {
                    match self.rounds(step, world) {
                        Ok(done) => done,
                        Err(ended) => return ended,
                    }
                }
                Outcome::Done(output) => {
                    self.done.push(step.id.0.clone());
                    Some(output.clone())
                }
                _ => None,
            };
            if output.is_none() {
                match step.on_error {
                    OnError::Fail => {
                        if self.depth > 0 {
                            return Flow::Failed;
                        }
                        self.end = Some((EndState::Failed, None));
                        return Flow::Ended;
                    }
                    OnError::Continue => {}
                    OnError::Rescue => {
                        let rescue = step.rescue.as_ref().map(|lane| lane.steps.as_slice()).unwrap_or_default();
                        match self.lane(rescue, world, false) {
                            Flow::On | Flow::Filtered => continue,
                            other => return other,
                        }
                    }
                }
            }
            let asked = |key: &str| output.as_ref().and_then(|output| output.get(key)).cloned().unwrap_or(Json::Null);
            match step.operation.as_str() {
                "filter" if asked("passed") != Json::Bool(true) => {
                    if top && self.depth == 0 {
                        self.end = Some((EndState::Succeeded, Some("filtered".into())));
                        return Flow::Ended;
                    }
                    return Flow::Filtered;
                }
                "stop" if output.is_some() => {
                    let state = if asked("outcome") == "failed" { EndState::Failed } else { EndState::Succeeded };
                    self.end = Some((state, Some("stopped".into())));
                    return Flow::Ended;
                }
                "branch" if output.is_some() => {
                    let lane = match asked("case").as_u64() {
                        Some(case) => step.cases.get(case as usize).map(|case| &case.steps),
                        None => step.otherwise.as_ref().map(|lane| &lane.steps),
                    };
                    match lane.map_or(Flow::On, |lane| self.lane(lane, world, false)) {
                        Flow::On | Flow::Filtered => {}
                        other => return other,
                    }
                }
                _ => {}
            }
        }
        Flow::On
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_run_ends_and_keeps_its_promises(workflow in workflows(), mut world in dice(false, true)) {
        let plan = planned(workflow);
        let mut shell = Shell::new(&plan);
        shell.run(&mut world);
        keeps_its_promises(&plan, &shell, false);
    }

    #[test]
    fn runs_that_crash_while_they_act_keep_them_too(workflow in workflows(), mut world in dice(true, true)) {
        let plan = planned(workflow);
        let mut shell = Shell::new(&plan);
        shell.run(&mut world);
        keeps_its_promises(&plan, &shell, true);
    }

    #[test]
    fn the_planner_does_what_the_tree_means(workflow in workflows_in_order(), mut throws in dice(false, false)) {
        let plan = planned(workflow);
        let mut outcomes = HashMap::new();
        for step in plan.steps() {
            let outcome = match throws.outcome(step, 1) {
                Outcome::Fails(_) => Outcome::Fails(ErrorKind::InvalidInput),
                outcome => outcome,
            };
            outcomes.insert(step.id.0.clone(), outcome);
        }
        let mut world = Fixed(outcomes);
        let mut model = Model::default();
        model.lane(&plan.workflow.steps, &world, true);
        let mut shell = Shell::new(&plan);
        shell.run(&mut world);
        let done: Vec<&str> = shell.done().into_iter().map(|path| path.rsplit('/').next().unwrap()).collect();
        prop_assert_eq!(done, model.done.iter().map(String::as_str).collect::<Vec<_>>());
        let end = shell.end().unwrap();
        prop_assert_eq!((end.state, end.reason.clone()), model.end.unwrap_or((EndState::Succeeded, None)));
        // A run that came to the end of its line leaves no step of it untold.
        if end.state == EndState::Succeeded && end.reason.is_none() {
            let mut own = plan.steps_of(&RUN);
            prop_assert!(own.all(|step| shell.state.own_line().step(&step.id.0).is_some()));
        }
    }

}

proptest! {
    // Each of these cases is a run per record.
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn after_a_crash_at_any_record_the_run_goes_on_and_repeats_nothing_it_may_not(
        workflow in workflows(),
        mut world in dice(true, true),
        after in dice(true, true),
    ) {
        let plan = planned(workflow);
        let mut shell = Shell::new(&plan);
        shell.run(&mut world);
        for cut in 0..shell.history.len() {
            goes_on(&plan, &shell.history[..cut], &after);
        }
    }
}

/// Looks at what the planner says after this prefix of a history, and lets the run go on to its end.
fn goes_on(plan: &Plan, prefix: &[Record], world: &Dice) {
    let run = RunId(uuid::Uuid::from_u128(7));
    let state = RunState::fold(run, prefix);
    let commands = next(plan, &state);
    assert!(!commands.is_empty() || state.waits().next().is_some(), "a run that isn't over never gets stuck");
    let committed: HashSet<&StepPath> =
        prefix.iter().filter(|record| matches!(record, Record::Succeeded { .. })).filter_map(Record::step).collect();
    for command in &commands {
        if let Command::Start { step, attempt, .. } = command {
            assert!(!committed.contains(step), "{step} succeeded and is not started again");
            let cut_off = state.step(step).filter(|found| found.status == Status::Started && found.attempt == *attempt);
            assert!(
                cut_off.is_none_or(|found| found.effect != Some(Effect::Unsafe)),
                "{step} may have gone through: ask, don't send"
            );
        }
    }
    let mut shell = Shell::resumed(plan, prefix.to_vec());
    shell.run(&mut world.clone());
    let started: HashMap<_, _> = prefix
        .iter()
        .filter_map(|record| match record {
            Record::Started { step, attempt, effect: Some(Effect::Unsafe) } => Some(((step, attempt), ())),
            _ => None,
        })
        .collect();
    let lines = state.inner_lines().map(|(_, line)| line).chain([state.own_line()]);
    for (step, found) in lines.filter_map(Line::at) {
        if found.status == Status::Started && found.effect == Some(Effect::Unsafe) {
            let told = |record: &Record| matches!(record, Record::Uncertain { step: path, .. } if path == step);
            assert!(shell.history.iter().any(told), "{step} may have gone through, and nobody is told");
        }
    }
    for (step, attempt, _) in &shell.acted {
        assert!(!committed.contains(step), "{step} acted again after its result was on disk");
        assert!(!started.contains_key(&(step, attempt)), "attempt {attempt} of {step} was sent twice");
    }
    keeps_its_promises(plan, &shell, true);
}
