//! Expressions over earlier outputs: total, bounded, no I/O.
//!
//! A text of a workflow may hold `{{ … }}`. The language between the braces is that of Jinja's expressions, and only that: our own
//! parser and evaluator work right on the run's JSON, so nothing is converted, a path that is missing can say what is there
//! instead, `*` on text is refused before anything is allocated, and decimals add up. The crate `minijinja` is the oracle of a
//! property test for the part of the language that both share. Data is never parsed as a template: what an expression yields is final.
//!
//! Read [`split`](self) → lexer → parser → [`Template`] → eval → filters.

mod access;
mod ast;
mod context;
pub(crate) mod error;
mod eval;
pub(crate) mod filters;
mod functions;
pub(crate) mod items;
mod lexer;
pub(crate) mod moment;
pub(crate) mod number;
mod operands;
mod parser;
pub(crate) mod pattern;
pub(crate) mod print;
mod split;
mod suggest;
mod template;
pub(crate) mod value;

pub use context::{Context, Roots, RunInfo, TriggerData, Vars};
pub use error::ExprError;
pub use eval::{FUEL, MAX_MADE, MAX_TOTAL};
pub use filters::{knows_language, write_whole};
pub use functions::{Function, Group, Kind, Parameter, functions};
pub use parser::MAX_LENGTH;
pub(crate) use suggest::closest;
pub use template::{Resolved, ResolvedPiece, Template};

#[cfg(test)]
pub(crate) mod tests;
