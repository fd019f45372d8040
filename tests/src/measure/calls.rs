//! Single calls, through the facade and written by hand, and many followers of orders.

use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use lastmile::Poll;
use lastmile::onapi::types::Access;
use lastmile::onapi::{Dialect, OnApi};
use lastmile::rules::OnApiId;
use lastmile_core::reqwest;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::cpu;

/// The code that makes the calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// `OnApi::access`.
    Facade,
    /// The same with reqwest and serde_json, by hand.
    Hand,
}

impl FromStr for Caller {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "facade" => Ok(Self::Facade),
            "hand" => Ok(Self::Hand),
            _ => Err(format!("{name} calls nobody: say facade or hand")),
        }
    }
}

/// The cost of a call.
#[derive(Debug, Serialize, Deserialize)]
pub struct Cost {
    /// The number of calls.
    pub calls: usize,
    /// Wall-clock time of each call, in microseconds.
    pub wall_us: f64,
    /// CPU time of all threads for each call, in microseconds.
    pub cpu_us: f64,
}

impl Cost {
    fn of(calls: usize, started: Instant, before: Duration) -> Self {
        let each = |time: Duration| time.as_secs_f64() * 1e6 / calls as f64;
        Self { calls, wall_us: each(started.elapsed()), cpu_us: each(cpu().saturating_sub(before)) }
    }
}

/// Reads an access this many times, with this many calls in flight.
///
/// # Panics
/// If the network does not respond with an access.
pub async fn calls(caller: Caller, base: &str, count: usize, at_a_time: usize) -> Cost {
    let network =
        OnApi::builder(base).dialect(Dialect::Vendor26).login("sp", "invented").build().expect("loopback");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let id: OnApiId = "a-0000001".parse().expect("an id");
    let base: Arc<str> = base.into();
    let make = move |times: usize| {
        let (network, client, id, base) = (network.clone(), client.clone(), id.clone(), base.clone());
        async move {
            for _ in 0..times {
                let access = match caller {
                    Caller::Facade => network.access(&id).await.expect("it answers"),
                    Caller::Hand => by_hand(&client, &base, id.as_str()).await.expect("it answers"),
                };
                assert!(access.access_id.get().is_some());
            }
        }
    };
    // Connections and pools exist before the measurement starts.
    tasks(&make, 2, at_a_time).await;
    let (started, before) = (Instant::now(), cpu());
    tasks(&make, count / at_a_time, at_a_time).await;
    Cost::of(count / at_a_time * at_a_time, started, before)
}

async fn tasks<F: Future<Output = ()> + Send + 'static>(
    make: &impl Fn(usize) -> F,
    times: usize,
    at_a_time: usize,
) {
    if at_a_time == 1 {
        return make(times).await;
    }
    let mut tasks = JoinSet::new();
    for _ in 0..at_a_time {
        tasks.spawn(make(times));
    }
    while let Some(done) = tasks.join_next().await {
        done.expect("no panic");
    }
}

/// What a careful engineer writes: credentials, a timeout, and a check of the status before the body is decoded.
async fn by_hand(client: &reqwest::Client, base: &str, id: &str) -> reqwest::Result<Access> {
    let request = client
        .get(format!("{base}/accesses/{id}"))
        .basic_auth("sp", Some("invented"))
        .header("accept", "application/json")
        .timeout(Duration::from_secs(20));
    request.send().await?.error_for_status()?.json().await
}

/// The sizes of the futures of one call, in bytes.
#[derive(Debug, Serialize, Deserialize)]
pub struct FutureSizes {
    /// Of `OnApi::access`.
    pub facade: usize,
    /// Of the same by hand.
    pub hand: usize,
}

/// Returns the sizes of the futures of one call.
///
/// # Panics
/// If no client can be built.
pub fn future_sizes() -> FutureSizes {
    let base = "http://127.0.0.1:1";
    let network =
        OnApi::builder(base).dialect(Dialect::Vendor26).login("sp", "invented").build().expect("loopback");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let id: OnApiId = "a-0000001".parse().expect("an id");
    FutureSizes {
        facade: size_of_val(&network.access(&id)),
        hand: size_of_val(&by_hand(&client, base, id.as_str())),
    }
}

/// Follows this many orders on one client, each polled this many times.
///
/// # Panics
/// If the network does not respond with orders.
pub async fn follow(base: &str, followers: usize, looks: usize) -> Cost {
    let network =
        OnApi::builder(base).dialect(Dialect::Vendor26).login("sp", "invented").build().expect("loopback");
    let id: OnApiId = "1".parse().expect("an id");
    let every = Duration::from_millis(10);
    let make = move |times: usize| {
        let (network, id) = (network.clone(), id.clone());
        async move {
            for _ in 0..times {
                // The order stays in progress for ever: each wait is one poll, and then its timeout.
                let poll = Poll::default().interval(every).timeout(Duration::ZERO);
                network.wait_for_order(&id, &poll).await.expect_err("it is at work");
            }
        }
    };
    tasks(&make, 2, followers).await;
    let (started, before) = (Instant::now(), cpu());
    tasks(&make, looks, followers).await;
    Cost::of(followers * looks, started, before)
}
