//! Termination of a service: confirmed by its name, and sent once.

use lastmile::covage::types::{OperatorInfoUpdate, OrderUpdate, ServiceStatus};
use lastmile::covage::{ConfirmTermination, Covage, Draft, NewOrder, Submission, types};
use lastmile::{HasProgress, OrderStage, Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::covage::SeededService;
use lastmile_sandbox::{Answer, Sandbox};
use lastmile_tests::{covage, sandbox, store_and_place};

fn service(sandbox: &Sandbox, product: &str) -> SeededService {
    let services = sandbox.covage().services();
    services.iter().find(|one| one.product == product && one.active).unwrap().clone()
}

async fn draft(covage: &Covage, service: &str, order_ref: &str) -> Draft {
    let order = NewOrder::terminate(service).reference(order_ref);
    let mut draft = Prepared::new(order).unwrap().place(covage).await.unwrap();
    let info = OperatorInfoUpdate { order_name: Some("Ankeborg, the end".into()), ..Default::default() };
    draft.complete(covage, &OrderUpdate { operator_info: Some(info), ..Default::default() }).await.unwrap();
    draft
}

async fn is_active(covage: &Covage, uuid: &str) -> bool {
    covage.service(&uuid.parse().unwrap()).await.unwrap().status.get() == Some(&ServiceStatus::Active)
}

#[tokio::test]
async fn a_termination_requires_the_name_of_the_service() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (copper, fibre) = (service(&sandbox, "AM01"), service(&sandbox, "FP01"));
    let draft = draft(&covage, &copper.reference, "SP-1").await;
    assert_eq!(
        draft.order().service_uuid.as_deref(),
        Some(copper.uuid.as_str()),
        "filled in from the service"
    );
    assert_eq!(draft.order().progress().stage(), OrderStage::WaitingForUs);

    let not_ready = draft.submission().unwrap_err();
    assert_eq!(not_ready.outcome(), Outcome::Invalid);
    for other in [fibre.uuid.as_str(), &fibre.reference, "", "S"] {
        let draft =
            Draft::try_from(covage.order(&not_ready_uuid(&sandbox).parse().unwrap()).await.unwrap()).unwrap();
        let error = draft.termination(ConfirmTermination::new(other)).unwrap_err();
        assert!(error.to_string().contains("another service"), "{error}");
    }
    assert!(is_active(&covage, &copper.uuid).await);
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 0);

    let termination =
        not_ready.into_draft().termination(ConfirmTermination::new(copper.uuid.to_uppercase())).unwrap();
    let order = Prepared::new(termination).unwrap().place(&covage).await.unwrap();
    assert_eq!(order.progress().stage(), OrderStage::Received);
    assert!(!is_active(&covage, &copper.uuid).await, "cut at once");
    assert!(is_active(&covage, &fibre.uuid).await);
    assert_eq!(sandbox.covage().violations(), Vec::<String>::new());
}

/// Returns the only order.
fn not_ready_uuid(sandbox: &Sandbox) -> &'static str {
    let received = sandbox.covage().received();
    let path = received.iter().rev().find(|one| one.operation.as_deref() == Some("updateOrder")).unwrap();
    let uuid = path.path.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
    Box::leak(uuid.into_boxed_str())
}

#[tokio::test]
async fn a_termination_with_a_lost_response_is_not_repeated() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let fibre = service(&sandbox, "FP01");
    let draft = draft(&covage, &fibre.uuid, "SP-1").await;
    let mut termination =
        Prepared::new(draft.termination(ConfirmTermination::new(&fibre.reference)).unwrap()).unwrap();
    let stored = serde_json::to_string(&termination).unwrap();
    store_and_place(&mut termination, &covage).await.unwrap();

    let mut again: Prepared<Submission> = serde_json::from_str(&stored).unwrap();
    assert_eq!(again.place(&covage).await.unwrap_err().outcome(), Outcome::Invalid, "not looked up");
    sandbox.covage().answer_next("getOrder", Answer::status(503));
    store_and_place(&mut again, &covage).await.unwrap();
    assert_eq!(
        (again.state(), sandbox.covage().took_effect("updateOrder.submit")),
        (PreparedState::Placed, 1)
    );
    let Reconciled::Placed(order) = again.reconcile(&covage).await.unwrap() else {
        panic!("it is submitted")
    };
    assert_eq!(order.service_uuid.as_deref(), Some(fibre.uuid.as_str()));
}

#[tokio::test]
async fn a_service_that_cannot_be_terminated_is_refused() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let link = service(&sandbox, "EN01");
    let mut order = Prepared::new(NewOrder::terminate(&link.reference).reference("SP-1")).unwrap();
    let error = order.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), order.state()), (Outcome::Rejected, PreparedState::Ready));
    assert_eq!(error.details()[0].field.as_deref(), Some("service_ref"));

    let before = sandbox.covage().received().len();
    assert_eq!(Prepared::new(NewOrder::terminate("")).unwrap_err().outcome(), Outcome::Invalid);
    let both = NewOrder::terminate("S1").with(|body| body.eligibility_ref = Some("elig".into()));
    let error = Prepared::new(both).unwrap_err();
    assert!(error.to_string().contains("eligibility_ref:"), "{error}");
    let ended = serde_json::json!({
        "uuid": "1", "status": "draft", "type": "terminate", "service_ref": "S1",
        "product": { "line": { "family": { "code": "N" } } },
    });
    let ended = Draft::try_from(serde_json::from_value::<types::Order>(ended).unwrap()).unwrap();
    let gaps = ended.readiness();
    assert!(gaps.issues().iter().any(|gap| gap.path == "product.line.family.code"), "{gaps}");
    assert_eq!(sandbox.covage().received().len(), before, "nothing was sent");
}
