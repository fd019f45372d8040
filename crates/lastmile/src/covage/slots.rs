//! Appointment slots, at which an engineer is available.

use lastmile_core::Error;
use lastmile_covage::types::{AppointmentSlot, ListAppointmentSlotsLevel, ListAppointmentSlotsParams};

use super::{Covage, OrderId, refused};
use crate::List;

/// A search for appointment slots: for an order, or for an address and a product.
///
/// Slots are available from 8 days ahead (premium: 6) to 26 days ahead for copper, and from 12 days ahead for fibre. (Source:
/// the supplier's page on appointments.)
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
    /// Searches for an order that exists, which may be a draft.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the id is not a UUID.
    pub fn for_order(id: &OrderId) -> Result<Self, Error> {
        let uuid = id.as_str().parse().map_err(|_| refused("order_uuid: it is no UUID"))?;
        Ok(Self { params: ListAppointmentSlotsParams { order_uuid: Some(uuid), ..Default::default() } })
    }

    /// Searches for a copper line before its order exists. `line_number` is the number of the line.
    pub fn for_copper(insee_code: &str, street_code: &str, product_code: &str, line_number: &str) -> Self {
        let mut request = Self::place(insee_code, street_code, product_code);
        request.params.endpoint_ref = Some(line_number.to_owned());
        request
    }

    /// Searches for a fibre line before its order exists. `building_ref` is the reference of the building.
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

    /// Sets the first and the last day of the search, both inclusive. The format is `2026-12-24`.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when a day is not a valid date, or `last` is before `first`.
    pub fn days(mut self, first: &str, last: &str) -> Result<Self, Error> {
        self.params.start_date = Some(first.parse().map_err(|_| refused("start_date: it is no day"))?);
        self.params.end_date = Some(last.parse().map_err(|_| refused("end_date: it is no day"))?);
        match self.params.end_date < self.params.start_date {
            true => Err(refused("end_date: it comes before start_date")),
            false => Ok(self),
        }
    }

    /// Searches with the premium level of service, which has earlier slots for copper.
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

/// Appointment slots. No public source describes how to book one.
impl Covage {
    /// Returns the slots that are free. No public source describes the fields of a slot, so each slot is returned as it
    /// arrived.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when a field of the search is empty, and otherwise the error of
    /// the call.
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
