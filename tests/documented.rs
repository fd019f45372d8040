//! The guide's example of a prepared value places its order once, wherever the process crashes and whichever store operation fails.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

use lastmile::onapi::NewOrder;
use lastmile::{Prepared, PreparedState};
use lastmile_sandbox::Sandbox;
use lastmile_sandbox::onapi::Availability;
use serde_json::Value;

/// Returns the lines of the example in the guide.
fn of_the_guide() -> Vec<String> {
    let chapter = include_str!("../docs/guide/own-store.md");
    let block = chapter.split("```rust").nth(1).expect("an example").split("```").next().expect("its end");
    let lines = block.lines().skip_while(|line| !line.starts_with("async fn run(")).skip(1);
    let lines = lines.take_while(|line| *line != "    Ok(())");
    lines.map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned()).collect()
}

/// Returns the lines of the program without its crashes.
fn of_the_program() -> Vec<String> {
    let program = include_str!("src/bin/documented.rs");
    let lines = program.lines().skip_while(|line| !line.ends_with("// guide begins")).skip(1);
    let lines = lines.take_while(|line| !line.ends_with("// guide ends"));
    let lines = lines.filter(|line| line.trim() != "crash.here();");
    lines.map(|line| line.strip_prefix("    ").unwrap_or(line).to_owned()).collect()
}

#[test]
fn the_guide_s_example_equals_the_tested_program() {
    let text = |lines: Vec<String>| lines.join("\n").trim().to_owned();
    assert_eq!(text(of_the_guide()), text(of_the_program()));
}

struct Case<'a> {
    sandbox: &'a Sandbox,
    path: PathBuf,
}

impl Case<'_> {
    fn run(&self, crash_after: usize, failing: usize, when: &str) -> ExitStatus {
        let supplier = self.sandbox.onapi();
        let numbers = [crash_after, failing].map(|number| number.to_string());
        let output = Command::new(env!("CARGO_BIN_EXE_documented"))
            .args([&supplier.base_url(), supplier.user(), supplier.password()])
            .arg(&self.path)
            .args(numbers)
            .arg(when)
            .output()
            .unwrap();
        output.status
    }

    /// Runs the same lines again, an hour later, until the order is placed.
    fn run_on(&self) {
        let mut stored: Value = serde_json::from_str(&std::fs::read_to_string(&self.path).unwrap()).unwrap();
        if let Some(send_by) = stored["send_by"].as_u64() {
            stored["send_by"] = (send_by - 3_600_000).into();
            std::fs::write(&self.path, stored.to_string()).unwrap();
        }
        for _ in 0..200 {
            match self.run(0, 0, "").code() {
                Some(0) => return,
                Some(3) => {}
                other => panic!("{other:?}"),
            }
        }
        panic!("it is never placed");
    }
}

/// The disturbances of a run: a crash after a line, or a store operation that fails before or after it has written.
fn cases() -> Vec<(usize, usize, &'static str)> {
    let crashes = (1..20).map(|line| (line, 0, ""));
    let failures = (1..4).flat_map(|operation| [(0, operation, "before"), (0, operation, "after")]);
    crashes.chain(failures).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guide_s_example_places_an_order_once_despite_crashes() {
    let sandbox = Sandbox::builder().seed(1).onapi_deduplicates(false).start().await.unwrap();
    let folder = std::env::temp_dir().join(format!("lastmile-documented-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let accesses = sandbox.onapi().accesses();
    let free =
        accesses.iter().filter_map(|access| Some((access.id.clone(), access.service(Availability::Free)?)));
    let free: Vec<_> = free.map(|(access, offer)| (access, offer.service.clone())).collect();
    let cases = cases();
    assert!(free.len() >= cases.len(), "{} accesses", free.len());
    let mut crashed = 0;
    for (number, ((access, service), (crash_after, failing, when))) in free.iter().zip(&cases).enumerate() {
        let reference = format!("SP-{number}").parse().unwrap();
        let order = Prepared::new(NewOrder::activate(access.parse().unwrap(), service, reference)).unwrap();
        let case = Case { sandbox: &sandbox, path: folder.join(number.to_string()) };
        std::fs::write(&case.path, serde_json::to_string(&order).unwrap()).unwrap();
        let disturbed = (case.run(*crash_after, *failing, when), (crash_after, failing, when));
        crashed += usize::from(disturbed.0.code().is_none());
        case.run_on();
        let order = stored(&case.path);
        assert_eq!(order.state(), PreparedState::Placed, "{disturbed:?}");
        assert!(order.created().is_some_and(|placed| placed.order_id().is_some()), "{disturbed:?}");
        assert_eq!(sandbox.onapi().took_effect("createOrder"), number + 1, "{disturbed:?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(crashed > 8, "{crashed} lines crashed");
}

fn stored(path: &Path) -> Prepared<NewOrder> {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
