use std::fmt;

use super::Error;

/// The maximum length of each supplier text that is shown, in characters.
const LONGEST: usize = 500;

/// The maximum number of single errors that are shown.
const MOST: usize = 20;

/// An [`Error`] together with the supplier's message. Returned by [`Error::display_with_supplier_message`].
#[derive(Clone, Copy)]
pub struct WithSupplierMessage<'a>(pub(super) &'a Error);

impl fmt::Display for WithSupplierMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)?;
        let (message, details) = (self.0.supplier_message(), self.0.details());
        let mut before = ". The supplier's message: ";
        if let Some(message) = message {
            write!(f, "{before}{}", OneLine(message))?;
            before = "; ";
        }
        for detail in details.iter().take(MOST) {
            let parts = [&detail.field, &detail.code, &detail.message];
            let mut parts = parts.into_iter().flatten().peekable();
            if parts.peek().is_none() {
                continue;
            }
            f.write_str(before)?;
            before = "; ";
            let mut between = "";
            for part in parts {
                write!(f, "{between}{}", OneLine(part))?;
                between = ": ";
            }
        }
        match details.len().saturating_sub(MOST) {
            0 => Ok(()),
            more => write!(f, "; {more} more in details()"),
        }
    }
}

/// Shows the same as [`Error`], without the supplier's message.
impl fmt::Debug for WithSupplierMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithSupplierMessage").field(self.0).finish()
    }
}

/// A text without line breaks and other control characters, so that it cannot forge log lines.
struct OneLine<'a>(&'a str);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars().take(LONGEST) {
            // Line separators and bidirectional formatting characters are not control characters.
            let breaks = c.is_control()
                || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            f.write_char(if breaks { ' ' } else { c })?;
        }
        if self.0.chars().nth(LONGEST).is_some() { f.write_str("…") } else { Ok(()) }
    }
}
