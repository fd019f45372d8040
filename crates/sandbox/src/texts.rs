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
/// use lastmile_sandbox::{Sandbox, Texts};
///
/// let builder = Sandbox::builder().texts(Texts::UpperCase).covage_texts(Texts::Cut(20));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Texts {
    /// As they were given.
    #[default]
    AsGiven,
    /// In upper case.
    UpperCase,
    /// Without white space at both ends.
    Trimmed,
    /// Cut to this many characters.
    Cut(usize),
}

impl Texts {
    /// The request as it is stored: the texts at these JSON pointers in the supplier's form.
    pub(crate) fn stored(self, mut request: Value, pointers: &[&str]) -> Value {
        for pointer in pointers {
            if let Some(Value::String(text)) = request.pointer_mut(pointer) {
                match self {
                    Texts::AsGiven => {}
                    Texts::UpperCase => *text = text.to_uppercase(),
                    Texts::Trimmed => *text = text.trim().to_owned(),
                    Texts::Cut(longest) => *text = text.chars().take(longest).collect(),
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
        let stored = |texts: Texts| texts.stored(request.clone(), &["/a/b", "/d", "/e", "/none"]);
        let expected = |text: &str| json!({ "a": { "b": text }, "c": "x", "d": 7, "e": null });
        assert_eq!(stored(Texts::AsGiven), request);
        assert_eq!(stored(Texts::UpperCase), expected(" É-1 "));
        assert_eq!(stored(Texts::Trimmed), expected("é-1"));
        assert_eq!(stored(Texts::Cut(3)), expected(" é-"));
        assert_eq!(stored(Texts::Cut(99)), request);
    }
}
