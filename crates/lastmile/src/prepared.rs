use std::fmt;
use std::time::{Duration, SystemTime};

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
        since: Duration,
    ) -> impl Future<Output = Result<Reconciled<Self::Created>, Error>> + Send;
    #[doc(hidden)]
    fn refuse(&self, reason: &str) -> Error;
    #[doc(hidden)]
    fn stale(&self) -> Error;
}

pub(crate) mod sealed {
    #[expect(unnameable_types, reason = "what cannot be named cannot be implemented elsewhere")]
    pub trait Sealed {}
}

/// A creating call that is checked, can be stored, and is placed once.
///
/// ```
/// # use lastmile::{cocon::{Cocon, types::CustomerCreate}, Prepared};
/// # async fn example(cocon: Cocon, store: impl Fn(String)) -> Result<(), Box<dyn std::error::Error>> {
/// let mut prepared = Prepared::new(CustomerCreate::default())?; // checked, nothing is sent
/// prepared.begin()?;                                            // from now on it may have been sent
/// store(serde_json::to_string(&prepared)?);                     // a crash forgets nothing
/// let customer = prepared.place(&cocon).await?;                 // sent
/// store(serde_json::to_string(&prepared)?);                     // and done
/// # Ok(())
/// # }
/// ```
///
/// When placing fails and [`Error::may_have_taken_effect`], or a value is found in the store as [`Progress::Unclear`]
/// after a crash, [`reconcile`](Self::reconcile) it: such a value refuses to be placed again. It does so, too, when the
/// future of `place` was dropped half-way. Begin it and store it before every `place`, the second one after a failure
/// included: a stored value must never be older than its request. One that is never stored can do without `begin`.
///
/// It knows nothing of its copies: two workers with a copy each can place it twice, so take it out of the store under a
/// lock.
///
/// Store it as JSON text. A [`serde_json::Value`] on the way rounds numbers beyond the precision of a float.
///
/// `Debug` shows the kind and the progress, not the request.
///
/// [`serde_json::Value`]: https://docs.rs/serde_json/1/serde_json/enum.Value.html
pub struct Prepared<C> {
    request: C,
    progress: Progress,
    /// Whether `begin` was called on this very value, so that it is known that nothing was sent since.
    begun: bool,
    /// When it was begun last, or came back unclear, in seconds since 1970.
    begun_at: Option<u64>,
}

/// How far a [`Prepared`] value has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Progress {
    /// It was never begun, or what was sent had no effect.
    Ready,
    /// It was begun, and nothing certain is known since.
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
        Ok(Self { request, progress: Progress::Ready, begun: false, begun_at: None })
    }

    /// What will be sent.
    pub fn request(&self) -> &C {
        &self.request
    }

    /// How far it has come.
    pub fn progress(&self) -> Progress {
        self.progress
    }

    /// Marks it as being sent, for the store, before it is. The mark is good for a minute: place it by then, or begin again
    /// and store it again.
    ///
    /// # Errors
    /// As [`place`](Self::place).
    pub fn begin(&mut self) -> Result<(), Error> {
        let refused = match self.progress {
            Progress::Unclear if self.begun => return Ok(()),
            Progress::Ready => {
                (self.progress, self.begun) = (Progress::Unclear, true);
                self.stamp();
                return Ok(());
            }
            Progress::Unclear => {
                "it was begun before and may have been sent: reconcile it, or declare it absent when somebody has looked"
            }
            Progress::Placed => "it is placed already",
        };
        Err(self.request.refuse(refused))
    }

    /// Sends it.
    ///
    /// # Errors
    /// The outcome of the call. [`Outcome::Unknown`](crate::Outcome::Unknown) without a request, when it was begun before
    /// and may have been sent, or is placed already.
    pub async fn place(&mut self, supplier: &C::Supplier) -> Result<C::Created, Error> {
        self.begin()?;
        if self.age() > BEGUN_FOR {
            // The stored mark would tell a later look-up that the request is older than it is.
            (self.progress, self.begun) = (Progress::Ready, false);
            return Err(self.request.stale());
        }
        // From here on it may be on its way, even if this future is dropped.
        self.begun = false;
        let result = self.request.send(supplier).await;
        self.progress = match &result {
            Ok(_) => Progress::Placed,
            Err(error) if error.may_have_taken_effect() => Progress::Unclear,
            Err(_) => Progress::Ready,
        };
        self.stamp();
        result
    }

    fn stamp(&mut self) {
        self.begun_at = now().map(|now| now.as_secs());
    }

    /// How long ago it was begun. A clock that was set back, or is not known, makes it look younger.
    fn age(&self) -> Duration {
        let begun = self.begun_at.map(Duration::from_secs);
        begun.zip(now()).map(|(begun, now)| now.saturating_sub(begun)).unwrap_or_default()
    }

    /// Finds out what became of it, with what the supplier's API offers.
    ///
    /// # Errors
    /// The outcome of the look-up; it can be asked again.
    pub async fn reconcile(&mut self, supplier: &C::Supplier) -> Result<Reconciled<C::Created>, Error> {
        let found = self.request.find(supplier, self.age()).await?;
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

fn now() -> Option<Duration> {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()
}

/// How long after it was begun it may still be sent.
const BEGUN_FOR: Duration = Duration::from_secs(60);

/// How much longer a request may still be running at the supplier before what is not there can be called absent; none when
/// it can. `age` counts from when it was begun, `deadline` is that of the calls that sent it. No supplier states how long
/// it works on a request whose caller has gone; five minutes are far beyond what their gateways wait.
#[cfg(any(feature = "covage", feature = "onapi"))]
pub(crate) fn unsettled(age: Duration, deadline: Duration) -> Option<Duration> {
    const SETTLE: Duration = Duration::from_secs(300);
    let settled = BEGUN_FOR.saturating_add(deadline).saturating_add(SETTLE);
    settled.checked_sub(age).filter(|left| !left.is_zero())
}

/// The version of the stored form.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct StoredRef<'a, C> {
    version: u32,
    kind: &'a str,
    progress: Progress,
    #[serde(skip_serializing_if = "Option::is_none")]
    begun_at: Option<u64>,
    request: &'a C,
}

#[derive(Deserialize)]
struct Stored<C> {
    version: u32,
    kind: String,
    progress: Progress,
    #[serde(default)]
    begun_at: Option<u64>,
    request: C,
}

impl<C: Creation> Serialize for Prepared<C> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { request, progress, begun_at, .. } = self;
        StoredRef { version: VERSION, kind: C::KIND, progress: *progress, begun_at: *begun_at, request }
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
        // It may have been stored by another version of this library, or been changed in the store.
        stored.request.check().map_err(|error| de::Error::custom(format_args!("not to be sent: {error}")))?;
        Ok(Self {
            request: stored.request,
            progress: stored.progress,
            begun: false,
            begun_at: stored.begun_at,
        })
    }
}
