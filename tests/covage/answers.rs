//! Responses, complete and with every value mutated, are read and written back unchanged.

use lastmile::covage::types::{Building, Order, OrderBound, OrderEndpoint, OrderInfoEvent};
use lastmile_tests::{samples, survives_mutation};

#[test]
fn a_mutation_affects_only_its_own_value() {
    let mut tried = 0;
    macro_rules! answers {
        ($($operation:literal => $type:ty;)*) => {$(
            for sample in samples("covage", $operation, "200") {
                survives_mutation::<$type>(&sample, $operation);
                tried += 1;
            }
        )*};
    }
    answers! {
        "createOrder" => Order;
        "updateOrder" => Order;
        "getBuilding" => Building;
        "updateOrderBound" => OrderBound;
        "updateOrderEndpoint" => OrderEndpoint;
        "createOrderInfoEvent" => OrderInfoEvent;
    }
    assert_eq!(tried, 10, "every answer of the reference");
}
