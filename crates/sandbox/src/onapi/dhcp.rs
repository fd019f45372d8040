//! The identifiers by which DHCP servers know the lines of a network (RFC 3046, RFC 3315, RFC 4649).

use serde_json::{Value, json};

use super::query::Query;

const PORTS: usize = 24;

/// The identifiers that a relay adds to the DHCP requests of one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identifiers {
    pub(super) ipv4_circuit_id: String,
    pub(super) ipv4_remote_id: String,
    pub(super) ipv6_interface_id: String,
    pub(super) ipv6_remote_id: String,
}

impl Identifiers {
    /// Returns the identifiers of the line with this number. Line 29 has the circuit id of line 28, so a lookup by
    /// circuit id alone finds neither.
    pub(super) fn of(line: usize) -> Identifiers {
        let (switch, port) = (line / PORTS + 1, line % PORTS + 1);
        let circuit_port = if line == 29 { port - 1 } else { port };
        Identifiers {
            ipv4_circuit_id: format!("sw-{switch} eth 0/{circuit_port}"),
            ipv4_remote_id: format!("line-{:06}", line + 1),
            ipv6_interface_id: format!("sw-{switch}.if.{port}"),
            ipv6_remote_id: format!("line-{:06}.v6", line + 1),
        }
    }

    /// Returns the complete option in hexadecimal digits: the option number and length, then circuit id (1) and
    /// remote id (2) with their lengths.
    pub(super) fn option82(&self) -> String {
        let mut content = Vec::new();
        for (number, value) in [(1, &self.ipv4_circuit_id), (2, &self.ipv4_remote_id)] {
            content.extend([number, value.len() as u8]);
            content.extend(value.as_bytes());
        }
        let option = [0x52, content.len() as u8].into_iter().chain(content);
        option.map(|byte| format!("{byte:02X}")).collect()
    }

    /// Returns the identifiers as response bodies contain them.
    pub(super) fn value(&self) -> Value {
        json!({
            "ipv4CircuitId": self.ipv4_circuit_id,
            "ipv4RemoteId": self.ipv4_remote_id,
            "ipv6InterfaceId": self.ipv6_interface_id,
            "ipv6RemoteId": self.ipv6_remote_id,
        })
    }

    /// Returns whether the identifiers match a lookup, or `None` if the query has no identifier.
    pub(super) fn matches(&self, query: &Query) -> Option<bool> {
        let option82 = self.option82();
        let fields = [
            ("ipv4CircuitId", &self.ipv4_circuit_id),
            ("ipv4RemoteId", &self.ipv4_remote_id),
            ("ipv6InterfaceId", &self.ipv6_interface_id),
            ("ipv6RemoteId", &self.ipv6_remote_id),
        ];
        let sent = fields.iter().filter_map(|(name, own)| query.get(name).map(|value| value == own.as_str()));
        let complete = query.get("ipv4option82").map(|value| value.eq_ignore_ascii_case(&option82));
        sent.chain(complete).reduce(|all, one| all && one)
    }
}

/// Returns whether a text can be a complete option 82 in hexadecimal digits.
pub(super) fn is_option82(text: &str) -> bool {
    text.starts_with("52")
        && text.len().is_multiple_of(2)
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_the_option_as_the_standard_shows_it() {
        let identifiers = |circuit: &str, remote: &str| Identifiers {
            ipv4_circuit_id: circuit.to_owned(),
            ipv4_remote_id: remote.to_owned(),
            ..Identifiers::of(0)
        };
        assert_eq!(identifiers("abc", "123").option82(), "520A01036162630203313233");
        let eth = identifiers("eth 0/1", "10.10.10.10").option82();
        assert_eq!(eth, "5216010765746820302F31020B31302E31302E31302E3130");
    }

    #[test]
    fn an_option_is_complete_and_hexadecimal() {
        assert!(is_option82("520A01036162630203313233") && is_option82("520a"));
        assert!(["", "53", "520", "52zz", "52 0"].iter().all(|text| !is_option82(text)));
    }
}
