//! Measures the cost of calls and lists, through the facade and written by hand, and prints it as JSON for `cargo xtask
//! bench`. Each measurement runs in its own process, so that its memory is its own, too.

use std::io::Write as _;
use std::process::ExitCode;

use lastmile::onapi::types::Access;
use lastmile_tests::measure::{
    Caller, PlainAccess, access, calls, decode_at_once, drain, follow, list, read_rows, serve, time_rows,
};
use serde::Serialize;
use tokio::runtime::Runtime;

const USAGE: &str = "\
usage: measure serve ROWS              serves a list of so many accesses, and says where
       measure rows ADDRESS            reads it as a stream of rows
       measure drain ADDRESS           reads its bytes and does nothing with them
       measure generated|plain ROWS    decodes such rows that lie in memory, one by one
       measure at-once ROWS            decodes such a list that lies in memory
       measure facade|hand ADDRESS COUNT AT_A_TIME
                                       reads an access so many times
       measure follow ADDRESS ORDERS LOOKS
                                       follows so many orders";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let who = |text: &str| text.parse::<Caller>().expect("somebody");
    let runtime = || Runtime::new().expect("a runtime");
    match arguments[..] {
        ["serve", rows] => serve(number(rows), |address| {
            println!("http://{address}");
            std::io::stdout().flush().expect("somebody listens");
        }),
        ["rows", address] => {
            // On a thread of the runtime, as in a service.
            let address = address.to_owned();
            let reading = async { tokio::spawn(async move { read_rows(&address).await }).await };
            print(&runtime().block_on(reading).expect("no panic"));
        }
        ["drain", address] => {
            let address = address.to_owned();
            let reading = async { tokio::spawn(async move { drain(&address).await }).await };
            print(&runtime().block_on(reading).expect("no panic"));
        }
        ["generated", rows] => print(&time_rows::<Access>(&made(number(rows)))),
        ["plain", rows] => print(&time_rows::<PlainAccess>(&made(number(rows)))),
        ["at-once", rows] => print(&decode_at_once(list(number(rows)).as_bytes())),
        [caller @ ("facade" | "hand"), address, count, at_a_time] => {
            print(&runtime().block_on(calls(who(caller), address, number(count), number(at_a_time))));
        }
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

fn made(rows: usize) -> Vec<String> {
    (0..rows).map(access).collect()
}

fn print(measured: &impl Serialize) {
    println!("{}", serde_json::to_string(measured).expect("numbers"));
}
