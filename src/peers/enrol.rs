//! The side that asks for a certificate: its key, its request, and putting the answer in place.
//!
//! Key and certificate live in one file, so that one rename switches both: a crash can leave the old pair or the new
//! one, never a key without its certificate. While a request is under way its key waits in a file of its own.

use std::path::{Path, PathBuf};

use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::identity::{IdentityError, Presented};
use super::renewal::{self, RenewalError};
use crate::keys::{KeyFileError, Modes, files};

/// Why a certificate could not be asked for or put in place.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// One of the files.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// The key library refused.
    #[error("the key or its request could not be made: {0}")]
    Key(#[from] rcgen::Error),
    /// The renewal could not be written.
    #[error(transparent)]
    Renewal(#[from] RenewalError),
    /// What came back is no certificate.
    #[error("no certificate in PEM was found in what came back")]
    NoCertificate,
    /// The certificate names nobody.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The certificate is for another key.
    #[error("the certificate is for another key than the one waiting in {}", .0.display())]
    OtherKey(PathBuf),
}

/// Where one certificate lives: `<name>.pem` with key and certificate, `<name>.next.key.pem` while a request is under way.
#[derive(Debug, Clone)]
pub struct Enrolment {
    pair: PathBuf,
    next_key: PathBuf,
    modes: Modes,
}

impl Enrolment {
    /// The certificate called `name` in `folder`.
    pub fn new(folder: &Path, name: &str, modes: Modes) -> Self {
        Self { pair: folder.join(format!("{name}.pem")), next_key: folder.join(format!("{name}.next.key.pem")), modes }
    }

    /// The file that holds key and certificate.
    pub fn path(&self) -> &Path {
        &self.pair
    }

    /// Makes a key and writes the signing request for it (PEM). A key that already waits is used again, so a request
    /// may be repeated.
    pub fn request(&self) -> Result<String, EnrolError> {
        Ok(files::pem("CERTIFICATE REQUEST", &self.signing_request()?))
    }

    /// Makes a key and writes a renewal for it, signed by the key in use.
    pub fn renewal(&self) -> Result<String, EnrolError> {
        let old = files::read_private(&self.pair, self.modes)?;
        let certificate = CertificateDer::from_pem_slice(&old).map_err(|_| EnrolError::NoCertificate)?;
        let old_key = files::read_private_key(&self.pair, self.modes)?;
        let old_key = KeyPair::try_from(old_key)?;
        Ok(renewal::request(&self.signing_request()?, &certificate, &old_key)?)
    }

    /// Puts a certificate in place beside the key that waited for it, both in one file by one rename.
    pub fn install(&self, certificate: &str) -> Result<Presented, EnrolError> {
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).map_err(|_| EnrolError::NoCertificate)?;
        let presented = Presented::read(&der)?;
        let key_der = files::read_private_key(&self.next_key, self.modes)?;
        let key = KeyPair::try_from(key_der.clone())?;
        let fits = X509Certificate::from_der(&der)
            .is_ok_and(|(_, parsed)| parsed.public_key().subject_public_key.data.as_ref() == key.public_key_raw());
        if !fits {
            return Err(EnrolError::OtherKey(self.next_key.clone()));
        }
        let both = files::private_key_pem(&key_der) + &files::pem("CERTIFICATE", &der);
        files::replace(&self.pair, both.as_bytes(), files::PRIVATE)?;
        // The pair holds the key now; a copy that a crash leaves behind is recognised by the next request.
        let _ = std::fs::remove_file(&self.next_key);
        Ok(presented)
    }

    fn signing_request(&self) -> Result<Vec<u8>, EnrolError> {
        let in_use = optional(files::read_private_key(&self.pair, self.modes))?;
        let waiting = optional(files::read_private_key(&self.next_key, self.modes))?;
        let key = match waiting.filter(|waiting| Some(waiting) != in_use.as_ref()) {
            Some(der) => KeyPair::try_from(der)?,
            None => {
                let key = KeyPair::generate()?;
                files::replace(&self.next_key, key.serialize_pem().as_bytes(), files::PRIVATE)?;
                key
            }
        };
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        Ok(params.serialize_request(&key)?.der().to_vec())
    }
}

fn optional(read: Result<Vec<u8>, KeyFileError>) -> Result<Option<Vec<u8>>, KeyFileError> {
    match read {
        Err(KeyFileError::Missing { .. }) => Ok(None),
        other => other.map(Some),
    }
}
