//! Where the suppliers listen, how time passes, and what they lack.

use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::changes::Changes;
use crate::clock_mode::RunningClock;
use crate::control::{ControlApi, ControlOptions, Controlled};
use crate::start_error::StartError;
use crate::supplier::SupplierOptions;
use crate::{ClockMode, Cocon, Covage, OnApi, Sandbox, SandboxBuilder, SupplierName};

/// What listens on a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Listener {
    Supplier(SupplierName),
    Control,
}

impl Listener {
    fn name(self) -> String {
        match self {
            Listener::Supplier(name) => name.to_string(),
            Listener::Control => "The control API".to_owned(),
        }
    }

    /// Returns the distance of its port from the first port.
    fn offset(self) -> u16 {
        match self {
            Listener::Supplier(SupplierName::Cocon) => 0,
            Listener::Supplier(SupplierName::Covage) => 1,
            Listener::Supplier(SupplierName::OnApi) => 2,
            Listener::Control => 3,
        }
    }
}

impl SandboxBuilder {
    /// Sets the IP address to listen on. Defaults to 127.0.0.1.
    ///
    /// On any other address, everyone who reaches it can call the suppliers and the control API, which has no
    /// credentials.
    #[must_use]
    pub fn bind(mut self, address: IpAddr) -> Self {
        self.bind = address;
        self
    }

    /// Sets the port of one supplier. It takes precedence over [`port`](Self::port).
    #[must_use]
    pub fn port_of(mut self, supplier: SupplierName, port: u16) -> Self {
        self.ports.insert(Listener::Supplier(supplier), port);
        self
    }

    /// Sets whether the sandbox serves its control API and its page; see [`ControlApi`]. Defaults to false.
    ///
    /// With a chosen [`port`](Self::port), they listen on the third port after it.
    #[must_use]
    pub fn control(mut self, enabled: bool) -> Self {
        self.control = enabled;
        self
    }

    /// Sets the port of the control API. It takes precedence over [`port`](Self::port).
    #[must_use]
    pub fn control_port(mut self, port: u16) -> Self {
        self.ports.insert(Listener::Control, port);
        self
    }

    /// Adds a host name under which the control API can be called. By default these are `localhost` and every IP
    /// address; a page of another site cannot use any of them.
    #[must_use]
    pub fn control_host(mut self, name: impl Into<String>) -> Self {
        self.control_hosts.push(name.into());
        self
    }

    /// Sets how simulated time passes. Defaults to [`ClockMode::Manual`].
    ///
    /// # Panics
    ///
    /// Panics if the speed is not a positive number.
    #[must_use]
    #[track_caller]
    pub fn clock(mut self, mode: ClockMode) -> Self {
        if let ClockMode::Wall { speed } = mode {
            assert!(speed.is_finite() && speed > 0.0, "the speed {speed} is not a positive number");
        }
        self.clock = mode;
        self
    }

    /// Removes an operation from a supplier, as if it had not been built: requests for it match no operation.
    ///
    /// Cocon and Covage respond with 404, ON-API with 501. Call this repeatedly to remove several operations.
    ///
    /// # Panics
    ///
    /// Panics if the supplier's document has no such operation.
    #[must_use]
    #[track_caller]
    pub fn without_operation(mut self, supplier: SupplierName, operation_id: &str) -> Self {
        assert!(
            supplier.spec().operation(operation_id).is_some(),
            "the document of {supplier} has no operation {operation_id}"
        );
        self.absent_operations.insert((supplier, operation_id.to_owned()));
        self
    }

    /// Sets how many requests each supplier keeps for [`received`](crate::Supplier::received) and the control API: the
    /// latest ones. Defaults to 10,000, and is at least 1. Counts and effects include all requests.
    #[must_use]
    pub fn keep_requests(mut self, requests: usize) -> Self {
        self.kept_requests = requests;
        self
    }

    /// Sets how long Covage's access tokens are valid, by the clock of the machine. By default they do not expire.
    #[must_use]
    pub fn covage_token_life(mut self, life: Duration) -> Self {
        self.covage.token_life = Some(life);
        self
    }

    /// Sets how many accesses ON-API has at the start. Defaults to 30. Their initial states repeat in a fixed sequence.
    #[must_use]
    pub fn onapi_accesses(mut self, accesses: usize) -> Self {
        self.onapi.accesses = accesses;
        self
    }

    /// Starts the suppliers, as tasks of the current tokio runtime (of any flavor).
    ///
    /// # Errors
    ///
    /// Returns an error if a supplier or the control API cannot listen on its port.
    ///
    /// # Panics
    ///
    /// Panics if called outside a tokio runtime.
    pub async fn start(self) -> Result<Sandbox, StartError> {
        let changes = Changes::new();
        let options = |name| {
            let address = self.address(Listener::Supplier(name))?;
            let absent = self.absent_operations.iter().filter(|(supplier, _)| *supplier == name);
            let absent_operations: BTreeSet<_> = absent.map(|(_, operation)| operation.clone()).collect();
            let (changes, kept_requests) = (changes.clone(), self.kept_requests);
            Ok(SupplierOptions { address, changes, absent_operations, kept_requests })
        };
        let failed = |name, address| {
            move |error| StartError::listening(Listener::Supplier(name).name(), address, error)
        };
        let supplier = options(SupplierName::Cocon)?;
        let cocon = Cocon::start(&supplier, self.seed, self.cocon).await;
        let cocon = cocon.map_err(failed(SupplierName::Cocon, supplier.address))?;
        let supplier = options(SupplierName::Covage)?;
        let covage = Covage::start(&supplier, self.seed, self.covage).await;
        let covage = covage.map_err(failed(SupplierName::Covage, supplier.address))?;
        let supplier = options(SupplierName::OnApi)?;
        let onapi = OnApi::start(&supplier, self.seed, &self.onapi).await;
        let onapi = onapi.map_err(failed(SupplierName::OnApi, supplier.address))?;
        let mut sandbox = Sandbox { cocon, covage, onapi, control: None, _clock: None };
        if self.control {
            let address = self.address(Listener::Control)?;
            let options = ControlOptions { address, hosts: self.control_hosts.clone(), clock: self.clock };
            let control = ControlApi::start(options, sandbox.controlled(), changes).await;
            let failed = |error| StartError::listening(Listener::Control.name(), address, error);
            sandbox.control = Some(Arc::new(control.map_err(failed)?));
        }
        if let ClockMode::Wall { speed } = self.clock {
            sandbox._clock = Some(Arc::new(RunningClock::start(sandbox.controlled(), speed)));
        }
        Ok(sandbox)
    }

    /// Returns the address to listen on. Port 0 is any free port.
    fn address(&self, listener: Listener) -> Result<SocketAddr, StartError> {
        let port = match self.ports.get(&listener) {
            Some(port) => Some(*port),
            None if self.port == 0 => Some(0),
            None => self.port.checked_add(listener.offset()),
        };
        let no_port = || {
            let error = io::Error::new(io::ErrorKind::InvalidInput, "there is no port after 65535");
            StartError::no_port(listener.name(), error)
        };
        Ok(SocketAddr::new(self.bind, port.ok_or_else(no_port)?))
    }
}

impl Sandbox {
    /// Returns the suppliers as the clock and the control API use them.
    pub(crate) fn controlled(&self) -> Vec<Arc<dyn Controlled>> {
        vec![Arc::new(self.cocon.clone()), Arc::new(self.covage.clone()), Arc::new(self.onapi.clone())]
    }
}
