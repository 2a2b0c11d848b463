//! `text.format`: a text put together of words and data, once or for each item of a list.

use super::{
    data::{Compiled, DataStep, Form, object, room, text},
    list::List,
};
use crate::{
    Json,
    error::StepError,
    expr::{Context, Template, items::Items, print},
};

#[derive(Debug)]
enum Format {
    Once { text: Template },
    Each { list: List, line: Template, between: &'static str },
}

pub(super) fn compile(form: &Form<'_>) -> Compiled {
    Ok(Box::new(match form.choice("times", &["once", "each"])? {
        "once" => Format::Once { text: form.needed("text", "The text")? },
        _ => Format::Each {
            list: List::needed(form, "list", "The list", "")?,
            line: form.needed("line", "Text for each item")?,
            between: match form.choice("between", &["line", "empty_line", "comma", "blank", "nothing"])? {
                "line" => "\n",
                "empty_line" => "\n\n",
                "comma" => ", ",
                "blank" => " ",
                _ => "",
            },
        },
    }))
}

impl DataStep for Format {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let text = match self {
            Self::Once { text: template } => text(template, "text", context)?,
            Self::Each { list, line, between } => {
                let read = list.read(context)?;
                let items = Items::over(context, read.len());
                let mut out = String::new();
                for (index, item) in read.iter().enumerate() {
                    let value = items.at(item, index).resolve(line).map_err(|error| list.at(index, "line", error))?;
                    if index > 0 {
                        out.push_str(between);
                    }
                    print::push(&mut out, &value.unwrap_or(Json::Null));
                    room(out.len())?;
                }
                out
            }
        };
        let length = text.chars().count();
        Ok(object([("text", text.into()), ("length", length.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        match self {
            Self::Once { text } => vec![(text, false)],
            Self::Each { list, line, .. } => vec![(&list.template, false), (line, true)],
        }
    }
}
