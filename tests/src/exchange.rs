use lastmile_core::call::{Api, Handle};
use lastmile_core::progenitor_client::{Error, ResponseValue};
use lastmile_sandbox::{Answer, Part, Spec, Supplier};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The documented request of an operation, as its generated type.
pub fn request<T: DeserializeOwned>(spec: &Spec, operation: &str) -> T {
    let example =
        spec.example(operation, Part::Request).unwrap_or_else(|| panic!("{operation} has no example"));
    serde_json::from_value(example.clone()).unwrap_or_else(|error| panic!("{operation}: {error}"))
}

/// Sends one operation, lets the sandbox answer with the documented example, and holds what arrived under a snapshot.
/// What the client read must be what was answered, and what arrived must be what the document describes.
pub async fn exchange<C, T, F, Fut>(supplier: &Supplier, handle: &Handle<C>, operation: &str, send: F)
where
    C: Api,
    T: DeserializeOwned + Serialize,
    F: FnOnce(C) -> Fut,
    Fut: Future<Output = Result<ResponseValue<T>, Error<()>>>,
{
    let spec = supplier.spec();
    let success =
        spec.operation(operation).unwrap().statuses().find(|status| (200..300).contains(status)).unwrap();
    let answer = spec.example(operation, Part::Answer(success));
    let script = answer.map_or(Answer::status(success), |example| Answer::json(success, example));
    supplier.answer_next(operation, script);
    let reply = handle.call(send).await.unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert_eq!(reply.status, success);
    assert_eq!(
        serde_json::to_value(&reply.value).unwrap(),
        answer.cloned().unwrap_or(Value::Null),
        "{operation}"
    );

    let received = supplier.last().unwrap();
    assert_eq!(received.operation.as_deref(), Some(operation));
    assert_eq!(received.problems, Vec::<String>::new(), "{operation}");
    let sent = spec.example(operation, Part::Request);
    assert_eq!(received.json().as_ref(), sent, "{operation}: every field arrives, and no other");

    let mut headers = received.headers.clone();
    // The port and the version are not this test's.
    headers.retain(|(name, _)| name != "host" && name != "user-agent");
    headers.sort();
    let shown = json!({
        "request": format!("{} {}", received.method, received.path),
        "query": received.query,
        "headers": headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>(),
        "body": received.json(),
    });
    insta::assert_json_snapshot!(format!("{} {operation}", C::TABLE.api), shown);
}

/// The exchanges of many operations, one after the other: `exchanges!(supplier, handle, { "operationId": method(arguments); … })`.
#[macro_export]
macro_rules! exchanges {
    ($supplier:expr, $handle:expr, { $($operation:literal: $method:ident($($argument:expr),*);)* }) => {$(
        $crate::exchange($supplier, $handle, $operation, |client| async move {
            client.$method($($argument),*).await
        }).await;
    )*};
}
