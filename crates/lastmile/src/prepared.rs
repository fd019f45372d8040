use std::fmt;
use std::time::Duration;

use lastmile_core::call::Error;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Something that can be created at a supplier. Implemented here for what suppliers create.
pub trait Creation: Serialize + DeserializeOwned + sealed::Sealed {
    /// The handle of the supplier.
    type Supplier;
    /// What the supplier answers.
    type Created;
    /// What is created, as stored with a [`Prepared`] value.
    const KIND: &'static str;

    #[doc(hidden)]
    fn check(&self) -> Result<(), Error>;
    #[doc(hidden)]
    fn send(&self, supplier: &Self::Supplier) -> impl Future<Output = Result<Self::Created, Error>> + Send;
    #[doc(hidden)]
    fn find(
        &self,
        supplier: &Self::Supplier,
    ) -> impl Future<Output = Result<Reconciled<Self::Created>, Error>> + Send;
    #[doc(hidden)]
    fn refuse(&self, reason: &str) -> Error;
}

pub(crate) mod sealed {
    #[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
    pub trait Sealed {}
}

/// A creating call that is checked, can be stored, and is placed once.
///
/// 1. Make it, which checks the request: [`Prepared::new`].
/// 2. Store it (it is serialisable, as JSON), so that a crash forgets nothing.
/// 3. [`place`](Self::place) it, and store it again.
/// 4. When that fails and [`Error::may_have_taken_effect`], or when you find it stored after a crash and do not know
///    whether it was sent, [`reconcile`](Self::reconcile) it.
///
/// The value keeps track of how far it has come ([`Progress`]): it refuses to be placed a second time, also when the
/// future of the first time was dropped half-way. It knows nothing of copies; two workers with a copy each can place it
/// twice, so take it out of the store under a lock.
///
/// `Debug` shows the kind and the progress, not the request.
pub struct Prepared<C> {
    request: C,
    progress: Progress,
}

/// How far a [`Prepared`] value has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// Nothing was sent, or what was sent had no effect.
    Ready,
    /// It was sent, and nothing certain is known since.
    Unclear,
    /// The supplier has it.
    Placed,
}

/// What became of a [`Prepared`] value, as far as the supplier lets it be found out.
#[derive(Debug)]
#[non_exhaustive]
pub enum Reconciled<T> {
    /// It took effect; this is what the supplier holds.
    Placed(T),
    /// It did not take effect, and can be placed again.
    Absent,
    /// It cannot be told.
    Undecidable(Undecidable),
}

/// Why it cannot be told what became of something, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Undecidable {
    /// Why it cannot be told.
    pub why: String,
    /// When asking again may help; never, if none.
    pub ask_again: Option<Duration>,
    /// What a person should look at.
    pub look_at: String,
}

impl fmt::Display for Undecidable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}. {}", self.why, self.look_at)?;
        match self.ask_again {
            Some(wait) => write!(f, ", or ask again in {} s", wait.as_secs()),
            None => Ok(()),
        }
    }
}

impl<C: Creation> Prepared<C> {
    /// Checks the request and prepares it. Nothing is sent.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the supplier could only refuse it.
    pub fn new(request: C) -> Result<Self, Error> {
        request.check()?;
        Ok(Self { request, progress: Progress::Ready })
    }

    /// What will be sent.
    pub fn request(&self) -> &C {
        &self.request
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Sends it.
    ///
    /// # Errors
    /// The outcome of the call. [`Outcome::Invalid`](crate::Outcome::Invalid) when it was sent before and may have
    /// taken effect, or has.
    pub async fn place(&mut self, supplier: &C::Supplier) -> Result<C::Created, Error> {
        match self.progress {
            Progress::Ready => {}
            Progress::Unclear => {
                return Err(self.request.refuse(
                    "it was sent before and may have taken effect: reconcile it, or declare it absent when somebody has \
                     looked",
                ));
            }
            Progress::Placed => return Err(self.request.refuse("it is placed already")),
        }
        // From here on it may be on its way, even if this future is dropped.
        self.progress = Progress::Unclear;
        let result = self.request.send(supplier).await;
        self.progress = match &result {
            Ok(_) => Progress::Placed,
            Err(error) if error.may_have_taken_effect() => Progress::Unclear,
            Err(_) => Progress::Ready,
        };
        result
    }

    /// Finds out what became of it, with what the supplier's API offers.
    ///
    /// # Errors
    /// The outcome of the look-up; it can be asked again.
    pub async fn reconcile(&mut self, supplier: &C::Supplier) -> Result<Reconciled<C::Created>, Error> {
        let found = self.request.find(supplier).await?;
        match found {
            Reconciled::Placed(_) => self.progress = Progress::Placed,
            Reconciled::Absent => self.progress = Progress::Ready,
            Reconciled::Undecidable(_) => {}
        }
        Ok(found)
    }

    /// Lets it be placed again, because somebody has looked at the supplier's data and it is not there.
    pub fn declare_absent(&mut self) {
        self.progress = Progress::Ready;
    }
}

impl<C: Creation> fmt::Debug for Prepared<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("kind", &C::KIND)
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// The version of the stored form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct StoredRef<'a, C> {
    version: u32,
    kind: &'a str,
    progress: Progress,
    request: &'a C,
}

#[derive(Deserialize)]
struct Stored<C> {
    version: u32,
    kind: String,
    progress: Progress,
    request: C,
}

impl<C: Creation> Serialize for Prepared<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        StoredRef { version: VERSION, kind: C::KIND, progress: self.progress, request: &self.request }
            .serialize(serializer)
    }
}

impl<'de, C: Creation> Deserialize<'de> for Prepared<C> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::<C>::deserialize(deserializer)?;
        if stored.version != VERSION {
            return Err(de::Error::custom(format_args!(
                "stored as version {}, and this library reads version {VERSION}",
                stored.version
            )));
        }
        if stored.kind != C::KIND {
            return Err(de::Error::custom(format_args!("stored as another kind than {}", C::KIND)));
        }
        Ok(Self { request: stored.request, progress: stored.progress })
    }
}
