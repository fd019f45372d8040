//! The endpoint directory: the endpoints that a network offers, and their addresses.

use std::borrow::Cow;
use std::sync::Arc;

use lastmile_core::Error;
use lastmile_core::client::ApiClient as _;
use lastmile_core::client::{BuildError, PathStyle, TrailingSlash};
use lastmile_core::wire::Lenient;
use lastmile_onapi::Client;
use lastmile_onapi::types::Endpoint;

use super::dialect::Version;
use super::lists::says_nothing_to_list;
use super::{Dialect, OnApi, refused};

/// The endpoints of ON-API, by the names that the directories use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EndpointName {
    /// `accesses`
    Accesses,
    /// `dhcplookup`
    DhcpLookup,
    /// `option82`
    Option82,
    /// `orders`
    Orders,
    /// `orderevents`
    OrderEvents,
    /// `events`
    Events,
    /// `services`
    Services,
    /// `subscriptions`
    Subscriptions,
    /// `tech/cpe`
    TechCpe,
    /// `tech/access`
    TechAccess,
    /// `invoicespecification`
    InvoiceSpecification,
    /// `tickets`
    Tickets,
}

impl EndpointName {
    const ALL: [Self; 12] = [
        Self::Accesses,
        Self::DhcpLookup,
        Self::Option82,
        Self::Orders,
        Self::OrderEvents,
        Self::Events,
        Self::Services,
        Self::Subscriptions,
        Self::TechCpe,
        Self::TechAccess,
        Self::InvoiceSpecification,
        Self::Tickets,
    ];

    /// Returns the endpoint's name, which is also its documented path without the surrounding slashes.
    pub fn as_str(self) -> &'static str {
        &self.documented()[1..]
    }

    fn documented(self) -> &'static str {
        match self {
            Self::Accesses => "/accesses",
            Self::DhcpLookup => "/dhcplookup",
            Self::Option82 => "/option82",
            Self::Orders => "/orders",
            Self::OrderEvents => "/orderevents",
            Self::Events => "/events",
            Self::Services => "/services",
            Self::Subscriptions => "/subscriptions",
            Self::TechCpe => "/tech/cpe",
            Self::TechAccess => "/tech/access",
            Self::InvoiceSpecification => "/invoicespecification",
            Self::Tickets => "/tickets",
        }
    }

    /// Returns the part of the documented path that an entry covers, or `None` if the entry describes another endpoint. The
    /// entry's path decides; the entry's name decides only if the path is not that of any endpoint. Directories also use
    /// singular names: the standard's own example has `order`.
    fn meant_by(self, entry: &Endpoint) -> Option<&'static str> {
        let path = entry.endpoint.as_deref().map(stem).unwrap_or_default();
        let documented = self.documented();
        if path.ends_with(documented) {
            return Some(documented);
        }
        let both = matches!(self, Self::TechCpe | Self::TechAccess);
        if both && path.ends_with("/tech") {
            return Some("/tech");
        }
        let elsewhere = |other: Self| other != self && path.ends_with(other.documented());
        if Self::ALL.into_iter().any(elsewhere) {
            return None;
        }
        let plain = |text: &str| -> String {
            let letters = text.chars().filter(char::is_ascii_alphanumeric);
            letters.map(|letter| letter.to_ascii_lowercase()).collect()
        };
        let (name, own) = (plain(entry.name.as_deref().unwrap_or_default()), plain(documented));
        let singular =
            own.strip_suffix("es").filter(|_| self == Self::Accesses).or_else(|| own.strip_suffix('s'));
        (name == own || Some(name.as_str()) == singular).then_some(documented)
    }
}

/// Returns the path of an entry without parameters and without the trailing slash.
fn stem(endpoint: &str) -> &str {
    endpoint.split('{').next().unwrap_or_default().trim_end_matches('/')
}

/// The endpoint directory that a network returned.
#[derive(Clone, Debug)]
pub struct Directory {
    entries: Vec<Lenient<Endpoint>>,
}

impl Directory {
    /// Returns all entries as they arrived.
    pub fn entries(&self) -> &[Lenient<Endpoint>] {
        &self.entries
    }

    /// Returns the entry of an endpoint, or `None` if the network does not offer the endpoint. A directory may list an endpoint
    /// in several versions: the highest of 2.4, 2.5 and 2.6 counts, and before all of them an entry without a version. Entries
    /// of other versions are ignored.
    pub fn entry(&self, endpoint: EndpointName) -> Option<&Endpoint> {
        self.meant(endpoint).map(|meant| meant.entry)
    }

    /// Returns the dialect of the highest version in which any endpoint is listed, at a network of the kind that `given` says.
    pub(super) fn dialect(&self, given: Option<Dialect>) -> Result<Dialect, Error> {
        let meant: Vec<Meant<'_>> = EndpointName::ALL.into_iter().filter_map(|one| self.meant(one)).collect();
        let version = meant.iter().filter_map(|meant| meant.version).max();
        match (version, given) {
            (Some(version), Some(given)) => Ok(given.at_version(version)),
            (Some(Version::V24), None) => Ok(Dialect::Standard24),
            (Some(Version::V25), None) => Ok(Dialect::Standard25),
            (Some(Version::V26), None) if states_the_standard(&meant) => Ok(Dialect::Standard26),
            (Some(Version::V26), None) => Err(refused(
                "the directory lists version 2.6, and states neither that it is the standard's nor that it is a vendor's: give \
                 the builder the dialect standard26 or vendor26",
            )),
            (None, _) if meant.is_empty() => {
                let mut versions: Vec<String> =
                    EndpointName::ALL.into_iter().flat_map(|endpoint| self.versions(endpoint)).collect();
                versions.sort();
                versions.dedup();
                Err(refused(format_args!(
                    "the directory lists no endpoint in a version that this client speaks ({}), but in: {}",
                    spoken(),
                    versions.join(", ")
                )))
            }
            (None, Some(given)) => Ok(given),
            (None, None) => {
                Err(refused("the directory states no versions: give the builder the dialect of the network"))
            }
        }
    }

    /// Returns the versions in which the directory lists an endpoint. A version that does not consist of digits and dots is
    /// replaced by `(unreadable)`, because error messages do not repeat text from the network.
    fn versions(&self, endpoint: EndpointName) -> Vec<String> {
        let mut versions = Vec::new();
        for entry in self.entries.iter().filter_map(Lenient::get) {
            let version = entry.version.as_deref().unwrap_or_default();
            let is_version = (1..=16).contains(&version.len())
                && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
            let version = if is_version { version } else { "(unreadable)" };
            if endpoint.meant_by(entry).is_some() && !versions.iter().any(|known| known == version) {
                versions.push(version.to_owned());
            }
        }
        versions
    }

    fn meant(&self, endpoint: EndpointName) -> Option<Meant<'_>> {
        let meant = self.entries.iter().filter_map(|entry| {
            let entry = entry.get()?;
            let text = entry.version.as_deref().unwrap_or_default();
            let version = Version::named(text);
            if version.is_none() && !text.is_empty() {
                return None;
            }
            endpoint.meant_by(entry).map(|documented| Meant { entry, documented, version })
        });
        // Of several entries of one version, the first counts.
        meant.reduce(|best, other| if other.version > best.version { other } else { best })
    }
}

/// An entry of a directory that describes an endpoint.
struct Meant<'a> {
    entry: &'a Endpoint,
    /// The part of the documented path that the entry covers.
    documented: &'static str,
    /// `None` if the entry has no version.
    version: Option<Version>,
}

/// Returns whether the documentation of the entries of version 2.6 is that of the standard, as in the standard's own example, and
/// none is documented elsewhere. (Source: ON-API 2.6, endpoints.)
fn states_the_standard(entries: &[Meant<'_>]) -> bool {
    let mut stated = entries
        .iter()
        .filter(|meant| meant.version == Some(Version::V26))
        .filter_map(|meant| meant.entry.documentation.as_deref())
        .map(|documentation| documentation.trim().to_ascii_lowercase())
        .filter(|documentation| !documentation.is_empty())
        .map(|documentation| {
            let address = documentation.trim_start_matches("https://").trim_start_matches("http://");
            address.starts_with("github.com/on-api/on-api/")
        })
        .peekable();
    stated.peek().is_some() && stated.all(|is_standard| is_standard)
}

/// Returns the versions that this client implements.
fn spoken() -> String {
    Version::ALL.map(Version::as_str).join(", ")
}

/// The client of each endpoint, built from a directory.
#[derive(Debug)]
pub(super) struct EndpointMap {
    endpoints: Vec<(EndpointName, EndpointClient)>,
}

#[derive(Debug)]
enum EndpointClient {
    NotOffered,
    /// The network offers the endpoint only in these other versions.
    OtherVersions(Vec<String>),
    /// The address of the endpoint is unusable, for this reason.
    Closed(String),
    Open {
        client: Client,
        dialect: Dialect,
        unsupported: Vec<String>,
    },
}

impl EndpointMap {
    fn find(&self, endpoint: EndpointName) -> Option<&EndpointClient> {
        self.endpoints.iter().find(|(name, _)| *name == endpoint).map(|(_, client)| client)
    }
}

impl OnApi {
    /// Reads the network's directory. Returns `None` if the network has none: the standard requires a directory, but some
    /// networks lack it.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listEndpoints")]
    #[doc(alias = "GET /")]
    pub async fn directory(&self) -> Result<Option<Directory>, Error> {
        match self.client.list_endpoints().await {
            Ok(reply) => Ok(Some(Directory { entries: reply.value.into_vec() })),
            Err(error) if says_nothing_to_list(&error) => Ok(None),
            Err(error) if error.status().is_some_and(|status| matches!(status.as_u16(), 404 | 501)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Returns a client that uses a directory. Its calls go to the addresses in the directory, with a trailing slash where the
    /// directory has one, and are written in the [`Dialect`] of the version that the directory lists: the highest that this
    /// client implements. The kind of the network, standard or vendor, is that of the client's own dialect, which is also the
    /// dialect of an entry without a version. A call of an endpoint that the directory does not list fails with
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) before anything is sent; so does an order with a field that the network
    /// declares as unsupported, except for references and notes.
    ///
    /// The address of an entry may have another origin than the base URL. The client sends credentials only to the origin of
    /// the base URL and to the `allowed` origins, such as `https://orders.co.example`. Calls to other origins fail.
    ///
    /// ```no_run
    /// # use lastmile::onapi::OnApi;
    /// # async fn example(network: OnApi) -> Result<OnApi, lastmile::Error> {
    /// let network = match network.directory().await? {
    ///     Some(directory) => network.with_directory(&directory, &["https://orders.co.example"]),
    ///     None => network,
    /// };
    /// # Ok(network)
    /// # }
    /// ```
    #[must_use]
    pub fn with_directory(&self, directory: &Directory, allowed: &[&str]) -> Self {
        let client = |endpoint: EndpointName| {
            let Some(Meant { entry, documented, version }) = directory.meant(endpoint) else {
                let versions = directory.versions(endpoint);
                return if versions.is_empty() {
                    EndpointClient::NotOffered
                } else {
                    EndpointClient::OtherVersions(versions)
                };
            };
            match self.client_of(entry, documented, allowed) {
                Ok(client) => {
                    let fields = entry.unsupported_fields.iter().filter_map(|field| field.as_deref());
                    let unsupported = fields.map(str::to_owned).collect();
                    let dialect = version.map_or(self.dialect, |version| self.dialect.at_version(version));
                    EndpointClient::Open { client, dialect, unsupported }
                }
                Err(error) => EndpointClient::Closed(error.to_string()),
            }
        };
        let endpoints = EndpointName::ALL.into_iter().map(|endpoint| (endpoint, client(endpoint))).collect();
        Self { endpoints: Some(Arc::new(EndpointMap { endpoints })), ..self.clone() }
    }

    fn client_of(
        &self,
        entry: &Endpoint,
        documented: &'static str,
        allowed: &[&str],
    ) -> Result<Client, BuildError> {
        let address = entry.endpoint.as_deref().unwrap_or_default();
        if address.is_empty() {
            return Ok(self.client.clone());
        }
        // An address with a parameter is the path of an item, so it does not show the style of collections. A directory never
        // shows the style of items.
        let collections = match (address.contains('{'), address.ends_with('/')) {
            (true, _) => self.client.transport().path_style().collections,
            (_, true) => TrailingSlash::Always,
            (_, false) => TrailingSlash::Never,
        };
        let path_style = PathStyle { collections, ..self.client.transport().path_style().clone() };
        let transport =
            self.client.transport().at_endpoint(stem(address), documented, path_style, allowed)?;
        Ok(transport.into())
    }

    /// Returns a client that calls these endpoints only.
    pub(super) fn with_only(&self, offered: &[EndpointName]) -> Self {
        let client = |endpoint| match offered.contains(&endpoint) {
            true => EndpointClient::Open {
                client: self.client.clone(),
                dialect: self.dialect,
                unsupported: Vec::new(),
            },
            false => EndpointClient::NotOffered,
        };
        let endpoints = EndpointName::ALL.into_iter().map(|endpoint| (endpoint, client(endpoint))).collect();
        Self { endpoints: Some(Arc::new(EndpointMap { endpoints })), ..self.clone() }
    }

    /// Returns the dialect in which an endpoint is called.
    pub(super) fn dialect_of(&self, endpoint: EndpointName) -> Dialect {
        match self.endpoints.as_ref().and_then(|endpoints| endpoints.find(endpoint)) {
            Some(EndpointClient::Open { dialect, .. }) => *dialect,
            _ => self.dialect,
        }
    }

    /// Returns whether the network offers an endpoint in a version that this client implements. Returns `None` for a client
    /// without a [directory](Self::with_directory) that was not told the [only](super::OnApiBuilder::only) endpoints.
    pub fn offers_endpoint(&self, endpoint: EndpointName) -> Option<bool> {
        let client = self.endpoints.as_ref()?.find(endpoint);
        Some(!matches!(client, None | Some(EndpointClient::NotOffered | EndpointClient::OtherVersions(_))))
    }

    pub(super) fn unsupported_fields(&self, endpoint: EndpointName) -> &[String] {
        match self.endpoints.as_ref().and_then(|endpoints| endpoints.find(endpoint)) {
            Some(EndpointClient::Open { unsupported, .. }) => unsupported,
            _ => &[],
        }
    }

    /// Returns the client for the calls of an endpoint.
    pub(super) fn endpoint_client(&self, endpoint: EndpointName) -> Result<Cow<'_, Client>, Error> {
        let dialect = self.dialect_of(endpoint);
        if !dialect.has_endpoint(endpoint) && self.offers_endpoint(endpoint).is_none() {
            return Err(refused(format_args!(
                "{}: a network that speaks {dialect} has no such endpoint",
                endpoint.as_str()
            )));
        }
        match self.endpoints.as_ref().map(|endpoints| endpoints.find(endpoint)) {
            None => Ok(Cow::Borrowed(&self.client)),
            Some(Some(EndpointClient::Open { client, .. })) => {
                let client = client.with_policy(self.client.policy().clone());
                Ok(Cow::Owned(match self.client.transport().send_deadline() {
                    Some(deadline) => client.with_send_deadline(deadline),
                    None => client,
                }))
            }
            Some(Some(EndpointClient::OtherVersions(versions))) => Err(refused(format_args!(
                "{}: this network's directory lists it in version {} only, and this client speaks {}: ask the network for \
                 an endpoint of one of these versions, or call it without the directory if its answers fit",
                endpoint.as_str(),
                versions.join(", "),
                spoken()
            ))),
            Some(Some(EndpointClient::Closed(why))) => {
                Err(refused(format_args!("{}: {why}", endpoint.as_str())))
            }
            Some(None | Some(EndpointClient::NotOffered)) => Err(refused(format_args!(
                "{}: this network does not offer it, by its directory or settings",
                endpoint.as_str()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory(entries: &str) -> Directory {
        Directory { entries: serde_json::from_str(entries).unwrap() }
    }

    #[test]
    fn an_entry_is_known_by_its_path_or_else_by_its_name() {
        let directory = directory(
            r#"[
                {"name": "Order", "endpoint": "/onapi/2.5/orders/", "version": "2.5"},
                {"name": "order", "endpoint": "/onapi/2.6/order/", "version": "2.6"},
                {"name": "x", "endpoint": "https://h.example/y/accesses", "version": "2.6.0"},
                {"name": "events", "endpoint": "/onapi/2.6/orderevents/"},
                {"name": "technical", "endpoint": "/onapi/2.6/tech/"},
                7
            ]"#,
        );
        let has = |endpoint| directory.entry(endpoint).and_then(|entry| entry.endpoint.as_deref());
        assert_eq!(has(EndpointName::Orders), Some("/onapi/2.6/order/"));
        assert_eq!(has(EndpointName::Accesses), Some("https://h.example/y/accesses"));
        assert_eq!(has(EndpointName::OrderEvents), Some("/onapi/2.6/orderevents/"));
        assert_eq!(has(EndpointName::Events), None);
        let part = |endpoint| directory.meant(endpoint).map(|meant| meant.documented);
        assert_eq!(
            (part(EndpointName::TechCpe), part(EndpointName::TechAccess)),
            (Some("/tech"), Some("/tech"))
        );
        assert_eq!(has(EndpointName::Tickets), None);
        assert_eq!(directory.entries().len(), 6, "what cannot be read is kept");
    }

    #[test]
    fn the_highest_version_that_is_spoken_counts() {
        let directory = directory(
            r#"[
                {"name": "order", "endpoint": "/old/order/", "version": "2.3.1"},
                {"name": "order", "endpoint": "/onapi/2.4/order/", "version": "2.4"},
                {"name": "order", "endpoint": "/onapi/2.5/order/", "version": "2.5.0"},
                {"name": "accesses", "endpoint": "/onapi/2.4/accesses/", "version": "2.4"},
                {"name": "tickets", "endpoint": "/tickets", "version": "3.0"}
            ]"#,
        );
        let has = |endpoint| directory.entry(endpoint).and_then(|entry| entry.endpoint.as_deref());
        assert_eq!(has(EndpointName::Orders), Some("/onapi/2.5/order/"));
        assert_eq!(has(EndpointName::Accesses), Some("/onapi/2.4/accesses/"));
        assert_eq!(has(EndpointName::Tickets), None);
        assert_eq!(directory.dialect(Some(Dialect::Vendor26)).unwrap(), Dialect::Standard25);
        assert_eq!(directory.dialect(None).unwrap(), Dialect::Standard25);
    }

    #[test]
    fn a_directory_without_a_spoken_version_is_refused_with_its_versions() {
        let old =
            directory(r#"[{"name": "orders", "version": "2.3.1"}, {"name": "accesses", "version": "3.0"}]"#);
        let text = old.dialect(Some(Dialect::Standard26)).unwrap_err().to_string();
        assert!(text.contains("2.4, 2.5, 2.6") && text.contains("2.3.1, 3.0"), "{text}");
        let unversioned = directory(r#"[{"name": "orders"}]"#);
        assert_eq!(unversioned.dialect(Some(Dialect::Vendor26)).unwrap(), Dialect::Vendor26);
        let text = unversioned.dialect(None).unwrap_err().to_string();
        assert!(text.contains("states no versions"), "{text}");
    }

    #[test]
    fn the_standard_is_stated_by_its_documentation() {
        for (documentation, expected) in [
            ("https://github.com/on-api/on-api/blob/master/2.6.0/spec/orders.md", Some(Dialect::Standard26)),
            ("https://GitHub.com/on-api/on-api/blob/master/2.6.0/spec/orders.md", Some(Dialect::Standard26)),
            ("https://co.example/github.com/on-api/on-api/", None),
            ("https://github.com/on-api/on-api-of-another/", None),
            ("", None),
        ] {
            let entries = format!(
                r#"[{{"name": "accesses", "version": "2.6"}},
                    {{"name": "orders", "version": "2.6", "documentation": "{documentation}"}}]"#
            );
            let directory = directory(&entries);
            match expected {
                Some(expected) => assert_eq!(directory.dialect(None).unwrap(), expected, "{documentation}"),
                None => {
                    let text = directory.dialect(None).unwrap_err().to_string();
                    assert!(text.contains("standard26 or vendor26"), "{documentation}: {text}");
                }
            }
            assert_eq!(directory.dialect(Some(Dialect::Vendor26)).unwrap(), Dialect::Vendor26);
            assert_eq!(directory.dialect(Some(Dialect::Standard24)).unwrap(), Dialect::Standard26);
        }
        let standard = "https://github.com/on-api/on-api/blob/master/2.4.0/spec/orders.md";
        for (accesses, orders) in [
            // Only the entry of an older version is documented by the standard.
            (("2.4", standard), ("2.6", "https://vendor.example/onapi/orders")),
            (("2.4", standard), ("2.6", "")),
            (("2.6", standard), ("2.6", "https://vendor.example/onapi/orders")),
        ] {
            let entries = format!(
                r#"[{{"name": "accesses", "version": "{}", "documentation": "{}"}},
                    {{"name": "orders", "version": "{}", "documentation": "{}"}}]"#,
                accesses.0, accesses.1, orders.0, orders.1
            );
            directory(&entries).dialect(None).unwrap_err();
        }
    }
}
