/// Defines methods of a settings type that set one field each, which the argument is converted to: `name(field: Type);`.
/// `const name(field: Type);` defines a `const fn`, which converts nothing.
macro_rules! setters {
    ($($(#[$attribute:meta])* const $name:ident($field:ident: $ty:ty);)*) => {$(
        $(#[$attribute])*
        #[must_use]
        pub const fn $name(mut self, $field: $ty) -> Self {
            self.$field = $field;
            self
        }
    )*};
    ($($(#[$attribute:meta])* $name:ident($field:ident: $ty:ty);)*) => {$(
        $(#[$attribute])*
        #[must_use]
        pub fn $name(mut self, $field: $ty) -> Self {
            self.$field = $field.into();
            self
        }
    )*};
}

pub(crate) use setters;
