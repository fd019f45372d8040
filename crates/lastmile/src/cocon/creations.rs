//! The objects that can be created at Cocon, and what a person has to check when a response was lost.

use chrono::NaiveDate;
use lastmile_cocon::types::{
    Contact, ContactCreate, Customer, CustomerContract, CustomerContractCreate, CustomerCreate,
    DelayedConnection, ProjectAssetApprovalCreate,
};
use lastmile_core::wire::{Lenient, Text, Timestamp};
use lastmile_core::{Error, Reply};
use serde::Serialize;
use serde_json::Value;

use super::texts::check_creation;
use super::{Batch, BatchId, BuildingConnection, Cocon, NamedConnection};
use crate::prepared::sealed::{Lookup, LookupPurpose, Sealed};
use crate::prepared::{Creation, Match};

const NO_LOOK_UP: &str = "Cocon offers no look-up by a reference of the caller's, so nothing tells what became of a request \
                          whose answer was lost";

/// Returns the created object if the response describes it. Some servers report a failure with status 200.
fn confirmed<T>(reply: Reply<T>, is_it: impl FnOnce(&T) -> bool) -> Result<T, Error> {
    match is_it(&reply.value) {
        true => Ok(reply.value),
        false => Err(reply.into_decode_error("the response is not what was to be created")),
    }
}

/// Returns the created object if the response has an id and does not contradict the request. Some servers report a failure with
/// status 200.
fn created<T: Serialize>(
    reply: Reply<T>,
    id: impl FnOnce(&T) -> &Lenient<Text>,
    request: &impl Serialize,
) -> Result<T, Error> {
    confirmed(reply, |created| {
        has_text(id(created))
            && serde_json::to_value(created).is_ok_and(|answer| compared(&answer, request) != Match::No)
    })
}

/// Compares a response with the request, by the fields that both contain. Differences in notation are not contradictions: times
/// in another time zone, phone numbers with the country code, numbers in place of texts, and empty fields.
fn compared(answer: &Value, request: &impl Serialize) -> Match {
    let Ok(Value::Object(request)) = serde_json::to_value(request) else { return Match::Maybe };
    let Value::Object(answer) = answer else { return Match::Maybe };
    let mut scalars = answer.clone();
    let mut told = Match::Maybe;
    for (name, given) in &request {
        let Some(held) = answer.get(name) else { continue };
        let inner = match given {
            _ if is_said_otherwise(name, held, given) => Match::Yes,
            Value::Object(_) => compared(held, given),
            _ if held == "" => Match::Maybe,
            _ => continue,
        };
        scalars.remove(name);
        told = either(told, inner);
    }
    either(told, Match::of_response(&Value::Object(scalars), &request))
}

/// Combines two results: one contradiction results in `No`, and otherwise one equal field results in `Yes`.
fn either(one: Match, other: Match) -> Match {
    match (one, other) {
        (Match::No, _) | (_, Match::No) => Match::No,
        (Match::Maybe, Match::Maybe) => Match::Maybe,
        _ => Match::Yes,
    }
}

/// Returns whether two values are equal in meaning and differ only in notation.
fn is_said_otherwise(name: &str, held: &Value, given: &Value) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    match (held, given) {
        (Value::String(held), Value::String(given)) => {
            let national = |text: &str| {
                let digits = digits(text);
                digits[digits.len().saturating_sub(9)..].to_owned()
            };
            let is_phone = name.to_ascii_lowercase().contains("phone");
            is_same_moment(held, given)
                || (is_phone && !national(given).is_empty() && national(held) == national(given))
        }
        // A text that was written as a number has lost its leading zeros.
        (Value::Number(held), Value::String(given)) => {
            !given.is_empty() && held.to_string() == given.trim().trim_start_matches('0')
        }
        _ => false,
    }
}

fn is_same_moment(held: &str, given: &str) -> bool {
    let moment = |text: &str| text.parse::<Timestamp>().ok().map(|moment| moment.at());
    let date = |text: &str| text.parse::<NaiveDate>().ok();
    match (moment(held), moment(given), date(given)) {
        (Some(held), Some(given), _) => held == given,
        // A date may be returned as midnight of that day in the server's time zone.
        (Some(held), None, Some(given)) => (held.date_naive() - given).num_days().abs() <= 1,
        _ => false,
    }
}

fn has_text(field: &Lenient<Text>) -> bool {
    field.as_deref().is_some_and(|text| !text.is_empty())
}

/// Returns whether a response describes this approval: it contradicts no field, and it has an id or repeats at least one field.
fn is_approval(answer: &Value, approval: &ProjectAssetApprovalCreate) -> bool {
    match compared(answer, approval) {
        Match::Yes => true,
        Match::No => false,
        Match::Maybe => match answer.get("id") {
            Some(Value::String(id)) => !id.is_empty(),
            id => id.is_some_and(Value::is_number),
        },
    }
}

/// Returns whether a response contains at least one of the ids of a connection.
fn is_connection(answer: &DelayedConnection) -> bool {
    let DelayedConnection { building_id, cable_id, frame_id, patch_position1_id, patch_position2_id, .. } =
        answer;
    [building_id, cable_id, frame_id, patch_position1_id, patch_position2_id].into_iter().any(has_text)
}

macro_rules! creation {
    (
        $request:ty => $created:ty, $kind:literal,
        check: |$checked:ident| $check:expr,
        send: |$sent:ident, $cocon:ident| $send:expr,
        manual_check: $manual_check:literal $(,)?
    ) => {
        impl Sealed for $request {}

        impl Creation for $request {
            type Supplier = Cocon;
            type Created = $created;
            const KIND: &'static str = concat!("cocon.", $kind);
            const MANUAL_CHECK: &'static str = $manual_check;

            fn check(&self) -> Result<(), Error> {
                let $checked = self;
                $check
            }

            async fn send(&self, $cocon: &Cocon) -> Result<$created, Error> {
                let $sent = self;
                $send
            }

            async fn find(&self, _: &Cocon, _: LookupPurpose) -> Result<Lookup<$created>, Error> {
                Ok(Lookup::Unsupported(NO_LOOK_UP))
            }
        }
    };
}

creation! {
    CustomerCreate => Customer, "customer",
    check: |customer| check_creation("customer", "clientCode, name", customer),
    send: |customer, cocon| {
        created(cocon.client.create_customer(customer).await?, |answer| &answer.id, customer)
    },
    manual_check: "look in Cocon for a customer of this name and client code",
}

creation! {
    ContactCreate => Contact, "contact",
    check: |contact| check_creation("contact", "name, customerId, phoneNumber, emailAddresses", contact),
    send: |contact, cocon| {
        created(cocon.client.create_contact(contact).await?, |answer| &answer.id, contact)
    },
    manual_check: "look in Cocon for a contact of this name at the customer",
}

creation! {
    CustomerContractCreate => CustomerContract, "customer-contract",
    check: |contract| check_creation("contract", "name, customerId, startDate, endDate", contract),
    send: |contract, cocon| {
        created(cocon.client.create_customer_contract(contract).await?, |answer| &answer.id, contract)
    },
    manual_check: "look in Cocon for a contract of this name and these dates at the customer",
}

creation! {
    ProjectAssetApprovalCreate => (), "project-asset-approval",
    check: |approval| check_creation("approval", "projectName, timestamp, assetApproval", approval),
    send: |approval, cocon| {
        // The supplier responds without a body. A server that sends a body anyway sends the approval.
        let reply = cocon.client.create_project_asset_approval(approval).await?;
        match serde_json::from_slice(reply.json_body()) {
            _ if reply.json_body().trim_ascii().is_empty() => Ok(()),
            Ok(answer) if is_approval(&answer, approval) => Ok(()),
            _ => Err(reply.into_decode_error("the response is neither empty nor the approval that was asked for")),
        }
    },
    manual_check: "look in Cocon for an approval of this asset with this moment in the project",
}

creation! {
    NamedConnection => DelayedConnection, "delayed-connection",
    check: |connection| connection.check(),
    send: |connection, cocon| {
        let body = connection.body();
        confirmed(cocon.client.create_delayed_connection(body).await?, is_connection)
    },
    manual_check: "look in Cocon whether the building is connected",
}

creation! {
    BuildingConnection => DelayedConnection, "building-delayed-connection",
    check: |connection| connection.check(),
    send: |connection, cocon| {
        let building = connection.building_id();
        let reply =
            cocon.client.create_building_delayed_connection(building.segment(), connection.body()).await?;
        let building = building.to_string();
        confirmed(reply, |created| {
            is_connection(created) && Match::of_field(&created.building_id, Some(&building)) != Match::No
        })
    },
    manual_check: "look in Cocon whether the building is connected",
}

creation! {
    Batch => BatchId, "delayed-connection-batch",
    check: |batch| batch.check(),
    send: |batch, cocon| {
        let body = batch.body();
        let reply = cocon.client.create_delayed_connection_batch(body).await?;
        match reply.value.batch_id.as_deref().map(str::parse::<BatchId>) {
            Some(Ok(id)) => Ok(id),
            _ => Err(reply.into_decode_error("the batch is registered, but the response has no id that it could be followed by")),
        }
    },
    manual_check: "look in Cocon which of the buildings are connected, and whether a batch with them is running",
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_is_compared_by_all_fields_that_it_repeats() {
        let request = json!({
            "name": "Café Anka", "customerId": "0017", "phoneNumber": "+31 20 555 0100", "isPrimaryContact": true,
            "startDate": "2026-01-01", "timestamp": "2026-01-01T00:00:00.000Z",
            "assetApproval": { "assetId": "a-1", "approved": true },
        });
        for (answer, expected) in [
            (json!({}), Match::Maybe),
            (json!("OK"), Match::Maybe),
            (json!({ "cause": "maintenance" }), Match::Maybe),
            (json!({ "name": null, "customerId": "" }), Match::Maybe),
            (json!({ "name": "CAFE ANKA" }), Match::Yes),
            (json!({ "name": "Café Anka", "customerId": 17 }), Match::Yes),
            (json!({ "name": "Café Anka", "customerId": "0018" }), Match::No),
            (json!({ "name": "Café Anka", "customerId": 18 }), Match::No),
            (json!({ "name": "Joakim" }), Match::No),
            (json!({ "name": "Café Anka", "phoneNumber": "0205550100" }), Match::Yes),
            (json!({ "name": "Café Anka", "phoneNumber": "0205550101" }), Match::No),
            (json!({ "name": "Café Anka", "isPrimaryContact": false }), Match::No),
            (json!({ "startDate": "2026-01-01T00:00:00+01:00" }), Match::Yes),
            (json!({ "startDate": "2025-12-31T23:00:00Z" }), Match::Yes),
            (json!({ "startDate": "2026-02-01" }), Match::No),
            (json!({ "timestamp": "2026-01-01T01:00:00+01:00" }), Match::Yes),
            (json!({ "timestamp": "2026-01-01T01:00:00Z" }), Match::No),
            (json!({ "assetApproval": { "assetId": "A-1" } }), Match::Yes),
            (json!({ "assetApproval": { "assetId": "a-2" } }), Match::No),
            (json!({ "name": "Café Anka", "assetApproval": { "approved": false } }), Match::No),
        ] {
            assert_eq!(compared(&answer, &request), expected, "{answer}");
        }
    }

    #[test]
    fn an_approval_is_told_by_its_id_or_by_what_it_repeats() {
        let approval = ProjectAssetApprovalCreate {
            project_name: Some("Ankeborg".into()),
            timestamp: Some("2026-01-01T00:00:00.000Z".parse().unwrap()),
            ..Default::default()
        };
        for (answer, is_it) in [
            (json!({ "id": 7 }), true),
            (json!({ "id": "7", "state": "done" }), true),
            (json!({ "timestamp": "2026-01-01T01:00:00+01:00" }), true),
            (json!({ "id": 7, "timestamp": "2026-01-01T02:00:00+01:00" }), false),
            (json!({ "id": 7, "projectName": "Gåseborg" }), false),
            (json!({ "id": null }), false),
            (json!({ "id": "" }), false),
            (json!({ "message": "later" }), false),
            (json!([]), false),
        ] {
            assert_eq!(is_approval(&answer, &approval), is_it, "{answer}");
        }
    }
}
