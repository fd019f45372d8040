//! The control API: every operation, with each request and response validated against its own document.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{JSON, Reply, open, send};
use lastmile_sandbox::{
    ClockMode, ControlApi, Dialect, Fault, ObjectKind, RouteMatch, Sandbox, SupplierName,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};

struct Api {
    sandbox: Sandbox,
}

impl Api {
    async fn new() -> Api {
        Api::of(Dialect::default()).await
    }

    /// Returns the control API of a sandbox whose ON-API speaks a dialect.
    async fn of(dialect: Dialect) -> Api {
        let builder = Sandbox::builder().seed(7).control(true).onapi_dialect(dialect);
        Api { sandbox: builder.start().await.unwrap() }
    }

    fn url(&self) -> String {
        self.sandbox.control().unwrap().base_url()
    }

    /// Sends a request, and validates the response against the document.
    async fn call(&self, method: &str, target: &str, body: Value) -> Reply {
        let text = if body.is_null() { String::new() } else { body.to_string() };
        let headers: &[_] = if body.is_null() { &[] } else { &[JSON] };
        let reply = send(&self.url(), method, target, headers, &text).await;
        let path = target.split('?').next().unwrap();
        let spec = ControlApi::spec();
        if let RouteMatch::Found(operation, _) = spec.route(&method.parse().unwrap(), path) {
            let media = reply.head.lines().find_map(|line| line.strip_prefix("content-type: "));
            let problems = spec.check_response(&operation.id, reply.status, media, reply.body.as_bytes());
            assert!(problems.is_empty(), "{method} {target}: {problems:?} {}", reply.body);
        }
        reply
    }

    async fn ok(&self, method: &str, target: &str, body: Value) -> Value {
        let reply = self.call(method, target, body).await;
        assert!((200..300).contains(&reply.status), "{method} {target}: {} {}", reply.status, reply.body);
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    async fn error(&self, method: &str, target: &str, body: Value) -> (u16, String) {
        let reply = self.call(method, target, body).await;
        (reply.status, reply.json()["error"].as_str().unwrap().to_owned())
    }

    /// Sends the requests of a supplier's example through the control API, and returns the last response.
    async fn run_example(&self, supplier: &str) -> Value {
        let described = self.ok("GET", &format!("/suppliers/{supplier}"), Value::Null).await;
        let mut variables: Vec<(String, String)> = Vec::new();
        let mut last = Value::Null;
        for step in described["example"].as_array().unwrap() {
            let fill = |text: &str| {
                let replace = |text: String, (name, value): &(String, String)| text.replace(name, value);
                variables.iter().fold(text.to_owned(), replace)
            };
            let headers: Vec<_> = step["headers"].as_object().unwrap().iter().collect();
            let headers: Vec<_> = headers
                .into_iter()
                .map(|(name, value)| (name.as_str(), fill(value.as_str().unwrap())))
                .collect();
            let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let body = fill(step["body"].as_str().unwrap_or_default());
            let target = format!("/try/{supplier}{}", fill(step["path"].as_str().unwrap()));
            let reply = send(&self.url(), step["method"].as_str().unwrap(), &target, &headers, &body).await;
            assert!((200..300).contains(&reply.status), "{step}: {}", reply.body);
            last = reply.json();
            if let Some(sets) = step.get("sets") {
                let value = last[sets["field"].as_str().unwrap()].as_str().unwrap().to_owned();
                variables.push((format!("${}", sets["variable"].as_str().unwrap()), value));
            }
        }
        last
    }

    async fn objects(&self, supplier: &str, query: &str) -> Vec<Value> {
        let list = self.ok("GET", &format!("/suppliers/{supplier}/objects{query}"), Value::Null).await;
        list.as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn suppliers_are_described() {
    let api = Api::new().await;
    let list = api.ok("GET", "/suppliers", Value::Null).await;
    for (described, name) in list.as_array().unwrap().iter().zip(SupplierName::ALL) {
        assert_eq!(described["supplier"], name.key());
        assert_eq!(described["baseUrl"], api.sandbox.supplier(name).base_url());
        assert_eq!(described["time"], "2026-01-05T08:00:00Z");
        assert_eq!(described["operations"].as_array().unwrap().len(), name.spec().operations().count());
        let path = format!("/suppliers/{}/openapi.json", name.key());
        let document = api.ok("GET", &path, Value::Null).await;
        assert!(document["servers"][0]["url"].as_str().unwrap().starts_with(&format!("/try/{}", name.key())));
    }
    let (status, error) = api.error("GET", "/suppliers/kpn", Value::Null).await;
    assert_eq!((status, error.as_str()), (404, "The suppliers are cocon, covage and onapi."));
    assert_eq!(send(&api.url(), "GET", "/nowhere", &[], "").await.status, 404);
    let reply = send(&api.url(), "PUT", "/reset", &[], "").await;
    assert_eq!((reply.status, reply.head.contains("allow: POST")), (405, true));
}

#[tokio::test]
async fn an_order_appears_and_moves_to_its_end() {
    let api = Api::new().await;
    api.run_example("onapi").await;
    let orders = api.objects("onapi", "?kind=order&reference=SP-0001").await;
    assert_eq!((orders.len(), &orders[0]["state"]), (1, &json!("RECEIVED")));
    let time = api.ok("POST", "/suppliers/onapi/advance", Value::Null).await;
    assert_eq!(time["time"].as_str().unwrap().get(..10), Some("2026-01-06"));
    assert_eq!(api.objects("onapi", "?open=true").await[0]["state"], "IN_PROGRESS");
    api.ok("POST", "/advance", json!({ "days": 2 })).await;
    assert_eq!(api.objects("onapi", "?open=false").await[0]["state"], "DONE_SUCCESS");
    assert!(api.objects("onapi", "?open=true").await.is_empty());
    for query in ["open=null", "open=", "open=True", "kind=house"] {
        let target = format!("/suppliers/onapi/objects?{query}");
        assert_eq!(api.error("GET", &target, Value::Null).await.0, 400, "{query}");
    }
    assert!(api.sandbox.onapi().violations().is_empty());
}

#[tokio::test]
async fn an_order_that_is_not_due_does_not_start() {
    let api = Api::new().await;
    let onapi = api.sandbox.onapi();
    let access = &onapi.first_accesses(1)[0];
    let order = json!({
        "operation": "ACTIVATE", "accessId": access.id, "service": access.services[0].service,
        "requestedDateTime": "2026-01-08T00:00:00Z",
    });
    let login =
        api.ok("GET", "/suppliers/onapi", Value::Null).await["example"][0]["headers"]["Authorization"]
            .as_str()
            .unwrap()
            .to_owned();
    let headers = [("authorization", login.as_str()), JSON];
    let reply = send(
        &onapi.base_url().replace("/onapi/2.6", ""),
        "POST",
        "/onapi/2.6/orders/",
        &headers,
        &order.to_string(),
    )
    .await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    api.ok("POST", "/suppliers/onapi/advance", json!({ "days": 2 })).await;
    assert_eq!(onapi.objects()[0].state, "RECEIVED");
    api.ok("POST", "/suppliers/onapi/advance", json!({ "days": 1 })).await;
    assert_eq!(onapi.objects()[0].state, "IN_PROGRESS");
}

#[tokio::test]
async fn orders_batches_and_tickets_can_be_finished() {
    let api = Api::new().await;
    for (supplier, kind, success, failure) in [
        ("onapi", "order", "DONE_SUCCESS", "DONE_FAILED"),
        ("covage", "order", "completed", "rejected"),
        ("cocon", "batch", "Finished", "Finished"),
    ] {
        for (result, state) in [("success", success), ("failure", failure)] {
            api.run_example(supplier).await;
            let open = api.objects(supplier, &format!("?open=true&kind={kind}")).await;
            let path = format!("/suppliers/{supplier}/objects/{}/finish", open[0]["id"].as_str().unwrap());
            let finished = api.ok("POST", &path, json!({ "result": result })).await;
            assert_eq!((&finished["state"], &finished["open"]), (&json!(state), &json!(false)), "{supplier}");
            let (status, error) = api.error("POST", &path, json!({ "result": result })).await;
            assert_eq!(status, 409, "{error}");
        }
        let nothing = format!("/suppliers/{supplier}/objects/nothing/finish");
        assert_eq!(api.error("POST", &nothing, json!({ "result": "success" })).await.0, 404);
    }
    let path = "/suppliers/onapi/objects/x/finish";
    assert_eq!(api.error("POST", path, json!({ "result": "maybe" })).await.0, 400);
    assert_eq!(api.error("POST", path, Value::Null).await.0, 400);
    let failed = api.sandbox.cocon().objects().into_iter().filter(|one| one.kind == ObjectKind::Batch).nth(1);
    assert!(failed.unwrap().description.contains("2 failed"));
    for name in SupplierName::ALL {
        assert!(api.sandbox.supplier(name).violations().is_empty());
    }
}

#[tokio::test]
async fn faults_are_set_and_cleared() {
    let api = Api::new().await;
    let rules = json!([
        { "faults": ["unavailable:599"], "operations": ["listOrders"] },
        { "share": 0.5, "faults": ["latency:1", "silence"], "seed": 3, "refusedConnections": 0.25 },
    ]);
    let set = api.ok("PUT", "/suppliers/onapi/faults", rules).await;
    assert_eq!(set[0]["share"], 1.0);
    assert_eq!(set[1]["faults"], json!(["latency:1", "silence"]));
    assert_eq!(api.ok("GET", "/suppliers/onapi/faults", Value::Null).await, set);
    assert_eq!(send(&api.url(), "GET", "/try/onapi/onapi/2.6/orders/", &[], "").await.status, 599);
    assert_eq!(api.sandbox.onapi().last().unwrap().fault, Some(Fault::Unavailable(599)));
    api.ok("DELETE", "/suppliers/onapi/faults", Value::Null).await;
    assert_eq!(api.ok("GET", "/suppliers/onapi/faults", Value::Null).await, json!([]));
    for wrong in [
        json!([{ "faults": ["slow"] }]),
        json!([{ "share": 1.5, "faults": ["silence"] }]),
        json!([{ "share": 0.5 }]),
        json!([{ "fault": "silence" }]),
        json!({}),
    ] {
        assert_eq!(api.error("PUT", "/suppliers/onapi/faults", wrong.clone()).await.0, 400, "{wrong}");
    }
    let unknown = json!([{ "faults": ["silence"], "operations": ["createNothing"] }]);
    assert_eq!(api.error("PUT", "/suppliers/onapi/faults", unknown).await.0, 404);
    api.ok("POST", "/suppliers/onapi/refuse-connections", json!({ "connections": 1 })).await;
    let address = api.sandbox.onapi().base_url().replace("http://", "").replace("/onapi/2.6", "");
    let mut refused = tokio::net::TcpStream::connect(address).await.unwrap();
    assert!(refused.read_u8().await.is_err());
}

#[tokio::test]
async fn the_next_response_is_scripted() {
    let api = Api::new().await;
    let path = "/suppliers/cocon/script";
    for step in [
        json!({ "operation": "createContact", "fault": "failed-after" }),
        json!({ "operation": "createContact", "answer": { "status": 202, "headers": { "x-a": "b" }, "json": [1] } }),
        json!({ "operation": "createContact", "answer": { "status": 503, "body": "Maintenance" } }),
        json!({ "operation": "createContact", "fault": "reset-after" }),
    ] {
        api.ok("POST", path, step).await;
    }
    let state = api.ok("GET", "/state", Value::Null).await;
    assert_eq!(state["suppliers"][0]["scripted"].as_array().unwrap().len(), 4);
    let cocon = api.sandbox.cocon();
    let keys = [("api-key", cocon.api_key()), ("client-id", cocon.client_id()), JSON];
    let mut replies = Vec::new();
    for _ in 0..4 {
        let reply = send(&api.url(), "POST", "/try/cocon/api/v1/contacts", &keys, "{}").await;
        replies.push((reply.status, reply.body));
    }
    assert_eq!(replies.iter().map(|(status, _)| *status).collect::<Vec<_>>(), [502, 202, 503, 502]);
    assert_eq!((replies[1].1.as_str(), replies[2].1.as_str()), ("[1]", "Maintenance"));
    assert_eq!(replies[3].1, "No response: the supplier reset the connection.\n");
    assert_eq!(cocon.took_effect("createContact"), 2);
    let requests =
        api.ok("GET", "/suppliers/cocon/requests?operation=createContact&after=2&limit=1", Value::Null).await;
    assert_eq!((&requests[0]["number"], &requests[0]["status"]), (&json!(3), &json!(503)));
    for query in ["after=null", "after=-1", "limit=", "limit=ten"] {
        let target = format!("/suppliers/cocon/requests?{query}");
        assert_eq!(api.error("GET", &target, Value::Null).await.0, 400, "{query}");
    }
    let effects = api.ok("GET", "/suppliers/cocon/effects", Value::Null).await;
    assert_eq!(effects["operations"]["createContact"], json!({ "received": 4, "tookEffect": 2 }));
    api.ok("POST", path, json!({ "operation": "createContact", "fault": "silence" })).await;
    api.ok("DELETE", path, Value::Null).await;
    assert_eq!(send(&api.url(), "POST", "/try/cocon/api/v1/contacts", &keys, "{}").await.status, 200);
    for wrong in [
        json!({ "operation": "createContact" }),
        json!({ "operation": "createContact", "fault": "silence", "answer": { "status": 200 } }),
        json!({ "operation": "createContact", "answer": { "status": 200, "json": 1, "body": "1" } }),
        json!({ "operation": "createContact", "fault": "slow" }),
        json!({ "operation": "createContact", "answer": { "status": 7 } }),
    ] {
        assert_eq!(api.error("POST", path, wrong.clone()).await.0, 400, "{wrong}");
    }
    assert_eq!(api.error("POST", path, json!({ "operation": "x", "fault": "silence" })).await.0, 404);
}

#[tokio::test]
async fn a_reset_returns_to_the_start() {
    let api = Api::new().await;
    let first = api.ok("GET", "/state", Value::Null).await;
    for supplier in ["cocon", "covage", "onapi"] {
        api.run_example(supplier).await;
        api.ok("POST", &format!("/suppliers/{supplier}/script"), {
            let operation = if supplier == "cocon" { "createCustomer" } else { "createOrder" };
            json!({ "operation": operation, "fault": "silence" })
        })
        .await;
    }
    let before = api.ok("GET", "/state", Value::Null).await;
    assert_ne!(before, first);
    api.ok("POST", "/suppliers/cocon/reset", Value::Null).await;
    let partly = api.ok("GET", "/state", Value::Null).await;
    assert_eq!(
        (&partly["suppliers"][0], &partly["suppliers"][1]),
        (&first["suppliers"][0], &before["suppliers"][1])
    );
    api.ok("POST", "/reset", Value::Null).await;
    assert_eq!(api.ok("GET", "/state", Value::Null).await, first);
    // The same requests have the same effects again.
    for supplier in ["cocon", "covage", "onapi"] {
        api.run_example(supplier).await;
    }
    let ids = |state: &Value| {
        let objects = |one: &Value| {
            one["objects"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>()
        };
        state["suppliers"].as_array().unwrap().iter().flat_map(objects).collect::<Vec<_>>()
    };
    assert_eq!(ids(&api.ok("GET", "/state", Value::Null).await), ids(&before));
}

#[tokio::test]
async fn a_reset_does_not_set_a_running_clock_back() {
    let builder = Sandbox::builder().control(true).clock(ClockMode::Wall { speed: 1.0 });
    let api = Api { sandbox: builder.start().await.unwrap() };
    let started = api.sandbox.onapi().now();
    for target in ["/reset", "/suppliers/onapi/reset"] {
        // No tick of the clock may come in between.
        api.ok("POST", target, Value::Null).await;
        assert!(api.sandbox.onapi().now() >= started, "{target}");
    }
}

#[tokio::test]
async fn each_dialect_is_controlled_and_reset() {
    for dialect in Dialect::ALL {
        let api = Api::of(dialect).await;
        assert_eq!(api.sandbox.onapi().dialect(), dialect);
        let first = api.ok("GET", "/state", Value::Null).await;
        // The example orders a service that no earlier order is for, as often as one sends it.
        for count in 1..=8 {
            api.run_example("onapi").await;
            assert_eq!(api.sandbox.onapi().took_effect("createOrder"), count, "{dialect:?}");
        }
        let before = api.objects("onapi", "").await;
        api.ok("POST", "/suppliers/onapi/advance", json!({ "days": 3 })).await;
        let ended = api.objects("onapi", "?open=false").await;
        assert!(ended.iter().any(|order| order["state"] == "DONE_SUCCESS"), "{dialect:?} {ended:?}");
        let prefix = format!("/onapi/{}", dialect.version());
        let document = api.ok("GET", "/suppliers/onapi/openapi.json", Value::Null).await;
        assert_eq!(document["servers"], json!([{ "url": format!("/try/onapi{prefix}") }]));
        assert_eq!(document["paths"], dialect.spec().document()["paths"]);
        api.ok("POST", "/suppliers/onapi/reset", Value::Null).await;
        assert_eq!(api.ok("GET", "/state", Value::Null).await, first);
        for _ in 1..=8 {
            api.run_example("onapi").await;
        }
        assert_eq!(api.objects("onapi", "").await, before);
        assert!(api.sandbox.onapi().violations().is_empty(), "{:?}", api.sandbox.onapi().violations());
    }
}

#[tokio::test]
async fn a_late_request_does_not_outlive_a_reset() {
    let api = Api::new().await;
    let cocon = api.sandbox.cocon();
    api.ok(
        "POST",
        "/suppliers/cocon/script",
        json!({ "operation": "createContact", "fault": "carried-out-late:0" }),
    )
    .await;
    let keys = [("api-key", cocon.api_key()), ("client-id", cocon.client_id()), JSON];
    assert_eq!(send(&api.url(), "POST", "/try/cocon/api/v1/contacts", &keys, "{}").await.status, 502);
    let effects = api.ok("POST", "/suppliers/cocon/settle", Value::Null).await;
    assert_eq!(effects["operations"]["createContact"]["tookEffect"], 1);
    api.ok(
        "POST",
        "/suppliers/cocon/script",
        json!({ "operation": "createContact", "fault": "carried-out-after-newer" }),
    )
    .await;
    assert_eq!(send(&api.url(), "POST", "/try/cocon/api/v1/contacts", &keys, "{}").await.status, 502);
    api.ok("POST", "/suppliers/cocon/reset", Value::Null).await;
    let effects = api.ok("POST", "/suppliers/cocon/settle", Value::Null).await;
    assert_eq!(effects["operations"], json!({}));
}

#[tokio::test]
async fn events_tell_every_change() {
    let api = Api::new().await;
    let mut lines = BufReader::new(open(&api.url(), "GET", "/events", &[], "").await).lines();
    let mut next = async || loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(data) = line.strip_prefix("data: ") {
            break serde_json::from_str::<Value>(data).unwrap();
        }
    };
    let first = next().await;
    assert_eq!(first, api.ok("GET", "/state", Value::Null).await);
    api.run_example("onapi").await;
    loop {
        let state = next().await;
        if state["suppliers"][2]["objectCount"] == 1 {
            assert_eq!(state["suppliers"][2]["objects"][0]["state"], "RECEIVED");
            break;
        }
    }
    api.ok("POST", "/suppliers/onapi/advance", json!({ "days": 2 })).await;
    while next().await["suppliers"][2]["objects"][0]["state"] != "DONE_SUCCESS" {}
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let api = Api::new().await;
    let headers = [("origin", "http://evil.example")];
    for (method, target) in
        [("GET", "/state"), ("POST", "/reset"), ("GET", "/try/onapi/onapi/2.6/"), ("GET", "/")]
    {
        let reply = send(&api.url(), method, target, &headers, "").await;
        assert_eq!(reply.status, 403, "{method} {target}");
        assert!(!reply.head.to_lowercase().contains("access-control-"), "{}", reply.head);
    }
    let own = api.url();
    let reply = send(&api.url(), "POST", "/reset", &[("origin", &own)], "").await;
    assert_eq!((reply.status, reply.head.contains("frame-ancestors 'none'")), (204, true));
}

#[tokio::test]
async fn each_supplier_serves_its_document() {
    let (mut apis, mut suppliers) = (Vec::new(), Vec::new());
    for dialect in Dialect::ALL {
        apis.push(Api::of(dialect).await);
    }
    for api in &apis {
        suppliers.extend(SupplierName::ALL.map(|name| api.sandbox.supplier(name)));
    }
    for supplier in suppliers {
        let base_url = supplier.base_url();
        let origin = base_url.split('/').take(3).collect::<Vec<_>>().join("/");
        let json = send(&origin, "GET", "/openapi.json", &[], "").await;
        assert!(json.head.contains("content-type: application/json"), "{}", json.head);
        let document = json.json();
        let prefix = base_url.strip_prefix(&origin).unwrap();
        let url = if prefix.is_empty() { "/" } else { prefix };
        assert_eq!(document["servers"], json!([{ "url": url }]));
        assert_eq!(document["paths"], supplier.spec().document()["paths"]);
        let yaml = send(&origin, "GET", "/openapi.yaml", &[], "").await;
        assert!(
            yaml.body.contains("\nopenapi: ") || yaml.body.starts_with("openapi: "),
            "{}",
            &yaml.body[..200]
        );
        let parsed: Value = serde_saphyr::from_str(&yaml.body).unwrap();
        assert_eq!(parsed, document);
        assert_eq!(send(&origin, "GET", &format!("{prefix}/openapi.json"), &[], "").await.status, 200);
        assert_eq!(supplier.received().len(), 0, "reading the document is not recorded");
    }
    let own = send(&apis[0].url(), "GET", "/openapi.json", &[], "").await.json();
    assert_eq!(own["paths"], ControlApi::spec().document()["paths"]);
}

#[tokio::test]
async fn the_page_and_its_files_are_served() {
    let api = Api::new().await;
    for (path, media) in [
        ("/", "text/html"),
        ("/reference/?of=onapi", "text/html"),
        ("/page/page.js", "text/javascript"),
        ("/page/reference.js", "text/javascript"),
        ("/page/style.css", "text/css"),
        ("/page/icon.svg", "image/svg+xml"),
        ("/page/rapidoc-min.js", "text/javascript"),
    ] {
        let reply = send(&api.url(), "GET", path, &[], "").await;
        assert_eq!(reply.status, 200, "{path}");
        assert!(reply.head.contains(&format!("content-type: {media}")), "{path}: {}", reply.head);
        assert!(!reply.body.is_empty());
    }
    assert_eq!(send(&api.url(), "GET", "/page/../Cargo.toml", &[], "").await.status, 404);
}

#[tokio::test]
async fn an_order_is_placed_once() {
    let api = Api::new().await;
    let (onapi, covage) = (api.sandbox.onapi().clone(), api.sandbox.covage().clone());
    api.run_example("onapi").await;
    api.run_example("covage").await;
    onapi.assert_placed_once("SP-0001");
    covage.assert_placed_once("SP-0001");
    let fails = |check: Box<dyn FnOnce() + std::panic::UnwindSafe>| std::panic::catch_unwind(check).is_err();
    assert!(fails(Box::new(std::panic::AssertUnwindSafe(move || onapi.assert_placed_once("SP-0002")))));
    assert!(fails(Box::new(std::panic::AssertUnwindSafe(move || covage.assert_placed_once("")))));
}

#[tokio::test]
async fn without_control_nothing_is_served() {
    assert!(Sandbox::builder().start().await.unwrap().control().is_none());
}

#[tokio::test]
async fn an_operation_can_be_left_out() {
    let sandbox = Sandbox::builder()
        .without_operation(SupplierName::Cocon, "createContact")
        .without_operation(SupplierName::OnApi, "listOrders")
        .start()
        .await
        .unwrap();
    let cocon = sandbox.cocon();
    let keys = [("api-key", cocon.api_key()), ("client-id", cocon.client_id()), JSON];
    assert_eq!(send(&cocon.base_url(), "POST", "/api/v1/contacts", &keys, "{}").await.status, 404);
    assert_eq!(send(&cocon.base_url(), "POST", "/api/v1/customers", &keys, "{}").await.status, 200);
    let origin = sandbox.onapi().base_url().replace("/onapi/2.6", "");
    for path in ["/onapi/2.6/orders/", "/onapi/2.6/orders"] {
        assert_eq!(send(&origin, "GET", path, &[], "").await.status, 501);
    }
    assert_eq!(sandbox.onapi().count("listOrders"), 0);
}

#[tokio::test]
async fn a_token_expires_with_its_life() {
    let sandbox = Sandbox::builder().covage_token_life(std::time::Duration::ZERO).start().await.unwrap();
    let covage = sandbox.covage();
    let login = json!({ "email": covage.email(), "password": covage.password() }).to_string();
    let token = send(&covage.base_url(), "POST", "/api/v2/account/token/", &[JSON], &login).await.json();
    let bearer = format!("Bearer {}", token["access"].as_str().unwrap());
    let reply = send(&covage.base_url(), "GET", "/api/v2/orders/", &[("authorization", &bearer)], "").await;
    assert_eq!(reply.status, 401);
}

#[tokio::test]
async fn the_wall_clock_moves_orders_to_their_end() {
    // A simulated day takes a millisecond.
    let clock = ClockMode::Wall { speed: 86_400_000.0 };
    let api = Api { sandbox: Sandbox::builder().control(true).clock(clock).start().await.unwrap() };
    let started = api.sandbox.onapi().now();
    let mut lines = BufReader::new(open(&api.url(), "GET", "/events", &[], "").await).lines();
    api.run_example("onapi").await;
    api.run_example("covage").await;
    loop {
        let line = lines.next_line().await.unwrap().unwrap();
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let state: Value = serde_json::from_str(data).unwrap();
        assert_eq!(state["clock"]["mode"], "wall");
        let ended = |supplier: usize| state["suppliers"][supplier]["objects"][0]["state"].as_str();
        if (ended(1), ended(2)) == (Some("completed"), Some("DONE_SUCCESS")) {
            break;
        }
    }
    assert!(api.sandbox.onapi().now() > started);
}

/// No operation is documented but not built, and no response, of a success or of a failure, is undocumented.
#[tokio::test]
async fn every_operation_is_built() {
    let api = Api::new().await;
    for operation in ControlApi::spec().operations().filter(|operation| operation.id != "streamEvents") {
        let path = operation.path.replace("{supplier}", "onapi").replace("{id}", "o-1");
        let reply = api.call(operation.method.as_str(), &path, Value::Null).await;
        assert!(reply.status < 401, "{}: {} {}", operation.id, reply.status, reply.body);
    }
}
