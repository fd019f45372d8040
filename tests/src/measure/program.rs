//! The program that measures the cost of calls and lists, through the facade and written by hand, and prints it as JSON for
//! `cargo xtask bench`. Each measurement runs in its own process, so that its memory is its own, too.

use std::io::Write as _;
use std::process::ExitCode;

use lastmile::onapi::types::Access;
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};

use super::{
    Caller, Listed, PlainAccess, RowSize, access, calls, decode_at_once, drain, follow, future_sizes, list,
    read_rows, read_with_progenitor, serve, time_rows,
};

const USAGE: &str = "\
usage: measure serve ROWS short|long|services
                                       serves a list of so many accesses, and says where
       measure rows ADDRESS THREADS    reads it as a stream of rows
       measure progenitor ADDRESS THREADS
                                       reads it with the client that progenitor generates
       measure drain ADDRESS THREADS   reads its bytes and does nothing with them
       measure generated|plain ROWS    decodes such rows that lie in memory, one by one
       measure at-once generated|plain ROWS short|long|services
                                       decodes such a list that lies in memory
       measure facade|hand ADDRESS COUNT AT_A_TIME
                                       reads an access so many times
       measure futures                 prints the sizes of the futures of a call
       measure follow ADDRESS ORDERS LOOKS
                                       follows so many orders";

/// Runs the measurement that the arguments of this process name, and prints it.
///
/// # Panics
/// If it fails.
pub fn run() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let size = |text: &str| text.parse::<RowSize>().expect("a size");
    let who = |text: &str| text.parse::<Caller>().expect("somebody");
    let runtime = || Runtime::new().expect("a runtime");
    match arguments[..] {
        ["serve", rows, row_size] => serve(number(rows), size(row_size), |address| {
            println!("http://{address}");
            std::io::stdout().flush().expect("somebody listens");
        }),
        ["rows", address, threads] => {
            let address = address.to_owned();
            print(&in_task(number(threads), async move { read_rows(&address).await }));
        }
        ["progenitor", address, threads] => {
            let address = address.to_owned();
            print(&in_task(number(threads), async move { read_with_progenitor(&address).await }));
        }
        ["drain", address, threads] => {
            let address = address.to_owned();
            print(&in_task(number(threads), async move { drain(&address).await }));
        }
        ["generated", rows] => print(&time_rows::<Access>(&made(number(rows)))),
        ["plain", rows] => print(&time_rows::<PlainAccess>(&made(number(rows)))),
        ["at-once", "generated", rows, row_size] => {
            print(&decode_at_once::<Access>(list(number(rows), size(row_size)).as_bytes()));
        }
        ["at-once", "plain", rows, row_size] => {
            print(&decode_at_once::<PlainAccess>(list(number(rows), size(row_size)).as_bytes()));
        }
        [caller @ ("facade" | "hand"), address, count, at_a_time] => {
            print(&runtime().block_on(calls(who(caller), address, number(count), number(at_a_time))));
        }
        ["futures"] => print(&future_sizes()),
        ["follow", address, orders, looks] => {
            print(&runtime().block_on(follow(address, number(orders), number(looks))));
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

/// Measures in a task of a runtime with so many threads, as in a service.
fn in_task(threads: usize, measurement: impl Future<Output = Listed> + Send + 'static) -> Listed {
    let mut builder = match threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder.worker_threads(threads.max(1)).enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::spawn(measurement).await }).expect("no panic")
}

fn made(rows: usize) -> Vec<String> {
    (0..rows).map(access).collect()
}

fn print(measured: &impl Serialize) {
    println!("{}", serde_json::to_string(measured).expect("numbers"));
}
