//! XML, written and read. No document types, no entities but the five of XML itself, bounded nesting: nothing can expand.

use crate::{
    Json, Object,
    expr::{
        error::Fault,
        functions::Arguments,
        print,
        value::{Val, wrong},
    },
    json::{self, STORED_DEPTH},
};
use quick_xml::{
    Reader, XmlVersion,
    escape::{escape, resolve_xml_entity},
    events::{BytesStart, Event},
};

type Value<'a> = Result<Val<'a>, Fault>;

/// An element that is being read.
struct Open {
    name: String,
    fields: Object,
    text: String,
}

impl Open {
    fn new(start: &BytesStart<'_>) -> Result<Self, Fault> {
        let mut fields = Object::new();
        // Repeated attributes are refused by hand: the reader's own check compares each with each.
        for attribute in start.attributes().with_checks(false) {
            let attribute =
                attribute.map_err(|error| Fault::new(format!("An attribute of <{}> is wrong: {error}.", start.name().0)))?;
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_err(|_| Fault::new(format!("An attribute of <{}> holds an entity that isn't known.", start.name().0)))?;
            if fields.insert(format!("@{}", attribute.key.0), value.into_owned().into()).is_some() {
                return Err(Fault::new(format!("<{}> has the attribute {} twice.", start.name().0, attribute.key.0)));
            }
        }
        Ok(Self { name: start.name().0.to_owned(), fields, text: String::new() })
    }

    /// Text alone is text; anything else is an object.
    fn close(mut self) -> (String, Json) {
        let text = self.text.trim();
        if self.fields.is_empty() {
            return (self.name, if text.is_empty() { Json::Null } else { text.into() });
        }
        if !text.is_empty() {
            self.fields.insert("#text".into(), text.into());
        }
        (self.name, Json::Object(self.fields))
    }

    fn put(&mut self, name: String, value: Json) {
        match self.fields.entry(name) {
            serde_json::map::Entry::Vacant(slot) => {
                slot.insert(value);
            }
            serde_json::map::Entry::Occupied(mut slot) => match slot.get_mut() {
                Json::Array(values) => values.push(value),
                first => *first = Json::Array(vec![first.take(), value]),
            },
        }
    }
}

/// `text | parse_xml`
pub(super) fn read(mut call: Arguments<'_>) -> Value<'_> {
    let text = call.text(0)?;
    read_document(&text, |steps| call.scope.spend(steps)).map(Val::Own)
}

/// Reads a document as an object with its root element. Errors say where. `spend` is asked for the work.
pub(crate) fn read_document(text: &str, spend: impl Fn(usize) -> Result<(), Fault>) -> Result<Json, Fault> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reader = Reader::from_str(text);
    let mut began = 0;
    elements(&mut reader, &mut began, spend).map_err(|fault| {
        let at = text.floor_char_boundary(began.min(text.len()));
        Fault { message: format!("{} ({})", fault.message, json::place(&text.as_bytes()[..at])), ..fault }
    })
}

/// `began` is where the part begins that is being read.
fn elements(reader: &mut Reader<&[u8]>, began: &mut usize, spend: impl Fn(usize) -> Result<(), Fault>) -> Result<Json, Fault> {
    let document = Open { name: String::new(), fields: Object::new(), text: String::new() };
    let (mut open, mut inside) = (document, Vec::new());
    let at = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
    loop {
        *began = at(reader.buffer_position());
        let event = reader.read_event().map_err(|error| {
            *began = at(reader.error_position());
            Fault::new(format!("This is not XML that can be read: {error}."))
        })?;
        spend(1)?;
        match event {
            Event::Start(start) => {
                if inside.len() >= STORED_DEPTH / 2 {
                    return Err(Fault::new(format!("This XML nests more than {} elements deep.", STORED_DEPTH / 2)));
                }
                inside.push(std::mem::replace(&mut open, Open::new(&start)?));
            }
            Event::Empty(start) => {
                let (name, value) = Open::new(&start)?.close();
                open.put(name, value);
            }
            Event::End(_) => {
                let Some(outer) = inside.pop() else {
                    return Err(Fault::new("This XML closes an element that it never opened."));
                };
                let (name, value) = std::mem::replace(&mut open, outer).close();
                open.put(name, value);
            }
            Event::Text(text) => open.text.push_str(&text.xml10_content()),
            Event::CData(text) => open.text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => {
                let character =
                    reference.resolve_char_ref().map_err(|_| Fault::new("This XML names a character that doesn't exist."))?;
                match (character, resolve_xml_entity(&reference)) {
                    (Some(character), _) => open.text.push(character),
                    (None, Some(text)) => open.text.push_str(text),
                    (None, None) => {
                        return Err(Fault::new(format!(
                            "This XML uses the entity “&{};”, which XML itself doesn't have.",
                            &*reference
                        )));
                    }
                }
            }
            Event::DocType(_) => {
                return Err(Fault::new(
                    "This XML declares a document type (DOCTYPE); that is refused, because such declarations can expand without bounds.",
                ));
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    if !inside.is_empty() {
        return Err(Fault::new(format!("This XML ends before <{}> is closed.", open.name)));
    }
    if open.fields.is_empty() {
        return Err(Fault::new("There is no XML element in this text."));
    }
    Ok(Json::Object(open.fields))
}

/// `object | xml("root")`
pub(super) fn write(mut call: Arguments<'_>) -> Value<'_> {
    let value = call.take(0)?;
    let value = value.json()?;
    call.scope.room(json::size(value))?;
    let root = if call.given(1) { Some(call.text(1)?) } else { None };
    write_document(value, root.as_deref(), |bytes| call.scope.room(bytes)).map(Val::text)
}

/// Writes a value as a document. Without a name for its root element the one that the value has inside is taken, else `root`.
/// `room` is asked for the bytes so far.
pub(crate) fn write_document(
    value: &Json,
    root: Option<&str>,
    room: impl Fn(usize) -> Result<(), Fault>,
) -> Result<String, Fault> {
    json::check_depth(value, STORED_DEPTH)?;
    let mut out = String::new();
    let single = value.as_object().filter(|fields| fields.len() == 1).and_then(|fields| fields.iter().next());
    match (root, single) {
        // What parse_xml yields has its root element inside.
        (None, Some((name, inner))) if !inner.is_array() && !name.starts_with(['@', '#']) => {
            element(&mut out, name, inner, &room)?
        }
        (root, _) => element(&mut out, root.unwrap_or("root"), value, &room)?,
    }
    Ok(out)
}

fn element(out: &mut String, name: &str, value: &Json, room: &dyn Fn(usize) -> Result<(), Fault>) -> Result<(), Fault> {
    room(out.len() + name.len())?;
    if let Json::Array(items) = value {
        return items.iter().try_for_each(|item| match item {
            Json::Array(_) => Err(wrong("xml", "no lists directly in lists", item)),
            item => element(out, name, item, room),
        });
    }
    check_name(name)?;
    let empty = Object::new();
    let fields = value.as_object().unwrap_or(&empty);
    out.push('<');
    out.push_str(name);
    for (name, value) in fields.iter().filter(|(name, _)| name.starts_with('@')) {
        check_name(&name[1..])?;
        out.push_str(&format!(" {}=\"{}\"", &name[1..], escape(&*content(value)?)));
    }
    let before = out.len();
    out.push('>');
    for (name, value) in fields.iter().filter(|(name, _)| !name.starts_with('@')) {
        if name == "#text" {
            out.push_str(&escape(&*content(value)?));
        } else {
            element(out, name, value, room)?;
        }
    }
    if !value.is_object() {
        out.push_str(&escape(&*content(value)?));
    }
    if out.len() == before + 1 {
        out.insert(before, '/');
    } else {
        out.push_str(&format!("</{name}>"));
    }
    Ok(())
}

/// A value as the content of an element; characters that XML can't hold are refused.
fn content(value: &Json) -> Result<String, Fault> {
    let text = print::text(value);
    match text
        .chars()
        .find(|c| (c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        Some(c) => Err(Fault::new(format!("XML can't hold the character U+{:04X}.", u32::from(c)))),
        None => Ok(text),
    }
}

fn check_name(name: &str) -> Result<(), Fault> {
    let begins = |c: char| c.is_alphabetic() || c == '_';
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':');
    if name.starts_with(begins) && name.chars().all(goes_on) {
        return Ok(());
    }
    Err(Fault::new("This can't be the name of an XML element or attribute: it begins with a letter and has no blanks.")
        .saw(format!("\"{name}\"")))
}
