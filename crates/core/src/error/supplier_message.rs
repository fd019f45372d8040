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
        let details = self.0.details();
        let mut texts: Vec<String> = self.0.supplier_message().map(one_line).into_iter().collect();
        for detail in details.iter().take(MOST) {
            let parts = [&detail.field, &detail.code, &detail.message].into_iter().flatten();
            let parts: Vec<String> = parts.map(|part| one_line(part)).collect();
            texts.extend((!parts.is_empty()).then(|| parts.join(": ")));
        }
        if details.len() > MOST {
            texts.push(format!("{} more in details()", details.len() - MOST));
        }
        if texts.is_empty() { Ok(()) } else { write!(f, ". The supplier's message: {}", texts.join("; ")) }
    }
}

/// Shows the same as [`Error`], without the supplier's message.
impl fmt::Debug for WithSupplierMessage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WithSupplierMessage").field(self.0).finish()
    }
}

/// Removes line breaks and other control characters, so that a text cannot forge log lines.
fn one_line(text: &str) -> String {
    // Line separators and bidirectional formatting characters are not control characters.
    let breaks = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut line: String = text.chars().take(LONGEST).map(|c| if breaks(c) { ' ' } else { c }).collect();
    if text.chars().nth(LONGEST).is_some() {
        line.push('…');
    }
    line
}
