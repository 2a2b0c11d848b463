//! Reading a request's body up to a limit, with a word for the trigger's owner when it can't be had. How long a body may take is the
//! edge's business.

use super::decide::{Reason, Refusal};
use crate::http_server::body::Refused;
use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, header},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use std::error::Error;

/// Reads the whole body, at most `limit` bytes.
pub async fn read(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Refusal> {
    if let Some(encoding) =
        headers.get(header::CONTENT_ENCODING).filter(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        let encoding = encoding.to_str().unwrap_or("unknown");
        return Err(Refusal::new(Reason::Encoding, format!("The body came compressed ({encoding:.40}); send it as it is.")));
    }
    Limited::new(body, limit).collect().await.map(|body| body.to_bytes()).map_err(|error| {
        if is_too_large(&*error) {
            let detail = format!("The body is larger than {limit} bytes, the most that is taken (TOWPATH_MAX_BODY).");
            Refusal::new(Reason::TooLarge, detail)
        } else {
            Refusal::new(Reason::Cut, "The body stopped in the middle, or came too slowly.")
        }
    })
}

/// The limit here and the edge's own are the same; whichever notices first is at the end of the chain of errors.
fn is_too_large(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(this) = cause {
        if this.is::<LengthLimitError>() || matches!(this.downcast_ref(), Some(Refused::TooLarge)) {
            return true;
        }
        cause = this.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

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
                let bytes = vec![b'x'; length];
                streamed(bytes.chunks(length.div_ceil(pieces)).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect())
            };
            assert_eq!(read_all(body(100), 100).await.map(|bytes| bytes.len()), Ok(100));
            assert_eq!(read_all(body(101), 100).await, Err(Reason::TooLarge));
        }
        assert_eq!(read_all(Body::empty(), 0).await, Ok(Bytes::new()));
    }

    #[tokio::test]
    async fn a_broken_connection_and_a_compressed_body_are_refused() {
        let broken = streamed(vec![Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("gone"))]);
        assert_eq!(read_all(broken, 100).await, Err(Reason::Cut));
        let headers: HeaderMap = [(header::CONTENT_ENCODING, "gzip".parse().unwrap())].into_iter().collect();
        assert_eq!(read(&headers, Body::from("x"), 100).await.unwrap_err().reason, Reason::Encoding);
    }
}
