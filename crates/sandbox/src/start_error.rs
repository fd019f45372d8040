//! The error of a sandbox that cannot start.

use std::fmt;
use std::io;
use std::net::SocketAddr;

/// The error of [`SandboxBuilder::start`](crate::SandboxBuilder::start): a supplier or the control API cannot listen on
/// its port.
///
/// `Display` names the supplier and the port. [`source`](std::error::Error::source) returns the cause.
#[derive(Debug)]
pub struct StartError {
    listener: String,
    /// `None` if the port would be greater than 65535.
    address: Option<SocketAddr>,
    error: io::Error,
}

impl StartError {
    pub(crate) fn listening(listener: String, address: SocketAddr, error: io::Error) -> StartError {
        StartError { listener, address: Some(address), error }
    }

    pub(crate) fn no_port(listener: String, error: io::Error) -> StartError {
        StartError { listener, address: None, error }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) if address.port() == 0 => {
                write!(f, "{} cannot listen on any free port of {}", self.listener, address.ip())
            }
            Some(address) => write!(f, "{} cannot listen on {address}", self.listener),
            None => write!(f, "{} has no port to listen on", self.listener),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
