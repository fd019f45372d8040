//! How a supplier stores the texts that it is given.

use serde_json::Value;

/// How a supplier stores references, names and messages. What it answers later has the stored form; what it looks for is
/// compared with that form, too.
///
/// Suppliers normalise texts, and rarely say so. A client that compares a reference byte for byte then misses its own order.
///
/// | supplier | what is stored so |
/// |---|---|
/// | ON-API | `spReference`, `spSubscriptionId` and `externalNote` of orders, and so of the subscriptions that they make; `spTicketReference`, `spReference`, `heading`, `description` and `createdBy` of tickets; `message` and `createdBy` of comments |
/// | Covage | `operator_info.order_ref`; the names, numbers and e-mail address of contacts |
///
/// What the captured requests show is what was sent.
///
/// ```
/// use lastmile_sandbox::{Sandbox, TextNormalization};
///
/// let builder = Sandbox::builder().text_normalization(TextNormalization::UpperCase).covage_text_normalization(TextNormalization::Truncated(20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TextNormalization {
    /// As they were given.
    #[default]
    Unchanged,
    /// In upper case.
    UpperCase,
    /// Without white space at both ends.
    Trimmed,
    /// Cut to this many characters.
    Truncated(usize),
}

impl TextNormalization {
    /// The request as it is stored: the texts at these JSON pointers in the supplier's form.
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
