//! Methods that the clients and the builders of all suppliers share.

/// Implements `raw` and `with_policy` for a client, and `policy`, `rate_limit`, `observer`, `clock` and `connection` for its
/// builder.
/// Defines the function `refused` in the module.
macro_rules! supplier {
    ($handle:ident, $builder:ident, $client:ident) => {
        impl $handle {
            /// Returns the generated client, for operations that this client does not wrap.
            pub fn raw(&self) -> &$client::Client {
                &self.client
            }

            /// Returns the same client with another policy, for a single call or a part of the program. The two clients share
            /// connections, credentials, limits and the retry budget.
            #[must_use]
            pub fn with_policy(&self, policy: lastmile_core::retry::Policy) -> Self {
                let mut other = self.clone();
                other.client = self.client.with_policy(policy);
                other
            }
        }

        impl crate::prepared::sealed::Supplier for $handle {
            const API: &'static str = $client::TABLE.api;

            fn policy(&self) -> &lastmile_core::retry::Policy {
                self.client.policy()
            }

            fn clock(&self) -> &lastmile_core::clock::Clock {
                self.client.clock()
            }

            fn with_send_deadline(&self, deadline: lastmile_core::client::SendDeadline) -> Self {
                let mut other = self.clone();
                other.client = self.client.with_send_deadline(deadline);
                other
            }
        }

        impl $builder {
            /// Sets the timeouts, the number of attempts and the size limits of calls. The default is `Policy::default()`.
            #[must_use]
            pub fn policy(self, policy: lastmile_core::retry::Policy) -> Self {
                self.connection(|handle| handle.policy(policy))
            }

            /// Limits how many requests the client sends within a period of time. There is no limit by default.
            #[must_use]
            pub fn rate_limit(self, limit: lastmile_core::retry::RateLimit) -> Self {
                self.connection(|handle| handle.rate_limit(limit))
            }

            /// Sets the observer that receives a report of each call, attempt, wait and token request, for example for metrics.
            /// There is no observer by default.
            #[must_use]
            pub fn observer(self, observer: std::sync::Arc<dyn lastmile_core::observe::Observer>) -> Self {
                self.connection(|handle| handle.observer(observer))
            }

            /// Sets the clock of the client, so that a test can advance its time: see [`Clock`](crate::testing::Clock). The
            /// default is the clocks of the machine.
            #[cfg(feature = "testing")]
            #[must_use]
            pub fn clock(self, clock: crate::testing::Clock) -> Self {
                self.connection(|handle| handle.clock(clock))
            }

            /// Configures the builder of the generated client: retry budget, maximum number of requests in flight, proxy,
            /// certificates, user agent, local address, connect timeout, and the HTTP clients. Credentials are set on this
            /// builder instead.
            #[must_use]
            pub fn connection(
                mut self,
                change: impl FnOnce(
                    lastmile_core::client::Builder<$client::Client>,
                ) -> lastmile_core::client::Builder<$client::Client>,
            ) -> Self {
                self.client = change(self.client);
                self
            }
        }

        /// Returns the error of a request that was not sent because of `reason`.
        fn refused(reason: impl std::fmt::Display) -> lastmile_core::Error {
            lastmile_core::Error::invalid($client::TABLE.api, reason.to_string())
        }
    };
}
pub(crate) use supplier;
