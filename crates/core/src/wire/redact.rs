use serde::{Deserialize, Deserializer, de};

/// Reads a string. The error for any other value does not quote it, since it may be personal data.
pub(super) fn text_alone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    String::deserialize(deserializer).map_err(redact_error)
}

/// Removes the quoted value from an error about an unexpected type. Any other error is unchanged.
pub(super) fn redact_error<E: de::Error>(error: E) -> E {
    let text = error.to_string();
    match text.split_once(": ") {
        Some((what @ ("invalid type" | "invalid value"), _)) => {
            E::custom(format_args!("{what}, expected a text"))
        }
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use crate::wire::{Segment, Text, Timestamp};

    #[test]
    fn an_error_does_not_say_what_arrived_in_the_place_of_a_text() {
        for arrived in
            ["81352886600029", "true", "[81352886600029]", r#"{"81352886600029":1}"#, "8.135", "null"]
        {
            let errors = [
                serde_json::from_str::<Segment>(arrived).unwrap_err().to_string(),
                serde_json::from_str::<Timestamp>(arrived).unwrap_err().to_string(),
                serde_json::from_str::<Text>(arrived).unwrap_err().to_string(),
            ];
            for error in errors {
                assert!(error.starts_with("invalid type, expected a text"), "{error}");
            }
        }
        let error = serde_json::from_str::<Segment>("\"x").unwrap_err();
        assert!(error.is_eof(), "an error of the JSON stays what it is: {error}");
    }
}
