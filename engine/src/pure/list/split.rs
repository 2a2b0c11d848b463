//! `list.split`: a list in parts of so many items, or a text in the parts between separators.

use super::{List, MAX_ITEMS, listed};
use crate::{
    Json,
    error::StepError,
    expr::{Context, ExprError, Template, number::Num, print},
    pure::{
        data::{Compiled, DataStep, Form, text},
        refuse, shown,
    },
};

#[derive(Debug)]
enum Split {
    List { list: List, size: Template },
    Text { text: Template, separator: String, trim: bool },
}

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    Ok(Box::new(match form.choice("what", &["list", "text"])? {
        "list" => {
            Split::List { list: List::needed(form, "list", "The list", "")?, size: form.needed("size", "Items in each part")? }
        }
        _ => Split::Text {
            text: form.needed("text", "The text")?,
            separator: match form.choice("at", &["lines", "commas", "semicolons", "blanks", "other"])? {
                "lines" => "\n".to_owned(),
                "commas" => ",".to_owned(),
                "semicolons" => ";".to_owned(),
                "blanks" => " ".to_owned(),
                // Blanks count here: a separator may be one.
                _ => match form.raw("separator").map(print::text).filter(|text| !text.is_empty()) {
                    Some(separator) => separator,
                    None => return Err(ExprError::new("Say what stands between the parts.").within("separator")),
                },
            },
            trim: form.on("trim", true)?,
        },
    }))
}

impl DataStep for Split {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        match self {
            Self::List { list, size } => {
                let value = size.resolve(context).map_err(|error| error.within("size"))?;
                let whole = match value.as_ref().and_then(Num::read).map(Num::to_f64) {
                    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and the most")]
                    Some(number) if number.fract() == 0.0 && (1.0..=MAX_ITEMS as f64).contains(&number) => number as usize,
                    _ => {
                        let message = format!("A whole number from 1 to {MAX_ITEMS} is needed, not {}.", shown(value.as_ref()));
                        return Err(refuse("size", message));
                    }
                };
                let mut items = list.read(context)?.into_iter();
                let mut parts = Vec::new();
                loop {
                    let part: Vec<Json> = items.by_ref().take(whole).collect();
                    if part.is_empty() {
                        return Ok(listed(parts, []));
                    }
                    parts.push(Json::Array(part));
                }
            }
            Self::Text { text: template, separator, trim } => {
                let text = text(template, "text", context)?;
                let mut parts = Vec::new();
                for part in text.split(separator.as_str()) {
                    let part = if *trim { part.trim() } else { part.strip_suffix('\r').unwrap_or(part) };
                    if *trim && part.is_empty() {
                        continue;
                    }
                    if parts.len() == MAX_ITEMS {
                        return Err(refuse("text", format!("This text has more than {MAX_ITEMS} parts.")));
                    }
                    parts.push(part.into());
                }
                Ok(listed(parts, []))
            }
        }
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        match self {
            Self::List { list, size } => vec![(&list.template, false), (size, false)],
            Self::Text { text, .. } => vec![(text, false)],
        }
    }
}
