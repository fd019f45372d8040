//! Compares decoding a row as the generated type with decoding it as a plain struct that drops unknown values.

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lastmile::onapi::types::Access;
use lastmile_tests::measure::{PlainAccess, access, decode_rows};

fn rows(criterion: &mut Criterion) {
    let rows: Vec<String> = (0..1000).map(access).collect();
    let mut group = criterion.benchmark_group("row");
    group.throughput(Throughput::Bytes(rows.iter().map(|row| row.len() as u64).sum()));
    group.bench_function("generated", |bencher| bencher.iter(|| decode_rows::<Access>(&rows)));
    group.bench_function("plain", |bencher| bencher.iter(|| decode_rows::<PlainAccess>(&rows)));
    group.finish();
}

criterion_group!(benches, rows);
criterion_main!(benches);
