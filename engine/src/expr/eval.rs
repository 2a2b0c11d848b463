//! Evaluates an expression's tree over a context: total, bounded in steps and in what it makes, with sentences for every fault.

use super::{
    ast::{Comparison, Expr, Kind, Math, Root, Test},
    context::Context,
    error::Fault,
    functions::{Arguments, Function},
    items::Item,
    number::{self, Num},
    print,
    value::{Val, is_empty, is_true, kind, same, show, wrong},
};
use crate::{Json, Object};
use std::{cell::Cell, cmp::Ordering};

/// How many steps the evaluation of one template may take; a node is one, and so are eight items of a list.
pub const FUEL: usize = 50_000;
/// How many steps more a step that works on a list may take for each of its items.
pub(super) const FUEL_PER_ITEM: usize = 100;
/// How long a text, or the compact JSON of a list or an object, may be that an expression makes, in bytes.
pub const MAX_MADE: usize = 1 << 20;
/// How much a template may yield in all, values passed on unchanged included, in bytes of compact JSON.
pub const MAX_TOTAL: usize = 32 << 20;

/// Where an evaluation takes place and how much of its allowance is left.
pub(super) struct Scope<'a> {
    pub context: &'a Context,
    /// The field whose text is evaluated; with the offset of a call it seeds `uuid()` and `random()`.
    pub place: &'a str,
    fuel: &'a Allowance,
    /// The item of the list that a step works on, where there is one.
    item: Option<Item<'a>>,
}

/// What one resolving of a template may still use.
pub(crate) struct Allowance {
    most: usize,
    fuel: Cell<usize>,
    bytes: Cell<usize>,
}

impl Allowance {
    pub fn full() -> Self {
        Self::of(FUEL)
    }

    /// What the templates of a step may use together that are worked out for each of `items`.
    pub fn for_items(items: usize) -> Self {
        Self::of(FUEL + items.saturating_mul(FUEL_PER_ITEM))
    }

    fn of(most: usize) -> Self {
        Self { most, fuel: Cell::new(most), bytes: Cell::new(MAX_TOTAL) }
    }

    /// Takes `bytes` off the total.
    pub fn take(&self, bytes: usize) -> Result<(), Fault> {
        let left = self.bytes.get().checked_sub(bytes);
        self.bytes.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| Fault::new(format!("This step's fields yield more than {} MB together.", MAX_TOTAL >> 20)))
    }
}

impl<'a> Scope<'a> {
    pub fn new(context: &'a Context, place: &'a str, fuel: &'a Allowance, item: Option<Item<'a>>) -> Self {
        Self { context, place, fuel, item }
    }

    /// A number that is the same whenever this place is evaluated, and another for each item.
    pub fn seed(&self, at: usize) -> uuid::Uuid {
        match self.item {
            Some(item) => self.context.seed(&format!("{}\n{}", self.place, item.index), at),
            None => self.context.seed(self.place, at),
        }
    }

    pub fn spend(&self, steps: usize) -> Result<(), Fault> {
        let left = self.fuel.fuel.get().checked_sub(steps);
        self.fuel.fuel.set(left.unwrap_or(0));
        left.map(|_| ()).ok_or_else(|| Fault::new(format!("This takes too much work: more than {} steps.", self.fuel.most)))
    }

    /// Refuses to make something of that many bytes; asked before a filter makes it.
    pub fn room(&self, bytes: usize) -> Result<(), Fault> {
        if bytes > MAX_MADE { Err(Fault::new("This would make more than 1 MB of text.")) } else { Ok(()) }
    }

    pub fn eval(&'a self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        self.spend(1)?;
        self.node(expr).map_err(|fault| Fault { at: fault.at.or(Some(expr.at)), ..fault })
    }

    /// Only tells the kinds apart: every arm calls, so that this frame, of which there is one for each level, stays small.
    fn node(&'a self, expr: &'a Expr) -> Result<Val<'a>, Fault> {
        match &expr.kind {
            Kind::Constant(value) => Ok(Val::Ref(value)),
            Kind::Root(root) => Ok(self.root(*root)),
            Kind::Field(base, name) => self.field(base, name),
            Kind::Item(base, key) => self.item(base, key),
            Kind::Slice(base, from, to) => self.slice(base, from.as_deref(), to.as_deref()),
            Kind::List(items) => self.list(items),
            Kind::Object(pairs) => self.object(pairs),
            Kind::Not(inner) => self.is_true(inner).map(|truth| Json::Bool(!truth).into()),
            Kind::Negative(inner) => self.negative(inner),
            Kind::And(left, right) => self.either(left, right, false),
            Kind::Or(left, right) => self.either(left, right, true),
            Kind::Compare(first, rest) => self.compare(first, rest),
            Kind::Math(math, left, right) => self.math(*math, left, right),
            Kind::Concat(left, right) => self.concat(left, right),
            Kind::Choose { test, then, other } => self.choose(test, then, other.as_deref()),
            Kind::Call { function, arguments } => self.call(function, arguments, expr.at),
            Kind::Is { value, test, negated } => self.is(value, *test, *negated),
        }
    }

    fn is_true(&'a self, expr: &'a Expr) -> Result<bool, Fault> {
        Ok(is_true(self.eval(expr)?.json()?))
    }

    fn list(&'a self, items: &'a [Expr]) -> Result<Val<'a>, Fault> {
        let items: Result<Vec<Json>, Fault> = items.iter().map(|item| self.eval(item)?.into_json()).collect();
        self.made(Json::Array(items?))
    }

    fn negative(&'a self, inner: &'a Expr) -> Result<Val<'a>, Fault> {
        let value = self.eval(inner)?;
        match value.json()? {
            Json::Number(number) => Ok(Num::of(number).negative().into_json()?.into()),
            other => Err(wrong("A minus", "a number", other)),
        }
    }

    /// `and` and `or`: the first value that decides, else the second.
    fn either(&'a self, left: &'a Expr, right: &'a Expr, decides: bool) -> Result<Val<'a>, Fault> {
        let value = self.eval(left)?;
        if is_true(value.json()?) == decides { Ok(value) } else { self.eval(right) }
    }

    fn concat(&'a self, left: &'a Expr, right: &'a Expr) -> Result<Val<'a>, Fault> {
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        let mut text = print::text(left.json()?);
        print::push(&mut text, right.json()?);
        self.made(Json::String(text))
    }

    fn choose(&'a self, test: &'a Expr, then: &'a Expr, other: Option<&'a Expr>) -> Result<Val<'a>, Fault> {
        match (self.is_true(test)?, other) {
            (true, _) => self.eval(then),
            (false, Some(other)) => self.eval(other),
            (false, None) => Ok(Val::missing("The test of this “if” doesn't hold and it has no “else”.")),
        }
    }

    fn call(&'a self, function: &'static Function, arguments: &'a [Option<Expr>], at: usize) -> Result<Val<'a>, Fault> {
        let values: Result<Vec<Option<Val<'a>>>, Fault> =
            arguments.iter().map(|argument| argument.as_ref().map(|expr| self.eval(expr)).transpose()).collect();
        match (function.call)(Arguments { function, values: values?, scope: self, at })? {
            Val::Own(value) => self.made(value),
            other => Ok(other),
        }
    }

    fn is(&'a self, value: &'a Expr, test: Test, negated: bool) -> Result<Val<'a>, Fault> {
        let value = self.eval(value)?;
        Ok(Json::Bool(self.test(&value, test)? != negated).into())
    }

    /// A new value, if it isn't too large.
    fn made(&self, value: Json) -> Result<Val<'a>, Fault> {
        let size = match &value {
            Json::Array(_) | Json::Object(_) => crate::json::size(&value),
            Json::String(text) => text.len(),
            _ => 0,
        };
        self.room(size)?;
        self.fuel.take(size)?;
        Ok(Val::Own(value))
    }

    fn root(&'a self, root: Root) -> Val<'a> {
        match root {
            Root::Trigger => Val::Ref(self.context.trigger()),
            Root::Steps => Val::Ref(self.context.steps()),
            Root::Run => Val::Ref(self.context.run_value()),
            Root::Vars => Val::Ref(self.context.vars()),
            Root::Now => Val::text(self.context.now_text()),
            Root::Item => match self.item.map(|item| item.value).or_else(|| self.context.item()) {
                Some(value) => Val::Ref(value),
                None => Val::missing("There is no “item” here: it is only there inside a “For each”."),
            },
            Root::Index => match self.item.map(|item| Json::from(item.index)).or_else(|| self.context.index().map(Json::from)) {
                Some(index) => index.into(),
                None => Val::missing("There is no “index” here: it is only there inside a loop."),
            },
            Root::Named(name) => match self.context.named_root(name) {
                Some(value) => Val::Ref(value),
                None => Val::missing(format!("There is no value for “{name}” here.")),
            },
        }
    }

    fn object(&'a self, pairs: &'a [(Expr, Expr)]) -> Result<Val<'a>, Fault> {
        let mut fields = Object::new();
        for (key, value) in pairs {
            let key = self.eval(key)?.into_text("A field's name")?.into_owned();
            fields.insert(key, self.eval(value)?.into_json()?);
        }
        self.made(Json::Object(fields))
    }

    fn compare(&'a self, first: &'a Expr, rest: &'a [(Comparison, Expr)]) -> Result<Val<'a>, Fault> {
        let mut left = self.eval(first)?;
        for (comparison, right) in rest {
            let right = self.eval(right)?;
            if !self.holds(left.json()?, *comparison, right.json()?)? {
                return Ok(Json::Bool(false).into());
            }
            left = right;
        }
        Ok(Json::Bool(true).into())
    }

    fn holds(&self, left: &Json, comparison: Comparison, right: &Json) -> Result<bool, Fault> {
        Ok(match comparison {
            Comparison::Equal => same(left, right),
            Comparison::NotEqual => !same(left, right),
            Comparison::In => self.contains(right, left)?,
            Comparison::NotIn => !self.contains(right, left)?,
            Comparison::Less => order(left, right)?.is_lt(),
            Comparison::AtMost => order(left, right)?.is_le(),
            Comparison::Greater => order(left, right)?.is_gt(),
            Comparison::AtLeast => order(left, right)?.is_ge(),
        })
    }

    pub fn contains(&self, whole: &Json, part: &Json) -> Result<bool, Fault> {
        match (whole, part) {
            (Json::Array(items), part) => {
                self.spend(items.len() / 8)?;
                Ok(items.iter().any(|item| same(item, part)))
            }
            (Json::String(text), Json::String(part)) => Ok(text.contains(part.as_str())),
            (Json::String(text), Json::Number(_)) => Ok(text.contains(&print::text(part))),
            (Json::Object(fields), Json::String(name)) => Ok(fields.contains_key(name)),
            (Json::Null, _) => Ok(false),
            _ => Err(Fault::new(format!("{} can't contain {}.", capital(kind(whole)), kind(part))).saw(show(whole))),
        }
    }

    fn math(&'a self, math: Math, left: &'a Expr, right: &'a Expr) -> Result<Val<'a>, Fault> {
        self.calculate(math, self.eval(left)?, self.eval(right)?)
    }

    fn calculate(&self, math: Math, left: Val<'a>, right: Val<'a>) -> Result<Val<'a>, Fault> {
        let (a, b) = (left.json()?, right.json()?);
        if let (Json::Number(a), Json::Number(b)) = (a, b) {
            let (a, b) = (Num::of(a), Num::of(b));
            let result = match math {
                Math::Add => number::add(a, b),
                Math::Subtract => number::subtract(a, b),
                Math::Multiply => number::multiply(a, b),
                Math::Divide => number::divide(a, b),
                Math::FloorDivide => number::floor_divide(a, b),
                Math::Remainder => number::remainder(a, b),
                Math::Power => number::power(a, b),
            };
            return Ok(result?.into_json()?.into());
        }
        match (math, a, b) {
            (Math::Add, Json::String(a), Json::String(b)) => {
                self.room(a.len() + b.len())?;
                self.made(Json::String(format!("{a}{b}")))
            }
            (Math::Add, Json::Array(a), Json::Array(b)) => {
                self.spend((a.len() + b.len()) / 8)?;
                self.made(Json::Array(a.iter().chain(b).cloned().collect()))
            }
            _ => Err(not_countable(math, a, b)),
        }
    }

    fn test(&self, value: &Val<'a>, test: Test) -> Result<bool, Fault> {
        let value = match (value, test) {
            (Val::Missing(_), Test::Defined) => return Ok(false),
            (Val::Missing(_), Test::Empty) => return Ok(true),
            (_, Test::Defined) => return Ok(true),
            (value, _) => value.json()?,
        };
        let parity = |wanted: i128| match Num::read(value) {
            Some(Num::Int(int)) => Ok(int.rem_euclid(2) == wanted),
            _ => Err(Fault::new(format!("Only whole numbers are odd or even, and this is {}.", kind(value))).saw(show(value))),
        };
        Ok(match test {
            Test::Defined => true,
            Test::Null => value.is_null(),
            Test::Empty => is_empty(value),
            Test::Text => value.is_string(),
            Test::Number => value.is_number(),
            Test::Boolean => value.is_boolean(),
            Test::List => value.is_array(),
            Test::Object => value.is_object(),
            Test::True => value == &Json::Bool(true),
            Test::False => value == &Json::Bool(false),
            Test::Odd => parity(1)?,
            Test::Even => parity(0)?,
        })
    }
}

/// Which of two values comes first: numbers by value, texts letter by letter; values of different kinds have no order.
pub(super) fn order(left: &Json, right: &Json) -> Result<Ordering, Fault> {
    match (left, right) {
        (Json::Number(a), Json::Number(b)) => Ok(Num::of(a).partial_cmp(&Num::of(b)).unwrap_or(Ordering::Equal)),
        (Json::String(a), Json::String(b)) => Ok(a.cmp(b)),
        _ => {
            let hint = match (left, right) {
                (Json::String(_), Json::Number(_)) | (Json::Number(_), Json::String(_)) => " Write | number after the text.",
                _ => "",
            };
            Err(Fault::new(format!("{} and {} can't be compared.{hint}", capital(kind(left)), kind(right))).saw(format!(
                "{} and {}",
                show(left),
                show(right)
            )))
        }
    }
}

fn not_countable(math: Math, a: &Json, b: &Json) -> Fault {
    let hint = match (math, a, b) {
        (Math::Add, Json::String(_), _) | (Math::Add, _, Json::String(_)) => {
            " To join texts write ~ instead of +; to count with a text write | number after it."
        }
        (_, Json::String(_), _) | (_, _, Json::String(_)) => " To count with a text write | number after it.",
        _ => "",
    };
    let verb = match math {
        Math::Add => "added",
        Math::Subtract => "subtracted",
        Math::Multiply => "multiplied",
        Math::Divide | Math::FloorDivide | Math::Remainder => "divided",
        Math::Power => "raised to a power",
    };
    Fault::new(format!("{} and {} can't be {verb}.{hint}", capital(kind(a)), kind(b))).saw(format!("{} and {}", show(a), show(b)))
}

fn capital(words: &str) -> String {
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
