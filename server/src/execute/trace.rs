//! What the run page keeps of an attempt, within bounds: long texts and logs keep their head and their tail. Outputs are never cut.

use towpath_connectors::sdk::Collected;
use towpath_engine::{Json, record::Trace};

/// The largest trace of an attempt, in bytes.
const MAX_TRACE: usize = 256 << 10;
/// The longest text inside a trace, in bytes.
const MAX_TEXT: usize = 16 << 10;

/// The trace of an attempt that took this long.
pub fn bounded(input: Json, collected: Collected, micros: u64) -> Trace {
    let mut left = MAX_TRACE;
    let mut keep = |value: Json| {
        let value = cut(value);
        let size = towpath_engine::json::size(&value);
        if size > left {
            return Json::String(format!("({size} bytes, too many to keep with the log of a run)"));
        }
        left -= size;
        value
    };
    let request = collected.request.map(&mut keep);
    let response = collected.response.map(&mut keep);
    let input = Some(keep(input));
    Trace { input, request, response, log: log(collected.log, left), micros }
}

/// Cuts the long texts inside a value.
fn cut(value: Json) -> Json {
    match value {
        Json::String(text) if text.len() > MAX_TEXT => Json::String(head_and_tail(&text, MAX_TEXT)),
        Json::Array(items) => Json::Array(items.into_iter().map(cut).collect()),
        Json::Object(fields) => Json::Object(fields.into_iter().map(|(name, value)| (name, cut(value))).collect()),
        other => other,
    }
}

/// The lines that fit: the first half of the room from the start, the rest from the end.
fn log(lines: Vec<String>, room: usize) -> Vec<String> {
    let lines: Vec<String> =
        lines.into_iter().map(|line| if line.len() > MAX_TEXT { head_and_tail(&line, MAX_TEXT) } else { line }).collect();
    if lines.iter().map(String::len).sum::<usize>() <= room {
        return lines;
    }
    let fits = |lines: &mut dyn Iterator<Item = &String>| {
        let mut left = room / 2;
        lines.take_while(|line| left.checked_sub(line.len()).map(|rest| left = rest).is_some()).count()
    };
    let head = fits(&mut lines.iter());
    let tail = fits(&mut lines[head..].iter().rev());
    let left_out = lines.len() - head - tail;
    let mut kept = lines[..head].to_vec();
    kept.push(format!("… {left_out} lines left out …"));
    kept.extend_from_slice(&lines[lines.len() - tail..]);
    kept
}

fn head_and_tail(text: &str, most: usize) -> String {
    let head = floor(text, most * 3 / 4);
    let tail = text.len() - most / 4;
    let tail = (tail..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
    format!("{}… ({} bytes left out) …{}", &text[..head], tail - head, &text[tail..])
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn long_texts_keep_their_head_and_tail() {
        let text = format!("start{}é{}end", "x".repeat(40_000), "y".repeat(40_000));
        let collected = Collected { response: Some(json!({ "body": text })), ..Collected::default() };
        let trace = bounded(Json::Null, collected, 5);
        let body = trace.response.unwrap()["body"].as_str().unwrap().to_owned();
        assert!(body.len() < 17_000 && body.starts_with("startx") && body.ends_with("yend") && body.contains("bytes left out"));
    }

    #[test]
    fn a_trace_stays_within_its_bound_whatever_an_action_says() {
        let many: Vec<String> = (0..10_000).map(|n| format!("{n} {}", "l".repeat(100))).collect();
        let wide: Json = (0..100_000).map(|n| json!(n)).collect();
        let collected = Collected { request: Some(wide), response: Some(json!("ok")), log: many };
        let trace = bounded(Json::Null, collected, 5);
        assert!(serde_json::to_vec(&trace).unwrap().len() < MAX_TRACE + 64 * 1_024);
        assert!(trace.log.first().unwrap().starts_with("0 ") && trace.log.last().unwrap().starts_with("9999 "));
        assert!(trace.log.iter().any(|line| line.contains("lines left out")));
        assert_eq!(trace.response, Some(json!("ok")));
    }
}
