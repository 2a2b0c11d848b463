//! The one pass over JSON text before it is parsed: it bounds the nesting and rewrites what the parser would lose or refuse.
//! Whether the text is JSON at all is for the parser to say.

use super::MAX_DEPTH;
use serde_json::Number;
use std::borrow::Cow;

/// Text that can be parsed without loss.
pub(super) struct Normal<'a> {
    pub text: Cow<'a, str>,
    /// How deep it nests.
    pub depth: usize,
    /// How far the rewritten text has moved against the original: from this offset on, by so many bytes.
    moved: Vec<(usize, isize)>,
    numbers: usize,
    first_number: &'a str,
    surrogates: usize,
}

/// Rewrites `text` where that is needed; a text that needs nothing is not copied. An error is a sentence and a byte offset.
pub(super) fn normalise(text: &str) -> Result<Normal<'_>, (&'static str, usize)> {
    if text.trim_ascii().is_empty() {
        return Err(("There is nothing here.", 0));
    }
    let mut pass = Pass {
        text,
        out: String::new(),
        copied: 0,
        found: Normal { text: Cow::Borrowed(text), depth: 0, moved: Vec::new(), numbers: 0, first_number: "", surrogates: 0 },
    };
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = pass.string(at + 1),
            b'[' | b'{' => {
                if depth == MAX_DEPTH {
                    return Err(("This nests more than 128 levels deep.", at));
                }
                depth += 1;
                pass.found.depth = pass.found.depth.max(depth);
                at += 1;
            }
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                at += 1;
            }
            b'-' | b'0'..=b'9' => at = pass.number(at),
            _ => at += 1,
        }
    }
    Ok(pass.finish())
}

struct Pass<'a> {
    text: &'a str,
    out: String,
    /// Up to here the original is in `out`; nothing is while nothing was rewritten.
    copied: usize,
    found: Normal<'a>,
}

impl<'a> Pass<'a> {
    /// Walks over a text up to behind its closing mark.
    fn string(&mut self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'"' => return at + 1,
                b'\\' if bytes.get(at + 1) == Some(&b'u') => at = self.escape(at),
                b'\\' => at += 2,
                _ => at += 1,
            }
        }
        at
    }

    /// Walks over `\uXXXX`, and over the second half of a pair; a half alone is replaced.
    fn escape(&mut self, at: usize) -> usize {
        let Some(unit) = self.unit(at) else { return at + 2 };
        let paired = |second: Option<u32>| second.is_some_and(|second| (0xDC00..=0xDFFF).contains(&second));
        match unit {
            0xD800..=0xDBFF if paired(self.unit(at + 6)) => at + 12,
            0xD800..=0xDFFF => {
                self.found.surrogates += 1;
                self.replace(at, at + 6, "\\ufffd");
                at + 6
            }
            _ => at + 6,
        }
    }

    /// The number in an escape that begins at this offset.
    fn unit(&self, at: usize) -> Option<u32> {
        let digits = self.text.get(at..at + 6)?.strip_prefix("\\u")?;
        if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) { u32::from_str_radix(digits, 16).ok() } else { None }
    }

    /// Walks over a number; one that would lose digits is put in quotation marks.
    fn number(&mut self, at: usize) -> usize {
        let length =
            self.text[at..].bytes().take_while(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')).count();
        let end = at + length;
        let number = &self.text[at..end];
        if is_number(number) && !is_kept(number) {
            if self.found.numbers == 0 {
                self.found.first_number = number;
            }
            self.found.numbers += 1;
            self.replace(at, end, &format!("\"{number}\""));
        }
        end
    }

    fn replace(&mut self, from: usize, to: usize, with: &str) {
        self.out.push_str(&self.text[self.copied..from]);
        self.out.push_str(with);
        self.copied = to;
        self.found.moved.push((self.out.len(), self.out.len().cast_signed() - to.cast_signed()));
    }

    fn finish(mut self) -> Normal<'a> {
        if self.copied > 0 {
            self.out.push_str(&self.text[self.copied..]);
            self.found.text = Cow::Owned(self.out);
        }
        self.found
    }
}

impl Normal<'_> {
    /// Where in the original text this offset of the rewritten one stands.
    pub fn original(&self, offset: usize) -> usize {
        let moved = self.moved.iter().rev().find(|(from, _)| *from <= offset).map_or(0, |(_, by)| *by);
        offset.saturating_add_signed(-moved)
    }

    /// What was changed, in words.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let first = crate::expr::error::shorten(self.first_number, 60);
        match self.numbers {
            0 => {}
            1 => notes.push(format!("The number {first} has more digits than can be counted with; it was kept as text.")),
            many => notes.push(format!(
                "{many} numbers with more digits than can be counted with were kept as text, the first of them {first}."
            )),
        }
        match self.surrogates {
            0 => {}
            1 => notes.push("A character that is half of a pair (a lone surrogate) was replaced by U+FFFD.".to_owned()),
            many => notes.push(format!("{many} characters that are half of a pair (lone surrogates) were replaced by U+FFFD.")),
        }
        notes
    }
}

/// Is this a number as JSON writes it? What isn't stays as it is: the parser will complain about it.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Do 64 bits or a double hold the number with every digit?
fn is_kept(number: &str) -> bool {
    // Fifteen digits without an exponent always survive.
    if number.len() <= 15 && !number.contains(['e', 'E']) {
        return true;
    }
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    if !number.contains(['.', 'e', 'E']) {
        // A whole number that 64 bits can't hold would become a double; people mean an id by it.
        return false;
    }
    match number.parse::<f64>() {
        // As it is written again: of two shortest forms that are equally near, not everybody takes the same.
        Ok(double) => Number::from_f64(double).is_some_and(|double| decimal(number) == decimal(&double.to_string())),
        Err(_) => false,
    }
}

/// A number's sign, digits without zeros at either end, and the power of ten of the last digit.
pub(super) fn decimal(number: &str) -> (bool, String, i64) {
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // An exponent that 64 bits can't hold belongs to a number that no double holds either.
    let exponent: i64 = exponent.parse().unwrap_or(i64::MAX / 2);
    let digits = format!("{whole}{fraction}");
    let digits = digits.trim_start_matches('0');
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return (false, String::new(), 0);
    }
    let zeros = i64::try_from(digits.len() - significant.len()).unwrap_or(i64::MAX / 4);
    let places = i64::try_from(fraction.len()).unwrap_or(i64::MAX / 4);
    (negative, significant.to_owned(), exponent.saturating_sub(places).saturating_add(zeros))
}
