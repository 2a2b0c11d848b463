//! Cuts the source of an expression into tokens.

use super::error::Fault;
use crate::Json;
use serde_json::Number;

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name: a root, a field, a filter or a word such as `and`.
    Name(String),
    Text(String),
    Number(Json),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Longest first, so that `<=` isn't read as `<` and `=`.
const SIGNS: [&str; 26] = [
    "**", "//", "==", "!=", "<=", ">=", "<", ">", "+", "-", "~", "*", "/", "%", "(", ")", "[", "]", "{", "}", ",", ":", ".", "|",
    "=", "!",
];

/// The tokens of `source` with their byte offsets; the last one is [`Token::End`].
pub(super) fn tokens(source: &str) -> Result<Vec<(Token, usize)>, Fault> {
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(next) = source[at..].chars().next() {
        let rest = &source[at..];
        if next.is_whitespace() {
            at += next.len_utf8();
        } else if next.is_alphabetic() || next == '_' || next == '$' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
            tokens.push((Token::Name(rest[..end].to_owned()), at));
            at += end;
        } else if next.is_ascii_digit() {
            // After a dot a number is a position in a list: `lines.0.1` is two of them.
            let position = matches!(tokens.last(), Some((Token::Sign("."), _)));
            let (number, length) = number(rest, at, position)?;
            tokens.push((Token::Number(number), at));
            at += length;
        } else if next == '"' || next == '\'' {
            let (text, length) = text(rest, next, at)?;
            tokens.push((Token::Text(text), at));
            at += length;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push((Token::Sign(sign), at));
            at += sign.len();
        } else {
            return Err(Fault::at(format!("“{next}” has no meaning here."), at));
        }
    }
    tokens.push((Token::End, source.len()));
    Ok(tokens)
}

fn number(rest: &str, at: usize, position: bool) -> Result<(Json, usize), Fault> {
    let bytes = rest.as_bytes();
    let digits = |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = digits(0);
    let mut whole = true;
    if !position {
        if bytes.get(end) == Some(&b'.') && bytes.get(end + 1).is_some_and(u8::is_ascii_digit) {
            end = digits(end + 1);
            whole = false;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            if bytes.get(end + 1 + sign).is_some_and(u8::is_ascii_digit) {
                end = digits(end + 1 + sign);
                whole = false;
            }
        }
    }
    let written = &rest[..end];
    let number =
        if whole { written.parse::<u64>().ok().map(Number::from) } else { written.parse().ok().and_then(Number::from_f64) };
    match number {
        Some(number) => Ok((Json::Number(number), end)),
        None => Err(Fault::at(
            format!("The number {written} is too large to count with; put it in quotation marks to keep it as text."),
            at,
        )),
    }
}

fn text(rest: &str, quote: char, at: usize) -> Result<(String, usize), Fault> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1);
    while let Some((index, c)) = chars.next() {
        if c == quote {
            return Ok((text, index + 1));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some((_, 'n')) => text.push('\n'),
            Some((_, 't')) => text.push('\t'),
            Some((_, 'r')) => text.push('\r'),
            Some((_, 'u')) => {
                let code: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                let c = u32::from_str_radix(&code, 16).ok().filter(|_| code.len() == 4).and_then(char::from_u32);
                text.push(c.ok_or_else(|| Fault::at(format!("\\u{code} is not a character."), at + index))?);
            }
            // `\d` of a regular expression keeps its backslash; `\\`, `\"` and `\'` lose it.
            Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
            Some((_, c)) => text.extend(['\\', c]),
            None => break,
        }
    }
    Err(Fault::at("This quotation mark is never closed.", at))
}
