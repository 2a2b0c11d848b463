//! A closed loop over plain connections: each sends the next request when the last one is answered. No client library, so that the
//! load costs little beside what it measures.

use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// A request's bytes, and where they go.
#[derive(Clone)]
pub struct Request {
    address: String,
    bytes: Vec<u8>,
}

impl Request {
    pub fn post(url: &str, body: &serde_json::Value) -> Self {
        let url: url::Url = url.parse().expect("the harness gives whole URLs");
        let address = format!("{}:{}", url.host_str().unwrap_or_default(), url.port().unwrap_or(80));
        let body = body.to_string();
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            url.path(),
            body.len()
        );
        Self { address, bytes: (head + &body).into_bytes() }
    }
}

/// What came of a load.
pub struct Measured {
    pub answered: u64,
    pub failed: u64,
    pub took: Duration,
    /// Of each answer, sorted.
    micros: Vec<u32>,
}

impl Measured {
    pub fn new(mut micros: Vec<u32>, failed: u64, took: Duration) -> Self {
        micros.sort_unstable();
        Self { answered: micros.len() as u64, failed, took, micros }
    }

    #[allow(clippy::cast_precision_loss, reason = "a figure for people")]
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.took.as_secs_f64()
    }

    /// In milliseconds.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a figure for people"
    )]
    pub fn percentile(&self, share: f64) -> f64 {
        let at = ((self.micros.len() as f64 - 1.0) * share) as usize;
        self.micros.get(at).map_or(f64::NAN, |micros| f64::from(*micros) / 1_000.0)
    }
}

pub fn micros(since: Instant) -> u32 {
    u32::try_from(since.elapsed().as_micros()).unwrap_or(u32::MAX)
}

pub async fn run(request: &Request, connections: usize, lasting: Duration) -> Result<Measured> {
    let begun = Instant::now();
    let end = begun + lasting;
    let clients: Vec<_> = (0..connections).map(|_| tokio::spawn(client(request.clone(), end))).collect();
    let mut all = Vec::new();
    let mut failed = 0;
    for done in clients {
        let (micros, bad) = done.await??;
        all.extend(micros);
        failed += bad;
    }
    Ok(Measured::new(all, failed, begun.elapsed()))
}

async fn client(request: Request, end: Instant) -> Result<(Vec<u32>, u64)> {
    #[allow(clippy::disallowed_methods, reason = "this is no part of the server: it is what calls it")]
    let mut stream = TcpStream::connect(&request.address).await.with_context(|| request.address.clone())?;
    stream.set_nodelay(true)?;
    let mut all = Vec::new();
    let mut failed = 0;
    let mut buffer = Vec::with_capacity(16 << 10);
    while Instant::now() < end {
        let sent = Instant::now();
        stream.write_all(&request.bytes).await?;
        match answer(&mut stream, &mut buffer).await? {
            200..=299 => all.push(micros(sent)),
            _ => failed += 1,
        }
    }
    Ok((all, failed))
}

/// Reads one answer and returns its status.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<u16> {
    buffer.clear();
    loop {
        if stream.read_buf(buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        let Some(head) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&buffer[..head])?.to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).context("a status line")?;
        let length: usize = text
            .lines()
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|length| length.trim().parse().ok())
            .context("an answer with a length")?;
        while buffer.len() < head + 4 + length {
            if stream.read_buf(buffer).await? == 0 {
                bail!("the server closed the connection in the middle of an answer");
            }
        }
        return Ok(status);
    }
}
