//! What the interface of the outbox shows of marked data.

use std::time::Duration;

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile::cocon::{Batch, Connection, RouteScenario};
use lastmile::covage::{Fibre, NewOrder};
use lastmile::outbox::{
    BatchAndReport, DraftAndSubmit, Enqueue as _, OpenError, Phase, PlaceAndFollow, Refusal, Retry,
    StepOutcome,
};

use crate::marks::{PERSONAL, Walked, personal};

pub fn walk(walked: &Walked) {
    let customer = CustomerCreate { name: personal(), ..Default::default() };
    walked.debug(&Prepared::new(customer).unwrap().entry().unwrap());
    let refusal: Refusal = serde_json::from_value(serde_json::json!({
        "reason": "cocon createCustomer: rejected",
        "status": 400,
        "message": PERSONAL,
        "details": [{ "field": PERSONAL, "code": PERSONAL, "message": PERSONAL }],
    }))
    .unwrap();
    walked.both(&refusal);
    walked.debug(&refusal.details[0]);
    walked.debug(&StepOutcome::Refused(refusal));
    walked.debug(&Retry::new("unreachable", Some(Duration::ZERO)));
    walked.debug(&Phase::Ready);
    walked.error(&OpenError::UnknownKind);
    walked.debug(&BatchAndReport::new(Batch::new([Connection::new(PERSONAL, RouteScenario::KeepRoute)])));
    let order = NewOrder::fibre(PERSONAL, PERSONAL, Fibre::Create).reference(PERSONAL);
    walked.debug(&DraftAndSubmit::new(order).floor(PERSONAL, PERSONAL).street_number(PERSONAL));
    let order =
        lastmile::onapi::NewOrder::activate("A-1".parse().unwrap(), "BB-100", PERSONAL.parse().unwrap());
    walked.debug(&PlaceAndFollow::new(order));
}
