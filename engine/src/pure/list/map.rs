//! `list.map`: a new list with an item made of each.

use super::{List, listed};
use crate::{
    Json,
    error::StepError,
    expr::{Context, Template, items::Items},
    json,
    pure::{
        data::{Compiled, DataStep, Form, room},
        shown,
    },
};

#[derive(Debug)]
struct Map {
    list: List,
    made: Made,
}

/// What becomes of an item.
#[derive(Debug)]
enum Made {
    /// An object of these fields, and nothing else.
    Fields(Template),
    /// The item with these fields beside or instead of its own.
    Extended(Template),
    Value(Template),
}

pub(in crate::pure) fn compile(form: &Form<'_>) -> Compiled {
    let list = List::needed(form, "list", "The list", "")?;
    let made = match form.choice("make", &["fields", "extended", "value"])? {
        "fields" => Made::Fields(form.needed("fields", "Fields of each new item")?),
        "extended" => Made::Extended(form.needed("fields", "Fields of each new item")?),
        _ => Made::Value(form.needed("value", "Each new item")?),
    };
    Ok(Box::new(Map { list, made }))
}

impl DataStep for Map {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let list = self.list.read(context)?;
        let items = Items::over(context, list.len());
        let (mut made, mut bytes) = (Vec::with_capacity(list.len()), 0);
        for (index, item) in list.into_iter().enumerate() {
            let (field, template) = self.made.parts();
            let value = items.at(&item, index).resolve(template).map_err(|error| self.list.at(index, field, error))?;
            let item = self.made.item(item, value).map_err(|message| self.list.refuse(index, field, &message))?;
            bytes += json::size(&item);
            room(bytes)?;
            made.push(item);
        }
        Ok(listed(made, []))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.list.template, false), (self.made.parts().1, true)]
    }
}

impl Made {
    fn parts(&self) -> (&'static str, &Template) {
        match self {
            Self::Fields(template) | Self::Extended(template) => ("fields", template),
            Self::Value(template) => ("value", template),
        }
    }

    fn item(&self, item: Json, value: Option<Json>) -> Result<Json, String> {
        match (self, value, item) {
            (Self::Value(_), value, _) => Ok(value.unwrap_or(Json::Null)),
            (Self::Fields(_), Some(fields @ Json::Object(_)), _) => Ok(fields),
            (Self::Extended(_), Some(Json::Object(more)), Json::Object(mut fields)) => {
                fields.extend(more);
                Ok(Json::Object(fields))
            }
            (Self::Extended(_), Some(Json::Object(_)), item) => {
                Err(format!("Only an item with fields can get more of them, and this one is {}.", shown(Some(&item))))
            }
            (_, value, _) => Err(format!("Names and values are needed here, not {}.", shown(value.as_ref()))),
        }
    }
}
