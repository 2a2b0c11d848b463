//! What holds for every workflow and every world: random trees, random outcomes, a crash after every record.

use super::*;
use crate::{
    Json,
    ids::RunId,
    record::Decision,
    rehearsal::{
        Outcome, Shell, World, operations,
        random::{Dice, dice, workflows},
    },
    workflow::{Step, Workflow},
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
    let mut state = RunState::new(run);
    for record in &shell.history {
        if let Record::Started { step, attempt, .. }
        | Record::Succeeded { step, attempt, .. }
        | Record::Failed { step, attempt, .. } = record
        {
            let allowed = plan.step(step).unwrap().retry.attempts + state.step(step).map_or(0, |step| step.sent_again);
            assert!(*attempt <= allowed, "{step} is tried {attempt} times of {allowed}");
            if state.step(step).is_none() {
                assert_nothing_before_is_open(plan, &state, step);
            }
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
}

/// Everything before the step in the document is at rest, and the branches around it chose the lane it is in.
fn assert_nothing_before_is_open(plan: &Plan, state: &RunState, step: &StepPath) {
    let position = plan.position(step).unwrap();
    for before in &plan.steps()[..position] {
        let Some(found) = state.step(&before.path) else { panic!("{step} began before {}", before.path) };
        let settled = match &found.status {
            Status::Succeeded | Status::Skipped(_) | Status::Decided(Word::WentThrough) => true,
            Status::Failed | Status::Decided(Word::Fail) => before.on_error == OnError::Continue,
            _ => false,
        };
        assert!(settled, "{step} began while {} was {:?}", before.path, found.status);
    }
    let mut inner = plan.step(step).unwrap();
    while let Some((parent, lane)) = inner.parent {
        inner = &plan.steps()[parent];
        let taken = taken_lane(inner, state.step(&inner.path).and_then(|state| state.turn.as_ref()));
        assert_eq!(taken, Some(lane), "{step} is in a lane that was not chosen");
    }
}

/// Outcomes fixed per step, all final at the first attempt.
struct Fixed(HashMap<String, Outcome>);

impl World for Fixed {
    fn outcome(&mut self, step: &PlannedStep, _attempt: u16) -> Outcome {
        self.0[&step.path.0].clone()
    }
    fn decide(&mut self, _step: &StepPath) -> Decision {
        panic!("nothing here is uncertain")
    }
}

/// How a lane of the model came out.
#[derive(PartialEq)]
enum Flow {
    On,
    Ended,
}

/// What the document means, told by plain recursion over the tree: the other way to know what the planner should do.
#[derive(Default)]
struct Model {
    done: Vec<String>,
    end: Option<(EndState, Option<String>)>,
}

impl Model {
    fn lane(&mut self, steps: &[Step], world: &Fixed, top: bool) -> Flow {
        for step in steps {
            let output = match &world.0[&step.id.0] {
                Outcome::Done(output) => {
                    self.done.push(step.id.0.clone());
                    Some(output.clone())
                }
                _ if step.on_error == OnError::Continue => None,
                _ => {
                    self.end = Some((EndState::Failed, None));
                    return Flow::Ended;
                }
            };
            let asked = |key: &str| output.as_ref().and_then(|output| output.get(key)).cloned().unwrap_or(Json::Null);
            match step.operation.as_str() {
                "filter" if asked("passed") != Json::Bool(true) => {
                    if top {
                        self.end = Some((EndState::Succeeded, Some("filtered".into())));
                        return Flow::Ended;
                    }
                    return Flow::On;
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
                    if let Some(lane) = lane
                        && self.lane(lane, world, false) == Flow::Ended
                    {
                        return Flow::Ended;
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
    fn the_planner_does_what_the_tree_means(workflow in workflows(), mut throws in dice(false, false)) {
        let plan = planned(workflow);
        let mut outcomes = HashMap::new();
        for step in plan.steps() {
            let outcome = match throws.outcome(step, 1) {
                Outcome::Fails(_) => Outcome::Fails(ErrorKind::InvalidInput),
                outcome => outcome,
            };
            outcomes.insert(step.path.0.clone(), outcome);
        }
        let mut world = Fixed(outcomes);
        let mut model = Model::default();
        model.lane(&plan.workflow.steps, &world, true);
        let mut shell = Shell::new(&plan);
        shell.run(&mut world);
        prop_assert_eq!(shell.done(), model.done.iter().map(String::as_str).collect::<Vec<_>>());
        let end = shell.end().unwrap();
        prop_assert_eq!((end.state, end.reason.clone()), model.end.unwrap_or((EndState::Succeeded, None)));
        // A run that came to its end in peace leaves no step untold.
        if end.state == EndState::Succeeded {
            prop_assert!(plan.steps().iter().all(|step| shell.state.step(&step.path).is_some()));
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
    assert!(!commands.is_empty() || state.waiting().is_some(), "a run that isn't over never gets stuck");
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
    if let Some(path) = state.current()
        && state.step(path).is_some_and(|found| found.status == Status::Started && found.effect == Some(Effect::Unsafe))
    {
        let marked = matches!(&commands[0], Command::MarkUncertain { step, .. } if step == path)
            || matches!(&commands[..], [.., Command::End(_)])
                && commands.iter().any(|command| matches!(command, Command::MarkUncertain { step, .. } if step == path));
        assert!(marked, "a started unsafe effect without a result is uncertain: {commands:?}");
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
    for (step, attempt, _) in &shell.acted {
        assert!(!committed.contains(step), "{step} acted again after its result was on disk");
        assert!(!started.contains_key(&(step, attempt)), "attempt {attempt} of {step} was sent twice");
    }
    keeps_its_promises(plan, &shell, true);
}
