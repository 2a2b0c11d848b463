//! Answers to the questions of a form or of a manual run: each is checked and gets its type, or a sentence beside its field.

use chrono::NaiveDate;
use std::str::FromStr as _;
use towpath_connectors::triggers::question::{Question, QuestionKind};
use towpath_engine::{Json, Object};

/// The longest short answer, in characters.
const SHORT: usize = 1_000;

/// The questions that a trigger lists; what isn't one is left out here and is an issue elsewhere.
pub fn read(list: Option<&Json>) -> Vec<Question> {
    let items = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| serde_json::from_value(item.clone()).ok()).collect()
}

/// What is wrong with a list of questions, in sentences.
pub fn mistakes(list: Option<&Json>, allowed: &[QuestionKind]) -> Vec<String> {
    let items = list.and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut mistakes = Vec::new();
    let mut names = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let place = at + 1;
        let question: Question = match serde_json::from_value(item.clone()) {
            Ok(question) => question,
            Err(error) => {
                mistakes.push(format!("Question {place} can't be read: {error}."));
                continue;
            }
        };
        let title =
            if question.label.trim().is_empty() { format!("Question {place}") } else { format!("“{}”", question.label) };
        if question.label.trim().is_empty() {
            mistakes.push(format!("{title} has no text. Write what you want to know."));
        }
        if question.name.trim().is_empty() || question.name.starts_with(RESERVED) {
            mistakes.push(format!("{title} needs a name under which its answer is found, such as email."));
        } else if names.contains(&question.name) {
            mistakes.push(format!("{title} has the same name as another question: {}. Give it one of its own.", question.name));
        }
        if question.kind == QuestionKind::Choice && options(&question).next().is_none() {
            mistakes.push(format!("{title} offers nothing to choose from. Add at least one choice."));
        }
        if !allowed.contains(&question.kind) {
            mistakes.push(format!("{title} is of a kind that can't be asked here."));
        }
        names.push(question.name);
    }
    mistakes
}

/// Names that begin so are the page's own fields.
pub const RESERVED: &str = "towpath_";

/// The choices, without blank lines.
pub fn options(question: &Question) -> impl Iterator<Item = &str> {
    question.options.iter().map(|option| option.trim()).filter(|option| !option.is_empty())
}

/// Gives an answer that came as text its type. `None`: it was left empty, and may be.
pub fn answer(question: &Question, text: &str) -> Result<Option<Json>, String> {
    let text = text.trim();
    if matches!(question.kind, QuestionKind::Consent | QuestionKind::Boolean) {
        let yes = matches!(text, "on" | "yes" | "true" | "1");
        if question.required && question.kind == QuestionKind::Consent && !yes {
            return Err("Please tick this box to go on.".into());
        }
        return Ok(Some(yes.into()));
    }
    if text.is_empty() {
        return if question.required { Err(missing(question)) } else { Ok(None) };
    }
    match question.kind {
        QuestionKind::Text if text.chars().count() > SHORT => {
            Err(format!("This is longer than {SHORT} characters. Please shorten it."))
        }
        QuestionKind::Text | QuestionKind::LongText => Ok(Some(text.into())),
        QuestionKind::Number => number(text).map(Some),
        QuestionKind::Choice => options(question)
            .find(|option| *option == text)
            .map(|option| Some(option.into()))
            .ok_or_else(|| "Please choose one of the answers offered.".into()),
        QuestionKind::Date => NaiveDate::from_str(text)
            .map(|date| Some(date.to_string().into()))
            .map_err(|_| format!("“{text:.40}” is not a date. Write it as 2026-03-31.")),
        QuestionKind::Email => lettre::Address::from_str(text)
            .map(|address| Some(address.to_string().into()))
            .map_err(|_| format!("“{text:.80}” is not an e-mail address. It should look like name@example.com.")),
        QuestionKind::File | QuestionKind::Consent | QuestionKind::Boolean => Ok(None),
    }
}

/// What to say when a required answer is missing.
pub fn missing(question: &Question) -> String {
    match question.kind {
        QuestionKind::Choice => "Please choose one.",
        QuestionKind::File => "Please choose a file.",
        QuestionKind::Consent => "Please tick this box to go on.",
        _ => "Please fill this in.",
    }
    .into()
}

fn number(text: &str) -> Result<Json, String> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    let looks = text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    text.parse::<f64>()
        .ok()
        .filter(|number| looks && number.is_finite())
        .map(Json::from)
        .ok_or_else(|| format!("“{text:.40}” is not a number. Use digits and, if needed, a point: 12.50."))
}

/// The answers of a manual run, which come with their types. Fields' names and sentences when something is wrong.
pub fn typed(questions: &[Question], given: &Object) -> Result<Object, Vec<(String, String)>> {
    let mut answers = Object::new();
    let mut wrong = Vec::new();
    for question in questions {
        let answered = match given.get(&question.name) {
            None | Some(Json::Null) => answer(question, ""),
            Some(Json::Bool(value)) if matches!(question.kind, QuestionKind::Boolean | QuestionKind::Consent) => {
                Ok(Some((*value).into()))
            }
            Some(Json::Number(value)) if question.kind == QuestionKind::Number => Ok(Some(Json::Number(value.clone()))),
            Some(Json::String(text)) => answer(question, text),
            Some(Json::Number(value)) => answer(question, &value.to_string()),
            Some(_) => Err("This is not an answer to the question; send a text, a number, or true or false.".into()),
        };
        match answered {
            Ok(Some(value)) => {
                answers.insert(question.name.clone(), value);
            }
            Ok(None) => {}
            Err(message) => wrong.push((question.name.clone(), message)),
        }
    }
    for name in given.keys().filter(|name| questions.iter().all(|question| question.name != **name)) {
        wrong.push((name.clone(), "The workflow does not ask for this.".into()));
    }
    if wrong.is_empty() { Ok(answers) } else { Err(wrong) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn question(kind: &str, required: bool) -> Question {
        serde_json::from_value(
            json!({ "name": "q", "label": "Q", "kind": kind, "required": required, "options": ["red", " blue ", ""] }),
        )
        .unwrap()
    }

    #[test]
    fn every_kind_of_answer_gets_its_type_or_a_sentence() {
        let cases = [
            ("text", " Ada ", Ok(Some(json!("Ada")))),
            ("text", &"x".repeat(1_001), Err("longer than")),
            ("long_text", "a\nb", Ok(Some(json!("a\nb")))),
            ("number", "42", Ok(Some(json!(42)))),
            ("number", "-1.50", Ok(Some(json!(-1.5)))),
            ("number", "9007199254740993", Ok(Some(json!(9_007_199_254_740_993_i64)))),
            ("number", "many", Err("not a number")),
            ("number", "inf", Err("not a number")),
            ("number", "1e999", Err("not a number")),
            ("choice", "blue", Ok(Some(json!("blue")))),
            ("choice", "green", Err("offered")),
            ("date", "2026-02-28", Ok(Some(json!("2026-02-28")))),
            ("date", "2026-02-30", Err("not a date")),
            ("email", "ada@example.com", Ok(Some(json!("ada@example.com")))),
            ("email", "ada@", Err("not an e-mail address")),
            ("consent", "on", Ok(Some(json!(true)))),
            ("consent", "", Ok(Some(json!(false)))),
            ("boolean", "yes", Ok(Some(json!(true)))),
            ("text", "  ", Ok(None)),
        ];
        for (kind, text, expected) in cases {
            let answered = answer(&question(kind, false), text);
            match expected {
                Ok(value) => assert_eq!(answered, Ok(value), "{kind} {text:.20}"),
                Err(part) => assert!(answered.clone().unwrap_err().contains(part), "{kind} {text:.20}: {answered:?}"),
            }
        }
    }

    #[test]
    fn a_required_answer_left_empty_is_asked_for() {
        for kind in ["text", "long_text", "number", "choice", "date", "email", "consent"] {
            assert!(answer(&question(kind, true), " ").unwrap_err().starts_with("Please"), "{kind}");
        }
        assert_eq!(answer(&question("boolean", true), ""), Ok(Some(json!(false))), "no is an answer");
    }

    #[test]
    fn typed_inputs_are_checked_and_unknown_ones_named() {
        let questions = read(Some(&json!([
            { "name": "amount", "label": "Amount", "kind": "number", "required": true },
            { "name": "urgent", "label": "Urgent?", "kind": "boolean" },
        ])));
        let typed = |given: Json| typed(&questions, given.as_object().unwrap());
        assert_eq!(
            typed(json!({ "amount": 2.5, "urgent": true })).unwrap(),
            *json!({ "amount": 2.5, "urgent": true }).as_object().unwrap()
        );
        assert_eq!(typed(json!({ "amount": "25" })).unwrap(), *json!({ "amount": 25, "urgent": false }).as_object().unwrap());
        let wrong = typed(json!({ "amount": [1], "other": 1 })).unwrap_err();
        assert_eq!(wrong.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["amount", "other"]);
        assert_eq!(typed(json!({})).unwrap_err()[0].0, "amount");
    }

    #[test]
    fn questions_that_cannot_be_asked_are_said() {
        let mistakes = |list: Json| mistakes(Some(&list), &QuestionKind::IN_A_FORM);
        assert!(mistakes(json!([{ "name": "a", "label": "A" }])).is_empty());
        for (list, part) in [
            (json!([{ "name": "a", "label": " " }]), "no text"),
            (json!([{ "name": "", "label": "A" }]), "needs a name"),
            (json!([{ "name": "towpath_x", "label": "A" }]), "needs a name"),
            (json!([{ "name": "a", "label": "A" }, { "name": "a", "label": "B" }]), "same name"),
            (json!([{ "name": "a", "label": "A", "kind": "choice", "options": [" "] }]), "choose from"),
            (json!([{ "name": "a", "label": "A", "kind": "boolean" }]), "can't be asked here"),
            (json!([{ "name": "a", "label": "A", "kind": "colour" }]), "can't be read"),
        ] {
            let said = mistakes(list);
            assert!(said.iter().any(|it| it.contains(part)), "{part}: {said:?}");
        }
    }
}
