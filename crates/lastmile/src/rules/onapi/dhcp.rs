use std::fmt;

use serde::{Deserialize, Serialize};

use super::Option82;
use crate::redact::redact_errors;
use crate::rules::{RuleError, schema};

/// The identification of a line at a DHCP server, as readable texts. Texts that are not known are `None`.
///
/// Source: ON-API 2.6, data formats, "dhcpIdentifier", which replaces [`Option82`]. The first two texts exist in both formats.
///
/// `Debug` does not show the texts, because they identify a customer's line.
///
/// ```
/// use lastmile::rules::{DhcpIdentifier, Option82};
///
/// let line = DhcpIdentifier { ipv4_circuit_id: Some("abc".into()), ..Default::default() };
/// assert_eq!(Option82::try_from(&line)?.as_str(), "52050103616263");
///
/// assert!(Option82::try_from(&DhcpIdentifier::default()).is_err()); // it has nothing to say
/// # Ok::<(), lastmile::rules::RuleError>(())
/// ```
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(remote = "Self", default, rename_all = "camelCase")]
pub struct DhcpIdentifier {
    /// The circuit id, DHCP option 82, sub-option 1 (RFC 3046).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_circuit_id: Option<String>,
    /// The remote id, DHCP option 82, sub-option 2 (RFC 3046).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv4_remote_id: Option<String>,
    /// The interface id, DHCPv6 option 18 (RFC 3315).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_interface_id: Option<String>,
    /// The remote id, DHCPv6 option 37 (RFC 4649).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ipv6_remote_id: Option<String>,
}

impl DhcpIdentifier {
    /// Returns whether all texts are `None`.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Debug for DhcpIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DhcpIdentifier((hidden))")
    }
}

redact_errors!(DhcpIdentifier);

schema!(DhcpIdentifier, {
    "type": "object",
    "description": "How a DHCP server knows a line, as readable texts; what is not known is left out",
    "properties": {
        "ipv4CircuitId": { "type": ["string", "null"], "description": "DHCP option 82, sub-option 1" },
        "ipv4RemoteId": { "type": ["string", "null"], "description": "DHCP option 82, sub-option 2" },
        "ipv6InterfaceId": { "type": ["string", "null"], "description": "DHCPv6 option 18" },
        "ipv6RemoteId": { "type": ["string", "null"], "description": "DHCPv6 option 37" }
    }
});

impl TryFrom<&DhcpIdentifier> for Option82 {
    type Error = RuleError;

    /// Converts the circuit id and the remote id into the sub-options 1 and 2. The format cannot represent the texts of DHCPv6.
    fn try_from(line: &DhcpIdentifier) -> Result<Self, RuleError> {
        let circuit = line.ipv4_circuit_id.iter().map(|text| (Self::CIRCUIT_ID, text.as_bytes()));
        let remote = line.ipv4_remote_id.iter().map(|text| (Self::REMOTE_ID, text.as_bytes()));
        Self::from_sub_options(circuit.chain(remote))
    }
}

impl Option82 {
    /// Returns the option as readable texts. Empty sub-options, and those with a code other than 1 and 2, are ignored. Returns
    /// `None` if a circuit id or remote id is not readable or occurs twice, because the remaining texts could identify another
    /// line.
    ///
    /// ```
    /// use lastmile::rules::Option82;
    ///
    /// let option: Option82 = "520A01036162630203313233".parse()?;
    /// let line = option.dhcp_identifier().unwrap();
    /// assert_eq!(line.ipv4_circuit_id.as_deref(), Some("abc"));
    /// assert_eq!(line.ipv4_remote_id.as_deref(), Some("123"));
    ///
    /// let binary: Option82 = "5208010600040064001A".parse()?;
    /// assert_eq!(binary.dhcp_identifier(), None);
    /// # Ok::<(), lastmile::rules::RuleError>(())
    /// ```
    pub fn dhcp_identifier(&self) -> Option<DhcpIdentifier> {
        let readable = |code: u8| {
            let mut found = self.sub_options().filter(move |sub_option| sub_option.code() == code);
            match (found.next(), found.next()) {
                (None, _) => Some(None),
                (Some(only), None) => Some(Some(only.text()?).filter(|text| !text.is_empty())),
                (Some(_), Some(_)) => None,
            }
        };
        Some(DhcpIdentifier {
            ipv4_circuit_id: readable(Self::CIRCUIT_ID)?,
            ipv4_remote_id: readable(Self::REMOTE_ID)?,
            ..Default::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_standard_s_names() {
        let line = DhcpIdentifier { ipv4_circuit_id: Some("CO-1234".into()), ..Default::default() };
        assert_eq!(serde_json::to_string(&line).unwrap(), r#"{"ipv4CircuitId":"CO-1234"}"#);
        let read: DhcpIdentifier = serde_json::from_str(
            r#"{"ipv4CircuitId":"A","ipv4RemoteId":"B","ipv6InterfaceId":"C","ipv6RemoteId":null}"#,
        )
        .unwrap();
        let texts = [read.ipv4_circuit_id, read.ipv4_remote_id, read.ipv6_interface_id, read.ipv6_remote_id];
        assert_eq!(texts.each_ref().map(Option::as_deref), [Some("A"), Some("B"), Some("C"), None]);
        assert!(!format!("{line:?}").contains("1234"));
        assert!(serde_json::from_str::<DhcpIdentifier>("{}").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_readable_is_not_left_out_silently() {
        let identifier = |hex: &str| hex.parse::<Option82>().unwrap().dhcp_identifier();
        // The standard's sample, which has a circuit id and an empty remote id.
        let sample = "52270123434F2D38373332633266303635653234393062616263653832306539346231303131610200";
        let line = identifier(sample).unwrap();
        assert_eq!(line.ipv4_circuit_id.as_deref(), Some("CO-8732c2f065e2490babce820e94b1011a"));
        assert_eq!(line.ipv4_remote_id, None);
        // A readable remote id next to a circuit id that is not readable.
        assert_eq!(identifier("520B0106000400640001020141"), None);
        // The same sub-option occurs twice.
        assert_eq!(identifier("5206010141010142"), None);
        // A sub-option with another code only.
        assert!(identifier("5203090141").unwrap().is_empty());
    }
}
