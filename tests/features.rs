//! The crates that a dependent compiles, by the enabled features.

use std::collections::BTreeSet;
use std::process::Command;

/// Returns the crates in the dependency tree of `lastmile` with only these features.
fn crates(features: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["tree", "--locked", "--offline", "-p", "lastmile", "--no-default-features"])
        .args(["--features", features, "--edges", "normal,build", "--prefix", "none", "--format", "{p}"])
        .output()
        .unwrap();
    let (tree, trouble) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{trouble}");
    tree.lines().filter_map(|line| Some(line.split(' ').next()?.to_owned())).collect()
}

#[test]
fn the_rules_depend_on_no_http_crate() {
    for features in ["", "rules", "rules,schemars"] {
        let crates = crates(features);
        assert!(crates.contains("lastmile") && crates.contains("serde"), "{crates:?}");
        let http = ["reqwest", "hyper", "tokio", "http", "url", "lastmile-core"];
        let found: Vec<_> = http.iter().filter(|name| crates.contains(**name)).collect();
        assert!(found.is_empty(), "{features}: {found:?}");
    }
}

#[test]
fn a_supplier_feature_includes_no_other_supplier() {
    const SUPPLIERS: [&str; 3] = ["cocon", "covage", "onapi"];
    for wanted in SUPPLIERS {
        let crates = crates(wanted);
        for supplier in SUPPLIERS {
            let client = format!("lastmile-{supplier}");
            assert_eq!(crates.contains(&client), supplier == wanted, "{wanted}: {client}");
        }
        assert!(crates.contains("reqwest"), "{wanted}");
        let not_asked_for: Vec<_> = crates.iter().filter(|name| name.contains("rustls")).collect();
        assert!(not_asked_for.is_empty(), "{wanted}: {not_asked_for:?}");
    }
}

#[test]
fn dependents_compile_neither_generator_nor_sandbox() {
    let crates = crates("cocon,covage,onapi,rustls,schemars");
    let ours = crates.iter().filter(|name| name.starts_with("lastmile") || *name == "xtask");
    let ours: Vec<_> = ours.map(String::as_str).collect();
    assert_eq!(ours, ["lastmile", "lastmile-cocon", "lastmile-core", "lastmile-covage", "lastmile-onapi"]);
    assert!(!crates.contains("progenitor") && !crates.contains("openssl-sys"));
}
