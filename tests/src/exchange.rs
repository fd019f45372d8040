use lastmile_core::client::ApiClient;
use lastmile_core::{Error, Reply};
use lastmile_sandbox::{Answer, ExamplePart, Spec, Supplier};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Returns the documented request of an operation, as its generated type.
pub fn request<T: DeserializeOwned>(spec: &Spec, operation: &str) -> T {
    let example =
        spec.example(operation, ExamplePart::Request).unwrap_or_else(|| panic!("{operation} has no example"));
    serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Returns the documented response of an operation, or an empty one where the document shows none; `None` where there is
/// no body.
fn answer(spec: &Spec, operation: &str, status: u16) -> Option<Value> {
    let empty = [json!([]), json!({})];
    spec.example(operation, ExamplePart::Response(status)).cloned().or_else(|| {
        let fits = |json: &Value| {
            spec.check_response(operation, status, Some("application/json"), json.to_string().as_bytes())
                .is_empty()
        };
        empty.into_iter().find(fits)
    })
}

/// Sends one operation, lets the sandbox respond with the documented example, and compares the received request with its
/// snapshot in `API/snapshots/requests`. The client must read what the sandbox sent, and the request must match the document.
pub async fn exchange<C, T, F, Fut>(supplier: &Supplier, client: &C, operation: &str, send: F)
where
    C: ApiClient + Clone,
    T: DeserializeOwned + Serialize,
    F: FnOnce(C) -> Fut,
    Fut: Future<Output = Result<Reply<T>, Error>>,
{
    let spec = supplier.spec();
    let success =
        spec.operation(operation).unwrap().statuses().find(|status| (200..300).contains(status)).unwrap();
    let answer = answer(spec, operation, success);
    let script = answer.as_ref().map_or(Answer::status(success), |json| Answer::json(success, json));
    supplier.answer_next(operation, script);
    let reply = send(client.clone()).await.unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert_eq!(reply.status, success);
    assert_eq!(serde_json::to_value(&reply.value).unwrap(), answer.unwrap_or(Value::Null), "{operation}");

    let received = supplier.last().unwrap();
    assert_eq!(received.operation.as_deref(), Some(operation));
    assert_eq!(received.problems, Vec::<String>::new(), "{operation}");
    if let Some(documented) = spec.example(operation, ExamplePart::Request) {
        assert_eq!(
            received.json().as_ref(),
            Some(documented),
            "{operation}: every field arrives, and no other"
        );
    }

    let mut headers = received.headers.clone();
    // The port and the version are not part of this test.
    headers.retain(|(name, _)| name != "host" && name != "user-agent");
    headers.sort();
    let shown = json!({
        "request": format!("{} {}", received.method, received.path),
        "query": received.query,
        "headers": headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
        "body": received.json(),
    });
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(format!("{}/{}/snapshots/requests", env!("CARGO_MANIFEST_DIR"), C::TABLE.api));
    settings.set_prepend_module_to_snapshot(false);
    settings.bind(|| insta::assert_json_snapshot!(operation, shown));
}

/// Performs the exchanges of many operations in turn: `exchanges!(supplier, client, { "operationId": method(arguments);
/// … })`.
#[macro_export]
macro_rules! exchanges {
    ($supplier:expr, $client:expr, { $($operation:literal: $method:ident($($argument:expr),*);)* }) => {$(
        $crate::exchange($supplier, $client, $operation, |client| async move {
            client.$method($($argument),*).await
        }).await;
    )*};
}
