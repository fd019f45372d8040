//! A TLS server on loopback, with an untrusted certificate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// A self-signed certificate for `other.example`, of a server or a client. Made for these tests, and used nowhere else.
pub const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBnTCCAUSgAwIBAgIUYGnvTY+wBlx9I0OxHprI2DKWlTkwCgYIKoZIzj0EAwIw
GDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTAgFw0yNjExMjcwOTMxNTRaGA8yMTI2
MTEwMzA5MzE1NFowGDEWMBQGA1UEAwwNb3RoZXIuZXhhbXBsZTBZMBMGByqGSM49
AgEGCCqGSM49AwEHA0IABOmlGgfm3u1e2uQ3qRh8LMKwPynHuz18QY9makIkEd23
gfoMsX3eyolAAeg79oasTivp7ft9fxgd342tGgL8xSWjajBoMB0GA1UdDgQWBBQ+
GywkoTwiC99dgTvZVHbHY3kiJTAfBgNVHSMEGDAWgBQ+GywkoTwiC99dgTvZVHbH
Y3kiJTAYBgNVHREEETAPgg1vdGhlci5leGFtcGxlMAwGA1UdEwEB/wQCMAAwCgYI
KoZIzj0EAwIDRwAwRAIgOH5lFMjX4jPwRXJEeAhDtRbRUw4Ju+sT0KPr6reoEjEC
IB75pu+vef7sfTvy+VmiB03kO4WhDkveLh2eBD46uP6V
-----END CERTIFICATE-----
";

/// The private key of [`CERTIFICATE`].
pub const CERTIFICATE_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5XQ2GVOduxDSdsCY
1BibZ8fiELZKoXA8GsW40r2RAKqhRANCAATppRoH5t7tXtrkN6kYfCzCsD8px7s9
fEGPZmpCJBHdt4H6DLF93sqJQAHoO/aGrE4r6e37fX8YHd+NrRoC/MUl
-----END PRIVATE KEY-----
";

/// A server that performs a TLS handshake with every client, and then disconnects, or answers clients that present
/// [`CERTIFICATE`].
#[derive(Debug)]
pub struct TlsServer {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl TlsServer {
    /// Starts a server that disconnects.
    pub async fn start() -> Self {
        Self::listen(None).await
    }

    /// Starts a server that demands [`CERTIFICATE`] of its clients, and sends this response to each request.
    pub async fn for_known_clients(answer: &'static str) -> Self {
        Self::listen(Some(answer)).await
    }

    async fn listen(answer: Option<&'static str>) -> Self {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("a certificate");
        let key = PrivateKeyDer::from_pem_slice(CERTIFICATE_KEY.as_bytes()).expect("a key");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut known = RootCertStore::empty();
        known.add(certificate.clone()).expect("a certificate");
        let verifier = WebPkiClientVerifier::builder_with_provider(known.into(), provider.clone());
        let verifier = match answer {
            Some(_) => verifier.build().expect("a certificate"),
            None => WebPkiClientVerifier::no_client_auth(),
        };
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions of TLS")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![certificate], key)
            .expect("a certificate with its key");
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let connections = Arc::new(AtomicUsize::new(0));
        let counter = connections.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counter.fetch_add(1, Ordering::SeqCst);
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let (mut stream, mut request) = (acceptor.accept(stream).await?, Vec::new());
                    let Some(answer) = answer else { return Ok(()) };
                    while !request.ends_with(b"\r\n\r\n") {
                        request.push(stream.read_u8().await?);
                    }
                    stream.write_all(answer.as_bytes()).await?;
                    stream.shutdown().await
                });
            }
        });
        Self { address, connections }
    }

    /// Returns its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many connections it has accepted.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
