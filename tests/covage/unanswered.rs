//! Unanswered changes of a draft, and drafts that differ from what the caller last saw.

use std::time::Duration;

use lastmile::covage::types::OrderUpdate;
use lastmile::covage::{Covage, Draft, Fibre, OrderId, Submission, replacement};
use lastmile::rules::Otp;
use lastmile::{Outcome, Prepared, PreparedState, Reconciled};
use lastmile_sandbox::{Answer, Fault, Sandbox};
use lastmile_tests::{brisk, copy, covage, sandbox, settled, store_and_place};
use serde_json::json;

use crate::journeys::{data, fibre};

/// Returns a draft that is complete but for its socket, and two sockets of its building.
async fn completed(sandbox: &Sandbox, covage: &Covage) -> (Draft, [Otp; 2]) {
    let (mut draft, socket) = fibre(sandbox, covage, "SP-1").await;
    draft.complete(covage, &data(sandbox, "SP-1")).await.unwrap();
    let buildings = sandbox.covage().premises().iter().flat_map(|one| &one.buildings);
    let mut sockets = buildings
        .map(|building| &building.sockets)
        .find(|sockets| sockets.iter().any(|one| one.reference == socket.reference))
        .unwrap()
        .iter();
    let mut next = || sockets.next().unwrap().reference.parse().unwrap();
    (draft, [next(), next()])
}

/// Returns the socket of an order, as the supplier holds it.
async fn socket(covage: &Covage, id: &OrderId) -> Option<String> {
    let order = serde_json::to_value(covage.order(id).await.unwrap()).unwrap();
    order["bounds"][0]["endpoints"][0]["reference"].as_str().map(str::to_owned)
}

#[tokio::test]
async fn a_change_waits_for_a_contradicting_unanswered_change() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, second]) = completed(&sandbox, &covage).await;
    assert!(!draft.has_unanswered_change());
    sandbox.covage().fail_next("updateOrderEndpoint", Fault::ResetBefore);
    draft.set_otp(&covage, &first).await.unwrap();
    assert!(draft.has_unanswered_change(), "the first attempt may be carried out still");
    let stored: Draft = serde_json::from_str(&serde_json::to_string(&draft).unwrap()).unwrap();
    assert!(stored.has_unanswered_change());

    let before = sandbox.covage().received().len();
    let error = draft.set_otp(&covage, &second).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Throttled);
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(60)), "{error}");
    assert_eq!(sandbox.covage().received().len(), before, "nothing was sent");
    // The same change again contradicts nothing.
    draft.set_otp(&covage, &first).await.unwrap();
    assert_eq!(socket(&covage, draft.id()).await.as_deref(), Some(first.as_str()));
}

#[tokio::test]
async fn a_change_is_sent_after_the_older_one_has_settled() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, second]) = completed(&sandbox, &covage).await;
    let settle = Duration::from_millis(300);
    let covage = covage.with_policy(settled().with_settle_time(settle));
    // It is carried out when nobody waits for it any more, after the attempt that was answered.
    sandbox.covage().fail_next("updateOrderEndpoint", Fault::CarriedOutLate(settle / 3));
    draft.set_otp(&covage, &first).await.unwrap();
    draft.set_otp(&covage, &second).await.unwrap();
    sandbox.covage().settled().await;
    assert_eq!(socket(&covage, draft.id()).await.as_deref(), Some(second.as_str()), "nothing undid it");
}

/// An unanswered change, of an earlier process for example, is carried out after the caller saw the draft.
#[tokio::test]
async fn a_draft_changed_since_it_was_read_is_not_submitted() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, second]) = completed(&sandbox, &covage).await;
    draft.set_otp(&covage, &first).await.unwrap();
    let mut stale = Draft::try_from(covage.order(draft.id()).await.unwrap()).unwrap();
    let uuid = draft.id().clone();
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();
    let mut stored = copy(&Prepared::new(current_submission(&covage, &uuid).await).unwrap());
    stale.set_otp(&covage, &second).await.unwrap();

    let before = sandbox.covage().count("updateOrder");
    let error = submission.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), submission.state()), (Outcome::Invalid, PreparedState::Ready));
    assert!(error.to_string().contains("bounds: the draft has changed since it was last seen"), "{error}");
    assert!(!error.to_string().contains(second.as_str()), "{error}");
    let error = store_and_place(&mut stored, &covage).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Invalid, "what was seen is stored, too");
    assert_eq!(sandbox.covage().count("updateOrder"), before, "nothing was submitted");

    // With the draft as it is now, the submission succeeds.
    let seen = current_submission(&covage, &uuid).await;
    Prepared::new(seen).unwrap().place(&covage).await.unwrap();
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 1);
}

/// Returns a submission of the draft as it is now.
async fn current_submission(covage: &Covage, id: &OrderId) -> Submission {
    Draft::try_from(covage.order(id).await.unwrap()).unwrap().submission().unwrap()
}

/// The change takes effect between the last read and the submission.
#[tokio::test]
async fn an_order_submitted_with_other_values_is_reported() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, second]) = completed(&sandbox, &covage).await;
    draft.set_otp(&covage, &first).await.unwrap();
    let mut answer = serde_json::to_value(draft.order()).unwrap();
    answer["status"] = json!("submitted");
    answer["bounds"][0]["endpoints"][0]["reference"] = json!(second.as_str());
    let uuid = draft.id().clone();
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();
    sandbox.covage().answer_next("updateOrder", Answer::json(200, &answer));
    let error = submission.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), submission.state()), (Outcome::Decode, PreparedState::Indeterminate));
    assert!(
        error.to_string().contains("bounds: the order is submitted, but not as the draft was last seen"),
        "{error}"
    );
    assert!(!error.to_string().contains(second.as_str()), "{error}");

    sandbox.covage().answer_next("getOrder", Answer::json(200, &answer));
    let found = submission.reconcile(&covage).await.unwrap();
    let Reconciled::Undecidable(person) = found else { panic!("{uuid} is submitted otherwise: {found:?}") };
    assert!(person.reason.contains("not as the draft was last seen"), "{person}");
    submission.declare_placed(None);
    assert_eq!(submission.state(), PreparedState::Placed);
}

/// A socket whose change went unanswered may still be set after the draft was compared.
#[tokio::test]
async fn a_submission_waits_for_an_unanswered_change_of_its_draft() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, second]) = completed(&sandbox, &covage).await;
    draft.set_otp(&covage, &first).await.unwrap();
    let impatient = brisk().with_max_attempts(1);
    sandbox.covage().fail_next("updateOrderEndpoint", Fault::ResetBefore);
    draft.set_otp(&covage.with_policy(impatient), &second).await.unwrap_err();
    let draft = Draft::try_from(covage.order(draft.id()).await.unwrap()).unwrap();
    let mut submission = Prepared::new(draft.submission().unwrap()).unwrap();
    let error = submission.place(&covage).await.unwrap_err();
    assert_eq!((error.outcome(), submission.state()), (Outcome::Throttled, PreparedState::Ready));
    assert!(error.retry_after().is_some_and(|wait| wait > Duration::from_secs(200)), "{error}");
    assert_eq!(sandbox.covage().count("updateOrder.submit"), 0);
}

/// The stored form of version 0.1.0 of the library does not contain the draft that the caller saw.
#[tokio::test]
async fn a_submission_without_a_snapshot_of_the_draft_is_placed() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, _]) = completed(&sandbox, &covage).await;
    draft.set_otp(&covage, &first).await.unwrap();
    let request = json!({ "uuid": draft.id() });
    let stored =
        json!({ "version": 1, "kind": "covage.submission", "progress": "ready", "request": request });
    let mut old: Prepared<Submission> = serde_json::from_value(stored).unwrap();
    store_and_place(&mut old, &covage).await.unwrap();
    assert_eq!(sandbox.covage().took_effect("updateOrder.submit"), 1);
}

/// A call that is sent once is not repeated, but it may still be carried out.
#[tokio::test]
async fn a_completion_with_a_lost_response_delays_later_changes() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, _) = completed(&sandbox, &covage).await;
    let comment = |text: &str| OrderUpdate { comment: Some(text.into()), ..Default::default() };
    sandbox.covage().fail_next("updateOrder", Fault::ResetBefore);
    let error = draft.complete(&covage, &comment("Ring once")).await.unwrap_err();
    assert_eq!((error.outcome(), draft.has_unanswered_change()), (Outcome::Indeterminate, true));
    let error = draft.complete(&covage, &comment("Ring twice")).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Throttled);
    // Changes of other fields are not affected.
    draft.set_fibre(&covage, Fibre::ActivateDefined).await.unwrap();
    draft.complete(&covage, &comment("Ring once")).await.unwrap();
}

#[tokio::test]
async fn a_reply_reports_an_unanswered_earlier_attempt_of_a_replacement() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let uuid = sandbox.covage().contact_uuid().to_owned();
    let mut contact = replacement(&covage.contact(&uuid.parse().unwrap()).await.unwrap());
    contact.cell_phone_number = Some("0612345678".into());
    sandbox.covage().fail_next("replaceContact", Fault::ResetAfter);
    let reply = covage.replace_contact(&uuid.parse().unwrap(), &contact).await.unwrap();
    assert!(reply.earlier_attempt_unanswered);
    assert!(
        !covage.replace_contact(&uuid.parse().unwrap(), &contact).await.unwrap().earlier_attempt_unanswered
    );
    contact.cell_phone_number = Some("0687654321".into());
    let error = covage.replace_contact(&uuid.parse().unwrap(), &contact).await.unwrap_err();
    assert_eq!(error.outcome(), Outcome::Throttled);
}

/// Some servers report a failure with status 200.
#[tokio::test]
async fn a_response_with_another_order_does_not_replace_the_draft() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, _]) = completed(&sandbox, &covage).await;
    let before = serde_json::to_value(draft.order()).unwrap();
    let mut other = before.clone();
    other["uuid"] = json!("11111111-2222-4333-8444-555555555555");
    let data = OrderUpdate { comment: Some("Ring twice".into()), ..Default::default() };
    for answer in [json!({}), json!({ "cause": "maintenance" }), other.clone()] {
        sandbox.covage().answer_next("updateOrder", Answer::json(200, &answer));
        let error = draft.complete(&covage, &data).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Decode, "{answer}");
        assert!(error.to_string().contains("the response is another order"), "{error}");
        assert_eq!(serde_json::to_value(draft.order()).unwrap(), before, "the draft is as it was read");
    }
    sandbox.covage().answer_next("getOrder", Answer::json(200, &other));
    assert_eq!(draft.set_otp(&covage, &first).await.unwrap_err().outcome(), Outcome::Decode);
    assert_eq!(serde_json::to_value(draft.order()).unwrap(), before);
    draft.complete(&covage, &data).await.unwrap();
}

#[tokio::test]
async fn a_draft_with_another_socket_than_the_one_set_is_reported() {
    let sandbox = sandbox().await;
    let covage = covage(&sandbox);
    let (mut draft, [first, second]) = completed(&sandbox, &covage).await;
    draft.set_otp(&covage, &first).await.unwrap();
    let with = |reference: &str| {
        let mut order = serde_json::to_value(draft.order()).unwrap();
        order["bounds"][0]["endpoints"][0]["reference"] = json!(reference);
        order
    };
    let cut = &first.as_str()[..first.as_str().len() - 1];
    let orders = [with(second.as_str()), with(cut), with("")];
    let spelled = with(&format!(" {}", first.as_str().to_lowercase()));
    for order in orders {
        sandbox.covage().answer_next("getOrder", Answer::json(200, &order));
        let error = draft.set_otp(&covage, &first).await.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Indeterminate);
        assert!(error.to_string().contains("the draft has another socket"), "{error}");
        assert!(!error.to_string().contains(second.as_str()), "{error}");
    }
    sandbox.covage().answer_next("getOrder", Answer::json(200, &spelled));
    draft.set_otp(&covage, &first).await.unwrap();
}
