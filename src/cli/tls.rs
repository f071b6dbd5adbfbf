//! TLS of `kizuna watch`: the authorities of the system are trusted, as by a browser, and those of a file.

use std::error::Error;
use std::io;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// The settings of a client of `https://` and `wss://`.
///
/// # Errors
/// When the file has no certificate that can be read.
pub fn client(ca_file: Option<&Path>) -> anyhow::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    // A certificate of the system that can't be read makes no other worse.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca_file {
        let named = || format!("--ca-file {}", path.display());
        let mut added = 0;
        for certificate in CertificateDer::pem_file_iter(path).with_context(named)? {
            roots.add(certificate.with_context(named)?).with_context(named)?;
            added += 1;
        }
        anyhow::ensure!(added > 0, "{}: has no certificate", named());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Why the server's certificate was refused, if that is the cause of an error.
pub fn refused_certificate(error: &(dyn Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(refused @ rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return Some(refused.to_string());
        }
        // An I/O error hides the error that it was made of, which may be another I/O error.
        let hidden = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = match hidden {
            Some(hidden) => Some(hidden as &(dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::CertificateError;

    #[test]
    fn the_refusal_of_a_certificate_is_found_however_deep_it_is() {
        let refusal = || rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer);
        let deep = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refusal()));
        assert_eq!(refused_certificate(&deep), Some(refusal().to_string()));
        assert_eq!(refused_certificate(&refusal()), Some(refusal().to_string()));
        assert_eq!(refused_certificate(&io::Error::other("away")), None);
    }
}
