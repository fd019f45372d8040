//! How the client classifies a response: an error body, or a success that may not be the documented one.

use std::sync::{Arc, Mutex};

use lastmile::{Error, Outcome, Policy};
use lastmile_core::Reply;
use lastmile_core::auth::Credentials;
use lastmile_core::client::{ApiClient, Builder};
use lastmile_core::operation::ErrorShape;
use lastmile_core::wire::Segment;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use super::lossy;
use crate::shown;

const STATUSES: [u16; 28] = [
    200, 201, 202, 204, 206, 226, 300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 408, 409, 422, 429,
    499, 500, 501, 502, 503, 504, 599,
];

const KEY: &str = "key-4711";
const TOKEN: &str = "token-4711";
/// `sp:word-4711` in the encoding of Basic authentication.
const BASIC: &str = "c3A6d29yZC00NzEx";

/// A part of each of the secrets, encoded and decoded.
const SHARED: &str = "4711";

/// The body limit.
const LIMIT: usize = 1 << 12;

/// The clients of the three suppliers, and a server on loopback that answers each request with the current bytes.
struct Suppliers {
    runtime: Runtime,
    response: Arc<Mutex<Vec<u8>>>,
    cocon: lastmile_cocon::Client,
    covage: lastmile_covage::Client,
    onapi: lastmile_onapi::Client,
}

thread_local! {
    static SUPPLIERS: Suppliers = Suppliers::new();
}

impl Suppliers {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let response = Arc::new(Mutex::new(Vec::new()));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a loopback port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        runtime.spawn(serve(listener, response.clone()));
        Self {
            cocon: client(&base, Credentials::none().header("Api-Key", KEY).expect("a key")),
            covage: client(&base, Credentials::none().bearer(TOKEN).expect("a token")),
            onapi: client(&base, Credentials::none().basic("sp", "word-4711").expect("a login")),
            runtime,
            response,
        }
    }
}

fn client<C: ApiClient>(base: &str, credentials: Credentials) -> C {
    let policy = Policy::default().with_max_attempts(1).with_body_limit(LIMIT);
    Builder::new(base).credentials(credentials).policy(policy).build().expect("a client")
}

async fn serve(listener: TcpListener, response: Arc<Mutex<Vec<u8>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let response = response.clone();
        tokio::spawn(async move {
            while read_request(&mut stream).await {
                let bytes = response.lock().expect("nobody panics with it").clone();
                if stream.write_all(&bytes).await.is_err() {
                    break;
                }
            }
        });
    }
}

/// Reads up to the end of the body that the header announces. The client waits for its response, so no more bytes
/// follow.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut read = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(head) = read.windows(4).position(|window| window == b"\r\n\r\n") {
            let header = String::from_utf8_lossy(&read[..head]).to_ascii_lowercase();
            let length = header.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().expect("a length"));
            if read.len() >= head + 4 + length {
                return true;
            }
        }
        match stream.read(&mut chunk).await {
            Ok(n) if n > 0 => read.extend_from_slice(&chunk[..n]),
            _ => return false,
        }
    }
}

/// The first byte chooses supplier and operation, the second the status. A line follows with the value of the headers
/// that the client reads, and then the body.
pub fn errors(data: &[u8]) {
    let [call, status, rest @ ..] = data else { return };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let end = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    // Redirects may append it to the path five times, and a URL of 64 KiB cannot be sent.
    let header = rest[..end].iter().filter(|byte| (b' '..=b'~').contains(*byte)).take(4000);
    let header: String = header.map(|byte| char::from(*byte)).collect();
    let body = if matches!(status, 204 | 304) { &[] } else { rest.get(end + 1..).unwrap_or_default() };
    let head = format!(
        "HTTP/1.1 {status} said\r\ncontent-type: application/json\r\nretry-after: {header}\r\nlocation: {header}\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    SUPPLIERS.with(|suppliers| {
        *suppliers.response.lock().expect("nobody panics with it") = [head.as_bytes(), body].concat();
        let id: &Segment = &"1".parse().expect("a segment");
        macro_rules! check {
            ($supplier:ident, $secret:expr, $method:ident($($argument:expr),*)) => {{
                let case = Case { status, header: header.trim(), body, secret: $secret };
                let send = |client: $supplier::Client| async move { client.$method($($argument),*).await };
                case.check(&suppliers.runtime, &suppliers.$supplier, send);
            }};
        }
        use {lastmile_cocon as cocon, lastmile_covage as covage, lastmile_onapi as onapi};
        match call % 6 {
            0 => check!(cocon, KEY, get_contact(id)),
            1 => check!(cocon, KEY, create_contact(&Default::default())),
            2 => check!(covage, TOKEN, get_order(id)),
            3 => check!(covage, TOKEN, create_order(&Default::default())),
            4 => check!(onapi, BASIC, get_access(id)),
            _ => check!(onapi, BASIC, cancel_order(id)),
        }
    });
}

/// The response of the server.
struct Case<'a> {
    status: u16,
    header: &'a str,
    body: &'a [u8],
    /// The secret that was sent, in the form in which it was sent.
    secret: &'a str,
}

impl Case<'_> {
    /// Makes the call and compares its result with the response.
    fn check<C, T, F, Fut>(&self, runtime: &Runtime, client: &C, send: F)
    where
        C: ApiClient + Clone,
        T: DeserializeOwned + Serialize,
        F: FnOnce(C) -> Fut,
        Fut: Future<Output = Result<Reply<T>, Error>>,
    {
        match runtime.block_on(send(client.clone())) {
            Ok(reply) => self.check_reply(&reply),
            Err(error) => self.check_error(&error, &C::TABLE.errors),
        }
    }

    fn check_reply<T: DeserializeOwned + Serialize>(&self, reply: &Reply<T>) {
        assert_eq!((reply.status.as_u16(), reply.body.as_ref(), reply.attempts), (self.status, self.body, 1));
        assert!(reply.status.is_success() && self.body.len() <= LIMIT);
        // An operation without a documented body gets none, or one that nobody reads.
        let one = || match serde_json::from_slice::<Vec<&RawValue>>(self.body).ok()?.as_slice() {
            // A list of one is read as its element.
            [one] => serde_json::from_str::<T>(one.get()).ok(),
            _ => None,
        };
        let expected = serde_json::from_slice::<T>(self.body).ok().or_else(one);
        let expected = expected.and_then(|read| serde_json::to_value(read).ok());
        let value = serde_json::to_value(&reply.value).expect("what was read can be written");
        assert!(value.is_null() || Some(value) == expected, "{}", lossy(self.body));
    }

    fn check_error(&self, error: &Error, shape: &ErrorShape) {
        let is_redirected = matches!(self.status, 301..=303 | 307 | 308);
        assert_eq!(error.attempts(), 1);
        // A reset may lose what came before it; nothing here resets.
        assert_eq!(error.status().map(|status| status.as_u16()), Some(self.status), "{error}");
        assert_eq!(error.body().as_ref(), &self.body[..self.body.len().min(LIMIT)], "{error}");
        assert!(error.outcome() != Outcome::NotSent && error.outcome() != Outcome::Invalid, "{error}");
        assert_eq!(error.outcome() == Outcome::Decode, (200..300).contains(&self.status), "{error}");
        // Each response has a `Retry-After`, so a 403 is a quota.
        assert_eq!(error.outcome() == Outcome::Throttled, matches!(self.status, 403 | 429), "{error}");
        assert!(error.retry_after().is_some(), "{error}");
        assert!(
            !is_redirected || matches!(error.outcome(), Outcome::Rejected | Outcome::Indeterminate),
            "{error}"
        );

        let excerpt = error.excerpt();
        assert!(
            excerpt.chars().count() <= 500
                && String::from_utf8_lossy(error.body()).starts_with(excerpt.as_str())
        );
        if let Ok(seconds) = self.header.parse::<u64>() {
            assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(seconds));
        }
        let json = serde_json::from_slice::<Value>(error.body()).unwrap_or_default();
        let text =
            |pointer: &str| json.pointer(pointer).and_then(Value::as_str).filter(|_| !pointer.is_empty());
        if error.outcome() == Outcome::Decode {
            assert_eq!((error.message(), error.supplier_id(), error.details()), (None, None, [].as_slice()));
        } else {
            // The error returns what the table's paths select, unless it may repeat the secret in some
            // encoding.
            let may_repeat = |text: &str| {
                let text = text.to_lowercase();
                [SHARED, &BASIC.to_lowercase()].iter().any(|secret| text.contains(*secret))
                    || text.contains(['%', '\\', '&', '+'])
            };
            let check_text = |pointer: &str, told: Option<&str>| {
                let Some(text) = text(pointer).filter(|text| !text.trim().is_empty()) else { return };
                assert!(told == Some(text) || (told.is_none() && may_repeat(text)), "{told:?}: {text}");
            };
            check_text(shape.message, error.message());
            check_text(shape.id, error.supplier_id());
            let listed =
                json.pointer(shape.fields).and_then(Value::as_array).filter(|_| !shape.fields.is_empty());
            // Other forms than the table's are read only if the table lists none.
            assert!(error.details().len() <= 10_000);
            if let Some(listed) = listed.filter(|listed| !listed.is_empty()) {
                assert_eq!(error.details().len(), listed.len());
            }
            let parts =
                error.details().iter().flat_map(|detail| [&detail.field, &detail.code, &detail.message]);
            let texts = parts.flatten().map(String::as_str).chain(error.message());
            for text in texts {
                assert!(!text.to_lowercase().contains(&self.secret.to_lowercase()), "{error:?}");
            }
            let says_nothing = error.message().is_none() && error.details().is_empty();
            assert!(
                error.outcome() != Outcome::Rejected || !says_nothing || error.to_string().contains("body()")
            );
            let words = error.display_with_supplier_message().to_string();
            assert!(!words.to_lowercase().contains(&self.secret.to_lowercase()), "{words}");
            assert!(!words.contains(|c: char| c.is_control()) && words.starts_with(&error.to_string()));
        }
        // The error's text is printable, short, and contains none of the secrets.
        let shown = shown(error);
        assert!(!shown.contains(self.secret), "{shown}");
        let display = error.to_string();
        assert!(display.len() < 10_000 && display.bytes().all(|b| (b' '..=b'~').contains(&b)), "{display:?}");
    }
}
