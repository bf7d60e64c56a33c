//! TLS towards Postgres: rustls with aws-lc-rs, and libpq's grades of checking.

use std::path::Path;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::Error;
use crate::url::{PgUrl, Tls};

/// Makes what encrypts the connections to `url`, if they are to be encrypted at all.
pub(crate) fn connector(url: &PgUrl) -> Result<MakeRustlsConnect, Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| refused(&error))?;
    let config = match url.tls() {
        Tls::Full => config.with_root_certificates(roots(url.root_certificates())?),
        Tls::Issuer => {
            let roots = Arc::new(roots(url.root_certificates())?);
            let issuer =
                WebPkiServerVerifier::builder_with_provider(roots, Arc::clone(&provider)).build();
            let check = Check::Issuer(issuer.map_err(|error| refused(&error))?);
            config
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(Lenient { provider, check }))
        }
        Tls::Off | Tls::IfOffered | Tls::Unverified => {
            let lenient = Lenient { provider, check: Check::Nothing };
            config.dangerous().with_custom_certificate_verifier(Arc::new(lenient))
        }
    };
    Ok(MakeRustlsConnect::new(config.with_no_client_auth()))
}

fn refused(error: &dyn std::fmt::Display) -> Error {
    Error::setting("setting up TLS", error.to_string())
}

/// The certificates of `file`, else the bundled ones of Mozilla.
fn roots(file: Option<&Path>) -> Result<RootCertStore, Error> {
    let Some(file) = file else {
        return Ok(webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect());
    };
    let unreadable = |error: &dyn std::fmt::Display| {
        let text = format!("{}: {error}; name a PEM file in sslrootcert", file.display());
        Error::setting("reading the trusted certificates", text)
    };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(|error| unreadable(&error))? {
        let certificate = certificate.map_err(|error| unreadable(&error))?;
        roots.add(certificate).map_err(|error| unreadable(&error))?;
    }
    if roots.is_empty() {
        return Err(unreadable(&"it holds no certificate"));
    }
    Ok(roots)
}

/// Checks less than the whole certificate, because the connection URL says so.
#[derive(Debug)]
struct Lenient {
    provider: Arc<CryptoProvider>,
    check: Check,
}

#[derive(Debug)]
enum Check {
    /// `allow`, `prefer`, `require`: as libpq does without a root certificate.
    Nothing,
    /// `verify-ca`: the issuer, but not the host name.
    Issuer(Arc<WebPkiServerVerifier>),
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Check::Issuer(issuer) = &self.check else {
            return Ok(ServerCertVerified::assertion());
        };
        // The name is looked at last, so whoever fails only there has a certificate of a trusted issuer.
        match issuer.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
