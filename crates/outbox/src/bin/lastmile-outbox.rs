//! Lists, shows and decides the orders of an outbox. See `lastmile-outbox --help`.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::{Parser, Subcommand};
use lastmile_outbox::{AuditEntry, By, Filter, Outbox, State, StoredOrder};
use serde_json::{Value, json};

/// Lists, shows and decides orders that `lastmile-outbox` stores.
///
/// The output contains no personal data, unless --show-request asks for it. Keys are shown.
#[derive(Parser)]
#[command(name = "lastmile-outbox", version)]
struct Arguments {
    /// The database: sqlite:PATH, or postgres://USER@HOST/DATABASE
    #[arg(long, env = "LASTMILE_OUTBOX", hide_env_values = true, global = true, default_value = "")]
    database: String,
    /// Prints JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Lists orders, newest first
    List {
        /// Only orders in this state, such as needs_person
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// Only orders of this supplier, such as onapi
        #[arg(long)]
        supplier: Option<String>,
        /// The maximum number of orders
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Shows an order and what people have decided about it
    Show {
        /// The key of the order
        key: String,
        /// Also shows the request and the result, which contain personal data
        #[arg(long)]
        show_request: bool,
    },
    /// Declares that the supplier does not have the order; a worker places it again
    ///
    /// Fails while the supplier may still process what was sent, and says when to look again.
    DeclareAbsent {
        /// The key of the order
        key: String,
        #[command(flatten)]
        by: Who,
    },
    /// Declares that the supplier has the order
    DeclarePlaced {
        /// The key of the order
        key: String,
        /// What the supplier created, as JSON, if it is known
        #[arg(long)]
        created: Option<String>,
        #[command(flatten)]
        by: Who,
    },
    /// Cancels an order of which nothing was sent, or that needs a person
    Cancel {
        /// The key of the order
        key: String,
        #[command(flatten)]
        by: Who,
    },
    /// Counts orders and events
    Statistics,
    /// Deletes requests and results of orders that ended some days ago
    Prune {
        /// The number of days
        #[arg(long)]
        days: u64,
    },
    /// Deletes what an order says about a person; key, digest and final state stay
    Erase {
        /// The key of the order
        key: String,
        /// Who decides, for the audit trail
        #[arg(long)]
        who: String,
    },
    /// Creates the tables, or brings them up to date
    Migrate,
}

#[derive(clap::Args)]
struct Who {
    /// Who decides, for the audit trail
    #[arg(long)]
    who: String,
    /// Why, for the audit trail
    #[arg(long)]
    why: String,
}

fn state(name: &str) -> Result<State, String> {
    State::of(name).ok_or_else(|| {
        let names: Vec<_> = State::ALL.iter().map(|state| state.as_str()).collect();
        format!("one of {}", names.join(", "))
    })
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let result = runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(arguments)));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "lastmile-outbox: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let outbox = open(&arguments.database)?;
    let (value, text) = match arguments.command {
        Command::List { state, supplier, limit } => {
            let mut filter = Filter::all().limit(limit);
            if let Some(state) = state {
                filter = filter.state(state);
            }
            if let Some(supplier) = supplier {
                filter = filter.supplier(supplier);
            }
            let orders = outbox.orders(&filter).await?;
            let lines: Vec<_> = orders.iter().map(line).collect();
            (orders.iter().map(|order| as_json(order, false)).collect(), lines.join("\n"))
        }
        Command::Show { key, show_request } => {
            let order = outbox.order(&key).await?.ok_or(lastmile_outbox::Error::NotFound)?;
            let audit = outbox.audit(&key).await?;
            let mut value = as_json(&order, show_request);
            value["audit"] = audit.iter().map(audit_as_json).collect();
            let text = serde_json::to_string_pretty(&value)?;
            (value, text)
        }
        Command::DeclareAbsent { key, by } => {
            outbox.declare_absent(&key, By(&by.who), &by.why).await?;
            done("declared absent; a worker places it again")
        }
        Command::DeclarePlaced { key, created, by } => {
            if let Some(created) = &created {
                serde_json::from_str::<serde::de::IgnoredAny>(created)
                    .map_err(|_| "--created is not JSON")?;
            }
            outbox.declare_placed(&key, created, By(&by.who), &by.why).await?;
            done("declared placed; a worker books it")
        }
        Command::Cancel { key, by } => {
            outbox.cancel(&key, By(&by.who), &by.why).await?;
            done("cancelled")
        }
        Command::Statistics => {
            let statistics = outbox.statistics().await?;
            let orders: Vec<_> = statistics
                .orders
                .iter()
                .map(|((supplier, state), count)| json!({ "supplier": supplier, "state": state.as_str(), "orders": count }))
                .collect();
            let oldest: serde_json::Map<_, _> = statistics
                .oldest_waiting
                .iter()
                .map(|(supplier, time)| (supplier.clone(), time.as_secs_f64().into()))
                .collect();
            let mut lines: Vec<_> = statistics
                .orders
                .iter()
                .map(|((supplier, state), count)| format!("{supplier}\t{state}\t{count}"))
                .collect();
            lines.extend(
                statistics
                    .oldest_waiting
                    .iter()
                    .map(|(supplier, time)| format!("{supplier}\toldest waiting\t{} s", time.as_secs())),
            );
            lines.extend(
                statistics.events.iter().map(|(consumer, count)| format!("{consumer}\tevents\t{count}")),
            );
            (
                json!({ "orders": orders, "oldest_waiting_seconds": oldest, "events": statistics.events }),
                lines.join("\n"),
            )
        }
        Command::Prune { days } => {
            let age = Duration::from_secs(days.saturating_mul(24 * 60 * 60));
            let (mut orders, mut events) = (0, 0);
            loop {
                let pruned = outbox.prune(age).await?;
                (orders, events) = (orders + pruned.orders, events + pruned.events);
                if pruned.orders == 0 {
                    break;
                }
            }
            (json!({ "orders": orders, "events": events }), format!("{orders} orders, {events} events"))
        }
        Command::Erase { key, who } => {
            outbox.erase(&key, By(&who)).await?;
            done("erased")
        }
        Command::Migrate => {
            outbox.migrate().await?;
            done("up to date")
        }
    };
    let text = if arguments.json { value.to_string() } else { text };
    if !text.is_empty() {
        // The reader may have closed the pipe.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
    Ok(())
}

fn done(what: &str) -> (Value, String) {
    (json!({ "done": what }), what.to_owned())
}

fn open(database: &str) -> Result<Outbox, Box<dyn Error>> {
    #[cfg(feature = "sqlite")]
    if let Some(path) = database.strip_prefix("sqlite:") {
        // A misspelt path must not create an empty database.
        if !std::path::Path::new(path).exists() {
            return Err("the SQLite file does not exist".into());
        }
        return Ok(Outbox::sqlite(path)?);
    }
    #[cfg(feature = "postgres")]
    if database.starts_with("postgres:") || database.starts_with("postgresql:") {
        let config = database.parse().map_err(|_| "--database: the address of PostgreSQL cannot be read")?;
        return Ok(Outbox::postgres(config)?);
    }
    Err("--database, or the variable LASTMILE_OUTBOX, names the database: sqlite:PATH or postgres://USER@HOST/DATABASE".into())
}

fn line(order: &StoredOrder) -> String {
    let mut line = format!("{}\t{}\t{}\t{}", order.key(), order.state(), order.supplier(), order.kind());
    if let Some(decision) = order.decision() {
        line.push_str(&format!("\tdeclared {decision}"));
    }
    for text in [order.reason(), order.manual_check()].into_iter().flatten() {
        line.push('\t');
        line.push_str(text);
    }
    line
}

fn as_json(order: &StoredOrder, show_request: bool) -> Value {
    let mut value = json!({
        "key": order.key(),
        "supplier": order.supplier(),
        "kind": order.kind(),
        "state": order.state().as_str(),
        "step": order.step(),
        "marks": order.marks(),
        "attempts_without_progress": order.attempts_without_progress(),
        "crashes": order.crashes(),
        "decision": order.decision(),
        "reason": order.reason(),
        "manual_check": order.manual_check(),
        "erased": order.is_erased(),
        "enqueued_at": moment(order.enqueued_at()),
        "due": order.due().map(moment),
        "finished_at": order.finished_at().map(moment),
    });
    if show_request {
        // As text, so that the digits of numbers stay as they are.
        value["request"] = order.body().into();
        value["result"] = order.result().into();
    }
    value
}

fn audit_as_json(entry: &AuditEntry) -> Value {
    json!({ "who": entry.who(), "what": entry.what(), "why": entry.why(), "at": moment(entry.at()) })
}

fn moment(time: SystemTime) -> String {
    lastmile::chrono::DateTime::<lastmile::chrono::Utc>::from(time)
        .to_rfc3339_opts(lastmile::chrono::SecondsFormat::Millis, true)
}
