//! Eligibility requests, which lead from an address or a socket to the offers that can be ordered there.

use std::str::FromStr;

use lastmile_core::{Error, Reply};
use lastmile_covage::types::{
    Building, City, EligibilityEndpoint, Forecast, GetBuildingParams, GetForecastParams,
    ListEligibilityEndpointsParams, ListEligibilityEndpointsStatus, OfferRequest, OfferRequestReferenceType,
    OfferRequestStatus, Offers, Portability, Street, StreetNumber,
};

use super::{Copper, Covage, refused, segment};
use crate::List;
use crate::rules::{BuildingRef, CovageZipCode, LineNumber, Otp, RuleError};

/// Eligibility requests. Each step uses the result of the previous one: cities, streets, street numbers, buildings or lines,
/// and offers with an eligibility reference.
impl Covage {
    /// Returns the cities with a postal code of five digits.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "listCities")]
    #[doc(alias = "GET /api/v2/eligibility/cities/")]
    pub fn cities(&self, zipcode: &CovageZipCode) -> List<City> {
        let (client, zipcode) = (self.client.clone(), zipcode.clone());
        List::new(async move { Ok(client.list_cities(zipcode.as_str()).await?.value.into_vec()) })
    }

    /// Returns the streets of a city, which is identified by its INSEE code.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the code is empty or longer than 5 characters, and otherwise
    /// the error of the call.
    #[doc(alias = "listStreets")]
    #[doc(alias = "GET /api/v2/eligibility/streets/")]
    pub fn streets(&self, kosc_insee_code: &str) -> List<Street> {
        let (client, insee_code) = (self.client.clone(), kosc_insee_code.to_owned());
        List::new(async move {
            code("kosc_insee_code", &insee_code, 5)?;
            Ok(client.list_streets(&insee_code).await?.value.into_vec())
        })
    }

    /// Returns the street numbers of a street, which is identified by its code.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the code is empty or longer than 11 characters, and otherwise
    /// the error of the call.
    #[doc(alias = "listStreetNumbers")]
    #[doc(alias = "GET /api/v2/eligibility/street_numbers/")]
    pub fn street_numbers(&self, kosc_street_code: &str) -> List<StreetNumber> {
        let (client, street_code) = (self.client.clone(), kosc_street_code.to_owned());
        List::new(async move {
            code("kosc_street_code", &street_code, 11)?;
            Ok(client.list_street_numbers(&street_code).await?.value.into_vec())
        })
    }

    /// Returns the buildings at an address that have a fibre connection.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the street code is empty or longer than 11 characters, or the
    /// street number is empty or longer than 7 characters. Otherwise returns the error of the call.
    #[doc(alias = "listBuildings")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/")]
    pub fn buildings(&self, kosc_street_code: &str, street_number: &str) -> List<Building> {
        let client = self.client.clone();
        let [street_code, number] = [kosc_street_code, street_number].map(str::to_owned);
        List::new(async move {
            address(&street_code, &number)?;
            Ok(client.list_buildings(&street_code, &number).await?.value.into_vec())
        })
    }

    /// Returns a building with its staircases and their floors.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getBuilding")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/{building_ref}/")]
    pub async fn building_with_stairs(&self, building_ref: &BuildingRef) -> Result<Building, Error> {
        self.building(building_ref, GetBuildingParams { include_stairs: Some(true), ..Default::default() })
            .await
    }

    /// Returns a building with the optical sockets on each floor.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getBuilding")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/{building_ref}/")]
    pub async fn building_with_sockets(&self, building_ref: &BuildingRef) -> Result<Building, Error> {
        self.building(building_ref, GetBuildingParams { include_otp_ref: Some(true), ..Default::default() })
            .await
    }

    async fn building(
        &self,
        building_ref: &BuildingRef,
        params: GetBuildingParams,
    ) -> Result<Building, Error> {
        let building = segment("the building's reference", building_ref.as_str())?;
        self.client.get_building(&building, &params).await.map(Reply::into_value)
    }

    /// Returns the copper lines at an address.
    ///
    /// # Errors
    /// Returns the errors of [`buildings`](Self::buildings).
    #[doc(alias = "listEligibilityEndpoints")]
    #[doc(alias = "GET /api/v2/eligibility/endpoints/")]
    pub fn lines(&self, kosc_street_code: &str, street_number: &str) -> List<EligibilityEndpoint> {
        self.lines_by_status(kosc_street_code, street_number, None)
    }

    /// Returns the copper lines at an address that are active, or those that are inactive. With `None`, returns both.
    ///
    /// # Errors
    /// Returns the errors of [`buildings`](Self::buildings).
    #[doc(alias = "listEligibilityEndpoints")]
    #[doc(alias = "GET /api/v2/eligibility/endpoints/")]
    pub fn lines_by_status(
        &self,
        kosc_street_code: &str,
        street_number: &str,
        status: impl Into<Option<ListEligibilityEndpointsStatus>>,
    ) -> List<EligibilityEndpoint> {
        let client = self.client.clone();
        let [street_code, number] = [kosc_street_code, street_number].map(str::to_owned);
        let params = ListEligibilityEndpointsParams { status: status.into() };
        List::new(async move {
            address(&street_code, &number)?;
            Ok(client.list_eligibility_endpoints(&street_code, &number, &params).await?.value.into_vec())
        })
    }

    /// Returns the date from which fibre is expected to be available at an address. Call it when the list of buildings is
    /// empty.
    ///
    /// # Errors
    /// Returns the errors of [`buildings`](Self::buildings).
    #[doc(alias = "getForecast")]
    #[doc(alias = "GET /api/v2/eligibility/forecast_eligibility/")]
    pub async fn forecast(&self, kosc_street_code: &str, street_number: &str) -> Result<Forecast, Error> {
        self.forecast_for(kosc_street_code, street_number, Default::default()).await
    }

    /// Returns the same forecast as [`forecast`](Self::forecast), for a street number with an extension. The supplier's page
    /// mentions the extension and does not describe it.
    ///
    /// # Errors
    /// Returns the errors of [`buildings`](Self::buildings).
    #[doc(alias = "getForecast")]
    #[doc(alias = "GET /api/v2/eligibility/forecast_eligibility/")]
    pub async fn forecast_for(
        &self,
        kosc_street_code: &str,
        street_number: &str,
        params: GetForecastParams,
    ) -> Result<Forecast, Error> {
        address(kosc_street_code, street_number)?;
        self.client.get_forecast(kosc_street_code, street_number, &params).await.map(Reply::into_value)
    }

    /// Returns, for each type of porting, whether the number of a line can be ported, and the reason if it cannot.
    ///
    /// # Errors
    /// Returns the error of the call.
    #[doc(alias = "getPortability")]
    #[doc(alias = "GET /api/eligibility/endpoints/{endpoint_ref}/portability/")]
    pub fn portability(&self, line_number: &LineNumber) -> List<Portability> {
        let (client, number) = (self.client.clone(), segment("the line number", line_number.as_str()));
        List::new(async move { Ok(client.get_portability(&number?).await?.value.into_vec()) })
    }

    /// Returns the offers for a building that has a fibre connection.
    ///
    /// # Errors
    /// Returns the errors of [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_building(&self, building_ref: &BuildingRef) -> Result<Offers, Error> {
        self.offers(&request(OfferRequestReferenceType::Building, building_ref.as_str())).await
    }

    /// Returns the offers for an optical socket.
    ///
    /// # Errors
    /// Returns the errors of [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_socket(&self, otp: &Otp) -> Result<Offers, Error> {
        self.offers(&request(OfferRequestReferenceType::Otp, otp.as_str())).await
    }

    /// Returns the offers for this work on a copper line. `status` states whether the line is active. An order from such an
    /// offer has the same work.
    ///
    /// # Errors
    /// Returns the errors of [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_line(
        &self,
        line_number: &LineNumber,
        status: OfferRequestStatus,
        work: Copper,
    ) -> Result<Offers, Error> {
        let request = OfferRequest {
            status: Some(status),
            activation_type: Some(work.offered()),
            ..request(OfferRequestReferenceType::LineNumber, line_number.as_str())
        };
        self.offers(&request).await
    }

    /// Returns the offers for a line, a building or a socket, with the eligibility reference that an order requires. The call
    /// does not order anything.
    ///
    /// # Errors
    /// Returns [`Outcome::Invalid`](crate::Outcome::Invalid) when the reference does not match its type, or when a line is
    /// given without its status and activation type. Otherwise returns the error of the call.
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers(&self, request: &OfferRequest) -> Result<Offers, Error> {
        check(request)?;
        self.client.create_offers(request).await.map(Reply::into_value)
    }
}

/// Checks a request for offers. (Source: the supplier's page on offers.)
fn check(request: &OfferRequest) -> Result<(), Error> {
    match request.reference_type {
        OfferRequestReferenceType::Otp => rule::<Otp>("reference", &request.reference),
        OfferRequestReferenceType::LineNumber => {
            rule::<LineNumber>("reference", &request.reference)?;
            if request.status.is_none() || request.activation_type.is_none() {
                return Err(refused("status and activation_type: a line is asked for with both"));
            }
            Ok(())
        }
        OfferRequestReferenceType::Building => rule::<BuildingRef>("reference", &request.reference),
    }
}

fn request(reference_type: OfferRequestReferenceType, reference: &str) -> OfferRequest {
    OfferRequest {
        reference: reference.to_owned(),
        reference_type,
        product_lines: None,
        status: None,
        activation_type: None,
    }
}

fn rule<T: FromStr<Err = RuleError>>(field: &str, text: &str) -> Result<(), Error> {
    match text.parse::<T>() {
        Ok(_) => Ok(()),
        Err(error) => Err(refused(format_args!("{field}: {error}"))),
    }
}

fn address(kosc_street_code: &str, street_number: &str) -> Result<(), Error> {
    code("kosc_street_code", kosc_street_code, 11)?;
    code("street_number", street_number, 7)
}

/// Checks that a text is not empty and not longer than the maximum length. (Source: the supplier's pages on eligibility, which
/// state the maximum lengths.)
fn code(field: &str, text: &str, longest: usize) -> Result<(), Error> {
    match text.chars().count() {
        0 => Err(refused(format_args!("{field}: it is empty"))),
        length if length > longest => {
            Err(refused(format_args!("{field}: it is longer than {longest} characters")))
        }
        _ => Ok(()),
    }
}
