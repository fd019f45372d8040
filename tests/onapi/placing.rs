//! The responses of networks to an order, and what is stored of them.

use lastmile::onapi::{NewOrder, NewTicket, Placed, SubscriptionAt, TicketChange};
use lastmile::{Error, Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::{Answer, Fault, Sandbox};
use lastmile_tests::{copy, created, onapi, sandbox};
use serde_json::{Value, json};

fn activation() -> Prepared<NewOrder> {
    let order = NewOrder::activate("1".parse().unwrap(), "BB", "SP-1".parse().unwrap());
    Prepared::new(order).unwrap()
}

async fn place(
    sandbox: &Sandbox,
    mut order: Prepared<NewOrder>,
    answer: Answer,
) -> (Result<Placed, Error>, Prepared<NewOrder>) {
    sandbox.onapi().answer_next("createOrder", answer);
    let placed = order.place(&onapi(sandbox)).await;
    (placed, order)
}

#[tokio::test]
async fn an_order_is_read_from_the_location_header() {
    let sandbox = sandbox().await;
    let order = json!({ "orderId": "O-1", "state": "RECEIVED", "spReference": "SP-1" });
    let at = "/orders/O-1?x=1";
    for body in ["null", "\"\"", "{}", "   ", "OK", ""] {
        sandbox.onapi().answer_next("getOrder", Answer::json(200, &order));
        let answer = Answer::status(201).header("content-type", "application/json").header("location", at);
        let (placed, prepared) = place(&sandbox, activation(), answer.body(body)).await;
        let placed = placed.unwrap_or_else(|error| panic!("{body:?}: {error}"));
        assert_eq!(placed.order_id().unwrap().as_str(), "O-1", "{body:?}");
        assert_eq!(sandbox.onapi().last().unwrap().path, "/onapi/2.6/orders/O-1");
        assert_eq!(created(&prepared)["order"]["orderId"], "O-1");
    }
    for (held, read) in [
        (Answer::status(404), "there is none"),
        (Answer::json(200, &json!({})), "nothing"),
        (Answer::json(200, &json!({ "orderId": "O-1", "spReference": "SP-9" })), "another"),
    ] {
        sandbox.onapi().answer_next("getOrder", held);
        let (error, prepared) =
            place(&sandbox, activation(), Answer::status(201).header("location", at)).await;
        assert_eq!(error.unwrap_err().outcome(), Outcome::Decode, "{read}");
        assert_eq!(prepared.state(), PreparedState::Indeterminate, "{read}");
    }
}

#[tokio::test]
async fn the_order_id_is_read_from_its_path() {
    let sandbox = sandbox().await;
    let body = json!({ "path": "/onapi/2.6/orders/O-7/", "state": "RECEIVED" });
    let (placed, prepared) = place(&sandbox, activation(), Answer::json(201, &body)).await;
    assert_eq!(placed.unwrap().order_id().unwrap().as_str(), "O-7");
    assert_eq!(created(&prepared)["order"]["orderId"], "O-7");
    let body = json!({ "state": "RECEIVED" });
    let answer = Answer::json(201, &body).header("location", "https://co.example/orders/O-8");
    let (placed, _) = place(&sandbox, activation(), answer).await;
    assert_eq!(placed.unwrap().order_id().unwrap().as_str(), "O-8");
}

#[tokio::test]
async fn a_response_with_another_order_is_not_accepted() {
    let sandbox = sandbox().await;
    let mine = json!({
        "orderId": "O-1", "state": "RECEIVED", "operation": "ACTIVATE", "accessId": "1", "service": "BB",
        "spReference": "SP-1",
    });
    for (field, other) in
        [("accessId", "2"), ("service", "VOIP"), ("operation", "DEACTIVATE"), ("spReference", "SP-2")]
    {
        let mut answer = mine.clone();
        answer[field] = json!(other);
        let (error, prepared) = place(&sandbox, activation(), Answer::json(201, &answer)).await;
        assert_eq!(error.unwrap_err().outcome(), Outcome::Decode, "{field}");
        assert_eq!(prepared.state(), PreparedState::Indeterminate, "{field}");
        // A field that a network omits or spells differently does not make it another order.
        for same in [json!(null), json!(mine[field].as_str().unwrap().to_lowercase())] {
            if field == "operation" && same.is_string() {
                continue;
            }
            answer[field] = same;
            let (placed, _) = place(&sandbox, activation(), Answer::json(201, &answer)).await;
            assert!(matches!(placed, Ok(Placed::Order(_))), "{field}: {answer}");
        }
    }
    let line = SubscriptionAt { access: "1".parse().unwrap(), subscription: "s-1".parse().unwrap() };
    let deactivation = Prepared::new(NewOrder::deactivate(line, "SP-1".parse().unwrap())).unwrap();
    let answer =
        json!({ "orderId": "O-2", "operation": "DEACTIVATE", "subscriptionId": "s-1", "state": "RECEIVED" });
    let (placed, prepared) = place(&sandbox, deactivation, Answer::json(201, &answer)).await;
    assert!(matches!(placed, Ok(Placed::Order(_))), "neither access nor reference: {placed:?}");
    assert_eq!(prepared.state(), PreparedState::Placed);
}

#[tokio::test]
async fn the_created_object_is_stored() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let order = json!({ "orderId": "O-1", "state": "RECEIVED", "unlisted": { "x": [1.50] } });
    let (_, mut placed) = place(&sandbox, activation(), Answer::json(201, &order)).await;
    assert_eq!(created(&placed), json!({ "order": order }));
    let (_, existing) = place(&sandbox, activation(), Answer::json(200, &order)).await;
    assert_eq!(created(&existing), json!({ "existing": order }));
    let subscription = json!({ "subscriptionId": "s-1", "service": "BB", "spReference": "SP-1" });
    sandbox.onapi().answer_next("listOrders", Answer::json(200, &json!([])));
    let held = json!({ "accessId": "1", "subscriptions": [subscription] });
    sandbox.onapi().answer_next("getSubscriptions", Answer::json(200, &held));
    let mut found = copy(&activation());
    found.look_up(&network).await.unwrap().expect("it is there");
    assert_eq!(created(&found), json!({ "subscription": subscription }));

    let mut ticket = Prepared::new(NewTicket::new("CASE-1", "No link", "The socket is dark")).unwrap();
    let reference = ticket.place(&network).await.unwrap();
    assert_eq!(created(&ticket), json!(reference));
    let mut taken = Prepared::new(TicketChange::take(reference)).unwrap();
    taken.place(&network).await.unwrap();
    assert_eq!(created(&taken), Value::Null);
    assert_eq!(copy(&taken).created(), Some(&()));

    let sent = sandbox.onapi().received().len();
    assert!(matches!(placed.reconcile(&network).await.unwrap(), Reconciled::Placed(_)));
    assert!(matches!(copy(&ticket).reconcile(&network).await.unwrap(), Reconciled::Placed(_)));
    assert!(matches!(copy(&taken).reconcile(&network).await.unwrap(), Reconciled::Placed(())));
    assert_eq!(sandbox.onapi().received().len(), sent, "what is stored is not asked for");
}

/// A lost and repeated change of an order may be carried out once more, after a newer one.
#[tokio::test]
async fn a_reply_reports_an_unanswered_first_attempt_of_a_change() {
    let sandbox = sandbox().await;
    let network = onapi(&sandbox);
    let free = lastmile_sandbox::onapi::Availability::Free;
    let accesses = sandbox.onapi().accesses();
    let (access, service) = accesses
        .iter()
        .find_map(|access| Some((access.id.parse().unwrap(), access.service(free)?.service.clone())))
        .unwrap();
    let mut order = Prepared::new(NewOrder::activate(access, service, "SP-1".parse().unwrap())).unwrap();
    let id = order.place(&network).await.unwrap().order_id().unwrap();
    let order = lastmile::onapi::ReceivedOrder::try_from(network.order(&id).await.unwrap()).unwrap();
    let note = |text: &str| serde_json::from_value(json!({ "externalNote": text })).unwrap();
    let reply = order.change(&network, &note("Ring once")).await.unwrap();
    assert!(!reply.earlier_attempt_unanswered);
    sandbox.onapi().fail_next("changeOrder", Fault::ResetBefore);
    let reply = order.change(&network, &note("Ring twice")).await.unwrap();
    assert!(reply.earlier_attempt_unanswered);
    assert_eq!(reply.attempts, 2);

    let before = sandbox.onapi().received().len();
    let error = order.change(&network, &note("Knock")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Throttled);
    assert!(error.retry_after().is_some_and(|wait| wait > network.raw().policy().deadline), "{error}");
    assert_eq!(sandbox.onapi().received().len(), before, "nothing was sent");
    order.change(&network, &note("Ring twice")).await.unwrap();
    order.cancel(&network).await.unwrap();
}
