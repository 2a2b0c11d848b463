//! Filters for text.

use crate::{
    Json,
    expr::{
        error::Fault,
        functions::{Arguments, Call, Function, Group, Parameter, may, need},
        pattern, print,
        value::Val,
    },
};
use base64::{Engine, engine::general_purpose};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

const fn filter(name: &'static str, call: Call, parameters: &'static [Parameter]) -> Function {
    Function::filter(Group::Text, name, call, parameters)
}

type Value<'a> = Result<Val<'a>, Fault>;

pub(super) const TABLE: &[Function] = &[
    filter("text", |mut call| Ok(Val::text(print::text(call.take(0)?.json()?))), &[]).says(
        "As text",
        "12.0 | text",
        r#""12""#,
        "The value as it reads inside a text; lists and objects become compact JSON.",
    ),
    filter("upper", |mut call| Ok(Val::text(call.text(0)?.to_uppercase())), &[]).says(
        "In capitals",
        r#""hello" | upper"#,
        r#""HELLO""#,
        "All letters as capitals.",
    ),
    filter("lower", |mut call| Ok(Val::text(call.text(0)?.to_lowercase())), &[]).says(
        "In small letters",
        r#""ADA@Example.com" | lower"#,
        r#""ada@example.com""#,
        "All letters as small ones.",
    ),
    filter("title", title, &[]).says(
        "First letters as capitals",
        r#""ada lovelace" | title"#,
        r#""Ada Lovelace""#,
        "The first letter of every word as a capital, the others as small ones.",
    ),
    filter("trim", trim, &[may("characters")]).says(
        "Without blanks around it",
        r#""  hello " | trim"#,
        r#""hello""#,
        "Takes blanks and line ends off both ends, or the characters that you name.",
    ),
    filter("replace", replace, &[need("old"), need("new")]).says(
        "Replace a part",
        r#""a-b-c" | replace("-", "/")"#,
        r#""a/b/c""#,
        "Puts the new text wherever the old one stands. Capitals count.",
    ),
    filter("split", split, &[may("separator")]).says(
        "Split into a list",
        r#""red, green,blue" | split(",")"#,
        r#"["red","green","blue"]"#,
        "Cuts the text at each separator (a comma unless you name another) and trims the parts.",
    ),
    filter("lines", lines, &[]).says(
        "Lines as a list",
        r#""one\ntwo" | lines"#,
        r#"["one","two"]"#,
        "The lines of the text, without the empty ones.",
    ),
    filter("join", join, &[may("separator")]).says(
        "Join a list",
        r#"["a", "b", 3] | join(" + ")"#,
        r#""a + b + 3""#,
        "The items one after the other with the separator (a comma and a blank) between them; empty items are left out.",
    ),
    filter("contains", contains, &[need("part")]).says(
        "Contains",
        r#""Order 4711" | contains("471")"#,
        "true",
        "Whether this text is in it, this item in the list, or a field of this name in the object. Capitals count.",
    ),
    filter("starts_with", |call| compare(call, |text, part| text.starts_with(part)), &[need("part")]).says(
        "Starts with",
        r#""Invoice 7" | starts_with("Invoice")"#,
        "true",
        "Whether the text begins like this. Capitals count.",
    ),
    filter("ends_with", |call| compare(call, |text, part| text.ends_with(part)), &[need("part")]).says(
        "Ends with",
        r#""photo.jpg" | ends_with(".jpg")"#,
        "true",
        "Whether the text ends like this. Capitals count.",
    ),
    filter("truncate", truncate, &[need("length"), may("ending")]).says(
        "Shorten",
        r#""A long sentence" | truncate(7)"#,
        r#""A long…""#,
        "At most so many characters; what was cut ends with … or the ending that you name.",
    ),
    filter("pad", pad, &[need("length"), may("with"), may("side")]).says(
        "Fill up to a length",
        r#"42 | pad(6, "0")"#,
        r#""000042""#,
        "Puts blanks, or another character, before the text until it has the length; with “right” as the side, after it.",
    ),
    filter("slug", |mut call| slug(&mut call), &[]).says(
        "For a web address",
        r#""Ünïque Café & Bar!" | slug"#,
        r#""unique-cafe-bar""#,
        "Small letters, digits and hyphens only; letters of other alphabets are written in Latin ones.",
    ),
    filter("regex_match", regex_match, &[need("pattern")]).says(
        "Matches a pattern",
        r#""AB-123" | regex_match("^[A-Z]+-\d+$")"#,
        "true",
        "Whether the pattern (a regular expression) is found in the text.",
    ),
    filter("regex_find", regex_find, &[need("pattern"), may("group")]).says(
        "Find by a pattern",
        r#""Order 4711 of May" | regex_find("Order (\d+)", 1)"#,
        r#""4711""#,
        "The first part that matches, or one group of it. Missing when nothing matches.",
    ),
    filter("regex_find_all", regex_find_all, &[need("pattern"), may("group")]).says(
        "Find all by a pattern",
        r##""#red and #blue" | regex_find_all("#(\w+)", 1)"##,
        r#"["red","blue"]"#,
        "All parts that match, as a list.",
    ),
    filter("regex_replace", regex_replace, &[need("pattern"), need("with")]).says(
        "Replace by a pattern",
        r#""2026-11-20" | regex_replace("(\d+)-(\d+)-(\d+)", "$3.$2.$1")"#,
        r#""20.11.2026""#,
        "Replaces every part that matches; $1 stands for the first group.",
    ),
    filter("html_escape", |mut call| html_escape(&mut call), &[]).says(
        "Safe in HTML",
        r#""<b>R&D</b>" | html_escape"#,
        r#""&lt;b&gt;R&amp;D&lt;/b&gt;""#,
        "Replaces the characters that mean something in HTML, so that the text appears as it is.",
    ),
    filter("url_encode", |mut call| url_encode(&mut call), &[]).says(
        "Safe in a web address",
        r#""a b&c/d" | url_encode"#,
        r#""a%20b%26c%2Fd""#,
        "Encodes everything that means something in an address. An object becomes a query such as a=1&b=2.",
    ),
    filter("url_decode", url_decode, &[]).says(
        "From a web address",
        r#""a%20b%26c" | url_decode"#,
        r#""a b&c""#,
        "Turns %20 and the like back into characters.",
    ),
    filter("base64", |mut call| Ok(Val::text(general_purpose::STANDARD.encode(call.text(0)?.as_bytes()))), &[]).says(
        "As Base64",
        r#""hello" | base64"#,
        r#""aGVsbG8=""#,
        "Encodes the text's UTF-8 bytes as Base64.",
    ),
    filter("base64_decode", base64_decode, &[]).says(
        "From Base64",
        r#""aGVsbG8=" | base64_decode"#,
        r#""hello""#,
        "Decodes Base64 (also the form for addresses, with or without = at the end) to text.",
    ),
];

fn title(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase())
        } else {
            out.extend(c.to_uppercase())
        }
        // An apostrophe doesn't begin a word: "it's" is "It's".
        inside = c.is_alphanumeric() || (inside && matches!(c, '\'' | '’'));
    }
    Ok(Val::text(out))
}

fn trim(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    if !call.given(1) {
        return Ok(Val::text(text.trim()));
    }
    let characters: Vec<char> = call.text(1)?.chars().collect();
    Ok(Val::text(text.trim_matches(&characters[..])))
}

fn replace(mut call: Arguments<'_>) -> Value<'_> {
    let (text, old, new) = (call.text(0)?, call.text(1)?, call.text(2)?);
    if old.is_empty() {
        return Err(Fault::new("replace needs to know which text to replace; the first one is empty."));
    }
    let times = text.matches(&*old).count();
    call.scope.room(text.len().saturating_sub(times * old.len()).saturating_add(times.saturating_mul(new.len())))?;
    Ok(Val::text(text.replace(&*old, &new)))
}

fn split(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let separator = call.text_or(1, ",")?;
    if separator.is_empty() {
        return Err(Fault::new("split needs a separator; the one given is empty."));
    }
    if text.is_empty() {
        return Ok(Json::Array(Vec::new()).into());
    }
    call.scope.spend(text.matches(&*separator).count() / 8)?;
    // A blank as the separator would lose itself by trimming.
    let parts = text.split(&*separator).map(|part| if separator.trim().is_empty() { part } else { part.trim() }.into());
    Ok(Json::Array(parts.collect()).into())
}

fn lines(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let lines = text.lines().map(str::trim_end).filter(|line| !line.trim().is_empty());
    Ok(Json::Array(lines.map(Json::from).collect()).into())
}

fn join(mut call: Arguments<'_>) -> Value<'_> {
    let items = call.list(0)?;
    let separator = call.text_or(1, ", ")?;
    let mut out = String::new();
    for item in items.iter() {
        let text = print::text(item);
        if text.is_empty() {
            continue;
        }
        call.scope.room(out.len() + separator.len() + text.len())?;
        if !out.is_empty() {
            out.push_str(&separator);
        }
        out.push_str(&text);
    }
    Ok(Val::text(out))
}

fn contains(mut call: Arguments<'_>) -> Value<'_> {
    let (whole, part) = (call.take(0)?, call.take(1)?);
    Ok(Json::Bool(call.scope.contains(whole.json()?, part.json()?)?).into())
}

fn compare(mut call: Arguments<'_>, holds: fn(&str, &str) -> bool) -> Value<'_> {
    let (text, part) = (call.text(0)?, call.text(1)?);
    Ok(Json::Bool(holds(&text, &part)).into())
}

fn truncate(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let length = usize::try_from(call.whole(1, 0, 1 << 20)?).unwrap_or(0);
    if text.chars().count() <= length {
        return Ok(Val::text(text));
    }
    let ending = call.text_or(2, "…")?;
    let kept = length.saturating_sub(ending.chars().count());
    let mut out: String = text.chars().take(kept).collect::<String>().trim_end().to_owned();
    out.extend(ending.chars().take(length));
    Ok(Val::text(out))
}

fn pad(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let length = usize::try_from(call.whole(1, 0, 10_000)?).unwrap_or(0);
    let with = call.text_or(2, " ")?;
    let mut with = with.chars();
    let (Some(character), None) = (with.next(), with.next()) else {
        return Err(Fault::new("pad fills up with exactly one character."));
    };
    let filling: String = std::iter::repeat_n(character, length.saturating_sub(text.chars().count())).collect();
    match &*call.text_or(3, "left")? {
        "left" => Ok(Val::text(format!("{filling}{text}"))),
        "right" => Ok(Val::text(format!("{text}{filling}"))),
        other => Err(Fault::new("pad fills up on the left or on the right.").saw(format!("\"{other}\""))),
    }
}

fn slug<'a>(call: &mut Arguments<'a>) -> Value<'a> {
    let latin = deunicode::deunicode(&call.text(0)?);
    let mut out = String::new();
    for c in latin.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if c != '\'' && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.truncate(out.trim_end_matches('-').len());
    Ok(Val::text(out))
}

/// The pattern in an argument.
fn pattern(call: &mut Arguments<'_>, index: usize) -> Result<regex::Regex, Fault> {
    pattern::compile(&call.text(index)?).map_err(|error| Fault { saw: error.saw, ..Fault::new(error.message) })
}

fn regex_match(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    Ok(Json::Bool(pattern(&mut call, 1)?.is_match(&text)).into())
}

/// Which group of the pattern is wanted; without a word the whole match.
fn group(call: &mut Arguments<'_>, regex: &regex::Regex) -> Result<usize, Fault> {
    let last = i64::try_from(regex.captures_len() - 1).unwrap_or(0);
    Ok(usize::try_from(call.whole_or(2, 0, 0, last)?).unwrap_or(0))
}

fn regex_find(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let regex = pattern(&mut call, 1)?;
    let group = group(&mut call, &regex)?;
    let found = regex.captures(&text).and_then(|captures| captures.get(group).map(|found| found.as_str().to_owned()));
    Ok(found.map_or_else(|| Val::missing("The pattern isn't found in the text."), Val::text))
}

fn regex_find_all(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let regex = pattern(&mut call, 1)?;
    let group = group(&mut call, &regex)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(&text) {
        call.scope.spend(1)?;
        found.push(captures.get(group).map_or(Json::Null, |found| found.as_str().into()));
    }
    Ok(Json::Array(found).into())
}

fn regex_replace(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let regex = pattern(&mut call, 1)?;
    let with = call.text(2)?;
    let (mut out, mut done) = (String::new(), 0);
    for captures in regex.captures_iter(&text) {
        call.scope.spend(1)?;
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&text[done..whole.start()]);
        done = whole.end();
        // `$0` may repeat the whole text as often as the replacement names it: bounded by what both are long.
        call.scope.room(with.len().saturating_mul(whole.len() / 8 + 1))?;
        captures.expand(&with, &mut out);
        call.scope.room(out.len())?;
    }
    out.push_str(&text[done..]);
    Ok(Val::text(out))
}

fn html_escape<'a>(call: &mut Arguments<'a>) -> Value<'a> {
    let text = call.text(0)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    Ok(Val::text(out))
}

/// Everything but what RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

fn url_encode<'a>(call: &mut Arguments<'a>) -> Value<'a> {
    let value = call.take(0)?;
    let encode = |text: &str| utf8_percent_encode(text, RESERVED).to_string();
    if let Json::Object(fields) = value.json()? {
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(&print::text(value))));
        return Ok(Val::text(pairs.collect::<Vec<_>>().join("&")));
    }
    Ok(Val::text(encode(&value.into_text(call.who())?)))
}

fn url_decode(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?.replace('+', " ");
    match percent_decode_str(&text).decode_utf8() {
        Ok(decoded) => Ok(Val::text(decoded)),
        Err(_) => Err(Fault::new("This is not encoded text: decoded, it is not UTF-8.")),
    }
}

fn base64_decode(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let plain: String = text.chars().filter(|c| !c.is_whitespace() && *c != '=').collect();
    let plain = plain.replace('-', "+").replace('_', "/");
    let bytes = general_purpose::STANDARD_NO_PAD.decode(plain).map_err(|_| Fault::new("This is not Base64."))?;
    match String::from_utf8(bytes) {
        Ok(decoded) => Ok(Val::text(decoded)),
        Err(_) => Err(Fault::new("This Base64 holds bytes that are not text.")),
    }
}
