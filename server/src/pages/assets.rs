//! The browser's files. Their addresses carry a hash of their content, so they may be kept for ever.

use crate::problem::Problem;
use axum::{
    body::Body,
    extract::Path,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};

/// `GET /assets/{file}`
pub async fn get(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or("");
    let asset =
        towpath_web::assets::get(&file, accepts(accepted, "br"), accepts(accepted, "gzip")).ok_or_else(Problem::not_found)?;
    let mut response = Body::from(axum::body::Bytes::from(asset.bytes.into_owned())).into_response();
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(asset.media_type));
    answer.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("public, max-age=31536000, immutable"));
    answer.insert(header::VARY, header::HeaderValue::from_static("accept-encoding"));
    answer.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    if let Some(encoding) = asset.encoding {
        answer.insert(header::CONTENT_ENCODING, header::HeaderValue::from_static(encoding));
    }
    Ok(response)
}

/// Is `coding` named in an Accept-Encoding header, and not with `q=0`?
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|part| {
        let mut words = part.split(';').map(str::trim);
        let named = words.next().is_some_and(|name| name.eq_ignore_ascii_case(coding));
        named && !words.any(|word| matches!(word.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()), Some(q) if q <= 0.0))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_counts_when_it_is_named_and_not_refused() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("GZIP;q=0.5", "gzip"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("", "br"));
    }
}
