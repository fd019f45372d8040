//! The types of lastmile-core that hold no personal data of their own, or show the text from which they were made.

use std::time::Duration;

use lastmile::observe::MetricsObserver;
use lastmile::wire::{
    Decimal, Lenient, NotAMoment, NotANumber, NotASegment, OneOrMany, Patch, Scalar, Segment, Text, Timestamp,
};
use lastmile::{Policy, RetryBudget};
use lastmile_core::client::{PathStyle, SendDeadline, TrailingSlash};
use lastmile_core::clock::Clock;
use lastmile_core::operation::ListShape;
use lastmile_core::retry::RateLimit;
use lastmile_core::wire::ConversionError;
use lastmile_core::wire::Reading;

use crate::marks::{NUMBER, PERSONAL, Walked, quiet};

pub fn walk(walked: &Walked) {
    // An unread value is not shown.
    let odd: Vec<Lenient<i64>> =
        serde_json::from_str(r#"["Personal", {"Personal": 471100811}, ["Personal"]]"#).unwrap();
    walked.debug(&odd[0]);
    quiet(&format!("{odd:?}"));
    for json in [r#""Personal""#, r#"{"Personal": "Personal"}"#, r#"[["Personal"], {"Personal": 471100811}]"#]
    {
        let list: OneOrMany<Lenient<bool>> = serde_json::from_str(json).unwrap();
        walked.debug(&list);
    }
    for given in [
        Scalar::Text(PERSONAL),
        Scalar::Unsigned(NUMBER),
        Scalar::Signed(-471_100_811),
        Scalar::Float(471_100_811.5),
    ] {
        walked.debug(&given);
    }
    for clock in [Clock::default(), Clock::simulated()] {
        walked.debug(&clock);
        walked.debug(&SendDeadline::after(Duration::ZERO, &clock));
    }
    // A text that is not a number or a timestamp is not repeated.
    walked.error(&PERSONAL.parse::<Decimal>().unwrap_err());
    walked.error(&PERSONAL.parse::<Timestamp>().unwrap_err());
    walked.error(&format!("{PERSONAL}\\").parse::<Segment>().unwrap_err());
    for error in [
        serde_json::from_str::<Decimal>(r#""Personal""#).unwrap_err(),
        serde_json::from_str::<Timestamp>(r#""Personal""#).unwrap_err(),
        serde_json::from_str::<Segment>(r#""Personal\\""#).unwrap_err(),
        serde_json::from_str::<Text>("471100811").unwrap_err(),
    ] {
        quiet(&format!("{error} {error:?}"));
    }

    // These types show their content. The types that contain them redact it where a document says so.
    walked.both(&"7".parse::<Decimal>().unwrap());
    walked.both(&"2019-10-16T09:59:04Z".parse::<Timestamp>().unwrap());
    walked.both(&"17".parse::<Segment>().unwrap());
    walked.both(&Text::from("17"));
    walked.debug(&Patch::Value(7));
    walked.debug(&Reading::Coerced(7));

    walked.error(&ConversionError);
    walked.error(&NotANumber);
    walked.error(&NotAMoment);
    walked.error(&NotASegment::Dots);
    walked.debug(&Policy::default());
    walked.debug(&RetryBudget::default());
    walked.debug(&RateLimit::new(1, Duration::from_secs(1)));
    walked.debug(&PathStyle::default());
    walked.debug(&MetricsObserver::new());
    walked.debug(&ListShape { identity: Some("id"), is_paged: false });
    walked.debug(&TrailingSlash::Always);
    for table in [&lastmile_cocon::TABLE, &lastmile_covage::TABLE, &lastmile_onapi::TABLE] {
        walked.debug(table);
        walked.debug(&table.errors);
        table.tokens.iter().for_each(|flow| walked.debug(flow));
    }
    for operation in [
        &lastmile_cocon::operations::CREATE_CONTACT,
        &lastmile_covage::operations::CREATE_ORDER,
        &lastmile_onapi::operations::CREATE_ORDER,
    ] {
        walked.debug(operation);
        walked.debug(&operation.repeat);
    }
}
