//! Ids as path segments.

use lastmile::cocon::{BatchId, ContactId};
use lastmile::covage::OrderId;
use lastmile::onapi::PeriodId;
use lastmile::wire::Segment;
use lastmile::{Error, Outcome};
use lastmile_tests::{cocon, sandbox};

#[test]
fn an_id_that_would_change_the_path_is_refused() {
    for id in ["", ".", "..", "a\\b", "..\\.."] {
        let error = Error::from(id.parse::<ContactId>().unwrap_err());
        assert_eq!(error.outcome(), Outcome::Invalid, "{id:?}");
        assert!(!error.may_have_taken_effect() && !error.is_safe_to_repeat());
        assert!(error.to_string().contains("the contact's id cannot stand in a path"), "{error}");
        assert!(id.parse::<Segment>().is_err(), "the generated client takes nothing else than a Segment");
        assert!(
            BatchId::try_from(id).is_err()
                && OrderId::try_from(id).is_err()
                && PeriodId::try_from(id).is_err()
        );
    }
}

#[tokio::test]
async fn every_other_id_is_sent_as_one_segment() {
    let sandbox = sandbox().await;
    let cocon = cocon(&sandbox);
    for (id, path) in [
        ("a/b", "/api/v1/contacts/a%2Fb"),
        ("é", "/api/v1/contacts/%C3%A9"),
        ("../x", "/api/v1/contacts/..%2Fx"),
        ("%2e%2e", "/api/v1/contacts/%252e%252e"),
        ("a?b#c", "/api/v1/contacts/a%3Fb%23c"),
        ("a b", "/api/v1/contacts/a%20b"),
    ] {
        let error = cocon.contact(&id.parse().unwrap()).await.unwrap_err();
        assert_eq!(error.status().unwrap(), 404, "{id:?} is asked for, and there is none");
        let received = sandbox.cocon().last().unwrap();
        assert_eq!((received.path.as_str(), received.query), (path, None));
        assert_eq!(received.operation.as_deref(), Some("getContact"));
        let parameters = lastmile_sandbox::Spec::cocon().route(&received.method, &received.path);
        let found = format!("{parameters:?}");
        assert!(found.contains(&format!("{id:?}")), "the sandbox reads it as {id:?}: {found}");
    }
}
