/// Defines the type of a generated client, for the API that a [`Table`](crate::operation::Table) describes.
///
/// Generated code adds one method for each operation.
#[macro_export]
macro_rules! client {
    ($(#[$attribute:meta])* $name:ident, $table:expr) => {
        $(#[$attribute])*
        #[derive(Clone, Debug)]
        pub struct $name {
            transport: $crate::client::Transport,
        }

        impl $name {
            /// Returns a builder of a client. The paths of the API are appended to `base_url`, which may end with a slash.
            pub fn builder(base_url: impl Into<String>) -> $crate::client::Builder<Self> {
                $crate::client::Builder::new(base_url)
            }

            /// Returns the policy of this client's calls: deadline, attempts and limits.
            pub fn policy(&self) -> &$crate::retry::Policy {
                self.transport.policy()
            }

            /// Returns the clock that measures the time of calls.
            pub fn clock(&self) -> &$crate::clock::Clock {
                self.transport.clock()
            }

            /// Returns a client with another policy, for one call or for a part of the program. It shares connections,
            /// credentials, limits and retry budget with this client.
            #[must_use]
            pub fn with_policy(&self, policy: $crate::retry::Policy) -> Self {
                self.transport.with_policy(policy).into()
            }

            /// Returns a client that sends no changing request after `deadline`.
            #[must_use]
            pub fn with_send_deadline(&self, deadline: $crate::client::SendDeadline) -> Self {
                self.transport.with_send_deadline(deadline).into()
            }
        }

        impl ::std::convert::From<$crate::client::Transport> for $name {
            fn from(transport: $crate::client::Transport) -> Self {
                Self { transport }
            }
        }

        impl $crate::client::ApiClient for $name {
            const TABLE: &'static $crate::operation::Table = &$table;

            fn transport(&self) -> &$crate::client::Transport {
                &self.transport
            }
        }
    };
}
