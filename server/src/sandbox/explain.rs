//! What went wrong with code, told to the person who wrote it: pure functions from failures to sentences. Limits are never tried
//! again; what isn't the code's fault is.

use super::{
    LOG_BYTES, MEMORY, OUTPUT,
    pool::Ended,
    wire::{At, Failure, Frame},
};
use serde_json::value::RawValue;
use std::time::Duration;
use towpath_engine::{
    Json,
    error::{ErrorKind, StepError},
    json,
    workflow::Span,
};

/// So many lines of a stack are worth reading.
const FRAMES: usize = 10;
/// The longest message that code may give its own error.
const MESSAGE: usize = 2_000;

/// What is wrong with code that wasn't run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint(pub String);

/// Names that code elsewhere finds, and what to do here instead.
const ELSEWHERE: &[(&[&str], &str)] = &[
    (
        &["fetch", "XMLHttpRequest", "axios", "WebSocket"],
        "Code can't call services. Make the call with an HTTP request step and hand its answer to the code.",
    ),
    (
        &["require", "process", "Buffer", "__dirname", "module", "exports", "global"],
        "This is JavaScript by itself, without Node and its modules.",
    ),
    (&["window", "document", "localStorage", "navigator", "alert"], "There is no browser around this code."),
    (&["setTimeout", "setInterval", "setImmediate"], "Code can't wait. Put a Delay step before it."),
    (
        &["$input", "$json", "items", "$node", "inputData", "steps", "trigger"],
        "Add what the code needs under Input; the code finds it as input.name.",
    ),
];

/// Why code that ran gave nothing back. `limit` is the time that it had, `wanted` what its step gives it.
pub fn failure(failure: &Failure, limit: Duration, wanted: Duration) -> StepError {
    let error = StepError::invalid_input(sentence(failure, limit)).field("code");
    match failure {
        Failure::TookTooLong if limit < wanted => {
            error.hint("The step as a whole had no more time: raise its own time limit too.")
        }
        Failure::TookTooLong => error.hint("Let it do less in one run, or raise its time limit under Advanced."),
        Failure::NeededTooMuch => error.hint("Work on fewer items at a time, for example inside a For each step."),
        Failure::GaveTooMuch => error.hint("Return only what later steps need."),
        Failure::WaitsForEver => {
            error.hint("A promise in it is never kept. Nothing in here makes time pass: there are no timers.")
        }
        Failure::NotJson { .. } => error.hint("Return texts, numbers, true or false, lists and objects of these."),
        Failure::Syntax { message, .. } | Failure::Thrown { message, .. } => match hint(message) {
            Some(hint) => error.hint(hint),
            None => error,
        },
    }
}

/// The same for code that was only read.
pub fn complaint(failure: &Failure) -> Complaint {
    let said = sentence(failure, super::CHECKING);
    Complaint(match failure {
        Failure::Syntax { message, .. } => match hint(message) {
            Some(hint) => format!("{said} {hint}"),
            None => said,
        },
        _ => said,
    })
}

fn sentence(failure: &Failure, limit: Duration) -> String {
    match failure {
        Failure::Syntax { message, at: Some(at) } => format!("The code can't be read, line {}: {}.", at.line, said(message)),
        Failure::Syntax { message, at: None } => format!("The code can't be read: {}.", said(message)),
        Failure::Thrown { name, message, frames } => {
            let place = frames.first().map(|frame| format!(" on line {}", frame.at.line)).unwrap_or_default();
            let name = name.as_deref().filter(|name| *name != "Error" && !name.is_empty());
            let name = name.map(|name| format!(" ({})", said(name))).unwrap_or_default();
            match said(message) {
                message if message.is_empty() => format!("The code stopped with an error{place}{name}."),
                message => format!("The code stopped{place}: {message}{name}."),
            }
        }
        Failure::TookTooLong => format!("The code took longer than {} and was stopped.", Span(rounded(limit))),
        Failure::NeededTooMuch => format!("The code needed more than {} MB of memory and was stopped.", MEMORY >> 20),
        Failure::GaveTooMuch => format!("The code gave back more than {} MB.", OUTPUT >> 20),
        Failure::NotJson { message } => format!("What the code returned can't be handed on: {}.", said(message)),
        Failure::WaitsForEver => "The code waits for something that never happens.".to_owned(),
    }
}

/// Why there is no answer at all.
pub fn ended(ended: &Ended, limit: Duration) -> StepError {
    const ABORT: i32 = 6;
    const KILL: i32 = 9;
    const SEGMENT: i32 = 11;
    const XCPU: i32 = 24;
    match ended {
        Ended::NotStarted => StepError::new(ErrorKind::Unavailable, "The process that runs code could not be started.")
            .hint("The server's log says why; towpath doctor looks at it as well."),
        Ended::NoTurn => no_turn(),
        Ended::TooMuchInput => StepError::invalid_input("The code's input is too large to be handed over.").field("input"),
        Ended::Silent | Ended::Died { signal: Some(XCPU) } => failure(&Failure::TookTooLong, limit, limit),
        // What runs out of memory outside of the script's own count is cut off hard.
        Ended::Died { signal: Some(ABORT | SEGMENT) } => {
            StepError::invalid_input("The code's process was ended: it needed more memory than it may have, or broke.")
                .field("code")
                .hint("Let the code do less at a time.")
        }
        Ended::Died { signal: Some(KILL) } => {
            StepError::invalid_input("The code's process was ended from outside, perhaps because the machine had no memory left.")
                .field("code")
                .hint("Replay this run. If it happens again, let the code do less at a time.")
        }
        Ended::Died { signal } => {
            let how = signal.map(|signal| format!(" (signal {signal})")).unwrap_or_default();
            StepError::invalid_input(format!("The code's process ended{how} before the code was done.")).field("code")
        }
        Ended::Garbled => {
            StepError::invalid_input("The code's process was ended: it said something that can't be understood.").field("code")
        }
    }
}

/// Everybody is busy.
pub fn no_turn() -> StepError {
    StepError::new(ErrorKind::Unavailable, "Other code was running all the time that this step had.")
        .hint("Give the step more time, or let code steps do less.")
}

/// What code gave back, as data.
///
/// # Errors
/// What it gave back can't be kept.
pub fn output(output: &RawValue, log: &mut dyn FnMut(String)) -> Result<Json, StepError> {
    let text = output.get();
    if text.len() > OUTPUT {
        return Err(failure(&Failure::GaveTooMuch, Duration::ZERO, Duration::ZERO));
    }
    match json::read(text.as_bytes()) {
        Ok(read) => {
            read.notes.into_iter().for_each(log);
            Ok(read.value)
        }
        Err(error) => {
            let message = error.message.split(" (line ").next().unwrap_or_default().trim_end_matches('.').to_owned();
            Err(failure(&Failure::NotJson { message: lower_first(&message) }, Duration::ZERO, Duration::ZERO))
        }
    }
}

/// Where an error came from, for the log: the user's own functions only.
pub fn frames(failure: &Failure, log: &mut dyn FnMut(String)) {
    let Failure::Thrown { frames, .. } = failure else { return };
    if frames.len() < 2 {
        return;
    }
    for Frame { function, at: At { line, column } } in frames.iter().take(FRAMES) {
        let function = function.as_deref().map(|name| format!("{}, ", cut(name, 100))).unwrap_or_default();
        log(format!("    at {function}line {line}, column {column}"));
    }
    if frames.len() > FRAMES {
        log(format!("    … and {} more", frames.len() - FRAMES));
    }
}

/// What somebody who comes from elsewhere should know.
fn hint(message: &str) -> Option<&'static str> {
    if message.contains("import") || message.contains("export") {
        return Some("Modules can't be imported: write what the code needs into it.");
    }
    let name = message.strip_suffix(" is not defined")?.trim_matches(['\'', '"']);
    ELSEWHERE.iter().find(|(names, _)| names.contains(&name)).map(|(_, hint)| *hint)
}

/// A message as part of a sentence.
fn said(message: &str) -> String {
    cut(message.trim(), MESSAGE).trim_end_matches('.').to_owned()
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most { text.to_owned() } else { format!("{}…", &text[..text.floor_char_boundary(most)]) }
}

fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

/// To what people call it: whole seconds above one.
fn rounded(limit: Duration) -> Duration {
    if limit.as_millis() > 1_000 && limit.subsec_millis() != 0 {
        Duration::from_secs(limit.as_secs() + u64::from(limit.subsec_millis() >= 500))
    } else {
        limit
    }
}

/// What the child says in place of the lines that it leaves out.
pub fn log_cut() -> String {
    format!("… the log was cut here: {} lines or {} KB of a console are kept.", super::LOG_LINES, LOG_BYTES >> 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEN: Duration = Duration::from_secs(10);

    fn thrown(name: &str, message: &str, lines: &[u32]) -> Failure {
        let frames = lines.iter().map(|line| Frame { function: None, at: At { line: *line, column: 5 } }).collect();
        Failure::Thrown { name: Some(name.into()), message: message.into(), frames }
    }

    #[test]
    fn every_failure_is_a_sentence_that_says_which_limit_or_line() {
        let table = [
            (Failure::TookTooLong, "The code took longer than 10s and was stopped."),
            (Failure::NeededTooMuch, "The code needed more than 128 MB of memory and was stopped."),
            (Failure::GaveTooMuch, "The code gave back more than 5 MB."),
            (Failure::WaitsForEver, "The code waits for something that never happens."),
            (
                Failure::NotJson { message: "circular reference".into() },
                "What the code returned can't be handed on: circular reference.",
            ),
            (
                Failure::Syntax { message: "unexpected token '}'".into(), at: Some(At { line: 3, column: 1 }) },
                "The code can't be read, line 3: unexpected token '}'.",
            ),
            (thrown("TypeError", "not a function", &[2, 7]), "The code stopped on line 2: not a function (TypeError)."),
            (thrown("Error", "No price.", &[4]), "The code stopped on line 4: No price."),
            (thrown("", "", &[]), "The code stopped with an error."),
        ];
        for (given, sentence) in table {
            let error = failure(&given, TEN, TEN);
            assert_eq!(error.message, sentence);
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("code")), "never tried again");
        }
    }

    #[test]
    fn names_from_elsewhere_get_a_hint() {
        let hint = |message: &str| failure(&thrown("ReferenceError", message, &[1]), TEN, TEN).hint.unwrap_or_default();
        assert!(hint("fetch is not defined").contains("HTTP request"));
        assert!(hint("require is not defined").contains("Node"));
        assert!(hint("setTimeout is not defined").contains("Delay"));
        assert_eq!(hint("total is not defined"), "");
        assert!(
            complaint(&Failure::Syntax { message: "cannot use import in a function".into(), at: None }).0.contains("Modules")
        );
    }

    #[test]
    fn a_limit_that_the_step_itself_cut_short_says_so() {
        let error = failure(&Failure::TookTooLong, Duration::from_millis(58_800), Duration::from_secs(120));
        assert_eq!(error.message, "The code took longer than 59s and was stopped.");
        assert!(error.hint.unwrap().contains("raise its own time limit"));
    }

    #[test]
    fn a_process_that_is_gone_is_an_error_and_only_what_is_not_the_codes_doing_is_tried_again() {
        let kind = |it| ended(&it, TEN).kind;
        for it in [
            Ended::Silent,
            Ended::Garbled,
            Ended::Died { signal: Some(9) },
            Ended::Died { signal: Some(11) },
            Ended::Died { signal: None },
        ] {
            assert_eq!(kind(it), ErrorKind::InvalidInput, "{it:?}");
        }
        assert_eq!((kind(Ended::NotStarted), kind(Ended::NoTurn)), (ErrorKind::Unavailable, ErrorKind::Unavailable));
        assert_eq!(ended(&Ended::Silent, TEN).message, "The code took longer than 10s and was stopped.");
    }

    #[test]
    fn what_came_back_is_read_as_text_from_outside_is() {
        let read = |text: &str| {
            let mut notes = Vec::new();
            let value = output(&RawValue::from_string(text.to_owned()).unwrap(), &mut |line| notes.push(line));
            (value, notes)
        };
        assert_eq!(read("{\"a\":9007199254740993}").0.unwrap(), serde_json::json!({ "a": 9_007_199_254_740_993_u64 }));
        let (value, notes) = read("123456789012345678901234567890");
        assert_eq!((value.unwrap(), notes.len()), (serde_json::json!("123456789012345678901234567890"), 1));
        let deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
        let error = read(&deep).0.unwrap_err();
        assert_eq!(error.message, "What the code returned can't be handed on: this nests more than 128 levels deep.");
    }

    #[test]
    fn only_a_stack_of_several_is_worth_lines_of_the_log() {
        let mut lines = Vec::new();
        frames(&thrown("Error", "x", &[1]), &mut |line| lines.push(line));
        assert!(lines.is_empty());
        frames(&thrown("Error", "x", &[3; 12]), &mut |line| lines.push(line));
        assert_eq!((lines.len(), lines[0].as_str()), (11, "    at line 3, column 5"));
    }
}
