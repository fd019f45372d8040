//! What the handle and the builder of every supplier have.

/// Gives a handle `raw` and `with_policy`, its builder `policy`, `rate_limit`, `observer` and `connection`, and its module
/// `refused`.
macro_rules! supplier {
    ($handle:ident, $builder:ident, $client:ident) => {
        impl $handle {
            /// The generated client, for what this handle does not wrap.
            pub fn raw(&self) -> &$client::Client {
                &self.client
            }

            /// The same way with another policy: for one call, or for a part of the program.
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

            fn with_send_deadline(&self, deadline: lastmile_core::client::SendDeadline) -> Self {
                let mut other = self.clone();
                other.client = self.client.with_send_deadline(deadline);
                other
            }
        }

        impl $builder {
            /// Sets the time limits, attempts and size limits of calls: `Policy::default()` by default.
            #[must_use]
            pub fn policy(self, policy: lastmile_core::retry::Policy) -> Self {
                self.connection(|handle| handle.policy(policy))
            }

            /// Limits how many requests all calls of the handle may send in a period of time. No limit by default.
            #[must_use]
            pub fn rate_limit(self, limit: lastmile_core::retry::RateLimit) -> Self {
                self.connection(|handle| handle.rate_limit(limit))
            }

            /// Reports calls, attempts, waits and token requests to this observer, for metrics. None by default.
            #[must_use]
            pub fn observer(self, observer: std::sync::Arc<dyn lastmile_core::observe::Observer>) -> Self {
                self.connection(|handle| handle.observer(observer))
            }

            /// Changes the builder of the generated client: retry budget, requests in flight, proxy, certificates, user agent,
            /// local address, connect timeout, and the HTTP clients themselves. The credentials are this builder's own.
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

        /// What nothing was sent for, because of `reason`.
        fn refused(reason: impl std::fmt::Display) -> lastmile_core::Error {
            lastmile_core::Error::invalid($client::TABLE.api, reason.to_string())
        }
    };
}
pub(crate) use supplier;
