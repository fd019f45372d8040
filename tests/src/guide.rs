//! Compiles and runs every program of the README files and of the guide, as documentation tests.

/// Adds the code blocks of documents to the documentation tests.
macro_rules! documents {
    ($($name:ident: $path:literal,)*) => {
        $(#[doc = include_str!(concat!("../../", $path))] struct $name;)*
    };
}

documents! {
    Readme: "README.md",
    PackageReadme: "crates/lastmile/README.md",
    About: "docs/guide/about.md",
    CoconBatches: "docs/guide/cocon-batches.md",
    Covage: "docs/guide/covage.md",
    Errors: "docs/guide/errors.md",
    Dialects: "docs/guide/dialects.md",
    GettingStarted: "docs/guide/getting-started.md",
    Guarantees: "docs/guide/guarantees.md",
    ManyNetworks: "docs/guide/many-networks.md",
    NightlySync: "docs/guide/nightly-sync.md",
    NotSupported: "docs/guide/not-supported.md",
    Observability: "docs/guide/observability.md",
    OwnStore: "docs/guide/own-store.md",
    Production: "docs/guide/production.md",
    Stability: "docs/guide/stability.md",
    Testing: "docs/guide/testing.md",
}
