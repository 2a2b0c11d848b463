//! Slows guessing down: per account and per network, with a wait that doubles. It lives in memory; a restart forgets it, and takes
//! longer than the waits it forgets are worth.

use chrono::{DateTime, TimeDelta, Utc};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use std::{collections::HashMap, net::IpAddr};

/// How many tries a key has before it waits, and the longest wait.
struct Policy {
    free: u32,
    longest: TimeDelta,
}

/// An account's wait stays short, so that a stranger can't lock its owner out.
const ACCOUNT: Policy = Policy { free: 5, longest: TimeDelta::minutes(1) };
/// An office behind one address mistypes more often, and nobody in it is locked out for long.
const NETWORK: Policy = Policy { free: 20, longest: TimeDelta::minutes(15) };
/// Tries are forgotten after this long without one.
const FORGET: TimeDelta = TimeDelta::hours(1);
/// Keys kept at most; a flood of made-up accounts forgets the oldest.
const KEYS: usize = 20_000;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Key {
    Account([u8; 32]),
    Network(IpAddr),
}

#[derive(Clone, Copy)]
struct Tries {
    count: u32,
    last: DateTime<Utc>,
    until: DateTime<Utc>,
}

/// Counts the tries to sign in.
#[derive(Default)]
pub struct Throttle {
    tries: Mutex<HashMap<Key, Tries>>,
}

impl Throttle {
    /// Counts a try before it is made, so that many at once don't slip through. `Err` is how long to wait; a try that has to wait is
    /// not counted. An account that doesn't exist is counted like one that does.
    pub fn begin(&self, account: &str, address: IpAddr, now: DateTime<Utc>) -> Result<(), TimeDelta> {
        let mut tries = self.tries.lock();
        let keys = [(Key::account(account), ACCOUNT), (Key::network(address), NETWORK)];
        let wait = keys.iter().filter_map(|(key, _)| tries.get(key)).map(|seen| seen.until - now).max();
        if let Some(wait) = wait.filter(|wait| *wait > TimeDelta::zero()) {
            return Err(wait);
        }
        if tries.len() >= KEYS {
            tries.retain(|_, seen| now - seen.last < FORGET);
            if tries.len() >= KEYS {
                // Forget the older half: what attacks now stays known.
                let mut ages: Vec<_> = tries.values().map(|seen| seen.last).collect();
                let (_, middle, _) = ages.select_nth_unstable(KEYS / 2);
                let middle = *middle;
                tries.retain(|_, seen| seen.last > middle);
            }
        }
        for (key, policy) in keys {
            let seen = tries.entry(key).or_insert(Tries { count: 0, last: now, until: now });
            if now - seen.last >= FORGET {
                seen.count = 0;
            }
            seen.count = seen.count.saturating_add(1);
            seen.last = now;
            seen.until = now + policy.wait_after(seen.count);
        }
        Ok(())
    }

    /// The try was right: the account starts afresh, and the network gets its try back.
    pub fn succeeded(&self, account: &str, address: IpAddr) {
        let mut tries = self.tries.lock();
        tries.remove(&Key::account(account));
        if let Some(seen) = tries.get_mut(&Key::network(address)) {
            seen.count = seen.count.saturating_sub(1);
            seen.until = seen.last;
        }
    }
}

impl Policy {
    /// Nothing for the free tries, then 1 s, 2 s, 4 s … up to the longest.
    fn wait_after(&self, count: u32) -> TimeDelta {
        match count.checked_sub(self.free) {
            None => TimeDelta::zero(),
            Some(over) => TimeDelta::seconds(1 << over.min(20)).min(self.longest),
        }
    }
}

impl Key {
    fn account(email: &str) -> Self {
        Self::Account(Sha256::digest(email.trim().to_lowercase()).into())
    }

    /// A /24 or a /56: what one customer of a provider has.
    fn network(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4((u32::from(v4) & 0xffff_ff00).into()),
            IpAddr::V6(v6) => IpAddr::V6((u128::from(v6) & !((1 << 72) - 1)).into()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }
    const HOME: &str = "203.0.113.7";

    #[test]
    fn an_account_waits_longer_after_each_try_and_never_over_a_minute() {
        let throttle = Throttle::default();
        let mut now = at(0);
        let mut waits = Vec::new();
        for n in 0..16u32 {
            // From a new network each time: only the account counts.
            let from = IpAddr::from([10, 0, n as u8, 1]);
            while let Err(wait) = throttle.begin("Ada@example.com", from, now) {
                waits.push(wait.num_seconds());
                now += wait;
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]);
    }

    #[test]
    fn a_network_waits_whatever_accounts_it_tries() {
        let throttle = Throttle::default();
        for n in 0..20 {
            let from = if n % 2 == 0 { HOME } else { "203.0.113.200" };
            assert!(throttle.begin(&format!("{n}@example.com"), from.parse().unwrap(), at(0)).is_ok(), "{n}");
        }
        assert!(throttle.begin("new@example.com", HOME.parse().unwrap(), at(0)).is_err());
        assert!(throttle.begin("new@example.com", "203.0.114.7".parse().unwrap(), at(0)).is_ok());
    }

    #[test]
    fn the_right_password_starts_afresh() {
        let throttle = Throttle::default();
        for _ in 0..4 {
            throttle.begin("ada@example.com", HOME.parse().unwrap(), at(0)).unwrap();
        }
        throttle.succeeded("ada@example.com", HOME.parse().unwrap());
        for _ in 0..5 {
            throttle.begin("ada@example.com", HOME.parse().unwrap(), at(0)).unwrap();
        }
        assert!(throttle.begin("ada@example.com", HOME.parse().unwrap(), at(0)).is_err());
    }

    #[test]
    fn six_hundred_thousand_addresses_of_one_v6_customer_are_one_network() {
        assert!(Key::network("2001:db8:1:2200::1".parse().unwrap()) == Key::network("2001:db8:1:22ff:ffff::9".parse().unwrap()));
        assert!(Key::network("2001:db8:1:2200::1".parse().unwrap()) != Key::network("2001:db8:1:2300::1".parse().unwrap()));
        assert!(Key::network("::ffff:203.0.113.7".parse().unwrap()) == Key::network(HOME.parse().unwrap()));
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        for n in 0..30_000u32 {
            let from = IpAddr::from((n << 8).to_be_bytes());
            let _ = throttle.begin(&n.to_string(), from, at(i64::from(n)));
        }
        assert!(throttle.tries.lock().len() <= KEYS + 2);
    }
}
