//! From an address or a socket to what can be ordered there.

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

/// The chain that ends in an eligibility reference: cities, streets, street numbers, buildings or lines, offers.
impl Covage {
    /// The cities of a postal code of five digits.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listCities")]
    #[doc(alias = "GET /api/v2/eligibility/cities/")]
    pub fn cities(&self, zipcode: &CovageZipCode) -> List<City> {
        let (client, zipcode) = (self.client.clone(), zipcode.clone());
        List::new(async move { Ok(client.list_cities(zipcode.as_str()).await?.value.into_vec()) })
    }

    /// The streets of a city, given by its INSEE code.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listStreets")]
    #[doc(alias = "GET /api/v2/eligibility/streets/")]
    pub fn streets(&self, kosc_insee_code: &str) -> List<Street> {
        let (client, insee_code) = (self.client.clone(), kosc_insee_code.to_owned());
        List::new(async move {
            code("kosc_insee_code", &insee_code, 5)?;
            Ok(client.list_streets(&insee_code).await?.value.into_vec())
        })
    }

    /// The numbers of a street, given by its code.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listStreetNumbers")]
    #[doc(alias = "GET /api/v2/eligibility/street_numbers/")]
    pub fn street_numbers(&self, kosc_street_code: &str) -> List<StreetNumber> {
        let (client, street_code) = (self.client.clone(), kosc_street_code.to_owned());
        List::new(async move {
            code("kosc_street_code", &street_code, 11)?;
            Ok(client.list_street_numbers(&street_code).await?.value.into_vec())
        })
    }

    /// The buildings at an address that fibre reaches.
    ///
    /// # Errors
    /// The outcome of the call.
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

    /// A building with its stairs and their floors.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "getBuilding")]
    #[doc(alias = "GET /api/v2/eligibility/buildings/{building_ref}/")]
    pub async fn building_with_stairs(&self, building_ref: &BuildingRef) -> Result<Building, Error> {
        self.building(building_ref, GetBuildingParams { include_stairs: Some(true), ..Default::default() })
            .await
    }

    /// A building with the optical sockets on each floor.
    ///
    /// # Errors
    /// The outcome of the call.
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

    /// The copper lines at an address.
    ///
    /// # Errors
    /// The outcome of the call.
    #[doc(alias = "listEligibilityEndpoints")]
    #[doc(alias = "GET /api/v2/eligibility/endpoints/")]
    pub fn lines(&self, kosc_street_code: &str, street_number: &str) -> List<EligibilityEndpoint> {
        self.lines_by_status(kosc_street_code, street_number, None)
    }

    /// The copper lines at an address that are in use, or those that are not.
    ///
    /// # Errors
    /// The outcome of the call.
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
    /// The outcome of the call.
    #[doc(alias = "getPortability")]
    #[doc(alias = "GET /api/eligibility/endpoints/{endpoint_ref}/portability/")]
    pub fn portability(&self, line_number: &LineNumber) -> List<Portability> {
        let (client, number) = (self.client.clone(), segment("the line number", line_number.as_str()));
        List::new(async move { Ok(client.get_portability(&number?).await?.value.into_vec()) })
    }

    /// What can be ordered for a building that fibre reaches.
    ///
    /// # Errors
    /// As [`offers`](Self::offers).
    #[doc(alias = "createOffers")]
    #[doc(alias = "POST /api/v2/eligibility/offers/")]
    pub async fn offers_for_building(&self, building_ref: &BuildingRef) -> Result<Offers, Error> {
        self.offers(&request(OfferRequestReferenceType::Building, building_ref.as_str())).await
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
