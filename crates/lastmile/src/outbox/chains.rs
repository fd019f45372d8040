//! The chains of this crate's suppliers.

#[cfg(any(feature = "cocon", feature = "onapi"))]
use std::time::Duration;

use lastmile_core::Error;
use serde::{Deserialize, Serialize};

#[cfg(feature = "onapi")]
use super::chain::failed;
use super::chain::sealed::Steps;
use super::chain::{Chain, Kind, Part, Repeated};
use crate::Prepared;

/// How often a placed order is asked for its progress.
#[cfg(any(feature = "cocon", feature = "onapi"))]
const FOLLOW: Duration = Duration::from_secs(300);

fn missing(api: &'static str, what: &str) -> Error {
    Error::invalid(api, what.to_owned()).with_own_advice()
}

/// An order at an ON-API network that is placed, and then followed until the network has carried it out.
///
/// The result is a [`Placed`](crate::onapi::Placed): the finished order, or the subscription if the network already had what was
/// ordered. An order that the network could not carry out is refused, with the network's message.
///
/// ```
/// use lastmile::onapi::NewOrder;
/// use lastmile::outbox::PlaceAndFollow;
///
/// let order = NewOrder::activate("ACC-1".parse()?, "BB-100", "SP-1001".parse()?);
/// let chain = PlaceAndFollow::new(order).asking_every(std::time::Duration::from_secs(600));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "onapi")]
#[derive(Clone, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is enqueued"]
pub struct PlaceAndFollow {
    order: crate::onapi::NewOrder,
    every_ms: u64,
}

#[cfg(feature = "onapi")]
impl PlaceAndFollow {
    /// Places this order, and asks for its progress every five minutes.
    pub fn new(order: crate::onapi::NewOrder) -> Self {
        Self { order, every_ms: millis(FOLLOW) }
    }

    /// Sets how often the network is asked for the progress.
    pub fn asking_every(self, interval: Duration) -> Self {
        Self { every_ms: millis(interval), ..self }
    }
}

#[cfg(any(feature = "cocon", feature = "onapi"))]
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(feature = "onapi")]
impl Chain for PlaceAndFollow {
    type Finished = crate::onapi::Placed;
    const KIND: &'static str = "onapi.place-and-follow";
}

#[cfg(feature = "onapi")]
impl Steps for PlaceAndFollow {
    type Supplier = crate::onapi::OnApi;
    const API: &'static str = <crate::onapi::OnApi as crate::prepared::sealed::Supplier>::API;
    const MANUAL_CHECK: &'static str = "look for the order in the network's portal";

    fn first(&self) -> Result<Part, Error> {
        Part::prepared(&Prepared::new(self.order.clone())?)
    }

    fn after(&self, _: &str, created: Option<&str>) -> Result<Part, Error> {
        use crate::onapi::Placed;

        let created = created.and_then(|created| serde_json::from_str::<Placed>(created).ok());
        match created {
            Some(placed @ Placed::Subscription(_)) => Part::done(&placed),
            Some(order) => match order.order_id() {
                Some(id) => Part::repeat(&id.to_string()),
                None => Err(missing(
                    Self::API,
                    "the network returned the order without an id, so that it cannot be followed",
                )),
            },
            None => Err(missing(
                Self::API,
                "it is not known what the network created, so that it cannot be followed",
            )),
        }
    }

    async fn repeat(&self, network: &Self::Supplier, state: &str) -> Result<Repeated, Error> {
        use crate::{HasProgress as _, OrderStage};

        let id: String = serde_json::from_str(state)
            .map_err(|_| missing(Self::API, "the stored id of the order cannot be read"))?;
        let id = id.parse().map_err(|_| missing(Self::API, "the stored id of the order is no id"))?;
        let order = network.order(&id).await?;
        let progress = order.progress();
        Ok(match progress.stage() {
            OrderStage::Done => Repeated::Next(Part::done(&crate::onapi::Placed::Order(Box::new(order)))?),
            stage if stage.is_final() => {
                Repeated::Ended(failed("the network could not carry the order out", progress.reason()))
            }
            _ => Repeated::Again(Duration::from_millis(self.every_ms)),
        })
    }
}

/// A batch of connections at Cocon that is placed, and then followed until no connection is pending.
///
/// The result is the [status of the batch](crate::cocon::types::DelayedConnectionBatchStatus), which also lists the connections
/// that failed.
#[cfg(feature = "cocon")]
#[derive(Clone, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is enqueued"]
pub struct BatchAndReport {
    batch: crate::cocon::Batch,
    every_ms: u64,
}

#[cfg(feature = "cocon")]
impl BatchAndReport {
    /// Places this batch, and asks for its report every five minutes.
    pub fn new(batch: crate::cocon::Batch) -> Self {
        Self { batch, every_ms: millis(FOLLOW) }
    }

    /// Sets how often the supplier is asked for the report.
    pub fn asking_every(self, interval: Duration) -> Self {
        Self { every_ms: millis(interval), ..self }
    }
}

#[cfg(feature = "cocon")]
impl Chain for BatchAndReport {
    type Finished = crate::cocon::types::DelayedConnectionBatchStatus;
    const KIND: &'static str = "cocon.batch-and-report";
}

#[cfg(feature = "cocon")]
impl Steps for BatchAndReport {
    type Supplier = crate::cocon::Cocon;
    const API: &'static str = <crate::cocon::Cocon as crate::prepared::sealed::Supplier>::API;
    const MANUAL_CHECK: &'static str =
        "look in Cocon which of the buildings are connected, and whether a batch with them is running";

    fn first(&self) -> Result<Part, Error> {
        Part::prepared(&Prepared::new(self.batch.clone())?)
    }

    fn after(&self, _: &str, created: Option<&str>) -> Result<Part, Error> {
        let id = created.and_then(|created| serde_json::from_str::<crate::cocon::BatchId>(created).ok());
        match id {
            Some(id) => Part::repeat(&id),
            None => {
                Err(missing(Self::API, "the id of the batch is not known, so that it cannot be followed"))
            }
        }
    }

    async fn repeat(&self, cocon: &Self::Supplier, state: &str) -> Result<Repeated, Error> {
        let id = serde_json::from_str(state)
            .map_err(|_| missing(Self::API, "the stored id of the batch cannot be read"))?;
        let report = cocon.batch(&id).await?;
        Ok(match report.is_finished() {
            true => Repeated::Next(Part::done(report.status())?),
            false => Repeated::Again(Duration::from_millis(self.every_ms)),
        })
    }
}

/// A fibre or copper order at Covage from the draft to its submission: the draft is created, completed, given its socket, and
/// submitted. All inputs are given beforehand.
///
/// The result is the submitted [`Order`](crate::covage::types::Order). If the draft lacks something, a person is asked, with the
/// names of the fields.
#[cfg(feature = "covage")]
#[derive(Clone, Serialize, Deserialize)]
#[must_use = "nothing is sent until it is enqueued"]
pub struct DraftAndSubmit {
    order: crate::covage::NewOrder,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    completion: Option<crate::covage::types::OrderUpdate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    socket: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    street_number: Option<String>,
}

#[cfg(feature = "covage")]
impl DraftAndSubmit {
    /// Creates this draft, and submits it. The order needs a [reference](crate::covage::NewOrder::reference), or a draft whose
    /// response is lost cannot be found again.
    pub fn new(order: crate::covage::NewOrder) -> Self {
        Self { order, completion: None, socket: None, floor: None, street_number: None }
    }

    /// Sets what the draft is completed with: customer, operator, options and comment.
    pub fn complete(self, data: crate::covage::types::OrderUpdate) -> Self {
        Self { completion: Some(data), ..self }
    }

    /// Sets the optical socket (`Otp`, which is a socket in the home and not a one-time password).
    pub fn socket(self, otp: &crate::rules::Otp) -> Self {
        Self { socket: Some(otp.to_string()), ..self }
    }

    /// Sets the location within the building.
    pub fn floor(self, stairs: impl Into<String>, floor: impl Into<String>) -> Self {
        Self { floor: Some((stairs.into(), floor.into())), ..self }
    }

    /// Sets the street number, for a copper order next to a neighbour's line.
    pub fn street_number(self, number: impl Into<String>) -> Self {
        Self { street_number: Some(number.into()), ..self }
    }
}

#[cfg(feature = "covage")]
impl Chain for DraftAndSubmit {
    type Finished = crate::covage::types::Order;
    const KIND: &'static str = "covage.draft-and-submit";
}

#[cfg(feature = "covage")]
impl Steps for DraftAndSubmit {
    type Supplier = crate::covage::Covage;
    const API: &'static str = <crate::covage::Covage as crate::prepared::sealed::Supplier>::API;
    const MANUAL_CHECK: &'static str = "look at the order on the extranet";

    fn first(&self) -> Result<Part, Error> {
        if let Some(socket) = &self.socket {
            socket
                .parse::<crate::rules::Otp>()
                .map_err(|_| missing(Self::API, "socket: it is no reference of an optical socket"))?;
        }
        Part::prepared(&Prepared::new(self.order.clone())?)
    }

    fn after(&self, kind: &str, created: Option<&str>) -> Result<Part, Error> {
        if kind == <crate::covage::Submission as crate::Creation>::KIND {
            let order = created.and_then(|created| serde_json::from_str(created).ok());
            let order: serde_json::Value = order.unwrap_or(serde_json::Value::Null);
            return Part::done(&order);
        }
        let draft = created.and_then(|created| serde_json::from_str::<crate::covage::Draft>(created).ok());
        match draft {
            Some(draft) => Part::repeat(draft.id()),
            None => {
                Err(missing(Self::API, "the id of the draft is not known, so that it cannot be completed"))
            }
        }
    }

    async fn repeat(&self, covage: &Self::Supplier, state: &str) -> Result<Repeated, Error> {
        let id: crate::covage::OrderId = serde_json::from_str(state)
            .map_err(|_| missing(Self::API, "the stored id of the draft cannot be read"))?;
        // Each of these changes writes the same values however often it is carried out, so that a repetition, and a request of
        // another worker that arrives late, do no harm.
        let mut draft = crate::covage::Draft::try_from(covage.order(&id).await?)?;
        if let Some(data) = &self.completion {
            draft.complete(covage, data).await?;
        }
        if let Some((stairs, floor)) = &self.floor {
            draft.set_floor(covage, stairs, floor).await?;
        }
        if let Some(number) = &self.street_number {
            draft.set_street_number(covage, number).await?;
        }
        if let Some(socket) = &self.socket {
            let otp = socket
                .parse()
                .map_err(|_| missing(Self::API, "socket: it is no reference of an optical socket"))?;
            draft.set_otp(covage, &otp).await?;
        }
        let draft = crate::covage::Draft::try_from(covage.order(&id).await?)?;
        Ok(match draft.submission() {
            Ok(submission) => Repeated::Next(Part::prepared(&Prepared::new(submission)?)?),
            Err(not_ready) => Repeated::Ended(super::StepOutcome::NeedsPerson {
                reason: not_ready.to_string(),
                manual_check:
                    "complete the draft on the extranet, and declare it absent to have it submitted"
                        .to_owned(),
            }),
        })
    }
}

macro_rules! kinds {
    ($($(#[$cfg:meta])* $chain:ty),+ $(,)?) => {$(
        $(#[$cfg])*
        impl Kind for $chain {
            type Created = <$chain as Chain>::Finished;
            const KIND: &'static str = <$chain as Chain>::KIND;
        }

        // The inputs are personal data.
        $(#[$cfg])*
        impl std::fmt::Debug for $chain {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(<$chain as Chain>::KIND).finish_non_exhaustive()
            }
        }
    )+};
}

kinds!(
    #[cfg(feature = "onapi")]
    PlaceAndFollow,
    #[cfg(feature = "cocon")]
    BatchAndReport,
    #[cfg(feature = "covage")]
    DraftAndSubmit,
);
