//! A workflow in one sentence: "When a request arrives at a URL, work out the total; if over 100, create invoice."

use towpath_engine::{
    catalogue::Catalogue,
    schedule::Schedule,
    workflow::{Step, Workflow},
};

/// Where the sentence is cut; a row of the list holds about this much.
const LONGEST: usize = 160;

/// Says what a workflow does, from its titles and, where it has none, from the operations' own sentences.
pub fn summary(workflow: &Workflow, catalogue: &dyn Catalogue) -> String {
    let Some(trigger) = &workflow.trigger else { return "Nothing starts it yet.".into() };
    let start = trigger.title.clone().filter(|title| !title.trim().is_empty()).unwrap_or_else(|| {
        // "Every Monday at 09:00" says more than "at certain times".
        let times = Some(trigger).filter(|it| it.operation == "schedule").and_then(|it| Schedule::read(&it.input).ok());
        let operation = catalogue.operation(&trigger.operation).map(|operation| operation.sentence.clone());
        times.map(|it| it.to_string()).or(operation).unwrap_or_else(|| trigger.operation.clone())
    });
    let phrases: Vec<String> = workflow.steps.iter().map(|step| phrase(step, catalogue)).collect();
    let mut text = start;
    for (at, phrase) in phrases.iter().enumerate() {
        let joined = format!("{text}{} {phrase}", if at == 0 { "," } else { ", then" });
        if joined.chars().count() > LONGEST {
            let left = phrases.len() - at;
            return format!("{text}, and {left} more {}.", if left == 1 { "step" } else { "steps" });
        }
        text = joined;
    }
    if phrases.is_empty() {
        text.push_str(", nothing happens yet");
    }
    text.push('.');
    text
}

fn phrase(step: &Step, catalogue: &dyn Catalogue) -> String {
    if step.operation == "branch" && !step.cases.is_empty() {
        let first = |steps: &[Step]| steps.first().map_or_else(|| "go on".to_owned(), |step| phrase(step, catalogue));
        let mut ways: Vec<String> = step
            .cases
            .iter()
            .map(|case| {
                let title = case.title.trim();
                if title.is_empty() {
                    format!("in one case {}", first(&case.steps))
                } else {
                    format!("if {title}, {}", first(&case.steps))
                }
            })
            .collect();
        ways.extend(
            step.otherwise.iter().filter(|lane| !lane.steps.is_empty()).map(|lane| format!("otherwise {}", first(&lane.steps))),
        );
        return ways.join("; ");
    }
    let titled = step.title.as_deref().is_some_and(|title| !title.trim().is_empty());
    if !titled && let Some(inside) = inside(step, catalogue) {
        return inside;
    }
    let words = step
        .title
        .as_deref()
        .filter(|title| !title.trim().is_empty())
        .or_else(|| catalogue.operation(&step.operation).map(|operation| operation.sentence.as_str()))
        .unwrap_or(&step.operation);
    lower_first(words.trim().trim_end_matches('.'))
}

/// What a loop does in each round, and a parallel step in its lanes.
fn inside(step: &Step, catalogue: &dyn Catalogue) -> Option<String> {
    let first = |steps: &[Step]| steps.first().map(|step| phrase(step, catalogue));
    let body = || first(&step.body.as_ref()?.steps);
    match step.operation.as_str() {
        "for_each" => Some(format!("for each item {}", body()?)),
        "repeat" => Some(format!("again and again {}", body()?)),
        "parallel" => {
            let lanes: Vec<String> = step.lanes.iter().filter_map(|lane| first(&lane.steps)).collect();
            (!lanes.is_empty()).then(|| format!("at the same time {}", lanes.join(" and ")))
        }
        _ => None,
    }
}

/// "Create invoice" → "create invoice"; "HTTP request" stays.
fn lower_first(text: &str) -> String {
    let mut rest = text.chars();
    match (rest.next(), rest.clone().next()) {
        (Some(first), second) if first.is_uppercase() && !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(rest).collect()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_engine::{
        catalogue::Operation,
        condition::Conditions,
        workflow::{Case, FORMAT, Lane, Trigger},
    };

    struct Empty;
    impl Catalogue for Empty {
        fn operation(&self, _: &str) -> Option<&Operation> {
            None
        }
        fn operations(&self) -> Box<dyn Iterator<Item = &Operation> + '_> {
            Box::new(std::iter::empty())
        }
    }

    fn step(title: &str) -> Step {
        Step { title: Some(title.into()), ..Step::new("x", "set") }
    }

    fn workflow(steps: Vec<Step>) -> Workflow {
        let trigger = Trigger { title: Some("When an order arrives".into()), ..Trigger::new("webhook") };
        Workflow { towpath: FORMAT, name: "n".into(), trigger: Some(trigger), steps }
    }

    #[test]
    fn steps_follow_each_other_in_one_sentence() {
        let made = workflow(vec![step("Work out the total"), step("HTTP request")]);
        assert_eq!(summary(&made, &Empty), "When an order arrives, work out the total, then HTTP request.");
    }

    #[test]
    fn a_branch_says_its_cases() {
        let mut branch = Step::new("b", "branch");
        branch.cases = vec![Case {
            title: "over 100".into(),
            condition: Conditions::All { all: vec![] },
            steps: vec![step("Create invoice")],
        }];
        branch.otherwise = Some(Lane { steps: vec![step("Say thanks")] });
        assert_eq!(
            summary(&workflow(vec![branch]), &Empty),
            "When an order arrives, if over 100, create invoice; otherwise say thanks."
        );
    }

    #[test]
    fn a_long_one_counts_the_rest_and_an_empty_one_says_so() {
        let long = workflow(vec![step(&"a".repeat(80)), step(&"b".repeat(80)), step("c")]);
        assert!(summary(&long, &Empty).ends_with(", and 2 more steps."));
        assert_eq!(summary(&workflow(vec![]), &Empty), "When an order arrives, nothing happens yet.");
        let empty = Workflow { trigger: None, ..workflow(vec![]) };
        assert_eq!(summary(&empty, &Empty), "Nothing starts it yet.");
    }
}
