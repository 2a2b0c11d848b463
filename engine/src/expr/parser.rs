//! Reads an expression's source into its tree. The language is that of Jinja's expressions: paths, arithmetic, comparisons,
//! `and`/`or`/`not`, `a if test else b`, lists, objects, slices, filters and tests; no methods, no assignments, no loops.
//!
//! Length and nesting are bounded before anything recurses.

use super::{
    ast::{Comparison, Expr, Kind, Math, Root, Test},
    error::Fault,
    filters, functions,
    lexer::{Token, tokens},
    suggest::closest,
};

/// How long the source of one expression may be, in bytes.
pub const MAX_LENGTH: usize = 10_000;
/// How many brackets, signs and words may stand inside each other.
const MAX_NESTING: usize = 40;
/// How many operations may follow from each other (`a + b + c …`, `x | f | g …`).
const MAX_HEIGHT: usize = 150;

/// What values may begin with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    /// The roots of workflows.
    Workflow,
    /// These, and `now`.
    Named(&'static [&'static str]),
}

impl Known {
    pub fn find(self, word: &str) -> Option<Root> {
        match self {
            Self::Workflow => Root::ALL.iter().find(|(name, _)| *name == word).map(|(_, root)| *root),
            Self::Named(names) => match names.iter().find(|name| **name == word) {
                Some(name) => Some(Root::Named(name)),
                None => (word == Root::Now.name()).then_some(Root::Now),
            },
        }
    }

    pub fn names(self) -> Vec<&'static str> {
        match self {
            Self::Workflow => Root::ALL.iter().map(|(name, _)| *name).collect(),
            Self::Named(names) => names.iter().copied().chain([Root::Now.name()]).collect(),
        }
    }
}

pub(super) fn parse(source: &str, roots: Known) -> Result<Expr, Fault> {
    if source.len() > MAX_LENGTH {
        return Err(Fault::at(
            format!("This expression is longer than {MAX_LENGTH} characters; split it over several steps."),
            0,
        ));
    }
    let mut parser = Parser { tokens: tokens(source)?, next: 0, nesting: 0, roots };
    if parser.peek() == &Token::End {
        return Err(Fault::at("There is nothing between {{ and }}.", 0));
    }
    let expr = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(expr),
        token => {
            Err(Fault::at(format!("{} is not expected here; the expression before it is complete.", name(token)), parser.at()))
        }
    }
}

pub(super) struct Parser {
    pub tokens: Vec<(Token, usize)>,
    pub next: usize,
    pub roots: Known,
    nesting: usize,
}

pub(super) type Parsed = Result<Expr, Fault>;

impl Parser {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    pub(super) fn at(&self) -> usize {
        self.tokens[self.next].1
    }

    /// The next token, taken. The end is never passed.
    pub(super) fn take(&mut self) -> Token {
        let token = self.tokens[self.next].0.clone();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        token
    }

    pub(super) fn skip_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if found {
            self.take();
        }
        found
    }

    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Token::Name(found) if found == word);
        if found {
            self.take();
        }
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.skip_sign(sign) {
            return Ok(());
        }
        Err(Fault::at(format!("Here a “{sign}” is missing; there is {} instead.", name(self.peek())), self.at()))
    }

    pub(super) fn node(&self, at: usize, kind: Kind) -> Parsed {
        let mut expr = Expr { at, kind, height: 1 };
        expr.height += expr.children().iter().map(|child| child.height).max().unwrap_or(0);
        if expr.height > MAX_HEIGHT {
            return Err(Fault::at("This expression has too many operations in a row; split it over several steps.", at));
        }
        Ok(expr)
    }

    pub(super) fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.nesting == MAX_NESTING {
            return Err(Fault::at(
                format!("This expression is nested more than {MAX_NESTING} levels deep; split it over several steps."),
                self.at(),
            ));
        }
        self.nesting += 1;
        let parsed = parse(self);
        self.nesting -= 1;
        parsed
    }

    /// `then if test else other`, and everything that binds more tightly.
    pub(super) fn expression(&mut self) -> Parsed {
        self.nested(|parser| {
            let mut expr = parser.or()?;
            while parser.peek() == &Token::Name("if".into()) {
                let at = parser.at();
                parser.take();
                let test = Box::new(parser.or()?);
                let other = if parser.skip_word("else") { Some(Box::new(parser.expression()?)) } else { None };
                expr = parser.node(at, Kind::Choose { test, then: Box::new(expr), other })?;
            }
            Ok(expr)
        })
    }

    fn or(&mut self) -> Parsed {
        let mut left = self.and()?;
        while self.peek() == &Token::Name("or".into()) {
            let at = self.at();
            self.take();
            let right = self.and()?;
            left = self.node(at, Kind::Or(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed {
        let mut left = self.not()?;
        while self.peek() == &Token::Name("and".into()) {
            let at = self.at();
            self.take();
            let right = self.not()?;
            left = self.node(at, Kind::And(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed {
        let at = self.at();
        if !self.skip_word("not") {
            return self.comparison();
        }
        let inner = self.nested(Self::not)?;
        self.node(at, Kind::Not(Box::new(inner)))
    }

    fn comparison(&mut self) -> Parsed {
        let first = self.sum()?;
        let mut rest = Vec::new();
        let at = self.at();
        loop {
            let comparison = match self.peek() {
                Token::Sign("==") => Comparison::Equal,
                Token::Sign("!=") => Comparison::NotEqual,
                Token::Sign("<") => Comparison::Less,
                Token::Sign("<=") => Comparison::AtMost,
                Token::Sign(">") => Comparison::Greater,
                Token::Sign(">=") => Comparison::AtLeast,
                Token::Sign("=") => return Err(Fault::at("To compare two values write == (two signs).", self.at())),
                Token::Name(word) if word == "in" => Comparison::In,
                Token::Name(word) if word == "not" => Comparison::NotIn,
                _ => break,
            };
            self.take();
            if comparison == Comparison::NotIn && !self.skip_word("in") {
                return Err(Fault::at("After this “not” the word “in” is missing.", self.at()));
            }
            rest.push((comparison, self.sum()?));
        }
        if rest.is_empty() { Ok(first) } else { self.node(at, Kind::Compare(Box::new(first), rest)) }
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.concat()?;
        loop {
            let math = match self.peek() {
                Token::Sign("+") => Math::Add,
                Token::Sign("-") => Math::Subtract,
                _ => return Ok(left),
            };
            left = self.math(math, left, Self::concat)?;
        }
    }

    fn concat(&mut self) -> Parsed {
        let mut left = self.product()?;
        while matches!(self.peek(), Token::Sign("~")) {
            let at = self.at();
            self.take();
            let right = self.product()?;
            left = self.node(at, Kind::Concat(Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.power()?;
        loop {
            let math = match self.peek() {
                Token::Sign("*") => Math::Multiply,
                Token::Sign("/") => Math::Divide,
                Token::Sign("//") => Math::FloorDivide,
                Token::Sign("%") => Math::Remainder,
                _ => return Ok(left),
            };
            left = self.math(math, left, Self::power)?;
        }
    }

    fn power(&mut self) -> Parsed {
        let mut left = self.filtered()?;
        while matches!(self.peek(), Token::Sign("**")) {
            left = self.math(Math::Power, left, Self::filtered)?;
        }
        Ok(left)
    }

    fn math(&mut self, math: Math, left: Expr, next: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        let at = self.at();
        self.take();
        let right = next(self)?;
        self.node(at, Kind::Math(math, Box::new(left), Box::new(right)))
    }

    /// A value with what follows it: filters and tests.
    fn filtered(&mut self) -> Parsed {
        let mut expr = self.signed()?;
        loop {
            let at = self.at();
            if self.skip_sign("|") {
                let at = self.at();
                let function = match self.take() {
                    Token::Name(word) => {
                        functions::find(&word, functions::Kind::Filter).ok_or_else(|| unknown_filter(&word, at))?
                    }
                    token => {
                        return Err(Fault::at(
                            format!("After | the name of a filter is missing; there is {} instead.", name(&token)),
                            at,
                        ));
                    }
                };
                let given = if self.skip_sign("(") { self.arguments()? } else { Vec::new() };
                expr = self.call(function, Some(expr), given, at)?;
            } else if self.skip_word("is") {
                expr = self.test(expr, at)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn test(&mut self, value: Expr, at: usize) -> Parsed {
        let negated = self.skip_word("not");
        let named = self.at();
        let token = self.take();
        let Token::Name(word) = token else {
            return Err(Fault::at(
                format!("After “is” a word such as defined, empty or number is missing; there is {} instead.", name(&token)),
                named,
            ));
        };
        let (test, negated) = match (word.as_str(), Test::ALL.iter().find(|(known, _)| *known == word)) {
            ("undefined" | "missing", _) => (Test::Defined, !negated),
            (_, Some((_, test))) => (*test, negated),
            (_, None) => {
                let known: Vec<&str> = Test::ALL.iter().map(|(name, _)| *name).collect();
                let message = format!("“is {word}” is not known; after “is” write one of {}.", known.join(", "));
                return Err(Fault::at(message, named));
            }
        };
        self.node(at, Kind::Is { value: Box::new(value), test, negated })
    }

    fn signed(&mut self) -> Parsed {
        let at = self.at();
        if !self.skip_sign("-") {
            let value = self.value()?;
            return self.postfix(value);
        }
        let inner = self.nested(Self::signed)?;
        self.node(at, Kind::Negative(Box::new(inner)))
    }

    fn postfix(&mut self, mut expr: Expr) -> Parsed {
        loop {
            let at = self.at();
            if self.skip_sign(".") {
                let at = self.at();
                let kind = match self.take() {
                    Token::Name(name) if self.peek() == &Token::Sign("(") => {
                        let message = match functions::find(&name, functions::Kind::Filter) {
                            Some(_) => format!("Write | {name} instead of .{name}()."),
                            None => format!("“.{name}(…)” is not possible; filters are written with a bar, such as | upper."),
                        };
                        return Err(Fault::at(message, at));
                    }
                    Token::Name(name) => Kind::Field(Box::new(expr), name),
                    Token::Number(index) => Kind::Item(Box::new(expr), Box::new(self.node(at, Kind::Constant(index))?)),
                    token => {
                        return Err(Fault::at(
                            format!("After the dot the name of a field is missing; there is {} instead.", name(&token)),
                            at,
                        ));
                    }
                };
                expr = self.node(at, kind)?;
            } else if self.skip_sign("[") {
                expr = self.subscript(expr, at)?;
            } else {
                return Ok(expr);
            }
        }
    }

    fn subscript(&mut self, base: Expr, at: usize) -> Parsed {
        let from = if matches!(self.peek(), Token::Sign(":")) { None } else { Some(Box::new(self.expression()?)) };
        if !self.skip_sign(":") {
            self.expect("]")?;
            let Some(key) = from else { return Err(Fault::at("Between [ and ] a name or a number is missing.", at)) };
            return self.node(at, Kind::Item(Box::new(base), key));
        }
        let to = if matches!(self.peek(), Token::Sign("]")) { None } else { Some(Box::new(self.expression()?)) };
        self.expect("]")?;
        self.node(at, Kind::Slice(Box::new(base), from, to))
    }
}

fn unknown_filter(name: &str, at: usize) -> Fault {
    let filters = || functions().iter().filter(|function| function.kind == functions::Kind::Filter);
    let other = filters::OTHER_NAMES.iter().find(|(other, _)| *other == name).map(|(_, ours)| *ours);
    let meant = other.or_else(|| closest(name, filters().map(|function| function.name)));
    let meant = meant.map_or(String::new(), |meant| format!(" Did you mean {meant}?"));
    Fault::at(format!("There is no filter “{name}”.{meant}"), at)
}

/// A token as an error names it.
pub(super) fn name(token: &Token) -> String {
    match token {
        Token::Name(word) => format!("“{word}”"),
        Token::Text(text) => format!("the text \"{}\"", super::error::shorten(text, 30)),
        Token::Number(number) => format!("the number {number}"),
        Token::Sign(sign) => format!("“{sign}”"),
        Token::End => "the end".to_owned(),
    }
}
