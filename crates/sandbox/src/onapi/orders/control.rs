//! What a test or the control API does to orders.

use super::super::event_log::EventLog;
use super::super::network::Network;
use super::super::order::{Order, OrderState, order_id};
use super::Orders;
use crate::json::text;
use crate::object::{Completion, FinishError, ObjectKind, ObjectSnapshot};

const FAILED_ON_DEMAND: &str = "The order was made to fail.";

impl Orders {
    pub(in super::super) fn objects(&self) -> Vec<ObjectSnapshot> {
        let snapshot = |(number, order): (usize, &Order)| ObjectSnapshot {
            kind: ObjectKind::Order,
            id: order_id(number),
            reference: text(&order.sp_fields, "spReference").map(str::to_owned),
            description: format!("{} {} on {}", order.operation(), order.service, order.access_id),
            state: order.state.name().to_owned(),
            open: order.state.is_open(),
        };
        self.book.iter().map(snapshot).collect()
    }

    pub(in super::super) fn has_open_order(&self, access_id: &str, service: &str) -> bool {
        self.book.of_access(access_id).any(|(_, order)| order.state.is_open() && order.service == service)
    }

    /// Moves an open order through all its states.
    pub(in super::super) fn finish(
        &mut self,
        id: &str,
        completion: Completion,
        network: &mut Network,
        event_log: &mut EventLog,
    ) -> Result<(), FinishError> {
        let (number, order) = self.book.find(id).map_err(|_| FinishError::NotFound)?;
        if !order.state.is_open() {
            return Err(FinishError::NotOpen(order.state.name().to_owned()));
        }
        if completion == Completion::Failure {
            let order = order.clone();
            self.set_state(number, order, (OrderState::Failed, FAILED_ON_DEMAND), event_log);
            return Ok(());
        }
        while let Some(order) = self.book.get(number).filter(|order| order.state.is_open()) {
            self.advance_order(number, order.clone(), network, event_log);
        }
        Ok(())
    }
}
