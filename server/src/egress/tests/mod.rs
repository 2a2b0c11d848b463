//! The door against real sockets on this machine: small servers that behave well, badly, or as an attacker would.

mod http;
mod mail;

use super::{Egress, Settings, tls::Roots};
use crate::clock::Clock;
use futures_util::future::BoxFuture;
use std::{io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A listener that answers each connection by `serve`, which also gets the connection's number, from 0.
async fn listen<F, Fut>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream, usize) -> Fut + Send + 'static,
    Fut: Future<Output = io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let Ok((stream, _)) = listener.accept().await else { return };
            // A test's server may see its client go at any point.
            tokio::spawn({
                let serving = serve(stream, number);
                async move {
                    let _ = serving.await;
                }
            });
        }
    });
    address
}

/// The door with this machine allowed.
fn door() -> Egress {
    door_with(Settings { allow: "127.0.0.1".parse().unwrap(), mail: None })
}

fn door_with(settings: Settings) -> Egress {
    Egress::with_roots(settings, clock(), Arc::new(Lies), Roots::of(Vec::new()))
}

fn clock() -> Clock {
    Clock::from_fn(|| "2026-03-02T09:41:00Z".parse().unwrap())
}

/// Names for tests: `local.example` is this machine, `inside.example` is in the private network, nothing else exists.
struct Lies;

impl super::Names for Lies {
    fn look_up<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        let address = match host {
            "local.example" => Ok([127, 0, 0, 1]),
            "inside.example" => Ok([10, 0, 0, 5]),
            _ => Err(io::Error::new(io::ErrorKind::NotFound, "no such name")),
        };
        Box::pin(async move { Ok(vec![SocketAddr::from((address?, port))]) })
    }
}

/// Reads one HTTP/1 request: its head as text and its body by `Content-Length`.
async fn read_request(stream: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
            let length =
                head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |text| text.parse().unwrap());
            let mut body = bytes.split_off(end + 4);
            while body.len() < length {
                if stream.read_buf(&mut body).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            return Ok((head, body));
        }
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn write(stream: &mut TcpStream, bytes: impl AsRef<[u8]>) -> io::Result<()> {
    stream.write_all(bytes.as_ref()).await?;
    stream.flush().await
}

/// Keeps a connection open and silent until the other side goes.
async fn hang(mut stream: TcpStream) -> io::Result<()> {
    let mut buffer = [0; 1024];
    while stream.read(&mut buffer).await? > 0 {}
    Ok(())
}

/// A deadline that a working exchange on this machine never meets, loaded as it may be.
fn ample() -> std::time::Instant {
    std::time::Instant::now() + Duration::from_secs(60)
}
