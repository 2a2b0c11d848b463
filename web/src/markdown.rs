//! Help pages: Markdown to HTML that may stand in our pages. HTML inside the text is text, and links lead to http and https addresses
//! or nowhere.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

/// The page's HTML, with its headings one level down (a page has its own first heading) and without its first one.
pub fn page(text: &str) -> String {
    let mut title = false;
    let events = Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH).filter_map(|event| match event {
        Event::Start(Tag::Heading { level: pulldown_cmark::HeadingLevel::H1, .. }) => {
            title = true;
            None
        }
        Event::End(TagEnd::Heading(pulldown_cmark::HeadingLevel::H1)) => {
            title = false;
            None
        }
        _ if title => None,
        Event::Html(text) | Event::InlineHtml(text) => Some(Event::Text(text)),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Some(Event::Start(Tag::Link { link_type, dest_url: safe(dest_url), title, id }))
        }
        // A picture from elsewhere would tell who reads the page.
        Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => None,
        other => Some(other),
    });
    let mut written = String::new();
    html::push_html(&mut written, events);
    written
}

fn safe(url: CowStr<'_>) -> CowStr<'_> {
    let known = ["https://", "http://", "/", "#"].iter().any(|start| url.starts_with(start)) && !url.starts_with("//");
    if known { url } else { "#".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_help_page_is_text_with_structure_and_nothing_else() {
        let html = page(
            "# Title\n\nSome **bold** <script>alert(1)</script> [x](javascript:alert(1)) [y](https://y.example)\n\n## Connect\n\n| a | b |\n|---|---|\n| 1 | <img src=x onerror=y> |\n\n![p](https://z.example/p.png)",
        );
        assert!(
            !html.contains("Title") && !html.contains("<script") && !html.contains("<img") && !html.contains("javascript:"),
            "{html}"
        );
        assert!(
            html.contains("<strong>bold</strong>") && html.contains("&lt;script&gt;") && html.contains("<h2>Connect</h2>"),
            "{html}"
        );
        assert!(html.contains("<table>") && html.contains(r#"<a href="https://y.example">"#), "{html}");
    }
}
