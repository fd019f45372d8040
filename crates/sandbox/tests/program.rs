//! The program, as a separate process.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use lastmile_sandbox::Dialect;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lastmile-sandbox"));
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Checks that the process ends by itself, successfully and without errors.
fn ends_quietly(mut process: Child) {
    let mut errors = process.stderr.take().unwrap();
    let id = process.id();
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || ended.send(process.wait()));
    let end = end.recv_timeout(Duration::from_secs(60));
    assert!(end.is_ok(), "process {id} does not end");
    let status = end.unwrap();
    let mut text = String::new();
    errors.read_to_string(&mut text).unwrap();
    assert_eq!((status.unwrap().code(), text.as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn it_exits_when_its_output_is_closed() {
    let mut process = program(&[]).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert!(line.starts_with("Cocon (Netherlands)  http://127.0.0.1:"), "{line}");
    drop(output);
    ends_quietly(process);
}

#[cfg(unix)]
#[test]
fn it_exits_when_its_output_was_never_open() {
    for arguments in [&[][..], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = program(arguments);
        command.stdout(writer);
        drop(reader);
        let process = command.spawn().unwrap();
        drop(command);
        ends_quietly(process);
    }
}

/// Starts the program and returns what it prints.
fn started(arguments: &[&str]) -> (Child, Vec<String>) {
    let mut process = program(arguments).spawn().unwrap();
    let mut output = BufReader::new(process.stdout.take().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        assert!(output.read_line(&mut line).unwrap() > 0, "{lines:?}");
        lines.push(line.trim_end().to_owned());
        if line.starts_with("Ctrl-C") {
            break;
        }
    }
    // Reads on, because a program whose output is closed ends.
    std::thread::spawn(move || output.read_to_end(&mut Vec::new()));
    (process, lines)
}

#[cfg(unix)]
#[test]
fn the_printed_lines_for_a_shell_work() {
    let runs = |script: &str| Command::new("sh").args(["-c", script]).output().unwrap();
    if !runs("curl --version").status.success() {
        return;
    }
    for dialect in Dialect::ALL {
        let (mut process, lines) = started(&["--clock", "manual", "--dialect", dialect.name()]);
        let commands: Vec<_> =
            lines.iter().map(|line| line.trim()).filter(|line| line.contains("curl -sS ")).collect();
        assert_eq!(commands.len(), 13, "{lines:#?}");
        // Unlike the printed lines, the script fails if a response is an error.
        let script =
            format!("set -eu; curl() {{ command curl --fail-with-body \"$@\"; }}\n{}", commands.join("\n"));
        let output = runs(&script);
        process.kill().unwrap();
        process.wait().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{script}\n{text}\n{}", String::from_utf8_lossy(&output.stderr));
        for expected in
            ["RECEIVED", "\"submitted\"", "Running", "\"createOrder\":{\"received\":1,\"tookEffect\":1}"]
        {
            assert!(text.contains(expected), "{expected}: {text}");
        }
    }
}

#[cfg(unix)]
#[test]
fn it_ends_on_a_signal_even_with_an_open_stream() {
    for signal in ["INT", "TERM"] {
        let (process, lines) = started(&[]);
        let page = lines.iter().find_map(|line| line.strip_prefix("The page is at http://")).unwrap();
        let mut stream = std::net::TcpStream::connect(page.trim_end_matches('/')).unwrap();
        std::io::Write::write_all(
            &mut stream,
            format!("GET /events HTTP/1.1\r\nHost: {page}\r\n\r\n")
                .replace("/\r\n\r\n", "\r\n\r\n")
                .as_bytes(),
        )
        .unwrap();
        let mut first = [0; 15];
        stream.read_exact(&mut first).unwrap();
        assert_eq!(&first, b"HTTP/1.1 200 OK");
        let kill = format!("kill -{signal} {}", process.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let begun = std::time::Instant::now();
        ends_quietly(process);
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }
}

#[test]
fn wrong_arguments_are_reported() {
    let output = program(&["--faults", "2"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
    assert!(text.contains("a share is a number from 0 to 1"), "{text}");
    let help = program(&["--help"]).output().unwrap();
    let text = String::from_utf8(help.stdout).unwrap();
    assert_eq!(help.status.code(), Some(0));
    assert!(["--bind", "--fault ", "--token-life", "--accesses"].iter().all(|option| text.contains(option)));
}

#[test]
fn a_fault_of_an_operation_that_the_dialect_lacks_is_reported() {
    let arguments = ["--dialect", "standard24", "--fault", "onapi:getServices=silence"];
    let output = program(&arguments).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(text, "ON-API has no operation getServices in the dialect standard24\n");
}

#[test]
fn an_open_address_is_warned_of() {
    let mut process = program(&["--bind", "0.0.0.0"]).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
    process.kill().unwrap();
    process.wait().unwrap();
    assert!(line.starts_with("Warning: everyone who reaches 0.0.0.0 can use"), "{line}");
}

#[test]
fn it_prints_the_share_of_faults_without_rounding_errors() {
    let mut process = program(&["--faults", "0.07"]).spawn().unwrap();
    let output = BufReader::new(process.stdout.take().unwrap());
    let mut lines = output.lines().map(Result::unwrap);
    assert_eq!(
        lines.find(|line| line.contains('%')).unwrap(),
        "7 % of all requests and connections get a fault."
    );
    process.kill().unwrap();
    process.wait().unwrap();
}

#[test]
fn an_error_names_the_port_in_use_and_the_supplier() {
    let names = ["Cocon", "Covage", "ON-API"];
    for (place, name) in names.into_iter().enumerate() {
        // One of three consecutive ports is in use. If another program uses one of them, other ports are tried.
        let found = (0..50).any(|_| {
            let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            let port = held.local_addr().unwrap().port();
            let Some(first) = port.checked_sub(u16::try_from(place).unwrap()) else { return false };
            let before: Result<Vec<_>, _> =
                (first..port).map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port))).collect();
            if before.is_err() {
                return false;
            }
            drop(before);
            let output = program(&["--port", &first.to_string()]).output().unwrap();
            let text = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{text}");
            text.starts_with(&format!("{name} cannot listen on 127.0.0.1:{port}: "))
        });
        assert!(found, "{name}");
    }
    let output = program(&["--port", "65535"]).output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(
        text.contains("Covage has no port to listen on: there is no port after 65535")
            || text.contains(":65535: "),
        "{text}"
    );
}
