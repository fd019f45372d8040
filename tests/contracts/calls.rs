//! The calls that the contracts cover, and the invariants that hold for each of them.

use std::time::Duration;

use futures_util::StreamExt as _;
use lastmile::cocon::Cocon;
use lastmile::cocon::types::ContactPatch;
use lastmile::covage::types::OrderCreateRequestType;
use lastmile::covage::{Covage, NewOrder, Submission};
use lastmile::onapi::types::Access;
use lastmile::onapi::{self, Changes, Dialect, OnApi, Placed};
use lastmile::wire::Patch;
use lastmile::{Creation, Error, Outcome, Policy, Prepared, PreparedState, RetryBudget, RowError};
use lastmile_tests::{RawServer, Received, Then, Wire, brisk, customer, json};

/// A call that the contracts subject to faults. Its kind decides whether it may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// POST of a Cocon customer. Sent once.
    Create,
    /// POST of an ON-API order. Sent once.
    Activate,
    /// POST of a Covage draft, with a token. Sent once.
    Draft,
    /// PATCH that submits a Covage draft, with a token. Sent once. The draft is read first, and that read is counted
    /// separately.
    Submit,
    /// GET of a Cocon contact. Changes nothing.
    Read,
    /// GET of a Covage order, with a token. Changes nothing.
    Order,
    /// GET of all ON-API accesses, as a stream, up to the first row. Changes nothing.
    List,
    /// DELETE of a Cocon contact. Idempotent.
    Delete,
    /// PATCH of a Cocon contact. Idempotent.
    Change,
}

/// Returns the response body that every call but [`Call::Draft`] accepts, with this id.
pub fn done(id: &str) -> String {
    let (state, status) = ("RECEIVED", "submitted");
    serde_json::json!({ "id": id, "orderId": id, "accessId": id, "uuid": id, "state": state, "status": status })
        .to_string()
}

/// Returns the response body that [`Call::Draft`] accepts.
pub fn drafted() -> String {
    serde_json::json!({ "uuid": "1", "status": "draft" }).to_string()
}

impl Call {
    /// Whether the call must take effect at most once.
    pub fn creates(self) -> bool {
        matches!(self, Self::Create | Self::Activate | Self::Draft | Self::Submit)
    }

    pub fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Order | Self::List)
    }

    /// Returns the start of the request line.
    fn method(self) -> &'static str {
        match self {
            Self::Create | Self::Activate | Self::Draft => "POST",
            Self::Submit | Self::Change => "PATCH",
            Self::Read | Self::Order | Self::List => "GET",
            Self::Delete => "DELETE",
        }
    }

    /// Returns a client for this call and similar ones.
    pub fn client(self, base: &str, policy: Policy) -> Client {
        match self {
            Self::Create | Self::Read | Self::Delete | Self::Change => {
                let cocon = Cocon::builder(base).api_key("key").client_id("client").policy(policy);
                // Only the policy limits the attempts.
                let cocon = cocon.connection(|builder| builder.retry_budget(enough()));
                Client::Cocon(cocon.build().unwrap())
            }
            Self::Activate | Self::List => Client::OnApi(
                OnApi::builder(base)
                    .dialect(Dialect::Vendor26)
                    .login("sp", "x")
                    .policy(policy)
                    .build()
                    .unwrap(),
            ),
            Self::Draft | Self::Submit | Self::Order => {
                let covage = Covage::builder(base).login("orders@sp.example", "x");
                Client::Covage(covage.policy(policy).build().unwrap())
            }
        }
    }
}

fn enough() -> RetryBudget {
    RetryBudget::default().with_reserve(100).with_per_call(10.0)
}

/// A client of one server. Its connections are reused from call to call.
#[derive(Clone, Debug)]
pub enum Client {
    Cocon(Cocon),
    OnApi(OnApi),
    Covage(Covage),
}

/// The result that the caller sees: the id from the response, or the error.
pub type Told = Result<String, Box<Error>>;

impl Client {
    /// Returns the same client with another policy.
    pub fn with_policy(&self, policy: Policy) -> Self {
        match self {
            Self::Cocon(cocon) => Self::Cocon(cocon.with_policy(policy)),
            Self::OnApi(network) => Self::OnApi(network.with_policy(policy)),
            Self::Covage(covage) => Self::Covage(covage.with_policy(policy)),
        }
    }

    /// Makes a call. It ends in every case.
    pub async fn make(&self, call: Call) -> Told {
        let call = tokio::time::timeout(patient().deadline * 2, self.send(call));
        call.await.expect("long after its deadline").map(Option::unwrap_or_default).map_err(Box::new)
    }

    async fn send(&self, call: Call) -> Result<Option<String>, Error> {
        match (self, call) {
            (Self::Cocon(cocon), Call::Create) => {
                place(customer(), cocon, |customer| customer.id.into_string()).await
            }
            (Self::Cocon(cocon), Call::Read) => {
                cocon.contact(&"1".parse().unwrap()).await.map(|contact| contact.id.into_string())
            }
            (Self::Cocon(cocon), Call::Delete) => {
                cocon.delete_contact(&"1".parse().unwrap()).await.map(|_| None)
            }
            (Self::Cocon(cocon), Call::Change) => {
                let patch = ContactPatch { name: Patch::set("Kajsa Anka"), ..Default::default() };
                cocon
                    .update_contact(&"1".parse().unwrap(), &patch)
                    .await
                    .map(|reply| reply.value.id.into_string())
            }
            (Self::OnApi(network), Call::Activate) => place(activation(), network, order_id).await,
            (Self::OnApi(network), Call::List) => first_row(network).await,
            (Self::Covage(covage), Call::Draft) => {
                let order = NewOrder::activate("e", "p", OrderCreateRequestType::Create);
                place(order, covage, |draft| Some(draft.id().to_string())).await
            }
            (Self::Covage(covage), Call::Submit) => {
                place(submission(), covage, |order| order.uuid.into_string()).await
            }
            (Self::Covage(covage), Call::Order) => {
                covage.order(&"1".parse().unwrap()).await.map(|order| order.uuid.into_string())
            }
            (client, call) => panic!("{call:?} is none of {client:?}"),
        }
    }
}

/// Returns the activation of a service on access 1.
pub fn activation() -> onapi::NewOrder {
    onapi::NewOrder::activate("1".parse().unwrap(), "BB-100", "SP-1".parse().unwrap())
}

/// Returns the submission of draft 1.
pub fn submission() -> Submission {
    serde_json::from_value(serde_json::json!({ "uuid": "1" })).unwrap()
}

fn order_id(placed: Placed) -> Option<String> {
    placed.order_id().map(|id| id.to_string())
}

async fn first_row(network: &OnApi) -> Result<Option<String>, Error> {
    let mut rows = match network.accesses(None).await? {
        Changes::Rows(rows) => rows,
        other => panic!("{other:?}"),
    };
    match rows.next().await {
        Some(Ok(Access { access_id, .. })) => Ok(access_id.into_string()),
        Some(Err(RowError::Call(error))) => Err(error),
        other => panic!("{other:?}"),
    }
}

/// Places a creating call as a service does. A value that may have taken effect cannot be placed again.
async fn place<C: Creation>(
    request: C,
    supplier: &C::Supplier,
    id: impl FnOnce(C::Created) -> Option<String>,
) -> Result<Option<String>, Error> {
    let mut prepared = Prepared::new(request).unwrap();
    let result = prepared.place(supplier).await;
    let (state, again) = match &result {
        Ok(_) => (PreparedState::Placed, Some(Outcome::Invalid)),
        Err(error) if error.may_have_taken_effect() => {
            (PreparedState::Indeterminate, Some(Outcome::Indeterminate))
        }
        Err(_) => (PreparedState::Ready, None),
    };
    assert_eq!(prepared.state(), state);
    if let Some(outcome) = again {
        // This sends no request; the requests of the call are counted after it.
        let again = prepared.place(supplier).await.err().expect("it is placed once");
        assert_eq!((again.outcome(), again.attempts()), (outcome, 0));
    }
    result.map(id)
}

/// How a call ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Answered,
    NotSent,
    Rejected,
    Throttled,
    Indeterminate,
    Decode,
}

/// How a call ends, the status and the number of attempts that the error reports (both for errors only), and how many
/// complete requests the server read.
pub type Seen = (Ends, Option<u16>, u32, usize);

/// Checks the invariants of a call, and returns what both sides observed.
#[track_caller]
pub fn seen(call: Call, told: &Told, requests: &[Received]) -> Seen {
    keeps_the_promise(call, told, requests);
    let ends = match told {
        Ok(_) => Ends::Answered,
        Err(error) => match error.outcome() {
            Outcome::NotSent => Ends::NotSent,
            Outcome::Rejected => Ends::Rejected,
            Outcome::Throttled => Ends::Throttled,
            Outcome::Indeterminate => Ends::Indeterminate,
            Outcome::Decode => Ends::Decode,
            other => panic!("{other:?}: these calls can be sent"),
        },
    };
    let error = told.as_ref().err();
    let status = error.and_then(|error| error.status()).map(|status| status.as_u16());
    (ends, status, error.map_or(0, |error| error.attempts()), requests.len())
}

/// Checks the invariants that every caller relies on, whatever the server does. The module's documentation lists them.
#[track_caller]
fn keeps_the_promise(call: Call, told: &Told, requests: &[Received]) {
    // The server read these requests and reported that they had no effect: the token was rejected, or the request
    // redirected.
    let turned_away = |request: &&Received| match request.answered {
        Some(401 | 307 | 308) => true,
        Some(301..=303) => call.reads(),
        _ => false,
    };
    let mine = || requests.iter().filter(|request| request.method == call.method());
    let taken = mine().filter(|request| !turned_away(request)).count();
    if call.creates() {
        assert!(taken <= 1, "{call:?} was sent {taken} times: {requests:?}");
    }
    let error = match told {
        Ok(id) => {
            assert!(taken > 0, "{call:?} has an answer and no request: {requests:?}");
            return assert_ne!(id, "stranger", "{call:?} took what was not its answer");
        }
        Err(error) => error,
    };
    let (outcome, may, safe) = (error.outcome(), error.may_have_taken_effect(), error.is_safe_to_repeat());
    if matches!(outcome, Outcome::NotSent | Outcome::Invalid) {
        assert_eq!(taken, 0, "{outcome} means that nothing was sent: {requests:?}");
    }
    // A rejected request took no effect; any other request that was read may have.
    let refused =
        |request: &Received| matches!(request.answered, Some(301 | 307 | 308 | 400..=407 | 409..=499 | 501));
    if !call.reads() && mine().any(|request| !refused(request)) {
        assert!(may, "it may have taken effect, but the outcome is {outcome}: {requests:?}");
    }
    let (open, repeatable, advice) = match (outcome, call) {
        (Outcome::NotSent, _) => (false, true, "Nothing was sent; it is safe to call again"),
        (Outcome::Throttled, _) => (false, true, "Nothing was done; call again later, see retry_after()"),
        (Outcome::Rejected, call) => {
            let says_nothing = error.message().is_none() && error.details().is_empty();
            let advice = match (call.reads(), says_nothing, error.body().is_empty()) {
                (true, false, _) => "Read message() and details()",
                (true, true, false) => "message() and details() are empty: read body()",
                (true, true, true) => "The supplier gives no reason: body() is empty",
                (false, false, _) => "Nothing was done; read message() and details()",
                (false, true, false) => "Nothing was done; message() and details() are empty: read body()",
                (false, true, true) => "Nothing was done; the supplier gives no reason (body() is empty)",
            };
            (false, false, advice)
        }
        (Outcome::Indeterminate, call) if call.reads() => {
            (false, true, "Nothing is changed by reading; ask again")
        }
        (Outcome::Indeterminate, call) if call.creates() => {
            (true, false, "It may have taken effect; look at the supplier's data before calling again")
        }
        (Outcome::Indeterminate, _) => (true, true, "It may have taken effect; doing it again does no harm"),
        (Outcome::Decode, call) if call.reads() => (false, false, "Read body() for what arrived"),
        (Outcome::Decode, _) => (true, false, "It has most likely taken effect; read body()"),
        (outcome, _) => panic!("{outcome} of a call that can be sent"),
    };
    assert_eq!((may, safe), (open, repeatable), "{call:?}: {error}");
    assert!(error.to_string().contains(advice), "{error}");
}

/// Makes one call to a server that follows this script, and returns what both sides observed.
pub async fn told(call: Call, policy: Policy, script: Vec<Then>) -> (Told, Wire) {
    let server = server(call, script).await;
    let client = call.client(&server.base_url(), policy);
    let told = client.make(call).await;
    drop(client);
    (told, server.end().await)
}

/// Returns a client that expects TLS of a server without TLS.
pub fn secure(server: &RawServer, policy: Policy) -> Client {
    let cocon = Cocon::builder(format!("https://{}", server.address())).api_key("key").client_id("client");
    let cocon = cocon.connection(|builder| builder.connect_timeout(Duration::from_millis(300)));
    Client::Cocon(cocon.policy(policy).build().unwrap())
}

/// Starts a server that follows this script and issues tokens if the call needs one.
pub async fn server(call: Call, script: Vec<Then>) -> RawServer {
    match call {
        Call::Submit => RawServer::with_reads(script, [tokens()], json("200 OK", &drafted())).await,
        Call::Draft | Call::Order => RawServer::with_tokens(script, [tokens()]).await,
        _ => RawServer::start(script).await,
    }
}

/// Returns a token response for every login.
pub fn tokens() -> Then {
    Then::AnswerAndKeep(json("200 OK", r#"{"access":"token","refresh":"renewal"}"#))
}

/// A policy with time for a little more than two attempts of a repeatable call.
pub fn hurried() -> Policy {
    let (deadline, attempt) = (Duration::from_millis(900), Duration::from_millis(250));
    patient().with_deadline(deadline).with_attempt_timeout(attempt).with_max_attempts(2)
}

/// A policy that gives one attempt as much time as the call.
pub fn single() -> Policy {
    hurried().with_attempt_timeout(hurried().deadline).with_max_attempts(1)
}

/// A policy for connections that fail as they are established. Once in some ten thousand of them, hyper loses the
/// request that was just handed to it (<https://github.com/hyperium/hyper/issues/4122>), and the attempt times out.
pub fn racing() -> Policy {
    patient().with_deadline(Duration::from_secs(9)).with_attempt_timeout(Duration::from_secs(3))
}

/// A policy with enough time, without noticeable backoff, and with a small body limit.
pub fn patient() -> Policy {
    brisk().with_body_limit(1 << 16).with_stream_idle_timeout(Duration::from_millis(300))
}
