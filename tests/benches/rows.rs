//! What a row costs to be read: as the generated type, and as a plain one that loses what it does not know.

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
