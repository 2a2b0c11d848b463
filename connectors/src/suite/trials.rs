//! The trials of one connector, picked by what its manifest says it can do.

use super::{
    Outcome,
    case::Case,
    door::{Answer, Script, Stage, at},
    secrets,
};
use crate::{
    manifest::{
        Folder,
        check::Checked,
        document::{Lookup, Pages},
        request::fits,
    },
    sdk::{Action as _, poll::Cursor, receive::Received},
};
use std::{collections::BTreeSet, sync::Arc};
use towpath_engine::{
    Json, Object,
    error::{ErrorKind, StepError},
};

/// All of them.
pub async fn all(folder: &Folder, checked: &Checked) -> Vec<Outcome> {
    let id = &checked.compiled.connector.id;
    let mut outcomes = Vec::new();
    let mut cases = Vec::new();
    for (name, text) in folder.cases() {
        match Case::read(text) {
            Ok(case) => {
                outcomes.push(Outcome::of(id, "cases", name, case.replay(id, checked).await));
                cases.push((name.to_owned(), case));
            }
            Err(why) => outcomes.push(Outcome::of(id, "cases", name, Err(why))),
        }
    }
    recorded(checked, &cases, &mut outcomes);
    for (name, action) in &checked.compiled.actions {
        let example = example(checked, name, &cases);
        outcomes.push(Outcome::of(
            id,
            "errors",
            name,
            errors(id, action.as_ref(), &example, checked.manifest.actions[name].lookup.as_deref()).await,
        ));
        outcomes.push(Outcome::of(id, "egress", name, egress(checked, action.as_ref(), &example)));
        if let Some(pages) = &checked.manifest.actions[name].pages {
            let case = recording(&cases, |case| case.action.as_ref() == Some(name));
            outcomes.push(Outcome::of(id, "pagination", name, ends(id, action.as_ref(), pages, case).await));
        }
    }
    for (name, trigger) in &checked.manifest.triggers {
        if let Some(spec) = &trigger.poll {
            let case = recording(&cases, |case| case.poll.as_ref() == Some(name));
            outcomes.push(Outcome::of(id, "polling", name, polling(id, checked, name, spec, case).await));
        }
        if trigger.native {
            let case = recording(&cases, |case| case.poll.as_ref() == Some(name));
            outcomes.push(Outcome::of(id, "polling", name, same_keys(id, checked, name, case).await));
        }
        if let Some(hook) = &trigger.webhook {
            let case = recording(&cases, |case| case.receive.as_ref() == Some(name) && case.is_success());
            outcomes.push(Outcome::of(id, "webhooks", name, webhook(checked, name, hook.verify.max_age, case)));
        }
    }
    outcomes.extend(secrets::all(id, checked, &cases).await);
    outcomes
}

fn recording(cases: &[(String, Case)], fits: impl Fn(&Case) -> bool) -> Option<&Case> {
    cases.iter().map(|(_, case)| case).find(|case| fits(case) && case.is_success())
}

/// Every operation is recorded at least once as it works.
fn recorded(checked: &Checked, cases: &[(String, Case)], outcomes: &mut Vec<Outcome>) {
    let known: BTreeSet<(u8, &str)> = cases
        .iter()
        .filter(|(_, case)| case.is_success())
        .map(|(_, case)| {
            (
                if case.action.is_some() {
                    0
                } else if case.poll.is_some() {
                    1
                } else {
                    2
                },
                case.subject(),
            )
        })
        .collect();
    let mut need = |kind: u8, word: &str, name: &str| {
        let result = if known.contains(&(kind, name)) { Ok(()) } else { Err(format!("no case shows {word} {name} as it works")) };
        outcomes.push(Outcome::of(&checked.compiled.connector.id, "recorded", name, result));
    };
    for name in checked.manifest.actions.keys() {
        need(0, "the action", name);
    }
    for (name, trigger) in &checked.manifest.triggers {
        if trigger.poll.is_some() || trigger.native {
            need(1, "the poll of", name);
        }
        if trigger.webhook.is_some() {
            need(2, "the webhook of", name);
        }
    }
}

/// An input that works: the manifest's, or that of a case.
fn example(checked: &Checked, name: &str, cases: &[(String, Case)]) -> Object {
    let spec = &checked.manifest.actions[name];
    if !spec.example.is_empty() || spec.input.is_empty() {
        return spec.example.clone();
    }
    recording(cases, |case| case.action.as_deref() == Some(name)).map(|case| case.input.clone()).unwrap_or_default()
}

fn always(answer: Result<Answer, StepError>) -> Script {
    Arc::new(move |_, _| answer.clone())
}

/// Every kind of failure has its kind of error, said in words.
async fn errors(
    id: &str,
    action: &crate::manifest::action::Action,
    input: &Object,
    lookup: Option<&Lookup>,
) -> Result<(), String> {
    use ErrorKind::{Conflict, Forbidden, InvalidInput, NotFound, RateLimited, Timeout, Unauthorized, Unavailable, Uncertain};
    let table: [(&str, Result<Answer, StepError>, &[ErrorKind]); 11] = [
        ("401", Ok(Answer::status(401)), &[Unauthorized]),
        ("403", Ok(Answer::status(403)), &[Forbidden, RateLimited]),
        ("404", Ok(Answer::status(404)), &[NotFound]),
        ("409", Ok(Answer::status(409)), &[Conflict]),
        ("422", Ok(Answer::status(422)), &[InvalidInput]),
        ("429", Ok(Answer::status(429).header("retry-after", "7")), &[RateLimited]),
        ("500", Ok(Answer::status(500)), &[Uncertain, Unavailable]),
        ("503 with Retry-After", Ok(Answer::status(503).header("retry-after", "7")), &[Unavailable]),
        ("no connection", Err(StepError::new(Unavailable, "No connection.")), &[Unavailable]),
        ("a time-out", Err(StepError::new(Timeout, "No answer.")), &[Timeout, Unavailable]),
        ("a cut connection", Err(StepError::new(Uncertain, "The connection was cut.")), &[Uncertain, Unavailable]),
    ];
    for (what, answer, expected) in table {
        let stage = Stage::new(id, always(answer));
        let error = match action.run(stage.call(input)).await {
            Err(error) => error,
            Ok(_) => return Err(format!("after {what} it succeeded")),
        };
        if !expected.contains(&error.kind) {
            return Err(format!(
                "after {what} the error is {:?} and should be one of {expected:?}: {}",
                error.kind, error.message
            ));
        }
        if error.message.trim().is_empty() {
            return Err(format!("after {what} it says nothing"));
        }
        if what.contains("429") && error.retry_after.map(|wait| wait.as_secs()) != Some(7) {
            return Err(format!("after 429 it would come back after {:?} and not after 7 s", error.retry_after));
        }
        // A failing look-up comes before anything is done; what is unknown then is no question for a person.
        let before = lookup.is_some() && error.kind == Uncertain && stage.seen().len() == 1;
        if before {
            return Err(format!("after {what} in the look-up nobody needs to decide: nothing was done"));
        }
    }
    Ok(())
}

/// Whatever an input holds, the request goes to a declared host, and values stay in their place of the path.
fn egress(checked: &Checked, action: &crate::manifest::action::Action, input: &Object) -> Result<(), String> {
    let hosts = &checked.manifest.connector.hosts;
    let plain = action.request(input).map_err(|error| format!("no request can be made of the example: {}", error.message))?;
    let check = |ready: &crate::manifest::request::Ready, what: &str| {
        let host = ready.url.host_str().unwrap_or_default();
        if !hosts.iter().any(|pattern| fits(pattern, &ready.url)) {
            return Err(format!("{what} sends to {host}, which is not declared"));
        }
        if ready.url.path_segments().map(Iterator::count) != plain.url.path_segments().map(Iterator::count) {
            return Err(format!("{what} changes the address to {}", ready.url.path()));
        }
        Ok(())
    };
    check(&plain, "the example")?;
    for name in input.keys() {
        for evil in ["https://evil.example/x", "../../admin", "..", "a/b?c=d#e", "@evil.example", "x\r\nHost: evil.example"] {
            let mut input = input.clone();
            input.insert(name.clone(), evil.into());
            // A refusal is fine, too.
            if let Ok(ready) = action.request(&input) {
                check(&ready, &format!("{name} = {evil:?}"))?;
            }
        }
    }
    Ok(())
}

/// A list ends, whatever the service says.
async fn ends(id: &str, action: &crate::manifest::action::Action, pages: &Pages, case: Option<&Case>) -> Result<(), String> {
    let case = case.ok_or("a case with a list is needed")?;
    let answers = case.answers();
    if answers.len() < 2 {
        return Err("a case with at least two pages is needed".into());
    }
    let first = answers[0].clone();
    let stage = Stage::new(id, always(Ok(first)));
    let result = action.run(stage.call(&case.input)).await;
    let sent = stage.seen().len();
    if sent as u64 > u64::from(pages.max) {
        return Err(format!("with a service that never ends, {sent} pages were read; {} are the most", pages.max));
    }
    result.map(|_| ()).map_err(|error| format!("a service that names the same page again is an error: {}", error.message))
}

/// The same cursor, the same keys; an empty page is fine; what is listed late is found.
async fn polling(
    id: &str,
    checked: &Checked,
    name: &str,
    spec: &crate::manifest::document::PollSpec,
    case: Option<&Case>,
) -> Result<(), String> {
    let case = case.ok_or("a case is needed")?;
    same_keys(id, checked, name, Some(case)).await?;
    let items =
        pointer(&spec.items, "response.body").ok_or("items must be a path into response.body, so that trials can make lists")?;
    let mut empty = case.answers().first().cloned().ok_or("a case needs an answer")?;
    let list = empty.body.pointer(&items).and_then(Json::as_array).cloned().unwrap_or_default();
    set(&mut empty.body, &items, Json::Array(Vec::new()));
    if let Some(pages) = &spec.pages
        && let Some(next) = pages.next.as_ref().and_then(|next| pointer(next, "response.body"))
    {
        set(&mut empty.body, &next, Json::Null);
    }
    // A list without items has no next page, wherever the service would name one.
    empty.headers.remove("link");
    // An empty first look, and then something: that is news.
    let stage = Stage::answering(id, vec![empty.clone()]);
    let first = case
        .look_on(&stage, checked, name, None)
        .await?
        .map_err(|error| format!("an empty list is an error: {}", error.message))?;
    if !first.items.is_empty() || first.cursor.is_none() {
        return Err("an empty first look has items, or leaves no cursor".into());
    }
    let Some(newest) = list.first() else { return Ok(()) };
    let answer = with_list(&empty, &items, vec![newest.clone()]);
    let stage = Stage::answering(id, vec![answer.clone()]);
    let news = case.look_on(&stage, checked, name, first.cursor).await?.map_err(|error| error.message)?;
    if news.items.len() != 1 {
        return Err(format!("the first item after an empty look is told {} times", news.items.len()));
    }
    // The first look starts nothing; the same item again is none, and one that appears late is.
    let stage = Stage::answering(id, vec![answer]);
    let seen = case.look_on(&stage, checked, name, None).await?.map_err(|error| error.message)?;
    let stage = Stage::answering(id, vec![with_list(&empty, &items, vec![newest.clone()])]);
    let again = case.look_on(&stage, checked, name, seen.cursor.clone()).await?.map_err(|error| error.message)?;
    if !again.items.is_empty() {
        return Err("what the first look saw is told by the second".into());
    }
    late(id, checked, name, spec, case, (&empty, &items, newest), again.cursor).await
}

/// An item that the service lists late, with a place before the cursor but within the overlap, is told.
async fn late(
    id: &str,
    checked: &Checked,
    name: &str,
    spec: &crate::manifest::document::PollSpec,
    case: &Case,
    (empty, items, newest): (&Answer, &str, &Json),
    cursor: Option<Cursor>,
) -> Result<(), String> {
    if spec.overlap < 2 {
        return Ok(());
    }
    let places: Vec<String> = spec.cursor.values().filter_map(Json::as_str).filter_map(|text| pointer(text, "item")).collect();
    let moved = |item: &Json, seconds: i64, word: &str| {
        let mut item = item.clone();
        for path in keys(&spec.key) {
            if let Some(Json::String(text)) = item.pointer(&path).cloned().filter(|_| !places.contains(&path)) {
                set(&mut item, &path, format!("{text}{word}").into());
            }
        }
        for place in &places {
            if let Some(value) = item.pointer(place).cloned() {
                set(&mut item, place, later(&value, seconds));
            }
        }
        item
    };
    // The cursor moves on by an item that is a while newer; then one is listed from between.
    let ahead = i64::try_from(spec.overlap).unwrap_or(i64::MAX);
    let (new, between) = (moved(newest, ahead, "n"), moved(newest, ahead - 1, "l"));
    let stage = Stage::answering(id, vec![with_list(empty, items, vec![new.clone()])]);
    let first = case.look_on(&stage, checked, name, cursor).await?.map_err(|error| error.message)?;
    let stage = Stage::answering(id, vec![with_list(empty, items, vec![new, between])]);
    let second = case.look_on(&stage, checked, name, first.cursor).await?.map_err(|error| error.message)?;
    let before: BTreeSet<&String> = first.items.iter().map(|item| &item.key).collect();
    if second.items.iter().any(|item| !before.contains(&item.key)) {
        Ok(())
    } else {
        Err(format!("an item that was listed a second late was lost; the overlap is {} s", spec.overlap))
    }
}

fn with_list(answer: &Answer, items: &str, list: Vec<Json>) -> Answer {
    let mut answer = answer.clone();
    set(&mut answer.body, items, Json::Array(list));
    answer
}

async fn same_keys(id: &str, checked: &Checked, name: &str, case: Option<&Case>) -> Result<(), String> {
    let case = case.ok_or("a case is needed")?;
    let mut looks = Vec::new();
    for _ in 0..2 {
        let (_, polled) = case.look(id, checked, name, case.answers()).await?;
        let polled = polled.map_err(|error| error.message)?;
        looks.push((polled.items.iter().map(|item| item.key.clone()).collect::<Vec<_>>(), polled.cursor));
    }
    if looks[0] == looks[1] { Ok(()) } else { Err(format!("the same cursor gave {:?} and then {:?}", looks[0].0, looks[1].0)) }
}

/// What isn't proved isn't let in, and a repeat is the same.
fn webhook(checked: &Checked, name: &str, max_age: Option<i64>, case: Option<&Case>) -> Result<(), String> {
    let case = case.ok_or("a case with a delivery is needed")?;
    let events = |result: Result<Received, _>| match result {
        Ok(Received::Events(events)) => Some(events),
        _ => None::<Vec<crate::sdk::receive::NewEvent>>,
    };
    let (once, again) =
        (events(case.deliver(checked, name, |_| {})?.map_err(drop)), events(case.deliver(checked, name, |_| {})?.map_err(drop)));
    if once.is_none() || once != again {
        return Err("the same delivery is not the same twice".into());
    }
    type Spoil = Box<dyn FnOnce(&mut super::case::Delivery)>;
    let refused: [(&str, Spoil); 5] = [
        ("another secret", Box::new(|delivery| delivery.secret.push('x'))),
        ("no secret", Box::new(|delivery| delivery.secret.clear())),
        ("a changed body", Box::new(|delivery| delivery.body.push(' '))),
        (
            "no signature",
            Box::new(|delivery| {
                delivery
                    .headers
                    .retain(|name, _| !name.to_lowercase().contains("signature") && !name.to_lowercase().contains("hmac"))
            }),
        ),
        (
            "a stale signature",
            Box::new(move |delivery| match max_age {
                Some(age) => delivery.now = Some(delivery.now.unwrap_or_else(at) + chrono::Duration::seconds(age + 1)),
                None => delivery.secret.push('x'),
            }),
        ),
    ];
    for (what, change) in refused {
        match case.deliver(checked, name, change)? {
            Err(crate::sdk::receive::NotReceived::Unverified(_)) => {}
            other => return Err(format!("a delivery with {what} was not refused: {other:?}")),
        }
    }
    Ok(())
}

/// `{{ response.body.messages }}` as a JSON pointer below its root.
fn pointer(text: &str, root: &str) -> Option<String> {
    let path = text.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim().strip_prefix(root)?;
    let plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'_');
    plain.then(|| path.replace('.', "/"))
}

/// The fields of an item that a key reads.
fn keys(key: &str) -> Vec<String> {
    key.split("{{").skip(1).filter_map(|part| pointer(&format!("{{{{{}}}}}", part.split("}}").next()?), "item")).collect()
}

fn set(value: &mut Json, pointer: &str, new: Json) {
    if pointer.is_empty() {
        *value = new;
    } else if let Some(place) = value.pointer_mut(pointer) {
        *place = new;
    }
}

/// A number or a time so many seconds later.
fn later(value: &Json, seconds: i64) -> Json {
    match value {
        Json::Number(number) => (number.as_i64().unwrap_or_default() + seconds).into(),
        Json::String(text) => {
            let (whole, fraction) =
                text.split_once('.').map_or((text.as_str(), None), |(whole, fraction)| (whole, Some(fraction)));
            if let Ok(whole) = whole.parse::<i64>() {
                return match fraction {
                    Some(fraction) => format!("{}.{fraction}", whole + seconds).into(),
                    None => (whole + seconds).to_string().into(),
                };
            }
            match text.parse::<chrono::DateTime<chrono::Utc>>() {
                Ok(time) => {
                    (time + chrono::Duration::seconds(seconds)).to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true).into()
                }
                Err(_) => value.clone(),
            }
        }
        other => other.clone(),
    }
}
