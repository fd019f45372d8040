//! What a server asks for with `Retry-After` is done, where it may be and there is time.

use std::time::{Duration, SystemTime};

use lastmile_tests::{RawServer, Then, answer};

use crate::calls::Ends::*;
use crate::calls::{Call, patient, seen, told};
use crate::table::ok;

/// An answer that asks to come back after so many seconds, or at such a time.
fn later(status: &str, after: &str) -> Then {
    Then::AnswerAndKeep(answer(&format!("{status}\r\nretry-after: {after}"), ""))
}

const STATUSES: [&str; 2] = ["429 Too Many Requests", "503 Service Unavailable"];

#[tokio::test]
async fn seconds_are_waited_for() {
    let case = async |call: Call, status: &str| {
        let (told, wire) = told(call, patient(), vec![later(status, "1"), Then::AnswerAndKeep(ok())]).await;
        assert_eq!(seen(call, &told, &wire.requests), (Answered, None, 0, 2));
        let pause = wire.requests[1].at - wire.requests[0].at;
        assert!(pause >= Duration::from_secs(1), "{call:?}: {pause:?}");
    };
    tokio::join!(case(Call::Read, STATUSES[0]), case(Call::Delete, STATUSES[1]));
}

#[tokio::test]
async fn a_date_is_waited_for() {
    let moment = SystemTime::now() + Duration::from_secs(2);
    let date = httpdate::fmt_http_date(moment);
    let server = RawServer::start([later(STATUSES[0], &date), Then::AnswerAndKeep(ok())]).await;
    let client = Call::Read.client(&server.base_url(), patient());
    assert_eq!(client.make(Call::Read).await.unwrap(), "1");
    // The date has whole seconds.
    assert!(SystemTime::now() >= httpdate::parse_http_date(&date).unwrap());
    drop(client);
    assert_eq!(server.end().await.requests.len(), 2);
}

#[tokio::test]
async fn what_is_beyond_the_deadline_is_told_at_once() {
    let hour = Duration::from_secs(3600);
    let date = httpdate::fmt_http_date(SystemTime::now() + hour);
    for after in ["3600", &date, "18446744073709551615"] {
        for (status, ends) in [(STATUSES[0], Throttled), (STATUSES[1], Unknown)] {
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

/// Nothing came of what was throttled, but the caller decides whether it is still wanted when there is room.
#[tokio::test]
async fn a_creation_is_not_sent_again() {
    for (status, ends) in [(STATUSES[0], Throttled), (STATUSES[1], Unknown)] {
        for call in [Call::Create, Call::Activate, Call::Submit] {
            let script = vec![later(status, "0"), Then::AnswerAndKeep(ok())];
            let (told, wire) = told(call, patient(), script).await;
            let code = status[..3].parse().ok();
            assert_eq!(seen(call, &told, &wire.requests), (ends, code, 1, 1), "{call:?}");
            assert_eq!(told.unwrap_err().retry_after(), Some(Duration::ZERO));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_understood_asks_for_nothing() {
    for after in ["soon", "-1", "1.5", ""] {
        let script = vec![later(STATUSES[0], after), Then::AnswerAndKeep(ok())];
        let (read, wire) = told(Call::Read, patient(), script).await;
        assert_eq!(seen(Call::Read, &read, &wire.requests), (Answered, None, 0, 2), "{after}");
        let (created, _) = told(Call::Create, patient(), vec![later(STATUSES[0], after)]).await;
        assert_eq!(created.unwrap_err().retry_after(), None, "{after}");
    }
}
