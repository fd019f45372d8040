/// Why credentials cannot be used. The error names the header, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialError {
    /// The name is not a header name.
    #[error("{header:?} is not a header name: use letters, digits and hyphens")]
    Name {
        /// The invalid name.
        header: String,
    },
    /// HTTP defines a meaning for the header, so it cannot carry a key.
    #[error("{header} has a meaning of its own in HTTP: take the name that the supplier gave you")]
    Reserved {
        /// The name of the header.
        header: String,
    },
    /// Two credentials use the same header.
    #[error("two credentials are for {header}: give each a header of its own")]
    Twice {
        /// The name of the header.
        header: String,
    },
    /// The secret is empty.
    #[error("the secret for {header} is empty: check where it is read from")]
    Empty {
        /// The header that carries the secret.
        header: String,
    },
    /// The secret contains a character that no header can carry, such as a line break.
    #[error(
        "the secret for {header} holds a character at byte {at} that no header can carry: look for line breaks, blanks around \
         it and letters beyond ASCII where it is read from"
    )]
    Character {
        /// The header that carries the secret.
        header: String,
        /// The offset of the character in the secret, in bytes.
        at: usize,
    },
    /// The user name of Basic authentication contains a colon.
    #[error("the user name holds a colon, which Basic authentication cannot carry")]
    ColonInUser,
    /// A field of a login is empty.
    #[error("the {field} of the login is empty: check where it is read from")]
    EmptyLogin {
        /// The name of the field, such as `user`.
        field: String,
    },
    /// A field of a login contains a control character, such as a line break.
    #[error(
        "the {field} of the login holds a control character at byte {at}: look for line breaks where it is read from"
    )]
    ControlCharacter {
        /// The name of the field, such as `password`.
        field: String,
        /// The offset of the character in the field, in bytes.
        at: usize,
    },
}
