//! What a row costs to be read: as the generated type, and as a plain one that loses what it does not know.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lastmile::onapi::types::Access;
use lastmile_tests::measure::access;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// An access as a generator would make it that takes documents at their word.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code, reason = "decoding it is what is measured")]
struct Plain {
    access_id: Option<String>,
    legacy_access_id: Option<String>,
    street_name: Option<String>,
    street_number: Option<String>,
    street_littera: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    country_code: Option<String>,
    premises_type: Option<Premises>,
    mdu_apartment_number: Option<String>,
    mdu_distinguisher: Option<String>,
    outlet: Option<String>,
    population: Option<String>,
    price_group: Option<i64>,
    access_state: Option<State>,
    #[serde(rename = "nationalAddressUUID")]
    national_address_uuid: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Premises {
    MduApartment,
    ResidentialHouse,
    Commercial,
}

#[derive(Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum State {
    Connected,
    HomesPassed,
    Planned,
}

/// Decodes a list row by row, as a stream of rows does.
fn decode<T: DeserializeOwned>(rows: &[String]) {
    for row in rows {
        let row: T = serde_json::from_str(row).expect("an access");
        std::hint::black_box(row);
    }
}

fn rows(criterion: &mut Criterion) {
    let rows: Vec<String> = (0..1000).map(access).collect();
    let mut group = criterion.benchmark_group("row");
    group.throughput(Throughput::Bytes(rows.iter().map(|row| row.len() as u64).sum()));
    group.bench_function("generated", |bencher| bencher.iter(|| decode::<Access>(&rows)));
    group.bench_function("plain", |bencher| bencher.iter(|| decode::<Plain>(&rows)));
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
