//! Cuts a text into literal parts and `{{ … }}` parts. Only `{{` is special: `{%` and `{#` are ordinary text, and a `}}` inside a
//! quoted text of an expression doesn't end it.

use super::error::ExprError;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Piece<'a> {
    Literal(&'a str),
    /// What stands between `{{` and `}}`, and the byte offset at which it begins.
    Expression {
        source: &'a str,
        at: usize,
    },
}

/// The pieces of `text`, in order; literal pieces are never empty.
pub(super) fn split(text: &str) -> Result<Vec<Piece<'_>>, ExprError> {
    let mut pieces = Vec::new();
    let mut done = 0;
    while let Some(found) = text[done..].find("{{") {
        let open = done + found;
        if open > done {
            pieces.push(Piece::Literal(&text[done..open]));
        }
        let start = open + 2;
        let end = end_of_part(text, start).map_err(|(at, message)| ExprError {
            part: text[start..].to_owned(),
            position: text[..at].chars().count(),
            ..ExprError::new(message)
        })?;
        pieces.push(Piece::Expression { source: &text[start..end], at: start });
        done = end + 2;
    }
    if done < text.len() {
        pieces.push(Piece::Literal(&text[done..]));
    }
    Ok(pieces)
}

/// Where the `}}` stands that closes the part beginning at `start`, or where the trouble is.
fn end_of_part(text: &str, start: usize) -> Result<usize, (usize, &'static str)> {
    let bytes = text.as_bytes();
    // Braces of objects inside the part: `{{ {"a": {}} }}` ends at the last pair.
    let mut open = 0_usize;
    let mut at = start;
    while at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'') => {
                let opened = at;
                at += 1;
                loop {
                    match bytes.get(at) {
                        None => return Err((opened, "This quotation mark is never closed.")),
                        Some(b'\\') => at += 2,
                        Some(&byte) if byte == quote => break,
                        Some(_) => at += 1,
                    }
                }
            }
            b'{' => open += 1,
            b'}' if open > 0 => open -= 1,
            b'}' if bytes.get(at + 1) == Some(&b'}') => return Ok(at),
            _ => {}
        }
        at += 1;
    }
    Err((start - 2, "This {{ is never closed; write }} after the expression."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(text: &str) -> Vec<String> {
        split(text)
            .unwrap()
            .into_iter()
            .map(|piece| match piece {
                Piece::Literal(text) => format!("L{text}"),
                Piece::Expression { source, .. } => format!("E{source}"),
            })
            .collect()
    }

    #[test]
    fn only_double_braces_begin_an_expression() {
        assert_eq!(parts("a {{ b }} c"), ["La ", "E b ", "L c"]);
        assert_eq!(parts("{% if x %} {# no #} { { }} }"), ["L{% if x %} {# no #} { { }} }"]);
        assert_eq!(parts(""), Vec::<String>::new());
        assert_eq!(parts("{{a}}{{b}}"), ["Ea", "Eb"]);
    }

    #[test]
    fn braces_inside_quotes_and_objects_do_not_end_a_part() {
        assert_eq!(parts(r#"{{ "}}" }}"#), [r#"E "}}" "#]);
        assert_eq!(parts(r#"{{ 'it\'s }}' }}!"#), [r#"E 'it\'s }}' "#, "L!"]);
        assert_eq!(parts(r#"{{ {"a": {"b": 1}} }}"#), [r#"E {"a": {"b": 1}} "#]);
        assert_eq!(parts(r#"{{{"a": {}}}}"#), [r#"E{"a": {}}"#]);
    }

    #[test]
    fn an_unclosed_part_says_where_it_begins() {
        let error = split("höher {{ trigger.body").unwrap_err();
        assert_eq!((error.position, error.message.as_str()), (6, "This {{ is never closed; write }} after the expression."));
        let error = split("{{ \"abc }}").unwrap_err();
        assert_eq!((error.position, error.message.as_str()), (3, "This quotation mark is never closed."));
        assert!(split("{{ \"abc\\").is_err());
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text(text in "[a-zä{}\"'\\\\ %#|.]{0,40}") {
            if let Ok(pieces) = split(&text) {
                let joined: String = pieces
                    .iter()
                    .map(|piece| match piece {
                        Piece::Literal(text) => (*text).to_owned(),
                        Piece::Expression { source, at } => {
                            assert_eq!(&text[*at..at + source.len()], *source);
                            format!("{{{{{source}}}}}")
                        }
                    })
                    .collect();
                prop_assert_eq!(joined, text);
            }
        }
    }
}
