//! The options of the program.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use clap::{Parser, ValueEnum};
use lastmile_sandbox::{ClockMode, Dialect, Sandbox, SandboxBuilder, SupplierName, TextNormalization};

use super::rule::{FaultRule, OperationName, share_of};

/// Simulates three wholesale suppliers of access lines: Cocon (Netherlands), Covage (France) and a network with the
/// ON-API (Sweden).
///
/// Prints where they listen, which credentials they accept, requests to try, and the address of a page that shows what
/// happens. The requests need no more than a shell and curl.
#[derive(Debug, Parser)]
#[command(name = "lastmile-sandbox", version, max_term_width = 100)]
pub(super) struct Options {
    /// The port of Cocon; Covage, ON-API and the control API listen on the next ports [default: any free ports]
    #[arg(
        long,
        value_name = "PORT",
        default_value_t = 0,
        hide_default_value = true,
        help_heading = "Addresses"
    )]
    pub(super) port: u16,
    /// The port of Cocon alone
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(super) cocon_port: Option<u16>,
    /// The port of Covage alone
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(super) covage_port: Option<u16>,
    /// The port of ON-API alone
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(super) onapi_port: Option<u16>,
    /// The port of the control API and the page alone
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(super) control_port: Option<u16>,
    /// The IP address to listen on; 0.0.0.0 opens the sandbox to everyone who reaches this machine
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), help_heading = "Addresses")]
    pub(super) bind: IpAddr,
    /// Another host name under which the page and the control API can be called, such as that of a container
    #[arg(long, value_name = "NAME", help_heading = "Addresses")]
    pub(super) control_host: Vec<String>,

    /// How simulated time passes
    #[arg(long, value_enum, default_value_t = Clock::Wall, help_heading = "Time")]
    pub(super) clock: Clock,
    /// How many simulated seconds pass in a second, with the clock `wall`; with 8640, a day takes ten seconds
    #[arg(long, value_name = "FACTOR", default_value_t = 8640.0, value_parser = speed, help_heading = "Time")]
    pub(super) speed: f64,

    /// The seed of keys, ids, addresses and faults
    #[arg(long, default_value_t = 1, help_heading = "Behaviour")]
    pub(super) seed: u64,
    /// The version and form of ON-API: vendor26, standard26, standard25 or standard24
    #[arg(long, alias = "onapi-dialect", value_name = "NAME", value_parser = dialect, default_value = Dialect::default().name(), help_heading = "Behaviour")]
    pub(super) dialect: Dialect,
    /// The number of ON-API's accesses
    #[arg(long, value_name = "NUMBER", default_value_t = 30, help_heading = "Behaviour")]
    pub(super) accesses: usize,
    /// Let Covage and ON-API accept an order again that they already have
    #[arg(long, help_heading = "Behaviour")]
    pub(super) no_deduplication: bool,
    /// How many requests each supplier keeps for the control API: the latest ones
    #[arg(long, value_name = "NUMBER", default_value_t = 10_000, help_heading = "Behaviour")]
    pub(super) keep_requests: usize,
    /// How many seconds Covage's access tokens are valid [default: they do not expire]
    #[arg(long, value_name = "SECONDS", value_parser = seconds, help_heading = "Behaviour")]
    pub(super) token_life: Option<Duration>,
    /// How Covage and ON-API store texts: unchanged, upper-case, trimmed or truncated:LENGTH
    #[arg(long, value_name = "FORM", value_parser = texts, default_value = "unchanged", help_heading = "Behaviour")]
    pub(super) texts: TextNormalization,
    /// Leave an operation out, such as listEvents or onapi:createTicket; can be given repeatedly
    #[arg(long, value_name = "[SUPPLIER:]OPERATION", help_heading = "Behaviour")]
    pub(super) without: Vec<OperationName>,
    /// Leave an endpoint of ON-API out, such as events or tech/cpe; can be given repeatedly
    #[arg(long, value_name = "ENDPOINT", help_heading = "Behaviour")]
    pub(super) without_endpoint: Vec<String>,

    /// The share of requests with a fault, and of connections that are reset, from 0 to 1: late, wrong, truncated or
    /// missing responses, 429, 5xx, resets, and requests that are carried out after the client has timed out
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share_of, help_heading = "Faults")]
    pub(super) faults: f64,
    /// A fault of one operation, such as createOrder=reset-after or 'onapi:*=latency:2000@0.1'; can be given repeatedly
    #[arg(long, value_name = "[SUPPLIER:]OPERATION=FAULT[@SHARE]", help_heading = "Faults")]
    pub(super) fault: Vec<FaultRule>,
}

/// How simulated time passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Clock {
    /// By itself: with each simulated day, every open order advances by one state
    Wall,
    /// Only on demand, by the page or the control API, so that runs are repeatable
    Manual,
}

impl Options {
    pub(super) fn builder(&self) -> SandboxBuilder {
        let clock = match self.clock {
            Clock::Wall => ClockMode::Wall { speed: self.speed },
            Clock::Manual => ClockMode::Manual,
        };
        let mut builder = Sandbox::builder()
            .seed(self.seed)
            .port(self.port)
            .bind(self.bind)
            .control(true)
            .clock(clock)
            .onapi_dialect(self.dialect)
            .onapi_accesses(self.accesses)
            .keep_requests(self.keep_requests)
            .onapi_deduplicates(!self.no_deduplication)
            .covage_unique_references(!self.no_deduplication)
            .text_normalization(self.texts);
        let ports = [
            (SupplierName::Cocon, self.cocon_port),
            (SupplierName::Covage, self.covage_port),
            (SupplierName::OnApi, self.onapi_port),
        ];
        for (supplier, port) in ports {
            if let Some(port) = port {
                builder = builder.port_of(supplier, port);
            }
        }
        if let Some(port) = self.control_port {
            builder = builder.control_port(port);
        }
        if let Some(life) = self.token_life {
            builder = builder.covage_token_life(life);
        }
        let absent =
            self.without.iter().flat_map(|one| one.suppliers.iter().map(|name| (*name, &one.operation)));
        builder =
            absent.fold(builder, |builder, (name, operation)| builder.without_operation(name, operation));
        builder =
            self.without_endpoint.iter().fold(builder, |builder, name| builder.onapi_without_endpoint(name));
        self.control_host.iter().fold(builder, |builder, name| builder.control_host(name))
    }
}

/// Parses the name of a dialect.
fn dialect(name: &str) -> Result<Dialect, String> {
    let named = Dialect::ALL.into_iter().find(|dialect| dialect.name() == name);
    named.ok_or_else(|| format!("the dialects are {}", Dialect::ALL.map(Dialect::name).join(", ")))
}

fn speed(text: &str) -> Result<f64, String> {
    let speed = text.parse().ok().filter(|speed: &f64| speed.is_finite() && *speed > 0.0);
    speed.ok_or_else(|| "it is not a number greater than 0".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "it is not a number of seconds".to_owned())
}

fn texts(text: &str) -> Result<TextNormalization, String> {
    match text.split_once(':') {
        None if text == "unchanged" => Ok(TextNormalization::Unchanged),
        None if text == "upper-case" => Ok(TextNormalization::UpperCase),
        None if text == "trimmed" => Ok(TextNormalization::Trimmed),
        Some(("truncated", length)) => length
            .parse()
            .map(TextNormalization::Truncated)
            .map_err(|_| "its length is not a number".to_owned()),
        _ => Err("the forms are unchanged, upper-case, trimmed and truncated:LENGTH".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Options, clap::Error> {
        Options::try_parse_from(std::iter::once("lastmile-sandbox").chain(line.split_whitespace()))
    }

    #[test]
    fn the_options_are_consistent() {
        Options::command().debug_assert();
    }

    #[test]
    fn options_configure_the_builder() {
        let options = parse(
            "--port 8080 --onapi-port 9000 --control-port 9001 --seed 7 --clock manual --dialect standard24 --accesses 9 --keep-requests 99 \
             --no-deduplication --token-life 1.5 --texts truncated:20 --without onapi:createTicket \
             --without-endpoint events --control-host sandbox --bind 127.0.0.2",
        )
        .unwrap();
        let expected = Sandbox::builder()
            .seed(7)
            .port(8080)
            .port_of(SupplierName::OnApi, 9000)
            .control_port(9001)
            .bind(Ipv4Addr::new(127, 0, 0, 2).into())
            .control(true)
            .onapi_dialect(Dialect::Standard24)
            .onapi_accesses(9)
            .keep_requests(99)
            .onapi_deduplicates(false)
            .covage_unique_references(false)
            .covage_token_life(Duration::from_millis(1500))
            .text_normalization(TextNormalization::Truncated(20))
            .without_operation(SupplierName::OnApi, "createTicket")
            .onapi_without_endpoint("events")
            .control_host("sandbox");
        assert_eq!(format!("{:?}", options.builder()), format!("{expected:?}"));
    }

    #[test]
    fn time_passes_by_itself_unless_told_otherwise() {
        let expected = Sandbox::builder().control(true).clock(ClockMode::Wall { speed: 8640.0 });
        assert_eq!(format!("{:?}", parse("").unwrap().builder()), format!("{expected:?}"));
    }

    #[test]
    fn invalid_arguments_have_messages() {
        for (line, problem) in [
            ("--port", "a value is required for '--port <PORT>'"),
            ("--port 70000", "invalid value '70000' for '--port <PORT>'"),
            ("--seed x", "invalid value 'x' for '--seed <SEED>'"),
            ("--faults 1.5", "a share is a number from 0 to 1"),
            ("--faults NaN", "a share is a number from 0 to 1"),
            ("--speed 0", "it is not a number greater than 0"),
            ("--clock sundial", "[possible values: wall, manual]"),
            ("--dialect standard27", "the dialects are vendor26, standard26, standard25, standard24"),
            ("--texts short", "the forms are"),
            ("--token-life soon", "it is not a number of seconds"),
            ("--fault createOrder", "it has no ="),
            ("--without createNothing", "no supplier has an operation createNothing"),
            ("--colour", "unexpected argument '--colour'"),
        ] {
            let error = parse(line).unwrap_err();
            assert!(error.use_stderr() && error.to_string().contains(problem), "{line}: {error}");
        }
        assert!(!parse("--help").unwrap_err().use_stderr());
    }
}
