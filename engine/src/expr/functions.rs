//! The list of filters and functions: what evaluation calls, what the documentation is made of, what the builder offers.

use super::{error::Fault, eval::Scope, filters, number::Num, value::Val};
use crate::{Json, Object};
use serde::Serialize;
use std::{borrow::Cow, sync::LazyLock};

/// How a function is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, schemars::JsonSchema)]
#[schemars(rename = "FunctionKind")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// After a value and a bar: `value | name(…)`.
    Filter,
    /// On its own: `name(…)`.
    Function,
}

/// What a function works on: the chapters of the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, schemars::JsonSchema)]
#[schemars(rename = "FunctionGroup")]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Text,
    Number,
    Date,
    List,
    Object,
    Data,
}

impl Group {
    pub fn title(self) -> &'static str {
        match self {
            Self::Text => "Text",
            Self::Number => "Numbers",
            Self::Date => "Dates and times",
            Self::List => "Lists",
            Self::Object => "Objects",
            Self::Data => "Data",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, schemars::JsonSchema)]
#[schemars(rename = "FunctionParameter")]
pub struct Parameter {
    pub name: &'static str,
    pub required: bool,
}

/// A parameter that must be given.
pub(super) const fn need(name: &'static str) -> Parameter {
    Parameter { name, required: true }
}

/// A parameter that may be left out.
pub(super) const fn may(name: &'static str) -> Parameter {
    Parameter { name, required: false }
}

pub(super) type Call = for<'a> fn(Arguments<'a>) -> Result<Val<'a>, Fault>;

/// A filter or a function, with its words and a tested example.
#[derive(Clone, Copy, Debug, Serialize, schemars::JsonSchema)]
pub struct Function {
    pub name: &'static str,
    pub kind: Kind,
    pub group: Group,
    /// A few words for a menu: "In capitals".
    pub title: &'static str,
    /// An expression without `{{ }}`.
    pub example: &'static str,
    /// What the example yields, as JSON.
    pub result: &'static str,
    /// One or two sentences.
    pub help: &'static str,
    /// What stands in the brackets; a filter's input is not among them.
    pub parameters: &'static [Parameter],
    /// Does it depend on nothing but its arguments?
    #[serde(skip)]
    pub pure: bool,
    #[serde(skip)]
    pub(super) call: Call,
}

impl Function {
    /// A filter of the group whose table it stands in; the rest is filled in with struct update syntax.
    pub(super) const fn filter(group: Group, name: &'static str, call: Call, parameters: &'static [Parameter]) -> Self {
        Self { name, kind: Kind::Filter, group, title: "", example: "", result: "", help: "", parameters, pure: true, call }
    }

    /// The words of the entry.
    pub(super) const fn says(self, title: &'static str, example: &'static str, result: &'static str, help: &'static str) -> Self {
        Self { title, example, result, help, ..self }
    }

    pub(super) fn parameters_in_words(&self) -> String {
        if self.parameters.is_empty() {
            return "nothing in brackets".to_owned();
        }
        let shown = self.parameters.iter().map(|p| if p.required { p.name.to_owned() } else { format!("{}?", p.name) });
        format!("({})", shown.collect::<Vec<_>>().join(", "))
    }
}

static FUNCTIONS: LazyLock<Vec<Function>> = LazyLock::new(filters::all);

/// Every filter and function, group by group.
pub fn functions() -> &'static [Function] {
    &FUNCTIONS
}

pub(super) fn find(name: &str, kind: Kind) -> Option<&'static Function> {
    functions().iter().find(|function| function.name == name && function.kind == kind)
}

/// What a function is called with: a filter's input first, then its parameters in their order.
pub(super) struct Arguments<'a> {
    pub function: &'static Function,
    pub values: Vec<Option<Val<'a>>>,
    pub scope: &'a Scope<'a>,
    /// Where in the part the call stands.
    pub at: usize,
}

impl<'a> Arguments<'a> {
    /// The name of the function, as errors begin with it.
    pub fn who(&self) -> &'static str {
        self.function.name
    }

    pub fn given(&self, index: usize) -> bool {
        matches!(self.values.get(index), Some(Some(_)))
    }

    /// Takes an argument out; a missing value or one that wasn't given is a fault.
    pub fn take(&mut self, index: usize) -> Result<Val<'a>, Fault> {
        match self.values.get_mut(index).and_then(Option::take) {
            Some(value) => value.json().map(|_| ()).map(|()| value),
            None => Err(Fault::new(format!("{} takes {}.", self.who(), self.function.parameters_in_words()))),
        }
    }

    pub fn text(&mut self, index: usize) -> Result<Cow<'a, str>, Fault> {
        let who = self.who();
        self.take(index)?.into_text(who)
    }

    pub fn text_or(&mut self, index: usize, default: &'static str) -> Result<Cow<'a, str>, Fault> {
        if self.given(index) { self.text(index) } else { Ok(Cow::Borrowed(default)) }
    }

    /// The tag of a language; the context's where none is named.
    pub fn language(&mut self, index: usize) -> Result<Cow<'a, str>, Fault> {
        if self.given(index) { self.text(index) } else { Ok(Cow::Borrowed(self.scope.context.language())) }
    }

    pub fn number(&mut self, index: usize) -> Result<Num, Fault> {
        let who = self.who();
        self.take(index)?.as_num(who)
    }

    /// A whole number from `least` to `most`.
    pub fn whole(&mut self, index: usize, least: i64, most: i64) -> Result<i64, Fault> {
        let number = self.number(index)?;
        let int = match number {
            Num::Int(int) => i64::try_from(int).ok(),
            Num::Float(float) => match super::number::whole(float) {
                Num::Int(int) => i64::try_from(int).ok(),
                Num::Float(_) => None,
            },
        };
        int.filter(|int| (least..=most).contains(int)).ok_or_else(|| {
            Fault::new(format!("{} needs a whole number from {least} to {most} here.", self.who()))
                .saw(number.to_f64().to_string())
        })
    }

    pub fn whole_or(&mut self, index: usize, default: i64, least: i64, most: i64) -> Result<i64, Fault> {
        if self.given(index) { self.whole(index, least, most) } else { Ok(default) }
    }

    pub fn list(&mut self, index: usize) -> Result<Cow<'a, [Json]>, Fault> {
        let who = self.who();
        let items = self.take(index)?.into_list(who)?;
        self.scope.spend(items.len() / 8)?;
        Ok(items)
    }

    pub fn object(&mut self, index: usize) -> Result<Cow<'a, Object>, Fault> {
        let who = self.who();
        let fields = self.take(index)?.into_object(who)?;
        self.scope.spend(fields.len() / 8)?;
        Ok(fields)
    }
}
