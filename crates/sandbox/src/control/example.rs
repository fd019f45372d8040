//! The requests of an example: an order at each supplier, as a reader can send them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::{BuildingKind, Cocon, Covage, OnApi};

/// A credential that a supplier accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Credential {
    /// What the supplier calls it, such as `Api-Key`.
    pub name: &'static str,
    /// The credential.
    pub value: String,
}

impl Credential {
    pub(super) fn new(name: &'static str, value: &str) -> Credential {
        Credential { name, value: value.to_owned() }
    }
}

/// One request of an example.
///
/// Path, headers and body can contain variables, such as `$TOKEN`, whose values earlier steps take from their
/// responses.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExampleStep {
    /// Describes the step in a few words.
    pub title: &'static str,
    /// The method.
    pub method: &'static str,
    /// The path, relative to the supplier's base URL.
    pub path: String,
    /// The headers.
    pub headers: Vec<(&'static str, String)>,
    /// The request body.
    pub body: Option<Value>,
    /// The variable that the response sets, and the field of the response that it is set to.
    pub sets: Option<(&'static str, &'static str)>,
}

impl ExampleStep {
    fn new(title: &'static str, method: &'static str, path: impl Into<String>) -> ExampleStep {
        let (path, headers) = (path.into(), Vec::new());
        ExampleStep { title, method, path, headers, body: None, sets: None }
    }

    fn header(mut self, name: &'static str, value: impl Into<String>) -> ExampleStep {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: Value) -> ExampleStep {
        self.body = Some(body);
        self.header("Content-Type", "application/json")
    }

    fn sets(mut self, variable: &'static str, field: &'static str) -> ExampleStep {
        self.sets = Some((variable, field));
        self
    }

    /// Returns the step as a line for a POSIX shell with `curl`, and `sed` where the step sets a variable.
    pub fn curl(&self, base_url: &str) -> String {
        let mut words = vec!["curl".to_owned(), "-sS".to_owned()];
        if !matches!(self.method, "GET" | "POST") || (self.method == "POST" && self.body.is_none()) {
            words.push(format!("-X {}", self.method));
        }
        words.push(shell_word(&format!("{base_url}{}", self.path)));
        words.extend(self.headers.iter().map(|(name, value)| match basic(value) {
            Some(login) => format!("-u {}", shell_word(&login)),
            None => format!("-H {}", shell_word(&format!("{name}: {value}"))),
        }));
        words.extend(self.body.as_ref().map(|body| format!("-d {}", shell_word(&body.to_string()))));
        let line = words.join(" ");
        match self.sets {
            // The last field of this name is the one of the whole response, because the fields are sorted by name.
            Some((variable, field)) => {
                format!(r#"{variable}=$({line} | sed -n 's/.*"{field}":"\([^"]*\)".*/\1/p')"#)
            }
            None => line,
        }
    }
}

/// Returns user and password of a header for HTTP Basic.
fn basic(header: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(header.strip_prefix("Basic ")?).ok()?).ok()
}

/// Quotes a word for a shell. A variable stays one.
fn shell_word(text: &str) -> String {
    if text.contains('$') {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('`', "\\`");
        return format!("\"{escaped}\"");
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

pub(super) fn cocon(cocon: &Cocon) -> Vec<ExampleStep> {
    let connected: Vec<_> = cocon.objects().into_iter().map(|object| object.id).collect();
    let buildings = cocon.buildings();
    let free = buildings
        .iter()
        .filter(|building| building.kind == BuildingKind::Prepared && !connected.contains(&building.id));
    let complex = buildings.iter().find(|building| building.kind == BuildingKind::Complex);
    let jobs: Vec<_> = free
        .take(3)
        .chain(complex)
        .map(|building| json!({ "buildingName": building.name, "isWithoutGeometry": true }))
        .collect();
    let keys =
        |step: ExampleStep| step.header("Api-Key", cocon.api_key()).header("Client-Id", cocon.client_id());
    let batch = "/api/v1/delayed-connections/batch";
    vec![
        keys(ExampleStep::new("Connect some buildings in one batch", "POST", batch))
            .body(json!({ "delayedConnections": jobs }))
            .sets("BATCH", "batchId"),
        keys(ExampleStep::new(
            "Read the batch; each reading runs two of its jobs",
            "GET",
            format!("{batch}/$BATCH"),
        )),
    ]
}

pub(super) fn covage(covage: &Covage) -> Vec<ExampleStep> {
    let login = json!({ "email": covage.email(), "password": covage.password() });
    let line = covage.premises().iter().find_map(|premises| premises.line.as_ref());
    let number = line.map(|line| line.number.as_str()).unwrap_or_default();
    let check = json!({
        "reference": number,
        "reference_type": "line_number",
        "status": if line.is_some_and(|line| line.active) { "active" } else { "inactive" },
        "activation_type": "activate",
    });
    let draft = json!({ "type": "activate", "eligibility_ref": "$CHECK", "product": { "code": "AM01" } });
    let reference = format!("SP-{:04}", covage.count("createOrder") + 1);
    let data = json!({
        "end_customer": {
            "type": "unregistered",
            "name": "Palais Colvert",
            "contact": {
                "first_name": "Gontran",
                "last_name": "Sarcelle",
                "email": "g.sarcelle@client.example",
                "phone_number": "0199000101",
            },
        },
        "operator_info": {
            "order_ref": reference,
            "order_name": "First order",
            "contact_uuid": covage.contact_uuid(),
        },
        "status": "submitted",
    });
    let token = |step: ExampleStep| step.header("Authorization", "Bearer $TOKEN");
    vec![
        ExampleStep::new("Log in", "POST", "/api/v2/account/token/").body(login).sets("TOKEN", "access"),
        token(ExampleStep::new("Ask what a copper line can have", "POST", "/api/v2/eligibility/offers/"))
            .body(check)
            .sets("CHECK", "eligibility_ref"),
        token(ExampleStep::new("Create a draft", "POST", "/api/v2/orders/"))
            .body(draft)
            .sets("ORDER", "uuid"),
        token(ExampleStep::new("Complete and submit it", "PATCH", "/api/v2/orders/$ORDER/")).body(data),
        token(ExampleStep::new("Read it", "GET", "/api/v2/orders/$ORDER/")),
    ]
}

pub(super) fn onapi(onapi: &OnApi) -> Vec<ExampleStep> {
    let (access, service) = onapi.first_free_service().unwrap_or_default();
    let order = json!({
        "operation": "ACTIVATE",
        "accessId": access,
        "service": service,
        "spReference": format!("SP-{:04}", onapi.count("createOrder") + 1),
    });
    // Before 2.6, the services are part of the access.
    let collection = if onapi.dialect().is_legacy() { "accesses" } else { "services" };
    let basic = STANDARD.encode(format!("{}:{}", onapi.user(), onapi.password()));
    let login = |step: ExampleStep| step.header("Authorization", format!("Basic {basic}"));
    vec![
        login(ExampleStep::new("Read what an access can have", "GET", format!("/{collection}/{access}"))),
        login(ExampleStep::new("Order a service", "POST", "/orders/")).body(order),
        login(ExampleStep::new("List the open orders", "GET", "/orders/")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(shell_word(r#"{"name":"d'Or"}"#), r#"'{"name":"d'\''Or"}'"#);
        assert_eq!(shell_word(r#"{"a":"$B","c":"`d`\"}"#), r#""{\"a\":\"$B\",\"c\":\"\`d\`\\\"}""#);
    }

    #[test]
    fn a_step_without_a_body_names_its_method() {
        assert_eq!(ExampleStep::new("", "POST", "/a").curl("http://h"), "curl -sS -X POST 'http://h/a'");
        assert_eq!(ExampleStep::new("", "GET", "/$A").curl("http://h"), r#"curl -sS "http://h/$A""#);
    }
}
