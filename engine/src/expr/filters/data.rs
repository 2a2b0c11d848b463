//! Filters and functions for data as such: what stands in for a missing value, JSON, CSV, XML, hashes, ids.

use super::{csv, xml};
use crate::{
    Json,
    expr::{
        error::Fault,
        functions::{Arguments, Call, Function, Group, Kind, Parameter, may, need},
        value::{Val, is_empty, is_true},
    },
};
use base64::{Engine, engine::general_purpose};
use hmac::{Hmac, KeyInit, Mac};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

const fn filter(name: &'static str, call: Call, parameters: &'static [Parameter]) -> Function {
    Function::filter(Group::Data, name, call, parameters)
}

type Value<'a> = Result<Val<'a>, Fault>;

pub(super) const TABLE: &[Function] = &[
    filter("default", default, &[need("instead"), may("empty")]).says(
        "If missing, then …",
        r#"trigger.body.nickname | default("friend")"#,
        r#""friend""#,
        "Another value for one that is missing or null; with true as the second argument also for empty text, lists and objects.",
    ),
    filter("json", json, &[may("indent")]).says(
        "As JSON text",
        r#"{"a": [1, null]} | json"#,
        r#""{\"a\":[1,null]}""#,
        "The value as JSON; with true, in several lines.",
    ),
    filter("parse_json", parse_json, &[]).says(
        "From JSON text",
        r#"('{"a": [1]}' | parse_json).a"#,
        "[1]",
        "Reads text as JSON. Numbers with more digits than can be counted with stay text.",
    ),
    filter("csv", csv::write, &[may("separator"), may("header")]).says(
        "As CSV",
        r#"[{"name": "Ada", "age": 36}, {"name": "Bob, Jr."}] | csv"#,
        r#""name,age\nAda,36\n\"Bob, Jr.\",\n""#,
        "A table of a list of objects (their fields are the columns) or of lists. The first line holds the names unless header is false.",
    ),
    filter("parse_csv", csv::read, &[may("separator"), may("header")]).says(
        "From CSV",
        r#""name;age\nAda;36" | parse_csv"#,
        r#"[{"name":"Ada","age":"36"}]"#,
        "A list with an object for each line, named by the first line; with header=false a list of lists. The separator is found out unless you name it. Values stay text.",
    ),
    filter("xml", xml::write, &[may("root")]).says(
        "As XML",
        r#"{"@id": 7, "name": "R&D", "tag": ["a", "b"]} | xml("order")"#,
        r#""<order id=\"7\"><name>R&amp;D</name><tag>a</tag><tag>b</tag></order>""#,
        "Fields become elements, lists repeat them, names with @ become attributes and #text the content.",
    ),
    filter("parse_xml", xml::read, &[]).says(
        "From XML",
        r#"("<order id='7'><tag>a</tag><tag>b</tag></order>" | parse_xml).order"#,
        r##"{"@id":"7","tag":["a","b"]}"##,
        "Elements become fields, repeated ones lists, attributes fields with @. Declarations of types and entities are refused.",
    ),
    filter("hash", hash, &[may("algorithm")]).says(
        "Checksum",
        r#""ada@example.com" | hash("md5")"#,
        r#""3e3417d7ef77d5932a6734b916515ed5""#,
        "The checksum of the text in hexadecimal: sha256 unless you name sha512, sha384, sha1 or md5.",
    ),
    filter("hmac", hmac, &[need("key"), may("algorithm"), may("encoding")]).says(
        "Signature",
        r#""hello" | hmac("secret")"#,
        r#""88aab3ede8d3adf94d26ab90d3bafd4a2083070c3bcce9c014ee04a443847c0b""#,
        "The text's HMAC with a key: sha256 unless you name sha512, sha384 or sha1; hexadecimal unless you say base64.",
    ),
    Function { kind: Kind::Function, pure: false, ..filter("uuid", uuid, &[]) }.says(
        "A new id",
        "uuid() | length",
        "36",
        "A random-looking id (UUID). It is the same whenever this run repeats this step.",
    ),
];

fn default(mut call: Arguments<'_>) -> Value<'_> {
    let also_empty = call.given(2) && is_true(call.take(2)?.json()?);
    let value = call.values[0].take();
    let keep = match &value {
        None | Some(Val::Missing(_)) => false,
        Some(present) => match present.json()? {
            Json::Null => false,
            value => !(also_empty && is_empty(value)),
        },
    };
    // What stands instead may itself be missing: `a | default(b) | default("x")`.
    let chosen = if keep { value } else { call.values[1].take() };
    chosen.ok_or_else(|| Fault::new("default needs the value that stands instead."))
}

fn json(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    let indent = call.given(1) && is_true(call.take(1)?.json()?);
    let value = value.json()?;
    call.scope.room(crate::json::size(value))?;
    if indent {
        // Every level of nesting indents every line below it.
        crate::json::check_depth(value, crate::json::STORED_DEPTH)?;
        return serde_json::to_string_pretty(value)
            .map(Val::text)
            .map_err(|_| Fault::new("This value can't be written as JSON."));
    }
    Ok(Val::text(value.to_string()))
}

fn parse_json(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    crate::json::read(text.as_bytes()).map(|read| read.value.into()).map_err(|error| {
        Fault::new(format!("This text is not JSON: {}", error.message)).saw(crate::expr::value::show(&Json::from(&*text)))
    })
}

fn unknown_algorithm(written: &str) -> Fault {
    Fault::new("The algorithm is one of sha256, sha384, sha512, sha1 and, for hash, md5.").saw(format!("\"{written}\""))
}

fn hash(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    let algorithm = call.text_or(1, "sha256")?;
    let bytes = text.as_bytes();
    Ok(Val::text(match &*algorithm.trim().to_ascii_lowercase().replace('-', "") {
        "sha256" => hex::encode(Sha256::digest(bytes)),
        "sha384" => hex::encode(Sha384::digest(bytes)),
        "sha512" => hex::encode(Sha512::digest(bytes)),
        "sha1" => hex::encode(Sha1::digest(bytes)),
        "md5" => hex::encode(Md5::digest(bytes)),
        _ => return Err(unknown_algorithm(&algorithm)),
    }))
}

fn hmac(mut call: Arguments<'_>) -> Value<'_> {
    fn sign<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Option<Vec<u8>> {
        let mut mac = <M as KeyInit>::new_from_slice(key).ok()?;
        mac.update(text);
        Some(mac.finalize().into_bytes().to_vec())
    }
    let (text, key) = (call.text(0)?, call.text(1)?);
    let algorithm = call.text_or(2, "sha256")?;
    let (text, key) = (text.as_bytes(), key.as_bytes());
    let signed = match &*algorithm.trim().to_ascii_lowercase().replace('-', "") {
        "sha256" => sign::<Hmac<Sha256>>(key, text),
        "sha384" => sign::<Hmac<Sha384>>(key, text),
        "sha512" => sign::<Hmac<Sha512>>(key, text),
        "sha1" => sign::<Hmac<Sha1>>(key, text),
        _ => None,
    };
    let signed = signed.ok_or_else(|| unknown_algorithm(&algorithm))?;
    match &*call.text_or(3, "hex")? {
        "hex" => Ok(Val::text(hex::encode(signed))),
        "base64" => Ok(Val::text(general_purpose::STANDARD.encode(signed))),
        other => Err(Fault::new("The encoding is hex or base64.").saw(format!("\"{other}\""))),
    }
}

fn uuid(call: Arguments<'_>) -> Value<'_> {
    let seed = call.scope.seed(call.at);
    Ok(Val::text(uuid::Builder::from_random_bytes(*seed.as_bytes()).into_uuid().to_string()))
}
