//! Connections to PostgreSQL with TLS.

use std::sync::Arc;

use lastmile_outbox::tokio_postgres::{Config, NoTls};
use lastmile_outbox::{Error, Outbox, PostgresBuilder, State};
use lastmile_tests::outbox::{postgres, quick, until_done};
use lastmile_tests::postgres_cluster::Cluster;
use lastmile_tests::{CERTIFICATE, CERTIFICATE_KEY};
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::fake::{Fake, FakeOrder, World};

/// A certificate for the name of the server, of somebody else.
const STRANGER: &str = "\
-----BEGIN CERTIFICATE-----
MIIBpTCCAUqgAwIBAgIUZNpM43ijnqX6cawpRwzhb2WQuI0wCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQc3RyYW5nZXIuZXhhbXBsZTAgFw0yNjExMjcxOTAzNDZaGA8y
MTI2MTEwMzE5MDM0NlowGzEZMBcGA1UEAwwQc3RyYW5nZXIuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABJZNcwfZ+xBN9i18WbgD+qQN872CAe55od3+
CM9q3dn/Q44vqVo8Z3RS645u8gNmPhftHK823GoNeEhE+KKvJVujajBoMB0GA1Ud
DgQWBBShDlO9BFM/VJYYu4MqvccbnZjdfDAfBgNVHSMEGDAWgBShDlO9BFM/VJYY
u4MqvccbnZjdfDAYBgNVHREEETAPgg1vdGhlci5leGFtcGxlMAwGA1UdEwEB/wQC
MAAwCgYIKoZIzj0EAwIDSQAwRgIhAJlSopikAgk2SW5DkQikWxczqCVLCXzUZ+7x
Dvm/L0QTAiEAnda+4zrN7M/RTx5Cf7oEh0DUp+799Bb7QxEh+vVX+k0=
-----END CERTIFICATE-----
";

/// Returns an outbox that trusts this certificate only.
fn outbox(cluster: &Cluster, host: &str, trusted: &str) -> Outbox {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(trusted.as_bytes()).unwrap()).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let config = format!(
        "host={host} hostaddr=127.0.0.1 port={} user=postgres dbname=postgres sslmode=require",
        cluster.port()
    );
    PostgresBuilder::new(config.parse().unwrap()).tls(tls).build().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_with_tls_accepts_the_right_certificate_only() {
    if postgres().is_none() {
        return;
    }
    let files = [("server.crt", CERTIFICATE), ("server.key", CERTIFICATE_KEY)];
    let cluster = Cluster::start_with(&files, "-c ssl=on").await.unwrap();
    for (host, trusted) in [("other.example", STRANGER), ("wrong.example", CERTIFICATE)] {
        let refused = outbox(&cluster, host, trusted).migrate().await;
        assert!(matches!(refused, Err(Error::Store(_))), "{host}");
    }
    let outbox = outbox(&cluster, "other.example", CERTIFICATE);
    outbox.migrate().await.unwrap();
    let world = World::new(true);
    outbox.enqueue("1", &FakeOrder::new("1")).await.unwrap();
    let worker = quick(outbox.worker()).serve(Fake(world.clone())).start();
    until_done(&outbox).await;
    let (admin, connection) = cluster.config().parse::<Config>().unwrap().connect(NoTls).await.unwrap();
    tokio::spawn(connection);
    let sql = "select count(*) filter (where s.ssl), count(*) filter (where not s.ssl)
               from pg_stat_ssl s join pg_stat_activity a using (pid) where a.application_name = 'lastmile-outbox'";
    let row = admin.query_one(sql, &[]).await.unwrap();
    let (with, without): (i64, i64) = (row.get(0), row.get(1));
    assert!(with > 0 && without == 0, "{with} with TLS, {without} without");
    worker.drain(std::time::Duration::from_secs(5)).await;
    assert_eq!(outbox.order("1").await.unwrap().unwrap().state(), State::Placed);
    assert_eq!(world.effects("1"), 1);
}

#[tokio::test]
async fn a_server_without_tls_is_refused_where_tls_is_required() {
    if postgres().is_none() {
        return;
    }
    let cluster = Cluster::start().await.unwrap();
    let refused = outbox(&cluster, "other.example", CERTIFICATE).migrate().await;
    assert!(matches!(refused, Err(Error::Store(_))));
}
