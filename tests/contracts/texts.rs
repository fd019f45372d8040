//! What the errors of rejections and timeouts say, and what they leave out.

use lastmile::cocon::Cocon;
use lastmile::covage::Covage;
use lastmile::onapi::{Dialect, OnApi};
use lastmile::{Error, Outcome};
use lastmile_tests::{RawServer, Then, answer, json};

use crate::calls::{Call, hurried, patient, single, tokens, told};

async fn refused(call: Call, text: &'static str) -> Error {
    *told(call, patient().with_max_attempts(1), vec![Then::AnswerAndKeep(text)]).await.0.unwrap_err()
}

const CALLS: [Call; 6] = [Call::Create, Call::Read, Call::Activate, Call::List, Call::Draft, Call::Order];

/// Every supplier runs gateways and frameworks with error forms of their own.
#[tokio::test]
async fn error_bodies_of_every_form_are_read() {
    for call in CALLS {
        for (body, message) in [
            (r#"{"detail":"The frame is full"}"#, "The frame is full"),
            (r#"{"title":"Not possible","detail":"The frame is full","status":400}"#, "The frame is full"),
            ("\u{feff}{\"message\":\"The frame is full\"}", "The frame is full"),
            ("The frame is full", "The frame is full"),
        ] {
            let error = refused(call, json("400 Bad Request", body)).await;
            assert_eq!(error.supplier_message(), Some(message), "{call:?} {body}");
            assert!(error.to_string().contains("ead message() and details()"), "{error}");
        }
        for body in
            [r#"{"title":"Validation failed","errors":{"Phone":["missing"]}}"#, r#"{"Phone":["missing"]}"#]
        {
            let error = refused(call, json("400 Bad Request", body)).await;
            let [detail] = error.details() else { panic!("{call:?} {body}: {:?}", error.details()) };
            assert_eq!(
                (detail.field.as_deref(), detail.message.as_deref()),
                (Some("Phone"), Some("missing"))
            );
            assert!(!error.to_string().contains("Phone"), "that it is a field is a guess: {error}");
        }
        let page = answer("400 Bad Request\r\ncontent-type: text/html", "<html>Ankeborg</html>");
        let error = refused(call, page).await;
        assert_eq!((error.message(), error.details().len()), (None, 0));
        assert!(error.to_string().contains("read body() for what arrived"), "{error}");
    }
}

#[tokio::test]
async fn the_supplier_s_message_is_available_by_accessor() {
    let body =
        r#"{"cause":"The frame\nis full","errors":[{"field":"phone","code":"E1","message":"Kalle Anka"}]}"#;
    let error = refused(Call::Activate, json("400 Bad Request", body)).await;
    let plain = error.to_string();
    assert!(!plain.contains("frame") && !plain.contains("Kalle"), "{plain}");
    let words = error.display_with_supplier_message().to_string();
    assert_eq!(words, format!("{plain}. The supplier's message: The frame is full; phone: E1: Kalle Anka"));
    assert_eq!(error.supplier_message(), Some("The frame\nis full"));
    assert!(!format!("{:?}", error.display_with_supplier_message()).contains("Kalle"));

    let nothing = refused(Call::Activate, answer("400 Bad Request", "")).await;
    assert_eq!(nothing.display_with_supplier_message().to_string(), nothing.to_string());
    let many = format!(r#"{{"errors":[{}"x"]}}"#, r#""x","#.repeat(40)).leak();
    let words = refused(Call::Activate, json("400 Bad Request", many)).await;
    let words = words.display_with_supplier_message().to_string();
    assert!(words.ends_with("; x; 21 more in details()"), "{words}");
}

#[tokio::test]
async fn a_response_of_another_server_hints_at_the_base_url() {
    let hint = "check the base address and its path";
    for call in CALLS {
        for status in ["404 Not Found", "405 Method Not Allowed", "501 Not Implemented"] {
            let page = answer(&format!("{status}\r\ncontent-type: text/html"), "<html>Ankeborg</html>");
            for text in [page, answer(status, ""), answer(status, "404 page not found")] {
                let error = refused(call, text).await;
                assert_eq!(error.outcome(), Outcome::Rejected);
                assert!(error.to_string().contains(hint), "{call:?} {status}: {error}");
                assert!(!error.is_in_supplier_format());
            }
            // ON-API responds in this way to a list without elements.
            if (call, &status[..3]) == (Call::List, "404") {
                continue;
            }
            let own = r#"{"cause":"none","error":"none","message":"none"}"#;
            let error = refused(call, json(status, own)).await;
            assert!(!error.to_string().contains(hint) && error.is_in_supplier_format(), "{error}");
        }
        let other = refused(call, answer("400 Bad Request", "")).await;
        assert!(!other.to_string().contains(hint), "{other}");
    }
}

/// Returns how many milliseconds of the deadline have passed according to the text.
#[track_caller]
fn spent(shown: &str, what: &str) -> u64 {
    let (_, rest) = shown.split_once(&format!("{what}: ")).unwrap_or_else(|| panic!("{shown}"));
    let (spent, rest) = rest.split_once(' ').unwrap();
    assert!(rest.starts_with("ms of the call's deadline of 900 ms are spent"), "{shown}");
    spent.parse().unwrap()
}

#[tokio::test]
async fn a_timeout_names_the_deadline_and_the_elapsed_time() {
    let half = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{";
    for (then, what) in
        [(Then::Hang, "no response"), (Then::AnswerAndHang(half), "the response was not complete")]
    {
        let (told, _) = told(Call::Create, single(), vec![then]).await;
        let shown = told.unwrap_err().to_string();
        assert!(spent(&shown, &format!("{what} within the deadline")) >= 900, "{shown}");

        let (told, _) = self::told(Call::Read, hurried(), vec![then]).await;
        let shown = told.unwrap_err().to_string();
        assert!(spent(&shown, &format!("{what} within 250 ms, the limit of one attempt")) >= 500, "{shown}");
    }
    let server = RawServer::with_tokens([Then::Reset], [Then::Hang]).await;
    let policy = single().with_max_attempts(1);
    let told = Call::Submit.client(&server.base_url(), policy).make(Call::Submit).await;
    let shown = told.unwrap_err().to_string();
    assert!(shown.contains("no token came within") && shown.contains("deadline of 900 ms"), "{shown}");
}

#[tokio::test]
async fn refused_credentials_are_named() {
    let unauthorized = Then::AnswerAndKeep("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
    let server = RawServer::with_tokens([unauthorized], [tokens()]).await;
    let base = server.base_url();
    let cocon =
        || Cocon::builder(&base).api_key("key-4711").client_id("client").key_headers("X-Key", "X-Client");
    let onapi = OnApi::builder(&base).dialect(Dialect::Vendor26).login("sp", "word-4711").build().unwrap();
    let covage = Covage::builder(&base).login("a@sp.example", "word-4711").build().unwrap();
    for (error, says) in [
        (
            cocon().build().unwrap().contact(&"1".parse().unwrap()).await.err(),
            "check the key in the header x-key and the key in the header x-client",
        ),
        (
            cocon().bearer("token-4711").build().unwrap().contact(&"1".parse().unwrap()).await.err(),
            "check the key in the header x-key, the key in the header x-client and the token",
        ),
        (onapi.order(&"1".parse().unwrap()).await.err(), "check the user and password"),
        (
            covage.cities(&"76000".parse().unwrap()).await.err(),
            "check the login (email and password) that the token is obtained with",
        ),
    ] {
        let shown = error.unwrap().to_string();
        assert!(shown.contains(says) && !shown.contains("4711"), "{shown}");
    }
}

/// A message that repeats the password in any encoding is not returned as the supplier's message.
#[tokio::test]
async fn an_echoed_password_is_redacted() {
    for echo in [
        "no account for sp:p\\\"ss w\\u00f6rd",
        "wrong password P\\\"SS W\\u00d6RD",
        "bad p%22ss%20w%C3%B6rd",
        "bad p\\\\\\\"ss w\\\\u00f6rd",
        "bad p&quot;ss w&#246;rd",
        "bad c3A6cCJzcyB3w7ZyZA==",
    ] {
        let body = format!(
            r#"{{"cause":"{echo}","errors":[{{"field":"{echo}","code":"{echo}","message":"{echo}"}},"{echo}"]}}"#
        );
        let server = RawServer::start([Then::Answer(json("400 Bad Request", &body))]).await;
        let network = OnApi::builder(server.base_url())
            .dialect(Dialect::Vendor26)
            .login("sp", "p\"ss wörd")
            .build()
            .unwrap();
        let error = network.order(&"1".parse().unwrap()).await.unwrap_err();
        assert_eq!(error.message(), None, "{echo}");
        for detail in error.details() {
            assert_eq!((&detail.field, &detail.code, &detail.message), (&None, &None, &None), "{echo}");
        }
        assert_eq!(error.display_with_supplier_message().to_string(), error.to_string());
        assert!(!error.body().is_empty(), "it is there for those who ask");
    }
    // The same as plain text, in another encoding.
    let text = "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=iso-8859-1\r\ncontent-length: 16\r\n\r\nno p\"ss w\u{f6}rd !";
    let server = RawServer::start([Then::Answer(text)]).await;
    let network = OnApi::builder(server.base_url())
        .dialect(Dialect::Vendor26)
        .login("sp", "p\"ss wörd")
        .build()
        .unwrap();
    assert_eq!(network.order(&"1".parse().unwrap()).await.unwrap_err().message(), None);
    // A password that occurs in every text redacts only the login.
    for (text, kept) in [("A frame is full", true), ("no account sp:a", false)] {
        let body = format!(r#"{{"cause":"{text}"}}"#);
        let server = RawServer::start([Then::Answer(json("400 Bad Request", &body))]).await;
        let network =
            OnApi::builder(server.base_url()).dialect(Dialect::Vendor26).login("sp", "a").build().unwrap();
        assert_eq!(
            network.order(&"1".parse().unwrap()).await.unwrap_err().message().is_some(),
            kept,
            "{text}"
        );
    }
}

/// RFC 8259, section 8.1.
#[tokio::test]
async fn a_byte_order_mark_is_ignored() {
    let marked = json("200 OK", &format!("\u{feff}{}", crate::calls::done("1")));
    for call in CALLS.into_iter().filter(|call| *call != Call::Draft) {
        let (told, _) = told(call, patient(), vec![Then::AnswerAndKeep(marked)]).await;
        assert_eq!(told.unwrap(), "1", "{call:?}");
    }
    let drafted = json("200 OK", &format!("\u{feff}{}", crate::calls::drafted()));
    let (told, _) = told(Call::Draft, patient(), vec![Then::AnswerAndKeep(drafted)]).await;
    told.unwrap();
    let token = json("200 OK", "\u{feff}{\"access\":\"token\",\"refresh\":\"renewal\"}");
    let server = RawServer::with_tokens([Then::AnswerAndKeep(marked)], [Then::AnswerAndKeep(token)]).await;
    assert_eq!(Call::Order.client(&server.base_url(), patient()).make(Call::Order).await.unwrap(), "1");
}
