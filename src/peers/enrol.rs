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

    /// The certificate in force.
    pub fn current(&self) -> Result<Presented, EnrolError> {
        let pair = files::read_private(&self.pair, self.modes)?;
        let der = CertificateDer::from_pem_slice(&pair).map_err(|_| EnrolError::NoCertificate)?;
        Ok(Presented::read(&der)?)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;
    use rcgen::{BasicConstraints, ExtendedKeyUsagePurpose, IsCa, SanType};
    use x509_parser::prelude::GeneralName;

    use super::*;
    use crate::clock::{Clock, FixedClock};
    use crate::domain::ids::{Identity, TrustDomain};
    use crate::peers::authority::{Authority, AuthorityError, CA_LIFETIME, Reason, Which};

    struct Scene {
        folder: tempfile::TempDir,
        clock: FixedClock,
        ca: Authority,
        csc: Identity,
    }

    const MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

    impl Scene {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let clock = FixedClock::at("2027-03-01T12:00:00Z".parse().unwrap());
            let domain: TrustDomain = "fi.pleiad.example".parse().unwrap();
            let shared: Arc<dyn Clock> = Arc::new(clock.clone());
            let ca = Authority::create(folder.path().join("ca"), &domain, "fi", CA_LIFETIME, shared).unwrap();
            let csc = Identity::participant(domain, "csc".parse().unwrap());
            Self { folder, clock, ca, csc }
        }

        fn enrolment(&self, name: &str) -> Enrolment {
            Enrolment::new(self.folder.path(), name, Modes::Enforce)
        }

        fn enrol(&self, name: &str) -> Enrolment {
            let enrolment = self.enrolment(name);
            let certificate = self.ca.sign(&enrolment.request().unwrap(), &self.csc, &[], MONTH).unwrap();
            enrolment.install(&certificate).unwrap();
            enrolment
        }
    }

    fn pair(enrolment: &Enrolment) -> Vec<u8> {
        std::fs::read(enrolment.path()).unwrap()
    }

    #[test]
    fn the_pair_in_force_stays_until_the_new_one_is_whole_whatever_stops_in_between() {
        let scene = Scene::new();
        let enrolment = scene.enrol("csc");
        let before = pair(&enrolment);
        let renewal = enrolment.renewal().unwrap();
        assert_eq!(pair(&enrolment), before, "asking changes nothing");
        let certificate = scene.ca.renew(&renewal, MONTH).unwrap();
        let other = scene.enrol("other");
        let others = String::from_utf8(pair(&other)).unwrap();
        assert!(matches!(enrolment.install(&others), Err(EnrolError::OtherKey(_))));
        assert!(matches!(enrolment.install("nothing"), Err(EnrolError::NoCertificate)));
        assert_eq!(pair(&enrolment), before, "a wrong answer changes nothing");
        assert_eq!(enrolment.install(&certificate).unwrap().identity, scene.csc);
        assert_ne!(pair(&enrolment), before);
    }

    #[test]
    fn a_request_may_be_repeated_and_a_key_left_by_a_crash_is_not_used_twice() {
        let scene = Scene::new();
        let enrolment = scene.enrolment("csc");
        let key = |request: &str| rcgen::CertificateSigningRequestParams::from_pem(request).unwrap().public_key;
        let first = enrolment.request().unwrap();
        let second = enrolment.request().unwrap();
        assert_eq!(key(&first), key(&second));
        let waiting = std::fs::read(&enrolment.next_key).unwrap();
        enrolment.install(&scene.ca.sign(&first, &scene.csc, &[], MONTH).unwrap()).unwrap();
        // As if the crash had come between the rename and the removal.
        files::replace(&enrolment.next_key, &waiting, files::PRIVATE).unwrap();
        assert_ne!(key(&enrolment.request().unwrap()), key(&first));
    }

    #[test]
    fn the_ca_takes_the_public_key_from_a_request_and_nothing_else() {
        let scene = Scene::new();
        let key = KeyPair::generate().unwrap();
        let mut greedy = CertificateParams::default();
        greedy.subject_alt_names = vec![
            SanType::URI("spiffe://de.pleiad.example/node/de".try_into().unwrap()),
            SanType::DnsName("de.example".try_into().unwrap()),
        ];
        greedy.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        greedy.extended_key_usages = vec![ExtendedKeyUsagePurpose::Any];
        let request = greedy.serialize_request(&key).unwrap().pem().unwrap();
        let certificate = scene.ca.sign(&request, &scene.csc, &["csc.example".to_owned()], MONTH).unwrap();
        let der = CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap();
        let (_, parsed) = X509Certificate::from_der(&der).unwrap();
        assert!(!parsed.is_ca());
        let names = &parsed.subject_alternative_name().unwrap().unwrap().value.general_names;
        assert_eq!(names, &[GeneralName::URI("spiffe://fi.pleiad.example/participant/csc")]);
        let usage = parsed.extended_key_usage().unwrap().unwrap().value;
        assert!(usage.client_auth && !usage.server_auth && !usage.any);
        assert_eq!(parsed.validity().not_before.timestamp(), scene.clock.now().as_second() - 600);

        let elsewhere: Identity = "spiffe://de.pleiad.example/node/de".parse().unwrap();
        let refused = scene.ca.sign(&request, &elsewhere, &[], MONTH);
        assert!(matches!(refused, Err(AuthorityError::OtherDomain { .. })));
    }

    #[test]
    fn a_request_that_its_key_did_not_sign_is_refused() {
        let scene = Scene::new();
        let request = scene.enrolment("csc").request().unwrap();
        let mut der = x509_parser::pem::parse_x509_pem(request.as_bytes()).unwrap().1.contents;
        *der.last_mut().unwrap() ^= 1;
        let touched = files::pem("CERTIFICATE REQUEST", &der);
        assert!(matches!(scene.ca.sign(&touched, &scene.csc, &[], MONTH), Err(AuthorityError::Request(_))));
    }

    #[test]
    fn only_who_holds_the_old_key_of_a_certificate_in_force_may_renew_it() {
        let scene = Scene::new();
        let enrolment = scene.enrol("csc");
        let mallory = scene.enrol("mallory");

        // Somebody else's certificate with one's own proof.
        let (mine, theirs) = (enrolment.renewal().unwrap(), mallory.renewal().unwrap());
        let part = |text: &str, label: &str| {
            let begin = text.find(&format!("-----BEGIN {label}-----")).unwrap();
            let end = format!("-----END {label}-----\n");
            text[begin..begin + text[begin..].find(&end).unwrap() + end.len()].to_owned()
        };
        let crossed = part(&theirs, "CERTIFICATE REQUEST")
            + &part(&mine, "CERTIFICATE")
            + &part(&theirs, "PLEIAD RENEWAL SIGNATURE");
        let refused = scene.ca.renew(&crossed, MONTH);
        assert!(matches!(refused, Err(AuthorityError::Renewal(RenewalError::Proof))), "{refused:?}");

        // A certificate of another CA, renewed by its rightful holder.
        let other = Scene::new();
        let foreign = other.enrol("csc").renewal().unwrap();
        assert!(matches!(scene.ca.renew(&foreign, MONTH), Err(AuthorityError::NotIssued(_))));

        let which = Which::Fingerprint(
            Presented::read(&CertificateDer::from_pem_slice(&pair(&mallory)).unwrap()).unwrap().fingerprint,
        );
        scene.ca.revoke(&which, Reason::KeyCompromise).unwrap();
        assert!(matches!(scene.ca.renew(&theirs, MONTH), Err(AuthorityError::Revoked(_))));

        scene.clock.advance(MONTH);
        assert!(scene.ca.renew(&mine, MONTH).is_ok(), "the last moment");
        scene.clock.advance(SignedDuration::from_secs(1));
        let late = scene.ca.renew(&mine, MONTH);
        assert!(matches!(late, Err(AuthorityError::Renewal(RenewalError::Expired(_)))), "{late:?}");
    }
}
