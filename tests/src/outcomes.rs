use lastmile::Outcome;
use lastmile_core::client::ApiClient;
use lastmile_core::{Error, Reply};
use lastmile_sandbox::{Answer, Supplier};
use serde::de::DeserializeOwned;

/// Checks the outcomes of a read that gets a gateway's response, none, or one of another server: the same for every
/// supplier.
pub async fn outcomes_of_a_read<C, T, F, Fut>(
    supplier: &Supplier,
    elsewhere: &Supplier,
    client: &C,
    id: &str,
    read: F,
) where
    C: ApiClient + Clone,
    T: DeserializeOwned,
    F: Fn(C) -> Fut,
    Fut: Future<Output = Result<Reply<T>, Error>>,
{
    let page = "<html>Bad gateway</html>";
    for _ in 0..client.transport().policy().max_attempts {
        let gateway =
            Answer::status(502).header("content-type", "text/html").header("x-edge", "here").body(page);
        supplier.answer_next(id, gateway);
    }
    let error = read(client.clone()).await.err().expect("a gateway's page is no answer");
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Indeterminate, 502));
    assert_eq!((error.headers()["x-edge"].as_bytes(), error.excerpt().as_str()), (&b"here"[..], page));
    assert!(error.is_safe_to_repeat() && !error.may_have_taken_effect());

    supplier.answer_next(id, Answer::status(404).header("x-request", "9"));
    let error = read(client.clone()).await.err().expect("nothing is there");
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Rejected, 404));
    assert_eq!(error.headers()["x-request"], "9");

    supplier.answer_next(id, Answer::status(204));
    let error = read(client.clone()).await.err().expect("a body is documented");
    assert_eq!((error.outcome(), error.status().unwrap().as_u16()), (Outcome::Decode, 204));

    let before = elsewhere.received().len();
    for status in [301, 307] {
        supplier.answer_next(id, Answer::status(status).header("location", elsewhere.base_url()));
        let error = read(client.clone()).await.err().expect("another origin is not asked");
        assert_eq!(error.outcome(), Outcome::Rejected);
        assert!(error.to_string().contains("another origin"), "{error}");
    }
    assert_eq!(elsewhere.received().len(), before);
}

/// Checks the outcomes of a creating call: it is sent once, whatever the response.
pub async fn outcomes_of_a_creation<C, T, F, Fut>(supplier: &Supplier, client: &C, id: &str, create: F)
where
    C: ApiClient + Clone,
    T: DeserializeOwned,
    F: Fn(C) -> Fut,
    Fut: Future<Output = Result<Reply<T>, Error>>,
{
    let answers = [
        (301, Outcome::Rejected),
        (302, Outcome::Indeterminate),
        (400, Outcome::Rejected),
        (404, Outcome::Rejected),
        (409, Outcome::Rejected),
        (429, Outcome::Throttled),
        (500, Outcome::Indeterminate),
        (501, Outcome::Rejected),
        (503, Outcome::Indeterminate),
        (204, Outcome::Decode),
    ];
    for (status, outcome) in answers {
        let before = supplier.count(id);
        supplier.answer_next(id, Answer::status(status).header("location", "/elsewhere"));
        let error = create(client.clone()).await.err().expect("no such status brings an order");
        assert_eq!((error.outcome(), error.attempts()), (outcome, 1), "{status}");
        assert_eq!(supplier.count(id), before + 1, "{status}: one request");
        let open = matches!(outcome, Outcome::Indeterminate | Outcome::Decode);
        assert_eq!(
            (error.may_have_taken_effect(), error.is_safe_to_repeat()),
            (open, outcome == Outcome::Throttled)
        );
    }
}
