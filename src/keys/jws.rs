//! Compact JWS (RFC 7515) with one algorithm, EdDSA over Ed25519, and one shape of header.
//!
//! The header has exactly `alg`, `typ` and `kid`. Anything else (`jku`, `jwk`, `x5u`, `crit`, another algorithm, `none`)
//! is refused before a key is looked up, so that a document can never choose how it is checked.

use serde::{Deserialize, Serialize};

use super::{PublicKey, Signer};

const ALGORITHM: &str = "EdDSA";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    kid: String,
}

/// Why a signed document was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwsError {
    /// It is not three base64url parts with a JSON header.
    #[error("it is not a compact JWS: {0}")]
    Malformed(String),
    /// Its algorithm is not the one we know.
    #[error("its algorithm is {0:?}; only \"EdDSA\" is accepted")]
    Algorithm(String),
    /// It is another kind of document.
    #[error("its type is {found:?}; expected {expected:?}")]
    Type {
        /// The type in the header.
        found: String,
        /// The type that was asked for.
        expected: &'static str,
    },
    /// The signature does not match.
    #[error("its signature is not by the expected key {0}")]
    Signature(String),
}

/// Signs a payload; `typ` names the kind of document.
pub fn sign(signer: &dyn Signer, typ: &str, payload: &[u8]) -> String {
    let header = serde_json::json!({ "alg": ALGORITHM, "typ": typ, "kid": signer.key_id() });
    let encode = |bytes: &[u8]| data_encoding::BASE64URL_NOPAD.encode(bytes);
    let mut text = format!("{}.{}", encode(header.to_string().as_bytes()), encode(payload));
    let signature = signer.sign(text.as_bytes());
    text.push('.');
    text.push_str(&encode(&signature));
    text
}

/// A document whose header was read and whose signature was not checked yet: nothing in it may be believed.
#[derive(Debug)]
pub struct Unverified<'a> {
    key_id: String,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// Takes a compact JWS apart and checks its header.
pub fn parse<'a>(text: &'a str, typ: &'static str) -> Result<Unverified<'a>, JwsError> {
    let malformed = |what: &str| JwsError::Malformed(what.to_owned());
    let text = text.trim_ascii();
    let decode = |part: &str, what| data_encoding::BASE64URL_NOPAD.decode(part.as_bytes()).map_err(|_| malformed(what));
    let (signed, signature) = text.rsplit_once('.').ok_or_else(|| malformed("there is no dot"))?;
    let (header, payload) = signed.split_once('.').ok_or_else(|| malformed("there is one dot, not two"))?;
    let header: Header = serde_json::from_slice(&decode(header, "the header is not base64url")?)
        .map_err(|error| JwsError::Malformed(format!("the header: {error}")))?;
    if header.alg != ALGORITHM {
        return Err(JwsError::Algorithm(header.alg.chars().take(80).collect()));
    }
    if header.typ != typ {
        return Err(JwsError::Type { found: header.typ.chars().take(80).collect(), expected: typ });
    }
    Ok(Unverified {
        key_id: header.kid,
        signed,
        payload: decode(payload, "the payload is not base64url")?,
        signature: decode(signature, "the signature is not base64url")?,
    })
}

impl Unverified<'_> {
    /// The short name of the key that the document says signed it.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The payload, if `key` signed it.
    pub fn verify(self, key: &PublicKey) -> Result<Vec<u8>, JwsError> {
        if self.key_id == key.key_id() && key.verifies(self.signed.as_bytes(), &self.signature) {
            Ok(self.payload)
        } else {
            Err(JwsError::Signature(key.to_string()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{Keyring, Modes, SignerName};

    #[test]
    fn only_an_untouched_document_of_the_right_kind_by_the_right_key_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let keyring = Keyring::new(folder.path(), Modes::Enforce);
        let signer = keyring.create(SignerName::List).unwrap();
        let other = keyring.create(SignerName::Log).unwrap();
        let text = sign(&*signer, "a+jws", b"{}");
        assert_eq!(parse(&text, "a+jws").unwrap().verify(&signer.public_key()).unwrap(), b"{}");
        assert!(matches!(parse(&text, "b+jws"), Err(JwsError::Type { .. })));
        assert!(matches!(parse(&text, "a+jws").unwrap().verify(&other.public_key()), Err(JwsError::Signature(_))));
        let mut parts: Vec<&str> = text.split('.').collect();
        parts[1] = "e30x";
        let touched = parts.join(".");
        assert!(parse(&touched, "a+jws").map(|it| it.verify(&signer.public_key())).map_or(true, |it| it.is_err()));
    }

    #[test]
    fn a_document_cannot_choose_how_it_is_checked() {
        let encode = |text: &str| data_encoding::BASE64URL_NOPAD.encode(text.as_bytes());
        for header in [
            r#"{"alg":"none","typ":"a+jws","kid":"x"}"#,
            r#"{"alg":"HS256","typ":"a+jws","kid":"x"}"#,
            r#"{"alg":"eddsa","typ":"a+jws","kid":"x"}"#,
            r#"{"alg":"EdDSA","typ":"a+jws","kid":"x","jku":"https://evil.example/keys"}"#,
            r#"{"alg":"EdDSA","typ":"a+jws","kid":"x","jwk":{}}"#,
            r#"{"alg":"EdDSA","typ":"a+jws","kid":"x","crit":["b64"],"b64":false}"#,
            r#"{"alg":"EdDSA","alg":"none","typ":"a+jws","kid":"x"}"#,
            r#"{"alg":"EdDSA","typ":"a+jws"}"#,
            r#"[]"#,
        ] {
            let text = format!("{}.{}.{}", encode(header), encode("{}"), encode("s"));
            assert!(parse(&text, "a+jws").is_err(), "{header}");
        }
        for text in ["", ".", "..", "a.b", "a.b.c.d"] {
            assert!(parse(text, "a+jws").is_err(), "{text:?}");
        }
    }
}
