//! How a supplier normalizes the texts it stores.

use serde_json::Value;

/// How a supplier normalizes references, names and messages when it stores them.
///
/// Suppliers normalize texts without documenting it. A client that compares a reference byte for byte then does not
/// find its own order. The supplier's later responses and its own comparisons use the normalized text;
/// [`ReceivedRequest`](crate::ReceivedRequest) shows what was sent.
///
/// | supplier | normalized texts |
/// | --- | --- |
/// | ON-API | `spReference`, `spSubscriptionId` and `externalNote` of orders and of the resulting subscriptions; `spTicketReference`, `spReference`, `heading`, `description` and `createdBy` of tickets; `message` and `createdBy` of comments |
/// | Covage | `operator_info.order_ref`; names, phone numbers and e-mail address of contacts |
///
/// ```
/// use lastmile_sandbox::{Sandbox, TextNormalization};
///
/// let builder = Sandbox::builder()
///     .text_normalization(TextNormalization::UpperCase)
///     .covage_text_normalization(TextNormalization::Truncated(20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TextNormalization {
    /// Texts are stored as they were sent.
    #[default]
    Unchanged,
    /// Texts are converted to upper case.
    UpperCase,
    /// White space at both ends is removed.
    Trimmed,
    /// Texts are truncated to this number of characters.
    Truncated(usize),
}

impl TextNormalization {
    /// Returns the request with the texts at these JSON pointers normalized.
    pub(crate) fn apply(self, mut request: Value, pointers: &[&str]) -> Value {
        for pointer in pointers {
            if let Some(Value::String(text)) = request.pointer_mut(pointer) {
                match self {
                    TextNormalization::Unchanged => {}
                    TextNormalization::UpperCase => *text = text.to_uppercase(),
                    TextNormalization::Trimmed => *text = text.trim().to_owned(),
                    TextNormalization::Truncated(longest) => *text = text.chars().take(longest).collect(),
                }
            }
        }
        request
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_texts_at_the_pointers_are_changed() {
        let request = json!({ "a": { "b": " é-1 " }, "c": "x", "d": 7, "e": null });
        let stored = |texts: TextNormalization| texts.apply(request.clone(), &["/a/b", "/d", "/e", "/none"]);
        let expected = |text: &str| json!({ "a": { "b": text }, "c": "x", "d": 7, "e": null });
        assert_eq!(stored(TextNormalization::Unchanged), request);
        assert_eq!(stored(TextNormalization::UpperCase), expected(" É-1 "));
        assert_eq!(stored(TextNormalization::Trimmed), expected("é-1"));
        assert_eq!(stored(TextNormalization::Truncated(3)), expected(" é-"));
        assert_eq!(stored(TextNormalization::Truncated(99)), request);
    }
}
