use bytes::{Bytes, BytesMut};

/// The bytes of a response body. Most bodies arrive in a single chunk, which is not copied.
#[derive(Default)]
pub(crate) struct Received {
    first: Bytes,
    /// All chunks, if there are several.
    all: BytesMut,
}

impl Received {
    pub(super) fn len(&self) -> usize {
        self.first.len().max(self.all.len())
    }

    pub(super) fn push(&mut self, chunk: Bytes) {
        if self.first.is_empty() {
            self.first = chunk;
            return;
        }
        if self.all.is_empty() {
            self.all.extend_from_slice(&self.first);
        }
        self.all.extend_from_slice(&chunk);
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        if self.all.is_empty() { &self.first } else { &self.all }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        if self.all.is_empty() { self.first } else { self.all.freeze() }
    }
}

impl From<Bytes> for Received {
    fn from(first: Bytes) -> Self {
        Self { first, all: BytesMut::new() }
    }
}
