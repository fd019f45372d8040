//! A caller of Covage with a token.
#![allow(unreachable_pub, reason = "tests")]

use std::collections::BTreeMap;

use lastmile_sandbox::covage::Premises;
use lastmile_sandbox::{Covage, Sandbox};
use serde_json::{Value, json};

use crate::common::{JSON, Reply, send};

pub const ORDERS: &str = "/api/v2/orders/";

pub struct Caller {
    pub covage: Covage,
    pub token: String,
}

impl Caller {
    pub async fn new() -> Caller {
        Caller::of(Sandbox::builder().seed(7).start().await.unwrap().covage().clone()).await
    }

    pub async fn of(covage: Covage) -> Caller {
        let body = json!({ "email": covage.email(), "password": covage.password() });
        let mut caller = Caller { covage, token: String::new() };
        let reply = caller.ok("POST", "/api/v2/account/token/", body).await;
        caller.token = reply["access"].as_str().unwrap().to_owned();
        caller
    }

    pub async fn call(&self, method: &str, target: &str, body: Value) -> Reply {
        let authorization = format!("Bearer {}", self.token);
        let body = if body.is_null() { String::new() } else { body.to_string() };
        send(&self.covage.base_url(), method, target, &[("authorization", &authorization), JSON], &body).await
    }

    /// Sends a request and checks that the document allows the response.
    pub async fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        let reply = self.call(method, target, body).await;
        assert_eq!(reply.status, 200, "{method} {target}: {}", reply.body);
        reply.json()
    }

    pub async fn get(&self, target: &str) -> Value {
        self.ok("GET", target, Value::Null).await
    }

    pub async fn post(&self, target: &str, body: Value) -> Value {
        self.ok("POST", target, body).await
    }

    pub async fn patch(&self, target: &str, body: Value) -> Value {
        self.ok("PATCH", target, body).await
    }

    /// Returns the errors of a rejected request, by field.
    pub async fn refused(&self, method: &str, target: &str, body: Value) -> BTreeMap<String, Value> {
        let reply = self.call(method, target, body).await;
        assert_eq!(reply.status, 400, "{method} {target}: {}", reply.body);
        faults(&reply)
    }

    /// Returns premises of the first street; see the kinds there.
    pub fn place(&self, kind: usize) -> &Premises {
        &self.covage.premises()[kind]
    }

    pub async fn check_line(&self, kind: usize, activation_type: &str) -> Value {
        let line = self.place(kind).line.clone().unwrap();
        let status = if line.active { "active" } else { "inactive" };
        let body = json!({
            "reference": line.number, "reference_type": "line_number", "status": status,
            "activation_type": activation_type,
        });
        self.post("/api/v2/eligibility/offers/", body).await
    }

    pub async fn check_building(&self, kind: usize) -> Value {
        let reference = &self.place(kind).buildings[0].reference;
        let body = json!({ "reference": reference, "reference_type": "building" });
        self.post("/api/v2/eligibility/offers/", body).await
    }

    pub async fn draft(&self, check: &Value, product: &str) -> Value {
        let body = json!({
            "type": "activate", "eligibility_ref": check["eligibility_ref"], "product": { "code": product },
        });
        self.post(ORDERS, body).await
    }

    pub async fn copper_draft(&self) -> Value {
        let check = self.check_line(0, "activate").await;
        self.draft(&check, "AM01").await
    }

    pub async fn fiber_draft(&self, request_type: &str) -> Value {
        let check = self.check_building(0).await;
        let draft = self.draft(&check, "FP01").await;
        self.patch(&path(&draft), json!({ "request_type": request_type })).await
    }

    /// Creates and submits a complete copper order.
    pub async fn submitted(&self, order_ref: &str, order_name: &str) -> Value {
        let draft = self.copper_draft().await;
        self.patch(&path(&draft), complete(order_ref, order_name)).await;
        self.submit(&draft).await
    }

    pub async fn submit(&self, order: &Value) -> Value {
        self.patch(&path(order), json!({ "status": "submitted" })).await
    }

    /// Checks that no response violated the document.
    pub fn assert_sound(&self) {
        assert!(self.covage.violations().is_empty(), "{:?}", self.covage.violations());
    }
}

pub fn path(order: &Value) -> String {
    format!("{ORDERS}{}/", order["uuid"].as_str().unwrap())
}

pub fn bound_path(order: &Value) -> String {
    format!("{}bounds/{}/", path(order), order["bounds"][0]["uuid"].as_str().unwrap())
}

pub fn endpoint_path(order: &Value) -> String {
    let endpoint = &order["bounds"][0]["endpoints"][0]["uuid"];
    format!("{}endpoints/{}/", path(order), endpoint.as_str().unwrap())
}

/// Returns the fields that every order needs for its submission.
pub fn complete(order_ref: &str, order_name: &str) -> Value {
    json!({
        "end_customer": {
            "type": "unregistered",
            "name": "Palais Colvert",
            "contact": {
                "first_name": "Gontran", "last_name": "Sarcelle", "email": "g.sarcelle@client.example",
                "phone_number": "0199000101",
            },
        },
        "operator_info": { "order_ref": order_ref, "order_name": order_name, "contact_uuid": "8w10yfnb" },
    })
}

/// Returns the errors by field, after a check of the error body.
pub fn faults(reply: &Reply) -> BTreeMap<String, Value> {
    let body = reply.json();
    let id = body["apirequest_uuid"].as_str().unwrap();
    assert_eq!((&id[..5], id.len()), ("KOSC_", 41), "{body}");
    assert!(body["error"].is_string() && body.as_object().unwrap().len() == 3, "{body}");
    let details = body["details"].as_array().into_iter().flatten();
    details.map(|detail| (detail["field"].as_str().unwrap().to_owned(), detail["errors"].clone())).collect()
}

/// Returns the fields with an error.
pub fn fields(faults: &BTreeMap<String, Value>) -> Vec<&str> {
    faults.keys().map(String::as_str).collect()
}
