//! Authentication, DHCP lookups, and technical information.

use lastmile_sandbox::onapi::Availability;
use lastmile_sandbox::{Dialect, ExamplePart, Sandbox};
use serde_json::{Value, json};

use crate::caller::{Caller, cause, finish, header};
use crate::common::{JSON, Reply, send};

#[tokio::test]
async fn only_valid_credentials_are_accepted() {
    let caller = Caller::new().await;
    let right = caller.authorization();
    for authorization in ["", "Basic dTpw", "Basic", &right.replace("Basic", "Bearer"), &format!("{right}x")]
    {
        let headers = [("authorization", authorization)];
        let reply = send(&caller.root(), "GET", "/onapi/2.6/accesses/", &headers, "").await;
        assert_eq!(reply.status, 401, "{authorization}");
        assert!(!cause(&reply).contains(caller.0.user()));
        assert_eq!(header(&reply, "www-authenticate").as_deref(), Some("Basic realm=\"ON-API\""));
    }
    let headers = [("authorization", right.replace("Basic", "basic"))];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(send(&caller.root(), "GET", "/onapi/2.6/accesses/", &headers, "").await.status, 200);
}

#[tokio::test]
async fn dhcp_identifiers_find_an_access() {
    let caller = Caller::new().await;
    let access = caller.0.accesses().swap_remove(8);
    let encoded = |text: &str| text.replace(' ', "%20").replace('/', "%2F");
    let (circuit, remote) = (encoded(&access.ipv4_circuit_id), encoded(&access.ipv4_remote_id));
    let queries = [
        format!("ipv4CircuitId={circuit}"),
        format!("ipv4RemoteId={remote}"),
        format!("ipv6InterfaceId={}", encoded(&access.ipv6_interface_id)),
        format!("ipv6RemoteId={}", encoded(&access.ipv6_remote_id)),
        format!("ipv4option82={}", access.option82.to_lowercase()),
        format!("ipv4CircuitId={circuit}&ipv4RemoteId={remote}"),
    ];
    for query in queries {
        let reply = caller.get(&format!("/dhcplookup/?{query}")).await;
        assert_eq!((reply.status, reply.json()), (200, json!({ "accessId": access.id })), "{query}");
    }
    let mismatched = format!("ipv4CircuitId={circuit}&ipv4RemoteId=line-000001");
    for (query, status) in [(mismatched.as_str(), 404), ("ipv4RemoteId=x", 404), ("", 400), ("mac=1", 400)] {
        assert_eq!(caller.get(&format!("/dhcplookup/?{query}")).await.status, status, "{query}");
    }
    let by_option = caller.get(&format!("/option82/{}", access.option82)).await;
    assert_eq!(by_option.json(), json!({ "accessId": access.id }));
    assert_eq!(caller.get("/option82/520A01036162630203313233").await.status, 404);
    assert_eq!(caller.get("/option82/53").await.status, 400);
}

#[tokio::test]
async fn a_lookup_needs_exactly_one_match() {
    let caller = Caller::new().await;
    let accesses = caller.0.accesses();
    let last = &accesses[29];
    assert_eq!(accesses[28].ipv4_circuit_id, last.ipv4_circuit_id);
    let circuit = last.ipv4_circuit_id.replace(' ', "+");
    let reply = caller.get(&format!("/dhcplookup/?ipv4CircuitId={circuit}")).await;
    assert_eq!((reply.status, cause(&reply).contains("More than one")), (404, true));
    let both = format!("/dhcplookup/?ipv4CircuitId={circuit}&ipv4RemoteId={}", last.ipv4_remote_id);
    assert_eq!(caller.get(&both).await.json(), json!({ "accessId": last.id }));
}

#[tokio::test]
async fn subscriptions_contain_dhcp_identifiers() {
    let caller = Caller::new().await;
    let (access, _) = caller.offered(Availability::Active);
    let row = caller.get(&format!("/subscriptions/{}", access.id)).await.json();
    let subscription = &row["subscriptions"][0];
    assert_eq!(subscription["option82"], access.option82);
    assert_eq!(subscription["dhcpIdentifier"]["ipv4CircuitId"], access.ipv4_circuit_id);
}

#[tokio::test]
async fn technical_endpoints_report_active_services() {
    let caller = Caller::of(Sandbox::builder().onapi_dialect(Dialect::Standard26)).await;
    let (access, service) = caller.offered(Availability::Free);
    let of = |leaf: &str| format!("/tech/access/{}/{leaf}", access.id);
    let cpe = format!("/tech/cpe/{}/status", access.id);
    let read = async |path: &str| caller.get(path).await.json();
    assert_eq!(read(&cpe).await, json!({ "up": false }));
    assert_eq!(read(&of("link/macaddresstable")).await, json!([]));
    assert_eq!(read(&of("link/leaseinfo")).await, json!([]));
    assert_eq!(read(&of("link/igmpsnooping")).await, json!([]));
    assert_eq!(read(&of("link/status")).await["link"], false);
    assert_eq!(read(&of("hardware")).await["up"], true);

    caller
        .place(json!({
            "operation": "ACTIVATE", "accessId": access.id, "service": service,
            "equipment": [{ "macAddress": "02:00:00:00:00:99" }],
        }))
        .await;
    finish(&caller.0);
    assert_eq!(read(&cpe).await["up"], true);
    let table = read(&of("link/macaddresstable")).await;
    assert_eq!((&table[0]["mac"], &table[0]["serviceType"]), (&json!("02:00:00:00:00:99"), &json!("bb")));
    assert_eq!(read(&of("link/leaseinfo")).await[0]["mac"], "02:00:00:00:00:99");
    let link = read(&of("link/status")).await;
    assert_eq!((&link["link"], &link["configuredSpeed"][0]["cir"]), (&json!(true), &json!(100_000)));
    assert_eq!(link, read(&of("link/status")).await, "the same whenever it is asked");

    let watching = caller.0.accesses().into_iter().find(|access| access.subscriptions.len() == 2).unwrap();
    let groups = read(&format!("/tech/access/{}/link/igmpsnooping", watching.id)).await;
    assert_eq!(groups.as_array().map(Vec::len), Some(2));
    assert_eq!(caller.get("/tech/cpe/a-1/status").await.status, 404);
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
}

/// Calls every read operation and some others.
async fn day(seed: u64) -> Vec<Reply> {
    let caller = Caller(Sandbox::builder().seed(seed).start().await.unwrap().onapi().clone());
    let (access, service) = caller.offered(Availability::Free);
    let mut replies = vec![caller.activate(&access, &service).await];
    caller.0.advance();
    caller.0.add_accesses(3);
    caller.0.advance();
    replies.push(caller.send("POST", "/tickets", json!({ "accessId": access.id })).await);
    let spec = caller.0.spec();
    for operation in spec.operations().filter(|one| one.method == "GET" && one.id != "listEndpoints") {
        let path = operation.path.replace("{accessId}", &access.id);
        replies.push(caller.get(&path).await);
    }
    assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    replies
}

#[tokio::test]
async fn equal_seeds_produce_equal_responses() {
    let (first, again, other) = (day(3).await, day(3).await, day(4).await);
    assert_eq!(first, again);
    assert_ne!(first, other);
}

/// No operation responds with an undocumented status code.
#[tokio::test]
async fn every_operation_of_each_dialect_is_simulated() {
    for dialect in Dialect::ALL {
        let caller = Caller::of(Sandbox::builder().onapi_dialect(dialect)).await;
        let access = caller.0.accesses().swap_remove(0);
        for operation in dialect.spec().operations() {
            let path = operation.path.replace("{accessId}", &access.id).replace(['{', '}'], "");
            let example = |id: &str| dialect.spec().example(id, ExamplePart::Request);
            let new = || (operation.id == "replaceOrder").then(|| example("createOrder")).flatten();
            let example = example(&operation.id).or_else(new);
            let body = example.map(Value::to_string).unwrap_or_default();
            let reply = caller.call(operation.method.as_str(), &path, &[JSON], &body).await;
            assert!(reply.status < 500, "{}: {}", operation.id, reply.body);
            assert_eq!(caller.0.count(&operation.id), 1);
            assert_eq!(caller.0.last().unwrap().problems, [""; 0], "{dialect:?} {}", operation.id);
        }
        assert!(caller.0.violations().is_empty(), "{:?}", caller.0.violations());
    }
}
