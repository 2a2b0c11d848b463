//! `json.read` and `json.write`.

use super::source;
use crate::{
    Json,
    error::StepError,
    expr::{Context, MAX_TOTAL, Template},
    json,
    pure::{
        data::{Compiled, DataStep, Form, object},
        refuse,
    },
};
use std::io;

#[derive(Debug)]
struct Read {
    text: Template,
}

pub(in crate::pure) fn read(form: &Form<'_>) -> Compiled {
    Ok(Box::new(Read { text: form.needed("text", "The JSON text")? }))
}

impl DataStep for Read {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let text = source(&self.text, context)?;
        let read = json::read(text.as_bytes())
            .map_err(|error| refuse("text", format!("This text can't be read as JSON: {}", error.message)))?;
        Ok(object([("value", read.value), ("notes", read.notes.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.text, false)]
    }
}

#[derive(Debug)]
struct Write {
    value: Template,
    indent: bool,
}

pub(in crate::pure) fn write(form: &Form<'_>) -> Compiled {
    Ok(Box::new(Write { value: form.needed("value", "What is written")?, indent: form.on("indent", false)? }))
}

impl DataStep for Write {
    fn output(&self, context: &Context) -> Result<Json, StepError> {
        let value = super::present(&self.value, context)?;
        let mut text = Bounded(Vec::new());
        // Every level of nesting indents every line below it: the text may be far larger than the value.
        let written =
            if self.indent { serde_json::to_writer_pretty(&mut text, &value) } else { serde_json::to_writer(&mut text, &value) };
        let too_large = |_| refuse("value", format!("The text would be larger than {} MB.", MAX_TOTAL >> 20));
        written.map_err(too_large)?;
        let text = String::from_utf8(text.0).expect("JSON is written as UTF-8");
        Ok(object([("text", text.into())]))
    }

    fn templates(&self) -> Vec<(&Template, bool)> {
        vec![(&self.value, false)]
    }
}

/// Takes as many bytes as a result may have.
struct Bounded(Vec<u8>);

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_TOTAL {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
