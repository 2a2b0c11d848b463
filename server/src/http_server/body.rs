//! A guard around the body of a request: it ends at the largest size that is taken, and it must keep arriving. What a refused
//! sender still sends is read for a moment and thrown away: closing at once would reset the connection before the answer is read.

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::time::{Instant, Sleep};

/// No byte for so long, and the sender is cut.
const STALL: Duration = Duration::from_secs(10);
/// After this long a body must have come at [`LEAST_RATE`] on average …
const SETTLE: Duration = Duration::from_secs(5);
/// … in bytes per second.
const LEAST_RATE: u64 = 1024;
/// A body has this long, and another second for every [`LARGE_RATE`] bytes, so that a large file on a slow line still arrives.
const WHOLE: Duration = Duration::from_secs(30);
const LARGE_RATE: u64 = 32 * 1024;

/// What became of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    TooLarge,
    TooSlow,
}

/// The verdict on a body, readable after the body is gone.
#[derive(Clone, Debug, Default)]
pub struct Outcome(Arc<AtomicU8>);

impl Outcome {
    pub fn get(&self) -> Verdict {
        match self.0.load(Ordering::Relaxed) {
            0 => Verdict::Fine,
            1 => Verdict::TooLarge,
            _ => Verdict::TooSlow,
        }
    }

    fn set(&self, refused: Refused) {
        self.0.store(if matches!(refused, Refused::TooLarge) { 1 } else { 2 }, Ordering::Relaxed);
    }
}

/// Why a body ended early. Handlers see it as an error of the body; the sender hears 413 or 408 whatever they answer.
#[derive(Clone, Copy, Debug, thiserror::Error)]
pub enum Refused {
    #[error("the body is larger than the limit")]
    TooLarge,
    #[error("the body arrives too slowly")]
    TooSlow,
}

/// The guarded body.
pub struct Guard {
    inner: Option<Body>,
    limit: u64,
    seen: u64,
    outcome: Outcome,
    /// Set when the body first has to be waited for: time that a handler spends elsewhere isn't the sender's.
    clock: Option<Clock>,
}

struct Clock {
    began: Instant,
    heard: Instant,
    alarm: Pin<Box<Sleep>>,
}

impl Guard {
    pub fn new(body: Body, limit: u64, outcome: Outcome) -> Self {
        Self { inner: Some(body), limit, seen: 0, outcome, clock: None }
    }

    fn refuse(&mut self, refused: Refused) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.outcome.set(refused);
        Poll::Ready(Some(Err(axum::Error::new(refused))))
    }
}

/// When a body that began at `began`, of which `seen` bytes came, the last at `heard`, is too slow.
fn deadline(began: Instant, heard: Instant, seen: u64) -> Instant {
    let stalled = heard + STALL;
    let dribbled = began + SETTLE + Duration::from_secs(seen / LEAST_RATE);
    let overdue = began + WHOLE + Duration::from_secs(seen / LARGE_RATE);
    stalled.min(dribbled).min(overdue)
}

impl http_body::Body for Guard {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = self.get_mut();
        let Some(inner) = &mut this.inner else { return Poll::Ready(None) };
        // An announced length needs no reading; whoever wanted the body hears of it here.
        if this.seen.saturating_add(inner.size_hint().lower()) > this.limit {
            return this.refuse(Refused::TooLarge);
        }
        match Pin::new(inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                this.seen += frame.data_ref().map_or(0, |data| data.len() as u64);
                if this.seen > this.limit {
                    return this.refuse(Refused::TooLarge);
                }
                if let Some(clock) = &mut this.clock {
                    clock.heard = Instant::now();
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => {
                this.inner = None;
                Poll::Ready(end)
            }
            Poll::Pending => {
                let now = Instant::now();
                let seen = this.seen;
                let clock = this.clock.get_or_insert_with(|| Clock {
                    began: now,
                    heard: now,
                    alarm: Box::pin(tokio::time::sleep_until(deadline(now, now, seen))),
                });
                let deadline = deadline(clock.began, clock.heard, seen);
                if clock.alarm.deadline() != deadline {
                    clock.alarm.as_mut().reset(deadline);
                }
                ready!(clock.alarm.as_mut().poll(context));
                // A slow sender gets no more of our time.
                this.inner = None;
                this.refuse(Refused::TooSlow)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.as_ref().map(http_body::Body::size_hint).unwrap_or_default()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(body) = self.inner.take().filter(|body| !http_body::Body::is_end_stream(body)) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(discard(body, self.limit.saturating_mul(4)));
        }
    }
}

/// Reads what is left of a body and throws it away, within bounds.
async fn discard(mut body: Body, most: u64) {
    use http_body_util::BodyExt;
    let read = async {
        let mut seen = 0;
        while let Some(Ok(frame)) = body.frame().await {
            seen += frame.data_ref().map_or(0, |data| data.len() as u64);
            if seen > most {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(5), read).await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::StreamExt;
    use http_body_util::BodyExt;

    async fn read(body: Body, limit: u64) -> (Result<usize, String>, Verdict) {
        let outcome = Outcome::default();
        let collected = Guard::new(body, limit, outcome.clone()).collect().await;
        (collected.map(|body| body.to_bytes().len()).map_err(|error| error.to_string()), outcome.get())
    }

    /// `count` pieces of `size` bytes, one every `pause`.
    fn dribble(size: usize, pause: Duration, count: usize) -> Body {
        let pieces = futures_util::stream::iter(0..count).then(move |_| async move {
            tokio::time::sleep(pause).await;
            Ok::<_, std::io::Error>(Bytes::from(vec![b'x'; size]))
        });
        Body::from_stream(pieces)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_up_to_the_limit_passes_and_one_byte_more_does_not() {
        assert_eq!(read(Body::from(vec![0; 1000]), 1000).await, (Ok(1000), Verdict::Fine));
        assert_eq!(read(Body::from(vec![0; 1001]), 1000).await.1, Verdict::TooLarge);
        assert_eq!(read(dribble(100, Duration::from_millis(1), 11), 1000).await.1, Verdict::TooLarge);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_that_stalls_or_dribbles_is_cut_and_a_slow_steady_one_is_not() {
        let second = Duration::from_secs(1);
        assert_eq!(read(dribble(100_000, second * 11, 2), 1 << 30).await.1, Verdict::TooSlow, "stalls");
        assert_eq!(read(dribble(1, second / 2, 100), 1 << 30).await.1, Verdict::TooSlow, "dribbles");
        assert_eq!(read(dribble(8 * 1024, second, 100), 1 << 30).await.1, Verdict::TooSlow, "never ends");
        assert_eq!(read(dribble(64 * 1024, second, 80), 1 << 30).await, (Ok(80 * 64 * 1024), Verdict::Fine));
        let began = Instant::now();
        read(dribble(1, second / 2, 1000), 1 << 30).await.0.unwrap_err();
        assert!(began.elapsed() < second * 6, "cut after {:?}", began.elapsed());
    }
}
