//! Which page comes next. Pure: it reads an answer and says how the next request differs, and it ends: a list that names the same
//! page twice, or more pages than the manifest allows, is over.

use super::compile::{Paging, Way};
use crate::sdk::value;
use http::{HeaderMap, header};
use serde_json::json;
use towpath_engine::{Json, error::StepError, expr::Context};

/// Where a list is being read.
pub struct Turn<'p> {
    paging: Option<&'p Paging>,
    /// What stood for the current page.
    mark: Json,
    pub fetched: u32,
}

/// How to go on.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// The list is over.
    End,
    /// The same request, with this as `page`.
    Page(Json),
    /// The same request to this address.
    Address(String),
}

impl<'p> Turn<'p> {
    /// Before the first page, or before the page that an earlier look stopped at.
    pub fn begin(paging: Option<&'p Paging>, from: Option<Json>) -> Self {
        let mark = from.unwrap_or_else(|| match paging.map(|paging| &paging.way) {
            Some(Way::Number { first, .. }) => json!({ "number": first }),
            Some(Way::Offset { first, .. }) => json!({ "offset": first }),
            _ => json!({}),
        });
        Self { paging, mark, fetched: 0 }
    }

    /// `page` of the current request.
    pub fn page(&self) -> Json {
        self.mark.clone()
    }

    /// May another page be fetched in this call?
    pub fn is_full(&self) -> bool {
        self.paging.is_none_or(|paging| self.fetched >= paging.max)
    }

    /// After an answer with `items` items; `context` holds it as `response`.
    pub fn next(&mut self, headers: &HeaderMap, items: usize, context: &Context) -> Result<Next, StepError> {
        self.fetched += 1;
        let Some(paging) = self.paging else { return Ok(Next::End) };
        let text = |value: Option<Json>| value.as_ref().map(value::text).filter(|text| !text.is_empty());
        let (next, mark) = match &paging.way {
            Way::Next(template) => match text(template.resolve(context)?) {
                Some(next) => (Next::Page(json!({ "next": next })), json!({ "next": next })),
                None => return Ok(Next::End),
            },
            Way::Url(template) => match text(template.resolve(context)?) {
                Some(url) => (Next::Address(url.clone()), json!({ "address": url })),
                None => return Ok(Next::End),
            },
            Way::Link(relation) => match link(headers, relation) {
                Some(url) => (Next::Address(url.clone()), json!({ "address": url })),
                None => return Ok(Next::End),
            },
            Way::Number { size, .. } | Way::Offset { size, .. } if (items as u64) < *size => return Ok(Next::End),
            Way::Number { first, .. } => {
                let page = json!({ "number": self.mark["number"].as_u64().unwrap_or(*first) + 1 });
                (Next::Page(page.clone()), page)
            }
            Way::Offset { first, .. } => {
                let page = json!({ "offset": self.mark["offset"].as_u64().unwrap_or(*first) + items as u64 });
                (Next::Page(page.clone()), page)
            }
        };
        // A service that names the page again that we are on would be read for ever.
        if mark == self.mark {
            return Ok(Next::End);
        }
        self.mark = mark;
        Ok(next)
    }
}

/// The target of a relation in `Link` headers (RFC 8288).
fn link(headers: &HeaderMap, relation: &str) -> Option<String> {
    let text = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    text.split('<').skip(1).find_map(|part| {
        let (target, parameters) = part.split_once('>')?;
        let named = parameters.split([';', ',']).filter_map(|parameter| parameter.trim().split_once('=')).any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("rel")
                && value.trim().trim_matches('"').split_ascii_whitespace().any(|word| word.eq_ignore_ascii_case(relation))
        });
        named.then(|| target.trim().to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{compile::Paging, document::Pages};
    use towpath_engine::Object;
    use uuid::Uuid;

    fn paging(yaml: &str) -> Paging {
        Paging::compile("x", &serde_saphyr::from_str::<Pages>(yaml).unwrap()).unwrap()
    }

    fn context(body: Json) -> Context {
        let roots: Object = serde_json::from_value(json!({ "response": { "body": body } })).unwrap();
        Context::named(roots, Uuid::nil(), "2026-03-02T09:41:00Z".parse().unwrap())
    }

    #[test]
    fn a_list_goes_on_by_what_the_answer_names_and_ends_where_it_names_nothing() {
        let paging = paging("{ next: '{{ response.body.next }}', max: 9 }");
        let mut turn = Turn::begin(Some(&paging), None);
        let none = HeaderMap::new();
        assert_eq!(turn.next(&none, 2, &context(json!({ "next": "c2" }))).unwrap(), Next::Page(json!({ "next": "c2" })));
        assert_eq!(turn.page(), json!({ "next": "c2" }));
        for last in [json!({ "next": "" }), json!({ "next": null }), json!({})] {
            assert_eq!(turn.next(&none, 2, &context(last)).unwrap(), Next::End);
        }
    }

    #[test]
    fn a_list_that_names_the_same_page_again_ends() {
        let paging = paging("{ next: '{{ response.body.next }}', max: 9 }");
        let mut turn = Turn::begin(Some(&paging), None);
        let answer = context(json!({ "next": "c2" }));
        assert!(matches!(turn.next(&HeaderMap::new(), 1, &answer).unwrap(), Next::Page(_)));
        assert_eq!(turn.next(&HeaderMap::new(), 1, &answer).unwrap(), Next::End);
    }

    #[test]
    fn numbered_pages_end_with_one_that_is_not_full() {
        let number = paging("{ number: 1, size: 2, max: 9 }");
        let mut turn = Turn::begin(Some(&number), None);
        assert_eq!(turn.page(), json!({ "number": 1 }));
        let (none, empty) = (HeaderMap::new(), context(Json::Null));
        assert_eq!(turn.next(&none, 2, &empty).unwrap(), Next::Page(json!({ "number": 2 })));
        assert_eq!(turn.next(&none, 1, &empty).unwrap(), Next::End);
        let offset = paging("{ offset: 0, size: 2, max: 9 }");
        let mut turn = Turn::begin(Some(&offset), None);
        assert_eq!(turn.next(&none, 2, &empty).unwrap(), Next::Page(json!({ "offset": 2 })));
        assert_eq!(turn.next(&none, 2, &empty).unwrap(), Next::Page(json!({ "offset": 4 })));
        assert_eq!(turn.next(&none, 0, &empty).unwrap(), Next::End);
    }

    #[test]
    fn link_headers_are_read_as_services_write_them() {
        let table = [
            (r#"<https://x/?p=2>; rel="next", <https://x/?p=9>; rel="last""#, Some("https://x/?p=2")),
            (r#"<https://x/?a=1,2&p=2>;rel=next"#, Some("https://x/?a=1,2&p=2")),
            (r#"<https://x/?p=1>; rel="prev""#, None),
            (r#"<https://x/?p=2>; title="a; b"; rel="nofollow next""#, Some("https://x/?p=2")),
            ("", None),
        ];
        for (text, expected) in table {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, text.parse().unwrap());
            assert_eq!(link(&headers, "next").as_deref(), expected, "{text}");
        }
    }
}
