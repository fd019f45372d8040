//! Counts the allocations of calls, through the facade and written by hand, and prints them as JSON for `cargo xtask
//! bench`. This is a program of its own, since counting slows down everything else.

use std::alloc::System;
use std::process::ExitCode;

use lastmile_tests::measure::{Caller, calls, follow};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let who = |text: &str| text.parse::<Caller>().expect("somebody");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    // Twice as many calls cost twice as much, but the setup only once.
    let counts = [0, 1].map(|more| {
        let region = Region::new(ALLOCATOR);
        let count = match arguments[..] {
            [caller @ ("facade" | "hand"), address, count, at_a_time] => {
                let count = number(count) << more;
                runtime.block_on(calls(who(caller), address, count, number(at_a_time))).calls
            }
            ["follow", address, orders, looks] => {
                runtime.block_on(follow(address, number(orders), number(looks) << more)).calls
            }
            _ => 0,
        };
        let change = region.change();
        (count, change.allocations, change.bytes_allocated)
    });
    let ((few, allocations, bytes), (many, more_allocations, more_bytes)) = (counts[0], counts[1]);
    if many <= few {
        eprintln!("usage: allocations facade|hand ADDRESS COUNT AT_A_TIME | follow ADDRESS ORDERS LOOKS");
        return ExitCode::from(2);
    }
    let each = |few_of: usize, many_of: usize| (many_of - few_of) as f64 / (many - few) as f64;
    println!(
        "{{\"allocations\":{:.2},\"bytes\":{:.0}}}",
        each(allocations, more_allocations),
        each(bytes, more_bytes)
    );
    ExitCode::SUCCESS
}
