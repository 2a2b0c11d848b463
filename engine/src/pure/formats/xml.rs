//! `xml.read` and `xml.write`.

use super::{room, source, unbounded, wrong};
use crate::{
    Json,
    error::StepError,
    expr::{
        Context, Template,
        filters::xml::{read_document, write_document},
        print,
    },
    pure::data::{Compiled, DataStep, Form, object},
};

#[derive(Debug)]
struct Read {
    text: Template,
}

pub(in crate::pure) fn read(form: &Form<'_>) -> Compiled {
    Ok(Box::new(Read { text: form.needed("text", "The XML text")? }))
}

impl DataStep for Read {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let text = source(&self.text, context)?;
        let value = read_document(&text, unbounded).map_err(|fault| wrong("text", fault))?;
        Ok(object([("value", value)]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.text, false)]
    }
}

#[derive(Debug)]
struct Write {
    value: Template,
    root: Option<String>,
    declaration: bool,
}

pub(in crate::pure) fn write(form: &Form<'_>) -> Compiled {
    let root = form.value("root").map(|root| print::text(root).trim().to_owned());
    Ok(Box::new(Write { value: form.needed("value", "What is written")?, root, declaration: form.on("declaration", true)? }))
}

impl DataStep for Write {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let value = super::present(&self.value, context)?;
        let body = write_document(&value, self.root.as_deref(), room).map_err(|fault| wrong("value", fault))?;
        let head = if self.declaration { "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" } else { "" };
        Ok(object([("text", format!("{head}{body}").into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.value, false)]
    }
}
