//! Reads an answer's body, unpacked, up to a limit. A bomb stops at the limit, however small it was on the wire.

use ::http::{HeaderMap, header};
use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::{io, sync::Mutex};
use tokio::io::{AsyncBufRead, AsyncRead, AsyncReadExt};
use tokio_util::io::StreamReader;

/// Why a body was not read to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("it is larger than the limit")]
    TooLarge,
    #[error("the connection was cut")]
    Cut(#[source] io::Error),
    #[error("it can't be unpacked")]
    Garbled(#[source] io::Error),
}

/// What has been read so far; it outlives a reader that is given up.
#[derive(Default)]
pub(super) struct Collected(Mutex<Vec<u8>>);

impl Collected {
    fn add(&self, bytes: &[u8], limit: usize) -> Result<(), Unread> {
        let mut all = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let room = limit.saturating_sub(all.len());
        all.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if bytes.len() > room { Err(Unread::TooLarge) } else { Ok(()) }
    }

    pub(super) fn into_bytes(self) -> Bytes {
        self.0.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).into()
    }
}

/// Reads into `collected` until the end or the limit. Takes the headers that are no longer true (`content-encoding`,
/// `content-length`) away when it unpacks.
pub(super) async fn read(body: Incoming, headers: &mut HeaderMap, limit: usize, collected: &Collected) -> Result<(), Unread> {
    let encoding = match headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase()).as_deref() {
        Some(b"gzip" | b"x-gzip") => Encoding::Gzip,
        Some(b"br") => Encoding::Brotli,
        _ => Encoding::AsItIs,
    };
    if matches!(encoding, Encoding::AsItIs) {
        return plain(body, limit, collected).await;
    }
    headers.remove(header::CONTENT_ENCODING);
    headers.remove(header::CONTENT_LENGTH);
    // Packed bytes that unpack to nothing don't reach the other limit.
    let packed = body.into_data_stream().map_err(|error| io::Error::other(Broken(error)));
    let mut packed = StreamReader::new(packed).take(limit.saturating_add(limit / 8).saturating_add(4096) as u64);
    if peek(&mut packed).await? {
        return Ok(());
    }
    match encoding {
        Encoding::Gzip => {
            let mut decoder = GzipDecoder::new(packed);
            decoder.multiple_members(true);
            unpack(decoder, limit, collected).await
        }
        _ => unpack(BrotliDecoder::new(packed), limit, collected).await,
    }
}

enum Encoding {
    AsItIs,
    Gzip,
    Brotli,
}

/// The connection's own error, kept apart from the decoder's.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(#[source] hyper::Error);

async fn plain(mut body: Incoming, limit: usize, collected: &Collected) -> Result<(), Unread> {
    if let Some(exact) = hyper::body::Body::size_hint(&body).exact()
        && exact > limit as u64
    {
        return Err(Unread::TooLarge);
    }
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Unread::Cut(io::Error::other(error)))?;
        if let Some(bytes) = frame.data_ref() {
            collected.add(bytes, limit)?;
        }
    }
    Ok(())
}

/// Is there nothing at all? An answer without a body (to HEAD, 304) names its encoding all the same.
async fn peek(packed: &mut (impl AsyncBufRead + Unpin)) -> Result<bool, Unread> {
    use tokio::io::AsyncBufReadExt;
    Ok(packed.fill_buf().await.map_err(Unread::Cut)?.is_empty())
}

async fn unpack(mut decoder: impl AsyncRead + Unpin, limit: usize, collected: &Collected) -> Result<(), Unread> {
    let mut buffer = vec![0; 32 * 1024];
    loop {
        let count = decoder.read(&mut buffer).await.map_err(|error| {
            if error.get_ref().is_some_and(|inner| inner.is::<Broken>()) { Unread::Cut(error) } else { Unread::Garbled(error) }
        })?;
        if count == 0 {
            return Ok(());
        }
        collected.add(&buffer[..count], limit)?;
    }
}
