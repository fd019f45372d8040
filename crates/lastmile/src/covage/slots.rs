//! Times at which an engineer can come.

use lastmile_core::Error;
use lastmile_covage::types::{AppointmentSlot, ListAppointmentSlotsLevel, ListAppointmentSlotsParams};

use super::{Covage, OrderId, refused};
use crate::List;

/// For what a time is looked for: an order, or a place and a product.
///
/// Source: the supplier's page on appointments. Copper has times from 8 days ahead (premium: 6) to 26, fibre from 12 days
/// ahead.
///
/// ```
/// use lastmile::covage::SlotRequest;
///
/// let request = SlotRequest::for_fibre("76540", "765405510", "FP05", "IMB/76540/X/043X").days("2026-12-01", "2026-12-24")?;
/// # Ok::<(), lastmile::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing is sent until `slots` is called"]
pub struct SlotRequest {
    params: ListAppointmentSlotsParams,
}

impl SlotRequest {
    /// For an order that is there, also a draft.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it is no id of an order.
    pub fn for_order(id: &OrderId) -> Result<Self, Error> {
        let uuid = id.as_str().parse().map_err(|_| refused("order_uuid: it is no UUID"))?;
        Ok(Self { params: ListAppointmentSlotsParams { order_uuid: Some(uuid), ..Default::default() } })
    }

    /// For a copper line before there is an order.
    pub fn for_copper(insee_code: &str, street_code: &str, product_code: &str, line_number: &str) -> Self {
        let mut request = Self::place(insee_code, street_code, product_code);
        request.params.endpoint_ref = Some(line_number.to_owned());
        request
    }

    /// For a fibre line before there is an order.
    pub fn for_fibre(insee_code: &str, street_code: &str, product_code: &str, building_ref: &str) -> Self {
        let mut request = Self::place(insee_code, street_code, product_code);
        request.params.building_ref = Some(building_ref.to_owned());
        request
    }

    fn place(insee_code: &str, street_code: &str, product_code: &str) -> Self {
        let params = ListAppointmentSlotsParams {
            kosc_insee_code: Some(insee_code.to_owned()),
            kosc_street_code: Some(street_code.to_owned()),
            product_code: Some(product_code.to_owned()),
            ..Default::default()
        };
        Self { params }
    }

    /// From one day to another, both included: `2026-12-24`.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when one is no day, or the last comes before the first.
    pub fn days(mut self, first: &str, last: &str) -> Result<Self, Error> {
        self.params.start_date = Some(first.parse().map_err(|_| refused("start_date: it is no day"))?);
        self.params.end_date = Some(last.parse().map_err(|_| refused("end_date: it is no day"))?);
        match self.params.end_date < self.params.start_date {
            true => Err(refused("end_date: it comes before start_date")),
            false => Ok(self),
        }
    }

    /// With the premium level of service, which has earlier times for copper.
    pub fn premium(mut self) -> Self {
        self.params.level = Some(ListAppointmentSlotsLevel::Premium);
        self
    }

    fn check(&self) -> Result<(), Error> {
        let ListAppointmentSlotsParams {
            kosc_insee_code,
            kosc_street_code,
            product_code,
            endpoint_ref,
            building_ref,
            ..
        } = &self.params;
        let fields = [
            ("kosc_insee_code", kosc_insee_code),
            ("kosc_street_code", kosc_street_code),
            ("product_code", product_code),
            ("endpoint_ref", endpoint_ref),
            ("building_ref", building_ref),
        ];
        match fields.iter().find(|(_, text)| text.as_deref() == Some("")) {
            Some((field, _)) => Err(refused(format_args!("{field}: it is empty"))),
            None => Ok(()),
        }
    }
}

/// Appointments. No public source says how one is booked.
impl Covage {
    /// The times that are free. No public source says what a time looks like, so each is what arrived.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when a part of the request is empty; else the outcome of the call.
    #[doc(alias = "listAppointmentSlots")]
    #[doc(alias = "GET /api/v2/appointment/slots/")]
    pub fn slots(&self, request: &SlotRequest) -> List<AppointmentSlot> {
        let (client, request) = (self.client.clone(), request.clone());
        List::new(async move {
            request.check()?;
            Ok(client.list_appointment_slots(&request.params).await?.value.into_vec())
        })
    }
}
