//! Compares the stream of rows of a long list with what a program has without lastmile.

use std::fmt::Write as _;

use super::programs::{Allocator, Programs};
use super::{Plan, Result, median};
use crate::measure::Listed;

/// The ratios of one allocator and one number of threads, one for each round.
#[derive(Default)]
struct Ratios {
    plain: Vec<f64>,
    plain_gzip: Vec<f64>,
    progenitor: Vec<f64>,
    progenitor_gzip: Vec<f64>,
    generated: Vec<f64>,
    cpu: Vec<f64>,
}

pub(super) fn measure(plan: &Plan, programs: &Programs, page: &mut String) -> Result<()> {
    let rows = plan.rows;
    write!(
        page,
        "\n## Long lists\n\nA list of {rows} accesses (about 400 bytes each), read as a stream of rows over loopback. How often as fast it is as\n\n\
         - **in memory**: `serde_json::from_slice::<Vec<_>>` of plain structs with `String`, of the same bytes in memory;\n\
         - **our types**: the same of the types of `lastmile`;\n\
         - **progenitor**: the client that progenitor 0.15.1 generates for this list without our passes (`tests/src/measure/progenitor`), which reads\n  \
           the whole list over the same loopback.\n\n\
         A runtime with one thread is tokio's current-thread runtime. The machine has {} cores, which the server shares.\n\n\
         | allocator | threads | in memory | in memory, stream with gzip | our types | progenitor | progenitor, both with gzip | processor time against in memory |\n\
         |---|---|---|---|---|---|---|---|\n",
        std::thread::available_parallelism().map_or(1, usize::from),
    )?;
    let (server, address) = programs.serve(rows, "short")?;
    for allocator in Allocator::ALL {
        for threads in plan.threads {
            let ratios = ratios(plan, programs, allocator, &address, *threads)?;
            let Ratios { plain, plain_gzip, progenitor, progenitor_gzip, generated, cpu } = ratios;
            let columns = [plain, plain_gzip, generated, progenitor, progenitor_gzip, cpu].map(median);
            write!(page, "| {} | {threads} |", allocator.name())?;
            columns.iter().try_for_each(|ratio| write!(page, " {ratio:.2} |"))?;
            page.push('\n');
        }
    }
    parts(plan, programs, &address, page)?;
    drop(server);
    memory(plan, programs, page)
}

fn ratios(
    plan: &Plan,
    programs: &Programs,
    allocator: Allocator,
    address: &str,
    threads: usize,
) -> Result<Ratios> {
    let (rows, threads, identity) = (plan.rows.to_string(), threads.to_string(), format!("{address}/plain"));
    let mut ratios = Ratios::default();
    for _ in 0..plan.runs {
        let run = |arguments: &[&str]| programs.measure_with::<Listed>(allocator, arguments);
        let plain = run(&["at-once", "plain", &rows, "short"])?;
        let stream = run(&["rows", &identity, &threads])?;
        let generated = run(&["at-once", "generated", &rows, "short"])?;
        let gzip = run(&["rows", address, &threads])?;
        let progenitor = run(&["progenitor", &identity, &threads])?;
        let progenitor_gzip = run(&["progenitor", address, &threads])?;
        ratios.plain.push(plain.seconds / stream.seconds);
        ratios.plain_gzip.push(plain.seconds / gzip.seconds);
        ratios.generated.push(generated.seconds / stream.seconds);
        ratios.progenitor.push(progenitor.seconds / stream.seconds);
        ratios.progenitor_gzip.push(progenitor_gzip.seconds / gzip.seconds);
        ratios.cpu.push(stream.cpu_seconds / plain.cpu_seconds);
    }
    Ok(ratios)
}

/// Measures what the stream spends its processor time on.
fn parts(plan: &Plan, programs: &Programs, address: &str, page: &mut String) -> Result<()> {
    let (rows, identity) = (plan.rows.to_string(), format!("{address}/plain"));
    let (mut reading, mut decoding) = (Vec::new(), Vec::new());
    for _ in 0..plan.runs {
        let stream: Listed = programs.measure(&["rows", &identity, "2"])?;
        let share = |part: Listed| part.cpu_seconds / stream.cpu_seconds;
        reading.push(share(programs.measure(&["drain", &identity, "2"])?));
        decoding.push(share(programs.measure(&["generated", &rows])?));
    }
    let (reading, decoding) = (median(reading), median(decoding));
    write!(
        page,
        "\nThe parts of the stream's processor time with two threads and the default allocator, estimated by measuring each part alone:\n\n\
         | part | share |\n|---|---|\n\
         | reading the bytes from the connection | {reading:.2} |\n\
         | decoding and dropping the rows | {decoding:.2} |\n\
         | the remaining work: splitting the list, passing rows between threads, dropping them on another thread | {:.2} |\n",
        (1.0 - reading - decoding).max(0.0),
    )?;
    Ok(())
}

/// Measures the memory of the process, and when the first row is there.
fn memory(plan: &Plan, programs: &Programs, page: &mut String) -> Result<()> {
    page.push_str(
        "\n| rows | of about | peak memory of the process, stream | with gzip | plain structs in memory | first row after the head of the response |\n\
         |---|---|---|---|---|---|\n",
    );
    let mib = |listed: &Listed| listed.peak_kib as f64 / 1024.0;
    for (size, bytes, lists) in [
        ("short", 400, &plan.memory_rows[..]),
        ("long", 4096, &plan.memory_rows),
        ("services", 1200, &[plan.rows_with_services]),
    ] {
        for &rows in lists {
            let (_server, address) = programs.serve(rows, size)?;
            let stream: Listed = programs.measure(&["rows", &format!("{address}/plain"), "2"])?;
            let gzip: Listed = programs.measure(&["rows", &address, "2"])?;
            if [stream.rows, gzip.rows] != [rows; 2] {
                return Err(
                    format!("the streams returned {} and {} of {rows} rows", stream.rows, gzip.rows).into()
                );
            }
            // A list in memory that takes many gigabytes is not measured.
            let at_once = if rows * bytes > 1 << 30 {
                "not measured".to_owned()
            } else {
                format!("{:.0} MiB", mib(&programs.measure(&["at-once", "plain", &rows.to_string(), size])?))
            };
            writeln!(
                page,
                "| {rows} | {bytes} bytes | {:.1} MiB | {:.1} MiB | {at_once} | {:.1} ms |",
                mib(&stream),
                mib(&gzip),
                stream.first_row_ms.max(gzip.first_row_ms)
            )?;
        }
    }
    page.push_str("\nThe rows of the last list have the services of their access, as in ON-API 2.4 and 2.5, where networks have lists of 2 GB.\n\
         The memory of decoding at once includes the bytes that are decoded.\n");
    Ok(())
}
