//! From an address or a socket to what can be ordered there.

use std::str::FromStr;

use lastmile_core::wire::{Loose, OneOrMany};
use lastmile_core::{Error, Reply};
use lastmile_covage::types::{
    Building, City, EligibilityEndpoint, Forecast, GetBuildingParams, GetForecastParams,
    ListEligibilityEndpointsParams, ListEligibilityEndpointsStatus, OfferRequest, OfferRequestReferenceType,
    OfferRequestStatus, Offers, Portability, Street, StreetNumber,
};

use super::{Copper, Covage, refused, segment};
use crate::rules::{BuildingRef, CovageZipCode, LineNumber, Otp, RuleError};

/// The chain that ends in an eligibility reference: cities, streets, street numbers, buildings or lines, offers.
impl Covage {
    /// The cities of a postal code of five digits.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it is no postal code; else the outcome of the call.
    #[doc(alias = "listCities")]
    #[doc(alias = "GET /api/v2/eligibility/cities/")]
    pub async fn cities(&self, zipcode: &str) -> Result<OneOrMany<Loose<City>>, Error> {
        rule::<CovageZipCode>("zipcode", zipcode)?;
        self.client.list_cities(zipcode).await.map(Reply::into_value)
    }

    /// The streets of a city, given by its INSEE code.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listStreets")]
    #[doc(alias = "GET /api/v2/eligibility/streets/")]
    pub async fn streets(&self, kosc_insee_code: &str) -> Result<OneOrMany<Loose<Street>>, Error> {
        code("kosc_insee_code", kosc_insee_code, 5)?;
        self.client.list_streets(kosc_insee_code).await.map(Reply::into_value)
    }

    /// The numbers of a street, given by its code.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listStreetNumbers")]
    #[doc(alias = "GET /api/v2/eligibility/street_numbers/")]
    pub async fn street_numbers(
        &self,
        kosc_street_code: &str,
    ) -> Result<OneOrMany<Loose<StreetNumber>>, Error> {
        code("kosc_street_code", kosc_street_code, 11)?;
        self.client.list_street_numbers(kosc_street_code).await.map(Reply::into_value)
    }

    /// The buildings at an address that fibre reaches.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listBuildings")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/")]
    pub async fn buildings(
        &self,
        kosc_street_code: &str,
        street_number: &str,
    ) -> Result<OneOrMany<Loose<Building>>, Error> {
        address(kosc_street_code, street_number)?;
        self.client.list_buildings(kosc_street_code, street_number).await.map(Reply::into_value)
    }

    /// A building with its stairs and their floors.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "getBuilding")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/{building_ref}/")]
    pub async fn building_with_stairs(&self, building_ref: &str) -> Result<Building, Error> {
        self.building(building_ref, GetBuildingParams { include_stairs: Some(true), ..Default::default() })
            .await
    }

    /// A building with the optical sockets on each floor.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "getBuilding")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/{building_ref}/")]
    pub async fn building_with_sockets(&self, building_ref: &str) -> Result<Building, Error> {
        self.building(building_ref, GetBuildingParams { include_otp_ref: Some(true), ..Default::default() })
            .await
    }

    async fn building(&self, building_ref: &str, params: GetBuildingParams) -> Result<Building, Error> {
        let building = segment("the building's reference", building_ref)?;
        self.client.get_building(&building, &params).await.map(Reply::into_value)
    }

    /// The copper lines at an address.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listEligibilityEndpoints")]
    #[doc(alias = "GET /api/v2/eligibility/endpoints/")]
    pub async fn lines(
        &self,
        kosc_street_code: &str,
        street_number: &str,
    ) -> Result<OneOrMany<Loose<EligibilityEndpoint>>, Error> {
        self.lines_that_are(kosc_street_code, street_number, None).await
    }

    /// The copper lines at an address that are in use, or those that are not.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listEligibilityEndpoints")]
    #[doc(alias = "GET /api/v2/eligibility/endpoints/")]
    pub async fn lines_that_are(
        &self,
        kosc_street_code: &str,
        street_number: &str,
        status: impl Into<Option<ListEligibilityEndpointsStatus>>,
    ) -> Result<OneOrMany<Loose<EligibilityEndpoint>>, Error> {
        address(kosc_street_code, street_number)?;
        let params = ListEligibilityEndpointsParams { status: status.into() };
        self.client
            .list_eligibility_endpoints(kosc_street_code, street_number, &params)
            .await
            .map(Reply::into_value)
    }

    /// When fibre is to reach an address that it does not reach yet: to be asked after an empty list of buildings.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "getForecast")]
    #[doc(alias = "GET /api/v2/eligibility/forecast_eligibility/")]
    pub async fn forecast(&self, kosc_street_code: &str, street_number: &str) -> Result<Forecast, Error> {
        self.forecast_for(kosc_street_code, street_number, Default::default()).await
    }

    /// The same, with the extension of the street number, which the supplier's page mentions and does not describe.
    ///
    /// # Errors
    /// The outcome of the call.
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

    /// Whether the number of a line can be taken along, for each way of porting, and why not.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when it is no line number; else the outcome of the call.
    #[doc(alias = "getPortability")]
    #[doc(alias = "GET /api/eligibility/endpoints/{endpoint_ref}/portability/")]
    pub async fn portability(&self, line_number: &str) -> Result<OneOrMany<Loose<Portability>>, Error> {
        line("endpoint_ref", line_number)?;
        let number = segment("the line number", line_number)?;
        self.client.get_portability(&number).await.map(Reply::into_value)
    }

    /// What can be ordered for a building that fibre reaches.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_building(&self, building_ref: &str) -> Result<Offers, Error> {
        self.offers(&request(OfferRequestReferenceType::Building, building_ref)).await
    }

    /// What can be ordered for an optical socket.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_socket(&self, otp: &Otp) -> Result<Offers, Error> {
        self.offers(&request(OfferRequestReferenceType::Otp, otp.as_str())).await
    }

    /// What can be ordered for a copper line by this work, active or not; an order from it has the same work.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_line(
        &self,
        line_number: &str,
        status: OfferRequestStatus,
        work: Copper,
    ) -> Result<Offers, Error> {
        let request = OfferRequest {
            status: Some(status),
            activation_type: Some(work.offered()),
            ..request(OfferRequestReferenceType::LineNumber, line_number)
        };
        self.offers(&request).await
    }

    /// What can be ordered for a line, a building or a socket, with the eligibility reference to order it by. Nothing is
    /// ordered by asking.
    ///
    /// # Errors
    /// [`Outcome::Invalid`](crate::Outcome::Invalid) when the reference is not of its type, or a line is asked for without
    /// its status and activation type; else the outcome of the call.
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers(&self, request: &OfferRequest) -> Result<Offers, Error> {
        check(request)?;
        self.client.create_offers(request).await.map(Reply::into_value)
    }
}

/// Source: the supplier's page on offers.
fn check(request: &OfferRequest) -> Result<(), Error> {
    match request.reference_type {
        OfferRequestReferenceType::Otp => rule::<Otp>("reference", &request.reference),
        OfferRequestReferenceType::LineNumber => {
            line("reference", &request.reference)?;
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

fn line(field: &str, number: &str) -> Result<(), Error> {
    rule::<LineNumber>(field, number)
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

/// Source: the supplier's pages on eligibility, which give the greatest lengths.
fn code(field: &str, text: &str, longest: usize) -> Result<(), Error> {
    match text.chars().count() {
        0 => Err(refused(format_args!("{field}: it is empty"))),
        length if length > longest => {
            Err(refused(format_args!("{field}: it is longer than {longest} characters")))
        }
        _ => Ok(()),
    }
}
