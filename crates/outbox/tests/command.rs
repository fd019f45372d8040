//! The command `lastmile-outbox`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::process::{Command, Output};

use lastmile::Prepared;
use lastmile::cocon::types::CustomerCreate;
use lastmile_outbox::Outbox;

struct Database(PathBuf);

impl Database {
    async fn new() -> Self {
        let path = std::env::temp_dir().join(format!("lastmile-command-{}.db", std::process::id()));
        let outbox = Outbox::sqlite(&path).unwrap();
        outbox.migrate().await.unwrap();
        let customer = CustomerCreate { name: Some("Kajsa Anka".into()), ..Default::default() };
        outbox.enqueue("A-1", &Prepared::new(customer).unwrap()).await.unwrap();
        Self(path)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lastmile-outbox"))
            .env("LASTMILE_OUTBOX", format!("sqlite:{}", self.0.display()))
            .args(arguments)
            .output()
            .unwrap()
    }

    fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
        }
    }
}

#[tokio::test]
async fn the_command_lists_shows_and_decides_without_personal_data() {
    let database = Database::new().await;
    let list = database.text(&["list"]);
    assert_eq!(list.trim_end(), "A-1\tready\tcocon\tcocon.customer");
    assert!(database.text(&["list", "--state", "needs_person"]).is_empty());
    let shown = database.text(&["show", "A-1", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((&value["state"], &value["marks"]), (&"ready".into(), &0.into()));
    assert!(!shown.contains("Anka"), "{shown}");
    assert!(database.text(&["show", "A-1", "--show-request"]).contains("Anka"));
    let statistics: serde_json::Value =
        serde_json::from_str(&database.text(&["statistics", "--json"])).unwrap();
    assert_eq!(statistics["orders"][0]["orders"], 1);

    let refused = database.run(&["declare-absent", "A-1", "--who", "operator-7", "--why", "looked"]);
    assert!(!refused.status.success());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("it is ready"));
    database.text(&["cancel", "A-1", "--who", "operator-7", "--why", "the customer is gone"]);
    let value: serde_json::Value = serde_json::from_str(&database.text(&["show", "A-1"])).unwrap();
    assert_eq!((&value["state"], &value["audit"][0]["who"]), (&"cancelled".into(), &"operator-7".into()));
    assert_eq!(database.text(&["prune", "--days", "0"]).trim_end(), "1 orders, 0 events");
    database.text(&["erase", "A-1", "--who", "operator-7"]);
    let value: serde_json::Value = serde_json::from_str(&database.text(&["show", "A-1"])).unwrap();
    assert_eq!((&value["erased"], &value["audit"][0]["why"]), (&true.into(), &serde_json::Value::Null));
}

#[tokio::test]
async fn a_wrong_call_says_what_is_wrong() {
    let run = |database: &str, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_lastmile-outbox"))
            .env("LASTMILE_OUTBOX", database)
            .args(arguments)
            .output()
            .unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(run("", &["list"]).contains("names the database"));
    assert!(run("sqlite:no-such-file.db", &["list"]).contains("does not exist"));
    assert!(run("sqlite:x", &["list", "--state", "lost"]).contains("needs_person"));
}
