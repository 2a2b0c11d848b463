//! The part of the parser that reads operands: constants, lists, objects, roots, and calls with their arguments.

use super::{
    ast::{Expr, Kind},
    error::Fault,
    functions::{self, Function},
    lexer::Token,
    parser::{Parsed, Parser, name},
    suggest::closest,
};
use crate::Json;

impl Parser {
    pub(super) fn value(&mut self) -> Parsed {
        let at = self.at();
        let kind = match self.take() {
            Token::Text(text) => Kind::Constant(Json::String(text)),
            Token::Number(number) => Kind::Constant(number),
            Token::Name(word) => match word.as_str() {
                "true" | "True" => Kind::Constant(Json::Bool(true)),
                "false" | "False" => Kind::Constant(Json::Bool(false)),
                "null" | "none" | "None" => Kind::Constant(Json::Null),
                _ => return self.named(&word, at),
            },
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                return Ok(inner);
            }
            Token::Sign("[") => Kind::List(self.list("]", |parser| parser.expression())?),
            Token::Sign("{") => Kind::Object(self.list("}", |parser| {
                let at = parser.at();
                // A bare word is a key, as in JavaScript; anything else is an expression that must yield text.
                let bare = match (parser.peek(), &parser.tokens.get(parser.next + 1)) {
                    (Token::Name(word), Some((Token::Sign(":"), _))) => Some(word.clone()),
                    _ => None,
                };
                let key = match bare {
                    Some(word) => {
                        parser.take();
                        parser.node(at, Kind::Constant(Json::String(word)))?
                    }
                    None => parser.expression()?,
                };
                parser.expect(":")?;
                Ok((key, parser.expression()?))
            })?),
            Token::End => return Err(Fault::at("The expression ends too early; a value is missing here.", at)),
            token => return Err(Fault::at(format!("{} is not expected here; a value is missing.", name(&token)), at)),
        };
        self.node(at, kind)
    }

    /// A root or a function.
    fn named(&mut self, word: &str, at: usize) -> Parsed {
        if self.skip_sign("(") {
            let Some(function) = functions::find(word, functions::Kind::Function) else {
                let message = match functions::find(word, functions::Kind::Filter) {
                    Some(_) => format!("“{word}” is a filter: write the value before it, as in value | {word}."),
                    None => format!("There is no function “{word}”."),
                };
                return Err(Fault::at(message, at));
            };
            let given = self.arguments()?;
            return self.call(function, None, given, at);
        }
        match self.roots.find(word) {
            Some(root) => self.node(at, Kind::Root(root)),
            None => {
                let known = self.roots.names();
                let meant = closest(word, known.iter().copied()).map_or(String::new(), |name| format!(" Did you mean “{name}”?"));
                let message = format!(
                    "“{word}” is not known here. Values begin with {}; text stands in quotation marks.{meant}",
                    known.join(", ")
                );
                Err(Fault::at(message, at))
            }
        }
    }

    /// Comma-separated parts up to `close`; a comma may stand before it.
    fn list<T>(&mut self, close: &str, mut part: impl FnMut(&mut Self) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let mut parts = Vec::new();
        while !self.skip_sign(close) {
            parts.push(part(self)?);
            if !self.skip_sign(",") {
                self.expect(close)?;
                break;
            }
        }
        Ok(parts)
    }

    pub(super) fn arguments(&mut self) -> Result<Vec<(Option<String>, Expr)>, Fault> {
        self.list(")", |parser| {
            let named = match (parser.peek(), parser.tokens.get(parser.next + 1)) {
                (Token::Name(word), Some((Token::Sign("="), _))) => Some(word.clone()),
                _ => None,
            };
            if named.is_some() {
                parser.take();
                parser.take();
            }
            Ok((named, parser.expression()?))
        })
    }

    /// Puts the given arguments where the function expects them.
    pub(super) fn call(
        &self,
        function: &'static Function,
        input: Option<Expr>,
        given: Vec<(Option<String>, Expr)>,
        at: usize,
    ) -> Parsed {
        let first = usize::from(input.is_some());
        let mut arguments: Vec<Option<Expr>> = Vec::with_capacity(first + function.parameters.len());
        arguments.extend(input.map(Some));
        arguments.resize_with(first + function.parameters.len(), || None);
        for (position, (named, expr)) in given.into_iter().enumerate() {
            let index = match &named {
                Some(name) => function.parameters.iter().position(|parameter| parameter.name == name),
                None => Some(position),
            };
            match index.and_then(|index| arguments.get_mut(first + index)) {
                Some(slot @ None) => *slot = Some(expr),
                _ => return Err(Fault::at(format!("{} takes {}.", function.name, function.parameters_in_words()), expr.at)),
            }
        }
        let missing =
            function.parameters.iter().zip(&arguments[first..]).find(|(parameter, given)| parameter.required && given.is_none());
        if let Some((parameter, _)) = missing {
            let message = format!("{} needs “{}”; it takes {}.", function.name, parameter.name, function.parameters_in_words());
            return Err(Fault::at(message, at));
        }
        self.node(at, Kind::Call { function, arguments })
    }
}
