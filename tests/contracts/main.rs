//! The outcome of a call when the connection or the server fails, and how many requests the server reads.
//!
//! Read `table` first. Each fault in it is a test of the same name. It lists the steps of the server and then, for each call,
//! how the call ends, the status and the number of attempts that the error reports, and how many complete requests the server
//! read. The other modules hold the contracts that need more than one row.
//!
//! The servers are scripted sockets. `tests/src/raw_server.rs` defines what each step does on the wire, and `harness` tests
//! it. `calls` checks the invariants after every call of every test:
//!
//! - The server reads the request of a creating call completely at most once. Requests that it answered with 401 (token
//!   rejected), 307 or 308 (redirected) do not count, since they had no effect.
//! - If a call ends as not sent, the server read nothing; if it is answered, the server read something.
//! - If a changing call was read and not rejected, the error says that it may have taken effect, and a prepared value cannot
//!   be placed again.
//! - Whether a call may have taken effect, and whether it is safe to repeat, follows from how it ends and from its kind:
//!
//! | ends as | creating call | idempotent change | read |
//! |---|---|---|---|
//! | `NotSent`, `Throttled` | no effect, repeat | no effect, repeat | no effect, repeat |
//! | `Rejected` | no effect | no effect | no effect |
//! | `Indeterminate` | perhaps, do not repeat | perhaps, repeat | no effect, repeat |
//! | `Decode` | perhaps, do not repeat | perhaps, do not repeat | no effect |

/// `fault: how [steps of the server] { call => (ends, status, attempts, requests read whole), … }`
macro_rules! contracts {
    ($($(#[$doc:meta])* $fault:ident: $how:ident $script:tt { $($call:ident => $seen:pat),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $fault() {
            let calls = [$(tokio::spawn(async {
                for (seen, told) in $how(Call::$call, vec! $script).await {
                    let (call, expected) = (stringify!($call), stringify!($seen));
                    assert!(matches!(seen, $seen), "{call}: seen {seen:?}, expected {expected}; told {told:?}");
                }
            })),+];
            for call in calls {
                call.await.unwrap();
            }
        }
    )+};
}

mod broken;
mod calls;
mod clients;
mod connecting;
mod deadline;
mod endless;
mod harness;
mod heads;
mod options;
mod paused;
mod permits;
mod pool;
mod redirects;
mod table;
mod texts;
mod throttling;
mod tokens;

use calls::{Call, Seen, Told, hurried, patient, racing, seen, server, single, told};
use lastmile::Policy;
use lastmile_tests::Then;

async fn once(call: Call, script: Vec<Then>) -> [(Seen, Told); 1] {
    one(call, patient(), script).await
}

/// Makes the call with a policy whose deadline is shorter than the server's delay.
async fn in_a_hurry(call: Call, script: Vec<Then>) -> [(Seen, Told); 1] {
    one(call, hurried(), script).await
}

async fn in_one_attempt(call: Call, script: Vec<Then>) -> [(Seen, Told); 1] {
    one(call, single(), script).await
}

async fn one(call: Call, policy: Policy, script: Vec<Then>) -> [(Seen, Told); 1] {
    let (told, wire) = told(call, policy, script).await;
    [(seen(call, &told, &wire.requests), told)]
}

/// Makes the call fifty times, where the operating system decides which of two events comes first. The last step must
/// close its connection.
async fn fifty_times(call: Call, script: Vec<Then>) -> Vec<(Seen, Told)> {
    let server = server(call, script).await;
    let client = call.client(&server.base_url(), racing());
    let mut all = Vec::new();
    for _ in 0..50 {
        let told = client.make(call).await;
        all.push((seen(call, &told, &server.again().await.requests), told));
    }
    all
}

/// Makes the call after an answered one, with the same client.
async fn second(call: Call, script: Vec<Then>) -> [(Seen, Told); 1] {
    let server = server(call, script).await;
    let client = call.client(&server.base_url(), patient());
    assert_eq!(client.make(Call::Read).await.unwrap(), "1");
    let told = client.make(call).await;
    drop(client);
    [(seen(call, &told, &server.end().await.requests[1..]), told)]
}

async fn second_fifty_times(call: Call, script: Vec<Then>) -> Vec<(Seen, Told)> {
    let server = server(call, script).await;
    let client = call.client(&server.base_url(), racing());
    let mut all = Vec::new();
    for _ in 0..50 {
        assert_eq!(client.make(Call::Read).await.unwrap(), "1");
        let told = client.make(call).await;
        all.push((seen(call, &told, &server.again().await.requests[1..]), told));
    }
    all
}
