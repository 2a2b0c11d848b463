//! How often a service may be called: buckets that the manifest declares, one for each connection (or installation) and key, held in
//! this process. A call that would have to wait past its deadline is told to come back later instead.

use super::{
    compile::{Fault, LIMIT, whole_at},
    document::{LimitPer, LimitSpec},
};
use crate::sdk::value;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock as _};
use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};
use towpath_engine::{
    error::{ErrorKind, StepError},
    expr::{Context, Template},
    ids::ConnectionId,
};

/// Buckets that nobody has used are dropped when there are more than this many.
const MANY: usize = 10_000;

/// All buckets of one connector.
pub struct Limits {
    each: Vec<Limit>,
}

struct Limit {
    per: LimitPer,
    key: Option<Template>,
    operations: Vec<String>,
    buckets: DefaultKeyedRateLimiter<String>,
}

impl Limits {
    pub fn compile(specs: &[LimitSpec]) -> Result<Self, Fault> {
        let each = specs.iter().enumerate().map(|(index, spec)| {
            let path = format!("http.limits[{index}]");
            let key = spec.key.as_ref().map(|key| whole_at(&format!("{path}.key"), key, LIMIT)).transpose()?;
            let quota = quota(&spec.rate).ok_or_else(|| {
                Fault::new(format!("{path}.rate"), format!("“{}” is no rate; write 1/s, 50/min or 1000/h", spec.rate))
            })?;
            Ok(Limit { per: spec.per, key, operations: spec.operations.clone(), buckets: RateLimiter::keyed(quota) })
        });
        Ok(Self { each: each.collect::<Result<_, Fault>>()? })
    }

    /// Waits until the call may go out.
    pub async fn wait(
        &self,
        service: &str,
        operation: &str,
        connection: Option<ConnectionId>,
        context: &Context,
        deadline: Instant,
    ) -> Result<(), StepError> {
        for limit in
            self.each.iter().filter(|limit| limit.operations.is_empty() || limit.operations.iter().any(|it| it == operation))
        {
            let own = match &limit.key {
                Some(key) => key.resolve(context)?.as_ref().map(value::text).unwrap_or_default(),
                None => String::new(),
            };
            let key = match (limit.per, connection) {
                (LimitPer::Connection, Some(id)) => format!("{id}\n{own}"),
                _ => format!("\n{own}"),
            };
            if limit.buckets.len() > MANY {
                limit.buckets.retain_recent();
            }
            while let Err(full) = limit.buckets.check_key(&key) {
                let wait = full.wait_time_from(limit.buckets.clock().now());
                if Instant::now() + wait >= deadline {
                    return Err(StepError::new(
                        ErrorKind::RateLimited,
                        format!("{service} may not be called that often; this call has to wait its turn."),
                    )
                    .retry_after(wait.max(Duration::from_secs(1))));
                }
                futures_timer::Delay::new(wait).await;
            }
        }
        Ok(())
    }
}

/// `50/min`
fn quota(rate: &str) -> Option<Quota> {
    let (count, unit) = rate.split_once('/')?;
    let count: NonZeroU32 = count.trim().parse().ok()?;
    match unit.trim() {
        "s" => Some(Quota::per_second(count)),
        "min" => Some(Quota::per_minute(count)),
        "h" => Some(Quota::per_hour(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use towpath_engine::{Object, expr::Context};
    use uuid::Uuid;

    fn context(channel: &str) -> Context {
        let roots: Object = serde_json::from_value(serde_json::json!({ "input": { "channel": channel } })).unwrap();
        Context::named(roots, Uuid::nil(), "2026-03-02T09:41:00Z".parse().unwrap())
    }

    #[test]
    fn rates_are_written_with_their_unit() {
        for rate in ["1/s", "50/min", " 1000 / h"] {
            assert!(quota(rate).is_some(), "{rate}");
        }
        for rate in ["", "50", "0/s", "1/day", "-1/s", "x/s"] {
            assert!(quota(rate).is_none(), "{rate}");
        }
    }

    #[tokio::test]
    async fn a_full_bucket_says_when_to_come_back_and_others_stay_open() {
        let spec = LimitSpec {
            per: LimitPer::Connection,
            key: Some("{{ input.channel }}".into()),
            rate: "1/min".into(),
            operations: vec!["send".into()],
        };
        let limits = Limits::compile(&[spec]).unwrap();
        let (one, two) = (Some(ConnectionId::new()), Some(ConnectionId::new()));
        let soon = Instant::now() + Duration::from_secs(5);
        let go = |operation: &'static str, connection, channel: &'static str| {
            let limits = &limits;
            async move { limits.wait("Chat", operation, connection, &context(channel), soon).await }
        };
        go("send", one, "a").await.unwrap();
        let full = go("send", one, "a").await.unwrap_err();
        assert_eq!(full.kind, ErrorKind::RateLimited);
        assert!(full.retry_after.unwrap() > Duration::from_secs(30), "{full:?}");
        go("send", one, "b").await.unwrap();
        go("send", two, "a").await.unwrap();
        go("read", one, "a").await.unwrap();
    }
}
