//! Conditions with their expressions compiled: whether they hold, and an explanation of what was compared.

use super::{Conditions, Operator, Test, judge::Judge};
use crate::{
    Json,
    expr::{Context, ExprError, Template, items::Here, pattern, value::show},
};
use regex::Regex;
use serde::Serialize;

/// How deep groups may stand in groups.
pub const MAX_DEPTH: usize = 16;

/// Conditions, ready for any number of runs.
#[derive(Debug)]
pub struct Compiled {
    root: Node,
}

#[derive(Debug)]
enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Expression { source: String, template: Template, place: String },
    Test(Box<Comparing>),
}

#[derive(Debug)]
struct Comparing {
    value: Template,
    is: Operator,
    to: Option<Template>,
    /// The compiled pattern of `matches`, when it holds no expression.
    regex: Option<Regex>,
    place: String,
}

/// What was compared with what, and how it came out; the test panel shows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// None when it could not be said; `error` says why.
    pub holds: Option<bool>,
    /// `120 is greater than 100`; `all` or `any` for a group.
    pub sentence: String,
    /// What was read as something else, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<ExprError>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Explanation>,
}

impl Compiled {
    /// Compiles the expressions, and checks what can be checked without values. Errors name their place, such as
    /// `all[1].to`.
    pub fn compile(conditions: &Conditions) -> Result<Self, ExprError> {
        Ok(Self { root: Node::compile(conditions, "", 1)? })
    }

    /// Do they hold? The parts of a group are looked at in order, and no further than needed.
    pub fn holds(&self, context: &Context) -> Result<bool, ExprError> {
        self.root.holds(&Here::of(context))
    }

    /// [`Compiled::holds`] for an item of a list.
    pub(crate) fn holds_for(&self, here: &Here<'_>) -> Result<bool, ExprError> {
        self.root.holds(here)
    }

    /// Looks at every part and says what was compared.
    pub fn explain(&self, context: &Context) -> Explanation {
        self.root.explain(&Here::of(context))
    }

    /// The paths that the conditions use, each once.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.root.collect_paths(&mut paths);
        paths
    }
}

impl Node {
    fn compile(conditions: &Conditions, place: &str, depth: usize) -> Result<Self, ExprError> {
        if depth > MAX_DEPTH {
            let message = format!("These conditions stand in more than {MAX_DEPTH} groups inside each other.");
            return Err(ExprError::new(message).within(place));
        }
        let group = |parts: &[Conditions], word: &str| -> Result<Vec<Self>, ExprError> {
            let compile = |(index, part)| Self::compile(part, &field(place, &format!("{word}[{index}]")), depth + 1);
            parts.iter().enumerate().map(compile).collect()
        };
        match conditions {
            Conditions::All { all } => Ok(Self::All(group(all, "all")?)),
            Conditions::Any { any } => Ok(Self::Any(group(any, "any")?)),
            Conditions::Expression { expression } => {
                let place = field(place, "expression");
                // The row takes an expression with or without its braces.
                let source = expression.trim();
                let source = source.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(source).trim();
                let template = Template::expression(source).map_err(|error| error.within(&place))?;
                Ok(Self::Expression { source: source.to_owned(), template, place })
            }
            Conditions::Test(test) => Comparing::compile(test, place).map(|test| Self::Test(Box::new(test))),
        }
    }

    fn holds(&self, here: &Here<'_>) -> Result<bool, ExprError> {
        match self {
            Self::All(parts) => {
                for part in parts {
                    if !part.holds(here)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(parts) => {
                for part in parts {
                    if part.holds(here)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::Expression { template, place, source } => boolean(template, here, source).map_err(|error| error.within(place)),
            Self::Test(test) => test.holds(here, &mut Judge::silent()).map(|(holds, ..)| holds),
        }
    }

    fn explain(&self, here: &Here<'_>) -> Explanation {
        let (word, parts) = match self {
            Self::All(parts) => ("all", parts),
            Self::Any(parts) => ("any", parts),
            Self::Expression { template, place, source } => {
                let result = boolean(template, here, source).map_err(|error| error.within(place));
                return Explanation::new(source.clone(), Vec::new(), result);
            }
            Self::Test(test) => {
                let mut judge = Judge::noting();
                return match test.holds(here, &mut judge) {
                    Ok((holds, value, to)) => {
                        Explanation::new(test.sentence(value.as_ref(), to.as_ref()), judge.notes, Ok(holds))
                    }
                    Err(error) => Explanation::new(test.is.words().to_owned(), judge.notes, Err(error)),
                };
            }
        };
        let parts: Vec<Explanation> = parts.iter().map(|part| part.explain(here)).collect();
        let failed = parts.iter().any(|part| part.holds.is_none());
        // As `holds` does: an error counts unless an earlier part decides.
        let decided = parts.iter().find(|part| part.holds != Some(word == "all")).map(|part| part.holds);
        let holds = match decided {
            Some(holds) => holds,
            None if failed => None,
            None => Some(word == "all"),
        };
        Explanation { holds, sentence: word.to_owned(), notes: Vec::new(), error: None, parts }
    }

    fn collect_paths(&self, paths: &mut Vec<String>) {
        let mut add = |template: &Template| {
            for path in template.paths() {
                if !paths.contains(&path) {
                    paths.push(path);
                }
            }
        };
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.collect_paths(paths)),
            Self::Expression { template, .. } => add(template),
            Self::Test(test) => {
                add(&test.value);
                test.to.iter().for_each(add);
            }
        }
    }
}

impl Comparing {
    fn compile(test: &Test, place: &str) -> Result<Self, ExprError> {
        let within = |name: &'static str| move |error: ExprError| error.within(&field(place, name));
        let value = Template::compile(&test.value).map_err(within("value"))?;
        let to = test.to.as_ref().filter(|_| test.is.needs_to());
        if to.is_none() && test.is.needs_to() {
            return Err(within("to")(ExprError::new(format!("“{}” needs something to compare with.", test.is.words()))));
        }
        let to = to.map(|to| Template::compile(to).map_err(within("to"))).transpose()?;
        let literal = to.as_ref().and_then(Template::literal);
        let regex = match literal {
            Some(Json::String(written)) if test.is == Operator::Matches => Some(pattern::compile(written).map_err(within("to"))?),
            _ => None,
        };
        if let (Operator::Between, Some(to)) = (test.is, literal) {
            super::judge::bounds(to).map_err(within("to"))?;
        }
        Ok(Self { value, is: test.is, to, regex, place: place.to_owned() })
    }

    fn holds(&self, here: &Here<'_>, judge: &mut Judge) -> Result<(bool, Option<Json>, Option<Json>), ExprError> {
        let value = here.resolve(&self.value).map_err(|error| error.within(&field(&self.place, "value")))?;
        let to = match &self.to {
            Some(to) => here.resolve(to).map_err(|error| error.within(&field(&self.place, "to")))?,
            None => None,
        };
        let holds = match (&self.regex, self.is) {
            (Some(regex), Operator::Matches) => judge.matches(value.as_ref(), regex),
            _ => judge.judge(value.as_ref(), self.is, to.as_ref()),
        };
        Ok((holds.map_err(|error| error.within(&self.place))?, value, to))
    }

    fn sentence(&self, value: Option<&Json>, to: Option<&Json>) -> String {
        let shown = |value: Option<&Json>| value.map_or_else(|| "nothing".to_owned(), show);
        match (self.is, to) {
            (is, _) if !is.needs_to() => format!("{} {}", shown(value), is.words()),
            (Operator::Between, Some(Json::Array(bounds))) if bounds.len() == 2 => {
                format!("{} is between {} and {}", shown(value), show(&bounds[0]), show(&bounds[1]))
            }
            (is @ (Operator::OneOf | Operator::NotOneOf), Some(Json::Array(items))) => {
                let items: Vec<String> = items.iter().take(8).map(show).collect();
                format!("{} {} {}", shown(value), is.words(), items.join(", "))
            }
            (is, to) => format!("{} {} {}", shown(value), is.words(), shown(to)),
        }
    }
}

impl Explanation {
    fn new(sentence: String, notes: Vec<String>, result: Result<bool, ExprError>) -> Self {
        let (holds, error) = match result {
            Ok(holds) => (Some(holds), None),
            Err(error) => (None, Some(error)),
        };
        Self { holds, sentence, notes, error, parts: Vec::new() }
    }
}

fn boolean(template: &Template, here: &Here<'_>, source: &str) -> Result<bool, ExprError> {
    let error =
        |message: &str, saw: Option<&Json>| ExprError { part: source.to_owned(), saw: saw.map(show), ..ExprError::new(message) };
    let resolved = here.resolve_noting(template)?;
    match (resolved.value, resolved.missing.into_iter().next()) {
        (Some(Json::Bool(holds)), _) => Ok(holds),
        (Some(value), _) => Err(error("This expression must yield true or false.", Some(&value))),
        (None, Some(missing)) => Err(missing),
        (None, None) => Err(error("This expression yields nothing; it must yield true or false.", None)),
    }
}

fn field(place: &str, name: &str) -> String {
    if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
}
