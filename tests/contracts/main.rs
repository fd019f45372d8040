//! What becomes of a call when the connection or the server fails, and how many requests the server read.
//!
//! Read `table` first. Each fault there is a test of its name. It shows the steps of the server and then, for each call: how
//! it ends, the status that the caller is told, the attempts he is told of, and how many requests the server read whole.
//! What takes more than a row to tell is in the other modules.
//!
//! The servers are scripted sockets: `tests/src/raw_server.rs` says what each step does on the wire, and `harness` holds it
//! to that. `calls` holds every call of every test to what is promised always:
//!
//! - a call that creates something is read whole once at the most. What was answered "not with this token" (401) or "not
//!   here" (307, 308) does not count, since nothing came of it;
//! - of a call that ends as not sent, nothing was read, and of one that is answered, something was;
//! - of a changing call that was read and not refused, the caller is told that it may have taken effect, and a prepared
//!   one cannot be placed again;
//! - whether it may have taken effect, and whether it is safe to repeat, follows from how it ends and what it is:
//!
//! | ends as | a creation | a change that can be done twice | a read |
//! |---|---|---|---|
//! | `NotSent`, `Throttled` | no effect, repeat | no effect, repeat | no effect, repeat |
//! | `Rejected` | no effect | no effect | no effect |
//! | `Unknown` | perhaps, do not repeat | perhaps, repeat | no effect, repeat |
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
mod places;
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

/// Where the server takes longer than there is time.
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

/// Where it depends on the system which of two things happens first. The last step must leave no connection behind.
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

/// The call behind one that was answered, with the same client.
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
