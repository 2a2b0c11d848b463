//! Reading a request's body: a limit while it streams, a least speed, and a clear word when either is broken.

use super::decide::{Reason, Refusal};
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a body may take before its speed counts.
const GRACE: Duration = Duration::from_secs(30);
/// Below this a sender is cut off.
const LEAST_BYTES_PER_SECOND: u64 = 1024;
/// A body that is too large is read this far and thrown away, so that its sender hears the answer and not a cut connection.
const DRAIN: usize = 16 * 1024 * 1024;

/// Reads the whole body, at most `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    read_within(headers, body, limit, GRACE).await
}

async fn read_within(headers: &HeaderMap, mut body: Body, limit: usize, grace: Duration) -> Result<Bytes, Refusal> {
    if let Some(encoding) =
        headers.get(header::CONTENT_ENCODING).filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        let encoding = encoding.to_str().unwrap_or("unknown");
        return Err(Refusal::new(Reason::Encoding, format!("The body came compressed ({encoding:.40}); send it as it is.")));
    }
    let announced =
        headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse::<u64>().ok());
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(too_large(&mut body, 0, limit).await);
    }
    let started = Instant::now();
    // Most bodies come in one piece, which is then passed on as it is.
    let mut first: Option<Bytes> = None;
    let mut rest = BytesMut::new();
    loop {
        let length = first.as_ref().map_or(0, Bytes::len) + rest.len();
        let deadline = started + grace + Duration::from_secs(length as u64 / LEAST_BYTES_PER_SECOND);
        let frame = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| Refusal::new(Reason::Cut, "The body came too slowly, so the connection was cut."))?;
        let Some(frame) = frame else { break };
        let frame = frame.map_err(|_| Refusal::new(Reason::Cut, "The connection broke in the middle of the body."))?;
        let Ok(data) = frame.into_data() else { continue };
        if length + data.len() > limit {
            return Err(too_large(&mut body, length + data.len(), limit).await);
        }
        match &first {
            None => first = Some(data),
            Some(_) => rest.extend_from_slice(&data),
        }
    }
    Ok(match (first, rest.is_empty()) {
        (None, _) => Bytes::new(),
        (Some(first), true) => first,
        (Some(first), false) => [&first[..], &rest[..]].concat().into(),
    })
}

async fn too_large(body: &mut Body, mut seen: usize, limit: usize) -> Refusal {
    let deadline = Instant::now() + Duration::from_secs(2);
    while seen < DRAIN
        && let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await
    {
        seen += frame.data_ref().map_or(0, Bytes::len);
    }
    Refusal::new(Reason::TooLarge, format!("The body is larger than {} bytes, the most that is taken (TOWPATH_MAX_BODY).", limit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt as _, stream};

    fn streamed(pieces: Vec<Result<Bytes, std::io::Error>>) -> Body {
        Body::from_stream(stream::iter(pieces))
    }

    async fn read_all(body: Body, limit: usize) -> Result<Bytes, Reason> {
        read(&HeaderMap::new(), body, limit).await.map_err(|refusal| refusal.reason)
    }

    #[tokio::test]
    async fn a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() {
        for pieces in [1, 2, 5] {
            let body = |length: usize| {
                let bytes = Bytes::from(vec![b'x'; length]);
                let size = length.div_ceil(pieces);
                streamed(bytes.chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect())
            };
            assert_eq!(read_all(body(100), 100).await.map(|bytes| bytes.len()), Ok(100));
            assert_eq!(read_all(body(101), 100).await, Err(Reason::TooLarge));
        }
        assert_eq!(read_all(Body::empty(), 0).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn an_announced_length_over_the_limit_is_refused_before_it_is_read() {
        let headers: HeaderMap = [(header::CONTENT_LENGTH, "101".parse().unwrap())].into_iter().collect();
        assert_eq!(read(&headers, Body::empty(), 100).await.unwrap_err().reason, Reason::TooLarge);
    }

    #[tokio::test]
    async fn a_broken_connection_and_a_compressed_body_are_refused() {
        let broken = streamed(vec![Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
        assert_eq!(read_all(broken, 100).await, Err(Reason::Cut));
        let headers: HeaderMap = [(header::CONTENT_ENCODING, "gzip".parse().unwrap())].into_iter().collect();
        assert_eq!(read(&headers, Body::from("x"), 100).await.unwrap_err().reason, Reason::Encoding);
    }

    #[tokio::test]
    async fn a_sender_that_stops_in_the_middle_is_cut_off() {
        let piece = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"{"))]);
        let stuck = Body::from_stream(piece.chain(stream::pending()));
        let refused = read_within(&HeaderMap::new(), stuck, 1_000_000, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(refused.reason, Reason::Cut);
    }
}
