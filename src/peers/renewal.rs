//! Renewing over an old certificate: a signing request for a new key, vouched for by the old key.
//!
//! The request is three PEM blocks, so it can be mailed or posted: the signing request, the old certificate, and the
//! old key's signature over the request. Who holds the old key may have the same identity again for another key, and
//! nothing more.

use jiff::Timestamp;
use rcgen::{CertificateSigningRequestParams, KeyPair, SigningKey as _};
use rustls_pki_types::{CertificateDer, SignatureVerificationAlgorithm};
use webpki::EndEntityCert;
use x509_parser::pem::Pem;

use crate::keys::files;

/// The label of the PEM block that holds the old key's signature.
const PROOF: &str = "PLEIAD RENEWAL SIGNATURE";
/// What the signature covers before the request, so that it can never pass for a signature of something else.
const CONTEXT: &[u8] = b"pleiad renewal 1\0";

/// Why a renewal was refused.
#[derive(Debug, thiserror::Error)]
pub enum RenewalError {
    /// A block is missing or cannot be read.
    #[error("the renewal is not complete: {0}")]
    Incomplete(&'static str),
    /// The signing request.
    #[error("the renewal's signing request is refused: {0}")]
    Request(rcgen::Error),
    /// The old key did not sign it.
    #[error("the renewal is not signed by the old certificate's key")]
    Proof,
    /// The old certificate ran out.
    #[error("the old certificate ran out at {0}: enrol again with a signing request")]
    Expired(Timestamp),
}

/// A renewal whose proof holds.
#[derive(Debug)]
pub struct Renewal {
    /// The request for the new key.
    pub request: CertificateSigningRequestParams,
    /// The old certificate; whether the CA issued it is for the CA to say.
    pub certificate: CertificateDer<'static>,
}

/// Writes a renewal: `request` is the new key's signing request in DER.
pub fn request(request: &[u8], certificate: &CertificateDer<'_>, old_key: &KeyPair) -> Result<String, RenewalError> {
    let proof = old_key.sign(&signed(request)).map_err(RenewalError::Request)?;
    Ok([files::pem("CERTIFICATE REQUEST", request), files::pem("CERTIFICATE", certificate), files::pem(PROOF, &proof)]
        .concat())
}

/// Whether a text is a renewal and not a plain signing request.
pub fn is_renewal(text: &str) -> bool {
    text.contains(PROOF)
}

/// Reads a renewal and checks that the old key signed it.
pub fn read(text: &str) -> Result<Renewal, RenewalError> {
    let mut blocks = Vec::new();
    for block in Pem::iter_from_buffer(text.as_bytes()) {
        blocks.push(block.map_err(|_| RenewalError::Incomplete("a PEM block cannot be read"))?);
    }
    let find = |label: &str, missing| {
        let mut found = blocks.iter().filter(|block| block.label == label);
        match (found.next(), found.next()) {
            (Some(block), None) => Ok(block.contents.clone()),
            _ => Err(RenewalError::Incomplete(missing)),
        }
    };
    let request = find("CERTIFICATE REQUEST", "there must be one signing request")?;
    let certificate = CertificateDer::from(find("CERTIFICATE", "there must be one certificate, the old one")?);
    let proof = find(PROOF, "there must be one signature by the old key")?;
    let leaf = EndEntityCert::try_from(&certificate)
        .map_err(|_| RenewalError::Incomplete("the old certificate cannot be read"))?;
    let message = signed(&request);
    if !ALGORITHMS.iter().any(|algorithm| leaf.verify_signature(*algorithm, &message, &proof).is_ok()) {
        return Err(RenewalError::Proof);
    }
    let request =
        CertificateSigningRequestParams::from_der(&request.as_slice().into()).map_err(RenewalError::Request)?;
    Ok(Renewal { request, certificate })
}

static ALGORITHMS: &[&dyn SignatureVerificationAlgorithm] =
    &[webpki::aws_lc_rs::ECDSA_P256_SHA256, webpki::aws_lc_rs::ECDSA_P384_SHA384, webpki::aws_lc_rs::ED25519];

fn signed(request: &[u8]) -> Vec<u8> {
    [CONTEXT, request].concat()
}
