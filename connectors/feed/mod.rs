//! Asks for a feed: RSS, Atom or JSON. What it knows of the last look (`ETag`, `Last-Modified`, the items' ids) is in the cursor, so
//! that a feed without news isn't sent again and no item is told twice. It decides nothing about when to look.

use crate::sdk::{
    Call, HttpBody, HttpRequest, HttpResponse, Redirects, outcome,
    poll::{Cursor, Item, Poll, Polled},
    show, value,
};
use feed_rs::model::{Entry, Feed};
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::HashSet, time::Duration};
use towpath_engine::{Json, error::StepError};
use url::Url;
use uuid::Uuid;

/// The largest feed, unpacked.
const MAX_FEED: usize = 5 * 1024 * 1024;
/// How many items of a feed are remembered and told.
const MOST: usize = 2000;
const EVERY: Duration = Duration::from_secs(300);
/// How many items the first look takes as samples.
const SAMPLES: usize = 3;

/// The trigger `feed.new_item`.
pub struct NewItem;

/// What the last look saw.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct State {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    last_modified: Option<String>,
    #[serde(default)]
    seen: Vec<String>,
}

impl Poll for NewItem {
    fn poll<'a>(&'a self, call: Call<'a>, cursor: Option<Cursor>) -> BoxFuture<'a, Result<Polled, StepError>> {
        Box::pin(async move {
            let state: Option<State> = cursor.as_ref().and_then(|cursor| serde_json::from_value(cursor.0.clone()).ok());
            let response = fetch(&call, state.as_ref()).await?;
            if response.status == StatusCode::NOT_MODIFIED {
                call.trace.log("The feed has not changed since the last look.");
                return Ok(Polled { items: Vec::new(), cursor, more: false, wait: None });
            }
            outcome::of(&response)?;
            if let Some(cut) = response.cut {
                return Err(cut);
            }
            let feed = read(&response.url, &response.body)?;
            Ok(news(feed, state, &response.headers))
        })
    }

    fn every(&self) -> Duration {
        EVERY
    }
}

async fn fetch(call: &Call<'_>, state: Option<&State>) -> Result<HttpResponse, StepError> {
    let text = value::text_field(call.input, "url");
    let wrong = |why: String| StepError::invalid_input(why).field("url");
    let url =
        Url::parse(text.trim()).map_err(|_| wrong(format!("“{text}” is not an address. It starts with https:// or http://.")))?;
    if !matches!(url.scheme(), "https" | "http") {
        return Err(wrong("Only addresses that start with https:// or http:// can be asked.".into()));
    }
    let mut headers = HeaderMap::new();
    let accept =
        "application/feed+json, application/atom+xml, application/rss+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.5";
    headers.insert(header::ACCEPT, HeaderValue::from_static(accept));
    let known = |text: Option<&String>| text.and_then(|text| HeaderValue::from_str(text).ok());
    if let Some(etag) = known(state.and_then(|state| state.etag.as_ref())) {
        headers.insert(header::IF_NONE_MATCH, etag);
    }
    if let Some(date) = known(state.and_then(|state| state.last_modified.as_ref())) {
        headers.insert(header::IF_MODIFIED_SINCE, date);
    }
    call.trace
        .request(json!({ "method": "GET", "url": crate::sdk::mask::url(&url), "headers": crate::sdk::mask::headers(&headers) }));
    let request = HttpRequest {
        method: Method::GET,
        url,
        headers,
        body: HttpBody::Empty,
        authenticate: false,
        redirects: Redirects::Follow,
        deadline: call.deadline,
        max_response: MAX_FEED,
    };
    let response = call.doors.http.send(request).await?;
    call.trace.response(show::answer(&response));
    Ok(response)
}

fn read(url: &Url, body: &[u8]) -> Result<Feed, StepError> {
    let parser = feed_rs::parser::Builder::new()
        .base_uri(Some(url.as_str()))
        // An item without an id of its own is known by its link and its title; never by chance.
        .id_generator(|links, title, _| {
            let link = links.first().map(|link| link.href.as_str()).unwrap_or_default();
            let title = title.as_ref().map(|title| title.content.as_str()).unwrap_or_default();
            if link.is_empty() && title.is_empty() { String::new() } else { format!("{link} {title}").trim().to_owned() }
        })
        .build();
    parser.parse(body).map_err(|error| {
        let host = url.host_str().unwrap_or("The server");
        StepError::invalid_input(format!("{host} answered with something that is no feed ({error})."))
            .field("url")
            .hint("Check the address: it must lead to the feed itself, not to the page about it.")
    })
}

/// What is new in a feed, oldest first. Pure.
fn news(feed: Feed, state: Option<State>, headers: &HeaderMap) -> Polled {
    let about =
        json!({ "title": feed.title.as_ref().map(|title| &title.content), "link": feed.links.first().map(|link| &link.href) });
    let mut entries: Vec<(Option<chrono::DateTime<chrono::Utc>>, Item)> = feed
        .entries
        .into_iter()
        .take(MOST)
        .map(|entry| {
            let when = entry.published.or(entry.updated);
            let key = key(&entry);
            (when, Item { value: item(entry, &key, &about), key })
        })
        .collect();
    // Feeds begin with their newest item; where all say when they appeared, that decides.
    entries.reverse();
    if entries.iter().all(|(when, _)| when.is_some()) {
        entries.sort_by_key(|(when, _)| *when);
    }
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(ToOwned::to_owned);
    let mut seen: Vec<String> = entries.iter().map(|(_, item)| item.key.clone()).collect();
    let items: Vec<Item> = match &state {
        None => {
            let skip = entries.len().saturating_sub(SAMPLES);
            entries.into_iter().skip(skip).map(|(_, item)| item).collect()
        }
        Some(before) => {
            let known: HashSet<&String> = before.seen.iter().collect();
            entries.into_iter().map(|(_, item)| item).filter(|item| !known.contains(&item.key)).collect()
        }
    };
    // A feed that shows other items now and then (a cache that lags behind) doesn't make old ones new.
    if let Some(before) = state {
        let now: HashSet<String> = seen.iter().cloned().collect();
        seen.extend(before.seen.into_iter().filter(|key| !now.contains(key)).take(MOST - seen.len().min(MOST)));
    }
    let next = State { etag: text(header::ETAG), last_modified: text(header::LAST_MODIFIED), seen };
    let wait = feed.ttl.map(|minutes| Duration::from_secs(u64::from(minutes) * 60).min(outcome::LONGEST_WAIT));
    Polled {
        items,
        cursor: Some(Cursor(serde_json::to_value(next).unwrap_or_default())),
        more: false,
        wait: wait.filter(|wait| *wait > EVERY),
    }
}

fn key(entry: &Entry) -> String {
    if !entry.id.is_empty() {
        return entry.id.clone();
    }
    let text = entry.summary.as_ref().map(|it| it.content.as_str()).or_else(|| entry.content.as_ref()?.body.as_deref());
    Uuid::new_v5(&Uuid::NAMESPACE_URL, text.unwrap_or_default().as_bytes()).to_string()
}

fn item(entry: Entry, id: &str, about: &Json) -> Json {
    let media: Vec<Json> = entry
        .media
        .iter()
        .flat_map(|media| &media.content)
        .filter_map(|content| {
            let url = content.url.as_ref()?;
            Some(json!({ "url": url.as_str(), "type": content.content_type.as_ref().map(ToString::to_string), "size": content.size }))
        })
        .collect();
    let published = entry.published.or(entry.updated);
    json!({
        "id": id,
        "title": entry.title.map(|title| title.content).unwrap_or_default(),
        "link": entry.links.first().map(|link| &link.href),
        "summary": entry.summary.map(|summary| summary.content),
        "content": entry.content.and_then(|content| content.body),
        "published": published.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "updated": entry.updated.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)),
        "authors": entry.authors.iter().map(|author| &author.name).collect::<Vec<_>>(),
        "categories": entry.categories.iter().map(|category| &category.term).collect::<Vec<_>>(),
        "media": media,
        "feed": about,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>Example</title><link>https://example.com/</link><ttl>60</ttl>
        <item><title>Second</title><link>https://example.com/2</link><guid>g2</guid><pubDate>Mon, 02 Mar 2026 09:41:00 GMT</pubDate></item>
        <item><title>First &amp; only</title><link>https://example.com/1</link><guid>g1</guid><pubDate>Sun, 01 Mar 2026 09:41:00 GMT</pubDate><category>news</category></item>
        </channel></rss>"#;
    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>Example</title><id>urn:x</id><updated>2026-03-02T09:41:00Z</updated>
        <entry><id>urn:2</id><title>Second</title><updated>2026-03-02T09:41:00Z</updated><link href="https://example.com/2"/><author><name>Ada</name></author></entry>
        </feed>"#;
    const JSON: &str = r#"{"version":"https://jsonfeed.org/version/1.1","title":"Example","home_page_url":"https://example.com/","items":[{"id":"2","url":"https://example.com/2","content_text":"Hello"}]}"#;

    fn feed(text: &str) -> Feed {
        read(&"https://example.com/feed".parse().unwrap(), text.as_bytes()).unwrap()
    }

    fn keys(polled: &Polled) -> Vec<&str> {
        polled.items.iter().map(|item| item.key.as_str()).collect()
    }

    fn state(polled: &Polled) -> Option<State> {
        serde_json::from_value(polled.cursor.clone().unwrap().0).ok()
    }

    #[test]
    fn all_three_kinds_of_feeds_are_read() {
        for (text, key) in [(RSS, "g2"), (ATOM, "urn:2"), (JSON, "2")] {
            let polled = news(feed(text), None, &HeaderMap::new());
            let last = polled.items.last().unwrap();
            assert_eq!(last.key, key);
            assert_eq!(last.value["link"], "https://example.com/2", "{key}");
            assert_eq!(last.value["feed"]["title"], "Example", "{key}");
        }
        assert!(read(&"https://example.com/".parse().unwrap(), b"<html><body>Hi</body></html>").is_err());
    }

    #[test]
    fn items_come_oldest_first_and_the_feed_s_own_pause_is_kept() {
        let polled = news(feed(RSS), None, &HeaderMap::new());
        assert_eq!(keys(&polled), ["g1", "g2"]);
        assert_eq!(polled.items[0].value["title"], "First & only");
        assert_eq!(polled.items[0].value["categories"], json!(["news"]));
        assert_eq!(polled.wait, Some(Duration::from_secs(3600)));
    }

    #[test]
    fn only_what_is_new_is_told_and_the_same_cursor_tells_the_same() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("\"v1\""));
        let first = news(feed(RSS), None, &headers);
        assert_eq!(state(&first).unwrap().etag.as_deref(), Some("\"v1\""));
        assert!(news(feed(RSS), state(&first), &headers).items.is_empty());
        let longer = RSS.replace(
            "<item><title>Second",
            "<item><title>Third</title><guid>g3</guid><pubDate>Tue, 03 Mar 2026 09:41:00 GMT</pubDate></item><item><title>Second",
        );
        for _ in 0..2 {
            assert_eq!(keys(&news(feed(&longer), state(&first), &headers)), ["g3"]);
        }
        // A cache that lags behind shows the old feed once more, then the new one again.
        let second = news(feed(&longer), state(&first), &headers);
        let lagging = news(feed(RSS), state(&second), &headers);
        assert!(lagging.items.is_empty());
        assert!(news(feed(&longer), state(&lagging), &headers).items.is_empty());
    }

    #[test]
    fn an_item_without_an_id_is_known_by_what_it_has() {
        let nameless = r#"<rss version="2.0"><channel><title>x</title><item><title>A</title><link>https://x/a</link></item><item><description>only words</description></item></channel></rss>"#;
        let once = news(feed(nameless), None, &HeaderMap::new());
        let again = news(feed(nameless), None, &HeaderMap::new());
        assert_eq!(keys(&once), keys(&again));
        assert_eq!(once.items.len(), 2);
        assert!(once.items.iter().all(|item| !item.key.is_empty()));
    }
}
