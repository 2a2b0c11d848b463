//! Samples for people who build: an event as expressions see it, cut to what fits a card.

use towpath_engine::{
    Json,
    event::{Event, NotAnEvent},
};

/// How much of a value a preview shows.
const DEPTH: usize = 5;
const ITEMS: usize = 5;
const FIELDS: usize = 60;
const TEXT: usize = 200;

/// The event behind a stored form, as expressions see it, and what had to be changed to parse it.
pub fn value(stored: &[u8]) -> Result<(Json, Vec<String>), NotAnEvent> {
    let event = Event::from_bytes(stored)?;
    Ok((event.to_value(), event.head.notes))
}

/// A value cut down: long texts and lists end in `…`, deep ones too.
pub fn preview(value: &Json) -> Json {
    cut(value, DEPTH)
}

fn cut(value: &Json, depth: usize) -> Json {
    match value {
        Json::String(text) if text.chars().count() > TEXT => text.chars().take(TEXT).chain(['…']).collect::<String>().into(),
        Json::Array(items) if depth == 0 && !items.is_empty() => "[…]".into(),
        Json::Object(fields) if depth == 0 && !fields.is_empty() => "{…}".into(),
        Json::Array(items) => {
            let rest = (items.len() > ITEMS).then(|| Json::from(format!("… and {} more", items.len() - ITEMS)));
            items.iter().take(ITEMS).map(|item| cut(item, depth - 1)).chain(rest).collect()
        }
        Json::Object(fields) => {
            let mut shown: towpath_engine::Object =
                fields.iter().take(FIELDS).map(|(name, item)| (name.clone(), cut(item, depth - 1))).collect();
            if fields.len() > FIELDS {
                shown.insert("…".into(), format!("and {} more", fields.len() - FIELDS).into());
            }
            Json::Object(shown)
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_preview_is_small_whatever_arrived() {
        let small = json!({ "a": [1, 2], "b": { "c": "x" }, "e": [], "n": null });
        assert_eq!(preview(&small), small);
        let mut deep = json!(1);
        for _ in 0..50 {
            deep = json!({ "a": deep });
        }
        let large = json!({ "list": vec![deep; 100], "text": "ä".repeat(10_000), "empty": {} });
        let shown = preview(&large).to_string();
        assert!(shown.len() < 1_500, "{} bytes", shown.len());
        assert!(shown.contains("… and 95 more"), "{shown}");
    }
}
