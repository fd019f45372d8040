/// Why credentials cannot be used. Names the header, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The name is not a header name.
    #[error("{header:?} is not a header name: use letters, digits and hyphens")]
    Name {
        /// The name.
        header: String,
    },
    /// The header has a meaning of its own in HTTP, and can carry no key.
    #[error("{header} has a meaning of its own in HTTP: take the name that the supplier gave you")]
    Reserved {
        /// Its name.
        header: String,
    },
    /// Two credentials are for the same header.
    #[error("two credentials are for {header}: give each a header of its own")]
    Twice {
        /// Its name.
        header: String,
    },
    /// The secret is empty.
    #[error("the secret for {header} is empty: check where it is read from")]
    Empty {
        /// The header it is for.
        header: String,
    },
    /// The secret holds a character that no header can carry, a line break for instance.
    #[error(
        "the secret for {header} holds a character at byte {at} that no header can carry: look for line breaks, blanks around \
         it and letters beyond ASCII where it is read from"
    )]
    Character {
        /// The header it is for.
        header: String,
        /// Where the character begins, in bytes.
        at: usize,
    },
    /// The user name of Basic authentication holds a colon.
    #[error("the user name holds a colon, which Basic authentication cannot carry")]
    ColonInUser,
    /// A text of a login is empty.
    #[error("the {field} of the login is empty: check where it is read from")]
    EmptyLogin {
        /// Which: `user`.
        field: String,
    },
    /// A text of a login holds a control character, a line break for instance.
    #[error(
        "the {field} of the login holds a control character at byte {at}: look for line breaks where it is read from"
    )]
    ControlCharacter {
        /// Which: `password`.
        field: String,
        /// Where the character begins, in bytes.
        at: usize,
    },
}
