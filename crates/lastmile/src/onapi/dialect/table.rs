//! The table of the dialects, written from their data.

use std::fmt::Write as _;
use std::path::Path;

use super::super::EndpointName;
use super::Dialect;
use super::traits::{AddressesName, EquipmentForm, ListedIn, ServiceLevelName, Version};

fn table() -> String {
    let dialects = Dialect::ALL;
    let mut table = String::new();
    let mut row = |name: &str, cell: &dyn Fn(Dialect) -> String| {
        let cells: Vec<String> = dialects.iter().map(|dialect| cell(*dialect)).collect();
        // Writing to a String cannot fail.
        let _ = writeln!(table, "| {name} | {} |", cells.join(" | "));
    };
    row("dialect", &|dialect| format!("`{dialect}`"));
    row("---", &|_| "---".to_owned());
    row("is", &|dialect| dialect.title().to_owned());
    row("networks", &|dialect| networks(dialect).to_owned());
    row("services and subscriptions of an access", &|dialect| match dialect.traits().listed_in {
        ListedIn::Access => "in `GET /accesses/{accessId}`".to_owned(),
        ListedIn::OwnEndpoint => "in `GET /services/{accessId}`, `GET /subscriptions/{accessId}`".to_owned(),
    });
    row("a row of all subscriptions", &|dialect| match dialect.traits().listed_in {
        ListedIn::Access => "one subscription: `flat_subscriptions`".to_owned(),
        ListedIn::OwnEndpoint => "an access: `all_subscriptions`".to_owned(),
    });
    row("dates of a service", &|dialect| match dialect.traits().version {
        Version::V24 => "`connection`, `available`, `disconnection`: a date, `YES`, `NO`".to_owned(),
        Version::V25 | Version::V26 => {
            "`connectionDateTime`, `availableDateTime`, `disconnectionDateTime`: a time".to_owned()
        }
    });
    row("fields of an invoice line", &|dialect| match dialect.traits().version {
        Version::V24 | Version::V25 => "`coID`, `serviceProvider`, `address`".to_owned(),
        Version::V26 => "`coId`, `spName`, `access`".to_owned(),
    });
    row("service level", &|dialect| match dialect.traits().service_level {
        ServiceLevelName::Lower => "`sla`".to_owned(),
        ServiceLevelName::Upper => "`SLA`".to_owned(),
    });
    row("addresses, without an offer", &|dialect| match dialect.traits().addresses {
        AddressesName::Plural => "`ipAddresses`".to_owned(),
        AddressesName::Singular => "`ipAddress`".to_owned(),
    });
    row("equipment of an order", &|dialect| match dialect.traits().equipment {
        EquipmentForm::One => "one object".to_owned(),
        EquipmentForm::List => "a list".to_owned(),
    });
    let list = |fields: &[&str]| {
        let fields: Vec<String> = fields.iter().map(|field| format!("`{field}`")).collect();
        if fields.is_empty() { "nothing".to_owned() } else { fields.join(", ") }
    };
    row("ACTIVATE requires", &|dialect| list(dialect.traits().required.activate));
    row("DEACTIVATE, SUSPEND, RESUME require", &|dialect| list(dialect.traits().required.suspend));
    row("MODIFY requires", &|dialect| list(dialect.traits().required.modify));
    row("CHANGE requires", &|dialect| list(dialect.traits().required.change));
    row("endpoints that it lacks", &|dialect| {
        let lacks: Vec<&str> = dialect.traits().lacks.iter().map(|endpoint| endpoint.as_str()).collect();
        list(&lacks)
    });
    table
}

/// Returns who speaks a dialect. (Source: the standard's list of implementers of 2023-12; the vendor's document of 2.6.)
fn networks(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Standard24 => {
            "12 operators, and 40 city networks at Stadsnätsportalen (`OnApi::stadsnatsportalen` reads accesses only; orders go to each network's own system)"
        }
        Dialect::Standard25 | Dialect::Standard26 => "none in the standard's list",
        Dialect::Vendor26 => "those of one vendor",
    }
}

/// Returns what is before, between and after the two marks of a file.
fn at_marks(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("<!-- dialects -->\n")?;
    let (shown, after) = rest.split_once("<!-- /dialects -->")?;
    Some((before, shown, after))
}

/// With `UPDATE_TABLES=1`, the test writes the table into the documents instead of comparing it.
#[test]
fn the_documents_show_the_table_of_the_data() {
    let table = table();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = folder.join("src/onapi/dialect/table.md");
    let chapter = folder.join("../../docs/guide/dialects.md");
    let text = std::fs::read_to_string(&chapter).unwrap();
    let (before, shown, after) = at_marks(&text).unwrap();
    if std::env::var_os("UPDATE_TABLES").is_some() {
        std::fs::write(&own, &table).unwrap();
        let text = format!(
            "{before}<!-- dialects -->
{table}<!-- /dialects -->{after}"
        );
        std::fs::write(&chapter, text).unwrap();
        return;
    }
    assert_eq!(std::fs::read_to_string(&own).unwrap(), table, "table.md");
    assert_eq!(shown, table, "docs/guide/dialects.md");
}

#[test]
fn one_operation_stands_for_three_in_the_table() {
    for dialect in Dialect::ALL {
        let required = &dialect.traits().required;
        assert_eq!((required.deactivate, required.resume), (required.suspend, required.suspend));
    }
    assert!(!Dialect::Standard24.has_endpoint(EndpointName::Services));
}
