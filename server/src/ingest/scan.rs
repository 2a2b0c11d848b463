//! Is a body that claims to be JSON really JSON? Answered in one pass without building it: what a run reads is parsed when it is
//! read. Nesting is counted, so that no body makes a later parser run out of stack.

use std::fmt;
use towpath_engine::json::MAX_DEPTH;

/// A body that may be accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scanned {
    /// Something in it may have to be changed to be held: a large number, half of a surrogate pair. Worth a full parse, to say so.
    pub odd: bool,
}

/// Why a body is not JSON, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotJson {
    pub line: usize,
    pub column: usize,
    pub what: String,
}

impl fmt::Display for NotJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The body says that it is JSON, and it isn't: {} at line {}, column {}.", self.what, self.line, self.column)
    }
}

impl NotJson {
    fn at(bytes: &[u8], offset: usize, what: impl Into<String>) -> Self {
        let before = &bytes[..offset.min(bytes.len())];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Self { line, column, what: what.into() }
    }
}

/// Checks that `bytes` are one JSON value in UTF-8, nested at most [`MAX_DEPTH`] deep.
pub fn json(bytes: &[u8]) -> Result<Scanned, NotJson> {
    let text = std::str::from_utf8(bytes).map_err(|error| NotJson::at(bytes, error.valid_up_to(), "a byte that is not UTF-8"))?;
    let odd = shape(bytes)?;
    // This neither recurses nor builds anything.
    serde_json::from_str::<serde::de::IgnoredAny>(text).map_err(|error| {
        let said = error.to_string();
        let what = said.split(" at line ").next().unwrap_or_default().to_owned();
        NotJson { line: error.line(), column: error.column(), what }
    })?;
    Ok(Scanned { odd })
}

/// Counts the nesting and looks for what may not fit.
fn shape(bytes: &[u8]) -> Result<bool, NotJson> {
    let (mut depth, mut in_text, mut odd, mut digits) = (0_usize, false, false, 0_usize);
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        if in_text {
            match byte {
                b'"' => in_text = false,
                b'\\' => {
                    // Half of a pair is \ud800 to \udfff.
                    odd |=
                        matches!(bytes.get(at + 1..at + 4), Some([b'u', b'd' | b'D', b'8' | b'9' | b'a'..=b'f' | b'A'..=b'F']));
                    at += 1;
                }
                _ => {}
            }
        } else {
            match byte {
                b'"' => in_text = true,
                b'[' | b'{' => {
                    depth += 1;
                    if depth > MAX_DEPTH {
                        return Err(NotJson::at(bytes, at, format!("it is nested more than {MAX_DEPTH} deep")));
                    }
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
            // 15 digits fit into a double whatever they are.
            digits = if byte.is_ascii_digit() || (*byte == b'.' && digits > 0) { digits + 1 } else { 0 };
            odd |= digits > 15 || (matches!(byte, b'e' | b'E') && at > 0 && bytes[at - 1].is_ascii_digit());
        }
        at += 1;
    }
    Ok(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_accepts_the_engine_can_read_and_what_it_refuses_the_engine_refuses() {
        let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let cases = [
            "{}".to_owned(),
            " [1, 2.5, -0, 1e3, true, false, null, \"\\u00e9\"]\n".into(),
            "\"\\u0000 and \\ud800 and \\udc00\\ud800\"".into(),
            "9007199254740993".into(),
            "123456789012345678901234567890123456789012345678901234567890".into(),
            "[1e400000, -1e400000, 1e-400000]".into(),
            deep(100),
            deep(MAX_DEPTH + 1),
            "{\"a\":1,\"a\":2}".into(),
            "".into(),
            "{".into(),
            "[1,]".into(),
            "{\"a\":1,}".into(),
            "01".into(),
            "nul".into(),
            "\"\u{1}\"".into(),
            "\"\\x\"".into(),
            "\"\\u12g4\"".into(),
            "{} {}".into(),
            "NaN".into(),
            "'a'".into(),
            "\"open".into(),
        ];
        for case in cases {
            let (scanned, read) = (json(case.as_bytes()), towpath_engine::json::read(case.as_bytes()));
            assert_eq!(scanned.is_ok(), read.is_ok(), "{case:.60}: {scanned:?} and {read:?}");
        }
    }

    #[test]
    fn a_hundred_thousand_brackets_are_refused_in_words() {
        for open in ["[", "{\"a\":"] {
            let refused = json(open.repeat(100_000).as_bytes()).unwrap_err();
            assert!(refused.what.contains("nested"), "{refused}");
        }
        let in_text = format!("\"{}\"", "[".repeat(100_000));
        assert_eq!(json(in_text.as_bytes()), Ok(Scanned { odd: false }), "brackets in a text are text");
    }

    #[test]
    fn the_place_of_a_mistake_is_told() {
        let refused = json(b"{\n  \"a\": nope\n}").unwrap_err();
        assert_eq!((refused.line, refused.column), (2, 9));
        let refused = json(b"{\n \"a\xff\": 1}").unwrap_err();
        assert_eq!((refused.line, refused.column), (2, 4));
        assert!(refused.to_string().contains("UTF-8"), "{refused}");
    }

    #[test]
    fn only_what_may_not_fit_is_odd() {
        for (text, odd) in [
            ("{\"total\": 299.40, \"n\": 123456789012345}", false),
            ("{\"id\": \"12345678901234567890\", \"e\": \"1e5\"}", false),
            ("9007199254740993", true),
            ("0.12345678901234567", true),
            ("1e400", true),
            ("[true, false]", false),
            (r#""\ud800""#, true),
            (r#""\\ud800""#, false),
        ] {
            assert_eq!(json(text.as_bytes()), Ok(Scanned { odd }), "{text}");
        }
    }
}
