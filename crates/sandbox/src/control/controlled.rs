//! What the control API and the clock need of each supplier.

use std::time::{SystemTime, UNIX_EPOCH};

use super::example::{Credential, ExampleStep};
use crate::clock::Clock;
use crate::object::{Completion, FinishError, ObjectSnapshot};
use crate::{Cocon, Covage, OnApi, Supplier, SupplierName};

/// A supplier, as the control API and the clock use it.
pub(crate) trait Controlled: Send + Sync {
    fn name(&self) -> SupplierName;
    fn supplier(&self) -> &Supplier;
    fn credentials(&self) -> Vec<Credential>;
    /// Returns requests that place an order, in order.
    fn example(&self) -> Vec<ExampleStep>;
    fn objects(&self) -> Vec<ObjectSnapshot>;
    fn finish(&self, id: &str, completion: Completion) -> Result<(), FinishError>;
    fn reset(&self);
    fn now(&self) -> SystemTime;
    /// Advances the clock to a number of seconds since 1970, unless they have passed.
    fn advance_to(&self, moment: u64);
    /// Advances every open order that is due by one state.
    fn step(&self);

    /// Returns the number of seconds since 1970.
    fn seconds(&self) -> u64 {
        self.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    /// Returns the simulated time as RFC 3339.
    fn time(&self) -> String {
        Clock::at(self.seconds()).to_string()
    }
}

/// The methods that every supplier has as inherent methods of the same name.
macro_rules! delegate {
    () => {
        fn supplier(&self) -> &Supplier {
            self
        }

        fn objects(&self) -> Vec<ObjectSnapshot> {
            self.objects()
        }

        fn finish(&self, id: &str, completion: Completion) -> Result<(), FinishError> {
            self.finish(id, completion)
        }

        fn reset(&self) {
            self.reset();
        }

        fn now(&self) -> SystemTime {
            self.now()
        }

        fn advance_to(&self, moment: u64) {
            self.advance_to(moment);
            self.changed();
        }
    };
}

impl Controlled for Cocon {
    fn name(&self) -> SupplierName {
        SupplierName::Cocon
    }

    fn credentials(&self) -> Vec<Credential> {
        vec![Credential::new("Api-Key", self.api_key()), Credential::new("Client-Id", self.client_id())]
    }

    fn example(&self) -> Vec<ExampleStep> {
        super::example::cocon(self)
    }

    delegate!();

    fn step(&self) {
        self.advance();
    }
}

impl Controlled for Covage {
    fn name(&self) -> SupplierName {
        SupplierName::Covage
    }

    fn credentials(&self) -> Vec<Credential> {
        vec![Credential::new("E-mail", self.email()), Credential::new("Password", self.password())]
    }

    fn example(&self) -> Vec<ExampleStep> {
        super::example::covage(self)
    }

    delegate!();

    fn step(&self) {
        self.step();
    }
}

impl Controlled for OnApi {
    fn name(&self) -> SupplierName {
        SupplierName::OnApi
    }

    fn credentials(&self) -> Vec<Credential> {
        vec![Credential::new("User", self.user()), Credential::new("Password", self.password())]
    }

    fn example(&self) -> Vec<ExampleStep> {
        super::example::onapi(self)
    }

    delegate!();

    fn step(&self) {
        self.step();
    }
}
