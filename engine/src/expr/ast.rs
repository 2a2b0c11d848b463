//! The tree of a compiled expression, and the paths it uses.

use super::functions::Function;
use crate::Json;

/// A node and the byte offset in the source that an error about it points to.
#[derive(Debug)]
pub(super) struct Expr {
    pub at: usize,
    pub kind: Kind,
    /// How many nodes lie on the longest way down; bounded, so that walking the tree can recurse.
    pub height: usize,
}

#[derive(Debug)]
pub(super) enum Kind {
    Constant(Json),
    List(Vec<Expr>),
    Object(Vec<(Expr, Expr)>),
    Root(Root),
    /// `base.name`
    Field(Box<Expr>, String),
    /// `base[key]`
    Item(Box<Expr>, Box<Expr>),
    /// `base[from:to]`
    Slice(Box<Expr>, Option<Box<Expr>>, Option<Box<Expr>>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Box<Expr>, Vec<(Comparison, Expr)>),
    Math(Math, Box<Expr>, Box<Expr>),
    /// `~`: both as text, one after the other.
    Concat(Box<Expr>, Box<Expr>),
    /// `then if test else other`
    Choose {
        test: Box<Expr>,
        then: Box<Expr>,
        other: Option<Box<Expr>>,
    },
    /// A filter's first argument is what stands before the bar.
    Call {
        function: &'static Function,
        arguments: Vec<Option<Expr>>,
    },
    /// `value is defined`
    Is {
        value: Box<Expr>,
        test: Test,
        negated: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    Trigger,
    Steps,
    Run,
    Vars,
    Now,
    /// What the round of a for-each is for.
    Item,
    /// The number of a loop's round.
    Index,
    /// A root of a document that isn't a workflow, by its name: see [`super::Context::named`].
    Named(&'static str),
}

impl Root {
    pub const ALL: [(&'static str, Self); 7] = [
        ("trigger", Self::Trigger),
        ("steps", Self::Steps),
        ("item", Self::Item),
        ("index", Self::Index),
        ("run", Self::Run),
        ("vars", Self::Vars),
        ("now", Self::Now),
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Named(name) => name,
            root => Self::ALL.iter().find(|(_, other)| *other == root).map_or("", |(name, _)| name),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Math {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Defined,
    Null,
    Empty,
    Text,
    Number,
    Boolean,
    List,
    Object,
    True,
    False,
    Odd,
    Even,
}

impl Test {
    pub const ALL: [(&'static str, Self); 15] = [
        ("defined", Self::Defined),
        ("null", Self::Null),
        ("none", Self::Null),
        ("empty", Self::Empty),
        ("text", Self::Text),
        ("string", Self::Text),
        ("number", Self::Number),
        ("boolean", Self::Boolean),
        ("list", Self::List),
        ("object", Self::Object),
        ("mapping", Self::Object),
        ("true", Self::True),
        ("false", Self::False),
        ("odd", Self::Odd),
        ("even", Self::Even),
    ];
}

impl Expr {
    /// The nodes right below this one.
    pub fn children(&self) -> Vec<&Self> {
        match &self.kind {
            Kind::Constant(_) | Kind::Root(_) => Vec::new(),
            Kind::List(items) => items.iter().collect(),
            Kind::Object(pairs) => pairs.iter().flat_map(|(key, value)| [key, value]).collect(),
            Kind::Field(base, _) | Kind::Not(base) | Kind::Negative(base) | Kind::Is { value: base, .. } => vec![base],
            Kind::Item(a, b) | Kind::And(a, b) | Kind::Or(a, b) | Kind::Math(_, a, b) | Kind::Concat(a, b) => vec![a, b],
            Kind::Slice(base, from, to) => [Some(base), from.as_ref(), to.as_ref()].into_iter().flatten().map(|e| &**e).collect(),
            Kind::Compare(first, rest) => std::iter::once(&**first).chain(rest.iter().map(|(_, expr)| expr)).collect(),
            Kind::Choose { test, then, other } => {
                [Some(test), Some(then), other.as_ref()].into_iter().flatten().map(|e| &**e).collect()
            }
            Kind::Call { arguments, .. } => arguments.iter().flatten().collect(),
        }
    }

    /// The path as a person writes it (`trigger.body.lines[0]`), when the whole node is a path of fixed keys.
    pub fn path(&self) -> Option<String> {
        match &self.kind {
            Kind::Root(root) => Some(root.name().to_owned()),
            Kind::Field(base, name) => Some(join(base.path()?, name)),
            Kind::Item(base, key) => match &key.kind {
                Kind::Constant(Json::String(name)) => Some(join(base.path()?, name)),
                Kind::Constant(Json::Number(index)) => Some(format!("{}[{index}]", base.path()?)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Adds the longest fixed paths that evaluating this node may read.
    pub fn collect_paths(&self, paths: &mut Vec<String>) {
        if let Some(path) = self.path() {
            if !paths.contains(&path) {
                paths.push(path);
            }
            return;
        }
        for child in self.children() {
            child.collect_paths(paths);
        }
    }

    /// Is the value the same in every run?
    pub fn is_constant(&self) -> bool {
        match &self.kind {
            Kind::Root(_) => false,
            Kind::Call { function, .. } if !function.pure => false,
            _ => self.children().into_iter().all(Self::is_constant),
        }
    }
}

/// Appends a key to a path: `.name` where that can be written, else `["odd name"]`.
pub(super) fn join(base: String, name: &str) -> String {
    let plain =
        name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$') && !name.starts_with(|c: char| c.is_ascii_digit());
    if plain && !name.is_empty() { format!("{base}.{name}") } else { format!("{base}[{}]", Json::from(name)) }
}
