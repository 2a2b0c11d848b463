//! A tree of values whose texts may hold `{{ expressions }}`, compiled once and resolved for each run.

use super::{
    ast::Expr,
    context::Context,
    error::{ExprError, Fault},
    eval::{Allowance, Scope},
    items::Item,
    parser::{self, Known},
    print,
    split::{Piece, split},
    value::Val,
};
use crate::{Json, Object, json};

/// A compiled tree of values.
#[derive(Debug)]
pub struct Template {
    root: Node,
}

#[derive(Debug)]
enum Node {
    /// Nothing to evaluate in here.
    Constant(Json),
    /// A text that is exactly one expression keeps its value's kind.
    Whole(Part, Place),
    Text(Vec<Chunk>, Place),
    Object(Vec<(String, Node)>),
    List(Vec<Node>),
}

/// Where in the tree a text stands, as errors name it.
type Place = Box<str>;

#[derive(Debug)]
enum Chunk {
    Literal(String),
    Part(Part),
}

/// What stood between `{{` and `}}`.
#[derive(Debug)]
struct Part {
    source: String,
    /// Characters of the text before the part.
    before: usize,
    expr: Expr,
}

/// What resolving a template yielded.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// None when the whole tree is one expression whose value is missing.
    pub value: Option<Json>,
    /// The fields that were left out because their values are missing, each with the reason. Whether one was required is for
    /// the reader of the value to say.
    pub missing: Vec<ExprError>,
}

/// A piece of a text, resolved by itself: see [`Template::resolve_pieces`].
#[derive(Clone, Debug, PartialEq)]
pub enum ResolvedPiece {
    /// What stands between the expressions.
    Literal(String),
    /// What an expression yields; `None` when that is missing. The path is there when the expression is nothing but one.
    Value { path: Option<String>, value: Option<Json> },
}

impl Template {
    /// Compiles every text of the tree. Names of fields are taken as they are.
    pub fn compile(value: &Json) -> Result<Self, ExprError> {
        json::check_depth(value, json::STORED_DEPTH).map_err(ExprError::new)?;
        Ok(Self { root: Node::compile(value, "", Known::Workflow)? })
    }

    /// [`Template::compile`] for a document that isn't a workflow: its values begin with one of `roots` or with `now`, and nothing
    /// else is known there. Resolve it against [`Context::named`].
    pub fn compile_named(value: &Json, roots: &'static [&'static str]) -> Result<Self, ExprError> {
        json::check_depth(value, json::STORED_DEPTH).map_err(ExprError::new)?;
        Ok(Self { root: Node::compile(value, "", Known::Named(roots))? })
    }

    /// [`Template::compile`] for a step's input. The values of literal fields are taken as they stand, `{{` included.
    pub fn compile_input(fields: &Object, is_literal: impl Fn(&str) -> bool) -> Result<Self, ExprError> {
        let mut nodes = Vec::with_capacity(fields.len());
        for (name, value) in fields {
            json::check_depth(value, json::STORED_DEPTH - 1).map_err(|message| ExprError::new(message).within(name))?;
            let node =
                if is_literal(name) { Node::Constant(value.clone()) } else { Node::compile(value, name, Known::Workflow)? };
            nodes.push((name.clone(), node));
        }
        let constant = nodes.iter().all(|(_, node)| matches!(node, Node::Constant(_)));
        Ok(Self { root: if constant { Node::Constant(Json::Object(fields.clone())) } else { Node::Object(nodes) } })
    }

    /// Compiles `source` as an expression without `{{ }}`, such as a condition's advanced row.
    pub fn expression(source: &str) -> Result<Self, ExprError> {
        let part = Part::compile(source, source, 0, "", Known::Workflow)?;
        Ok(Self { root: Node::Whole(part, "".into()) })
    }

    /// The value of the whole tree. None: it is one expression whose value is missing. Inside objects a missing whole value drops
    /// its field, in lists it becomes null; a missing value inside a text is an error.
    pub fn resolve(&self, context: &Context) -> Result<Option<Json>, ExprError> {
        Ok(self.resolve_noting(context)?.value)
    }

    /// [`Template::resolve`], and which fields were left out and why.
    pub fn resolve_noting(&self, context: &Context) -> Result<Resolved, ExprError> {
        self.resolve_within(context, &Allowance::full(), None)
    }

    /// [`Template::resolve_noting`] out of an allowance that others use as well, for an item of a list where one is given.
    pub(super) fn resolve_within(
        &self,
        context: &Context,
        allowance: &Allowance,
        item: Option<Item<'_>>,
    ) -> Result<Resolved, ExprError> {
        let mut resolving = Resolving { context, allowance, item, missing: Vec::new() };
        let value = resolving.node(&self.root)?;
        if let Some(value) = &value {
            json::check_depth(value, json::STORED_DEPTH).map_err(ExprError::new)?;
        }
        Ok(Resolved { value, missing: resolving.missing })
    }

    /// The pieces of a tree that is one text, for a reader that encodes each value before it puts them together. What isn't a text
    /// is one piece.
    pub fn resolve_pieces(&self, context: &Context) -> Result<Vec<ResolvedPiece>, ExprError> {
        let allowance = Allowance::full();
        let mut resolving = Resolving { context, allowance: &allowance, item: None, missing: Vec::new() };
        let mut piece = |part: &Part, place: &Place| {
            let value = resolving.whole(part, place)?;
            Ok(ResolvedPiece::Value { path: part.expr.path(), value })
        };
        match &self.root {
            Node::Constant(Json::String(text)) => Ok(vec![ResolvedPiece::Literal(text.clone())]),
            Node::Whole(part, place) => Ok(vec![piece(part, place)?]),
            Node::Text(chunks, place) => chunks
                .iter()
                .map(|chunk| match chunk {
                    Chunk::Literal(text) => Ok(ResolvedPiece::Literal(text.clone())),
                    Chunk::Part(part) => piece(part, place),
                })
                .collect(),
            _ => Ok(vec![ResolvedPiece::Value { path: None, value: self.resolve(context)? }]),
        }
    }

    /// The value of a tree that is an object, as a step's input is.
    pub fn resolve_object(&self, context: &Context) -> Result<Object, ExprError> {
        match self.resolve(context)? {
            Some(Json::Object(fields)) => Ok(fields),
            _ => Err(ExprError::new("Here an object with fields is needed.")),
        }
    }

    /// The paths that resolving may read (`trigger.body.total`, `steps.find.items[0]`), each once, in the order of the tree. A
    /// path ends where the next key is computed.
    pub fn paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        self.root.each_part(&mut |part| part.expr.collect_paths(&mut paths));
        paths
    }

    /// Is the value the same in every run?
    pub fn is_constant(&self) -> bool {
        let mut constant = true;
        self.root.each_part(&mut |part| constant &= part.expr.is_constant());
        constant
    }

    /// The value, when there is no expression in the tree.
    pub fn literal(&self) -> Option<&Json> {
        match &self.root {
            Node::Constant(value) => Some(value),
            _ => None,
        }
    }
}

impl Node {
    fn compile(value: &Json, place: &str, roots: Known) -> Result<Self, ExprError> {
        match value {
            Json::String(text) => Self::compile_text(text, place, roots),
            Json::Array(items) => {
                let nodes: Result<Vec<Self>, ExprError> = items
                    .iter()
                    .enumerate()
                    .map(|(index, item)| Self::compile(item, &format!("{place}[{index}]"), roots))
                    .collect();
                let nodes = nodes?;
                let constant = nodes.iter().all(|node| matches!(node, Self::Constant(_)));
                Ok(if constant { Self::Constant(value.clone()) } else { Self::List(nodes) })
            }
            Json::Object(fields) => {
                let mut nodes = Vec::with_capacity(fields.len());
                for (name, value) in fields {
                    let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
                    nodes.push((name.clone(), Self::compile(value, &place, roots)?));
                }
                let constant = nodes.iter().all(|(_, node)| matches!(node, Self::Constant(_)));
                Ok(if constant { Self::Constant(value.clone()) } else { Self::Object(nodes) })
            }
            Json::Null | Json::Bool(_) | Json::Number(_) => Ok(Self::Constant(value.clone())),
        }
    }

    fn compile_text(text: &str, place: &str, roots: Known) -> Result<Self, ExprError> {
        let pieces = split(text).map_err(|error| error.within(place))?;
        if pieces.iter().all(|piece| matches!(piece, Piece::Literal(_))) {
            return Ok(Self::Constant(text.into()));
        }
        let chunk = |piece: &Piece<'_>| match piece {
            Piece::Literal(text) => Ok(Chunk::Literal((*text).to_owned())),
            Piece::Expression { source, at } => Part::compile(source, text, *at, place, roots).map(Chunk::Part),
        };
        if let [Piece::Expression { source, at }] = pieces[..] {
            return Ok(Self::Whole(Part::compile(source, text, at, place, roots)?, place.into()));
        }
        Ok(Self::Text(pieces.iter().map(chunk).collect::<Result<_, _>>()?, place.into()))
    }

    fn each_part<'n>(&'n self, visit: &mut impl FnMut(&'n Part)) {
        match self {
            Self::Constant(_) => {}
            Self::Whole(part, _) => visit(part),
            Self::Text(chunks, _) => chunks.iter().for_each(|chunk| {
                if let Chunk::Part(part) = chunk {
                    visit(part);
                }
            }),
            Self::Object(nodes) => nodes.iter().for_each(|(_, node)| node.each_part(visit)),
            Self::List(nodes) => nodes.iter().for_each(|node| node.each_part(visit)),
        }
    }
}

impl Part {
    fn compile(source: &str, text: &str, at: usize, place: &str, roots: Known) -> Result<Self, ExprError> {
        let before = text[..at].chars().count();
        match parser::parse(source, roots) {
            Ok(expr) => Ok(Self { source: source.to_owned(), before, expr }),
            Err(fault) => Err(error(fault, source, before, place)),
        }
    }

    fn error(&self, fault: Fault, place: &str) -> ExprError {
        error(fault, &self.source, self.before, place)
    }
}

fn error(fault: Fault, source: &str, before: usize, place: &str) -> ExprError {
    let inside = source.get(..fault.at.unwrap_or(0)).unwrap_or(source).chars().count();
    ExprError {
        field: place.to_owned(),
        part: source.trim().to_owned(),
        position: before + inside,
        message: fault.message,
        saw: fault.saw,
    }
}

struct Resolving<'c> {
    context: &'c Context,
    allowance: &'c Allowance,
    item: Option<Item<'c>>,
    missing: Vec<ExprError>,
}

impl Resolving<'_> {
    fn node(&mut self, node: &Node) -> Result<Option<Json>, ExprError> {
        match node {
            Node::Constant(value) => Ok(Some(value.clone())),
            Node::Whole(part, place) => self.whole(part, place),
            Node::Text(chunks, place) => self.text(chunks, place).map(Some),
            Node::Object(nodes) => {
                let mut fields = Object::with_capacity(nodes.len());
                for (name, node) in nodes {
                    if let Some(value) = self.node(node)? {
                        fields.insert(name.clone(), value);
                    }
                }
                Ok(Some(Json::Object(fields)))
            }
            Node::List(nodes) => {
                let items: Result<Vec<Json>, ExprError> =
                    nodes.iter().map(|node| Ok(self.node(node)?.unwrap_or(Json::Null))).collect();
                Ok(Some(Json::Array(items?)))
            }
        }
    }

    fn whole(&mut self, part: &Part, place: &str) -> Result<Option<Json>, ExprError> {
        let scope = Scope::new(self.context, place, self.allowance, self.item);
        match scope.eval(&part.expr).map_err(|fault| part.error(fault, place))? {
            Val::Missing(why) => {
                self.missing.push(part.error(Fault::new(why.into_string()), place));
                Ok(None)
            }
            Val::Own(value) => Ok(Some(value)),
            Val::Ref(value) => {
                self.allowance.take(json::size(value)).map_err(|fault| part.error(fault, place))?;
                Ok(Some(value.clone()))
            }
        }
    }

    fn text(&self, chunks: &[Chunk], place: &str) -> Result<Json, ExprError> {
        let mut text = String::new();
        for chunk in chunks {
            match chunk {
                Chunk::Literal(literal) => text.push_str(literal),
                Chunk::Part(part) => {
                    let scope = Scope::new(self.context, place, self.allowance, self.item);
                    let value = scope.eval(&part.expr).map_err(|fault| part.error(fault, place))?;
                    print::push(&mut text, value.json().map_err(|fault| part.error(fault, place))?);
                    let room = scope.room(text.len());
                    room.map_err(|fault| part.error(fault, place))?;
                }
            }
        }
        self.allowance
            .take(text.len())
            .map_err(|fault| ExprError { field: place.to_owned(), ..ExprError::new(fault.message) })?;
        Ok(Json::String(text))
    }
}
