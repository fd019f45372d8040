//! `Retry-After` is honoured where the call may be repeated and its deadline allows it.

use std::time::{Duration, SystemTime};

use lastmile_tests::{RawServer, Then, answer};

use crate::calls::Ends::*;
use crate::calls::{Call, patient, seen, told};
use crate::table::ok;

/// Returns a response that asks the client to wait for this many seconds, or until this time.
fn later(status: &str, after: &str) -> Then {
    Then::AnswerAndKeep(answer(&format!("{status}\r\nretry-after: {after}"), ""))
}

const STATUSES: [&str; 2] = ["429 Too Many Requests", "503 Service Unavailable"];

#[tokio::test]
async fn retry_after_in_seconds_is_honoured() {
    let case = async |call: Call, status: &str| {
        let (told, wire) = told(call, patient(), vec![later(status, "1"), Then::AnswerAndKeep(ok())]).await;
        assert_eq!(seen(call, &told, &wire.requests), (Answered, None, 0, 2));
        let pause = wire.requests[1].at - wire.requests[0].at;
        assert!(pause >= Duration::from_secs(1), "{call:?}: {pause:?}");
    };
    tokio::join!(case(Call::Read, STATUSES[0]), case(Call::Delete, STATUSES[1]));
}

#[tokio::test]
async fn retry_after_as_a_date_is_honoured() {
    let moment = SystemTime::now() + Duration::from_secs(2);
    let date = httpdate::fmt_http_date(moment);
    let server = RawServer::start([later(STATUSES[0], &date), Then::AnswerAndKeep(ok())]).await;
    let client = Call::Read.client(&server.base_url(), patient());
    assert_eq!(client.make(Call::Read).await.unwrap(), "1");
    // The date has a resolution of one second.
    assert!(SystemTime::now() >= httpdate::parse_http_date(&date).unwrap());
    drop(client);
    assert_eq!(server.end().await.requests.len(), 2);
}

#[tokio::test]
async fn a_retry_after_beyond_the_deadline_fails_at_once() {
    let hour = Duration::from_secs(3600);
    let date = httpdate::fmt_http_date(SystemTime::now() + hour);
    for after in ["3600", &date, "18446744073709551615"] {
        for (status, ends) in [(STATUSES[0], Throttled), (STATUSES[1], Indeterminate)] {
            for call in [Call::Read, Call::Delete, Call::List] {
                let (told, wire) = told(call, patient(), vec![later(status, after)]).await;
                let code = status[..3].parse().ok();
                assert_eq!(seen(call, &told, &wire.requests), (ends, code, 1, 1), "{call:?} {after}");
                let error = told.unwrap_err();
                assert!(error.retry_after().unwrap() > hour - Duration::from_secs(60), "{error}");
                assert!(error.elapsed() < patient().deadline);
            }
        }
    }
}

/// A throttled request had no effect, but the caller decides whether it is still wanted later.
#[tokio::test]
async fn a_throttled_creating_call_is_not_repeated() {
    for (status, ends) in [(STATUSES[0], Throttled), (STATUSES[1], Indeterminate)] {
        for call in [Call::Create, Call::Activate, Call::Submit] {
            let script = vec![later(status, "0"), Then::AnswerAndKeep(ok())];
            let (told, wire) = told(call, patient(), script).await;
            let code = status[..3].parse().ok();
            assert_eq!(seen(call, &told, &wire.requests), (ends, code, 1, 1), "{call:?}");
            assert_eq!(told.unwrap_err().retry_after(), Some(Duration::ZERO));
        }
    }
}

/// The server asks for a pause of unknown length, so it is not called again within the next few seconds.
#[tokio::test]
async fn an_invalid_retry_after_causes_a_cautious_backoff() {
    let cautious = Some(Duration::from_secs(5));
    for after in ["soon", "-1", "Sun, 31 Feb 2094 08:50:07 GMT", ""] {
        for call in [Call::Read, Call::Delete, Call::Create] {
            let short = patient().with_deadline(Duration::from_secs(4));
            let (told, wire) = told(call, short, vec![later(STATUSES[0], after)]).await;
            assert_eq!(seen(call, &told, &wire.requests), (Throttled, Some(429), 1, 1), "{after}");
            assert_eq!(told.unwrap_err().retry_after(), cautious, "{after}");
        }
    }
}

#[tokio::test]
async fn no_attempt_precedes_the_retry_after() {
    let case = async |after: &str| {
        let (told, wire) =
            told(Call::Read, patient(), vec![later(STATUSES[0], after), Then::AnswerAndKeep(ok())]).await;
        assert_eq!(seen(Call::Read, &told, &wire.requests), (Answered, None, 0, 2), "{after}");
        let pause = wire.requests[1].at - wire.requests[0].at;
        assert!(pause >= Duration::from_millis(1500), "{after}: {pause:?}");
    };
    tokio::join!(case("1.5"), case("0, 1.5"), case("1.5\r\nretry-after: 0"), case(" \"1.5\" "));
    for date in [
        "Sun, 6 Nov 2094 08:49:37 GMT",
        "Sun, 06 Nov 2094 08:49:37 +0000",
        "Sunday, 06-Nov-2094 08:49:37 GMT",
    ] {
        let (told, _) = told(Call::Read, patient(), vec![later(STATUSES[0], date)]).await;
        assert!(told.unwrap_err().retry_after().unwrap() > Duration::from_secs(3600), "{date}");
    }
}

/// An exhausted quota is often reported with 403, for example by Azure API Management with the body "Out of call volume
/// quota".
#[tokio::test]
async fn a_403_with_retry_after_is_throttled() {
    for status in ["403 Quota Exceeded", "413 Too Much", "420 Calm", "423 Locked", "425 Too Early"] {
        for call in [Call::Read, Call::Delete, Call::Create] {
            let (told, wire) = told(call, patient(), vec![later(status, "3600")]).await;
            let code = status[..3].parse().ok();
            assert_eq!(seen(call, &told, &wire.requests), (Throttled, code, 1, 1), "{call:?} {status}");
            assert_eq!(told.unwrap_err().retry_after(), Some(Duration::from_secs(3600)));
        }
        let refused = Then::AnswerAndKeep(answer(status, ""));
        let (told, wire) = told(Call::Read, patient(), vec![refused]).await;
        assert_eq!(seen(Call::Read, &told, &wire.requests).0, Rejected, "{status} without a time");
    }
    // The meaning of a conflict is not known: such an order may already exist.
    let (told, wire) = told(Call::Create, patient(), vec![later("409 Conflict", "1")]).await;
    assert_eq!(seen(Call::Create, &told, &wire.requests), (Rejected, Some(409), 1, 1));
}
