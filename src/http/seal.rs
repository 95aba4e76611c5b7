//! What a door hands out and must recognise when it comes back: cursors of lists, sessions of pages.
//!
//! Sealed means encrypted and authenticated under a key of this node, for one purpose: what was sealed as a session does
//! not open as a cursor. The caller cannot read it, change it, or make one up.

use std::path::Path;

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};
use crate::keys::{KeyFileError, Modes, files};

const NONCE_BYTES: usize = 12;

/// Seals and opens under one key. Nodes that serve one catalogue share it.
#[derive(Debug)]
pub struct Sealer(RandomizedNonceKey);

impl Sealer {
    /// The key in this file; made the first time.
    pub fn open_or_create(path: &Path, modes: Modes) -> Result<Self, KeyFileError> {
        let malformed = |reason: &str| KeyFileError::Malformed { path: path.to_owned(), reason: reason.to_owned() };
        let bytes = match files::read_private(path, modes) {
            Err(KeyFileError::Missing { .. }) => {
                let mut bytes = [0; 32];
                aws_lc_rs::rand::fill(&mut bytes).map_err(|_| malformed("the system gave no random bytes"))?;
                files::write_new(path, &bytes, files::PRIVATE)?;
                bytes.to_vec()
            }
            other => other?,
        };
        RandomizedNonceKey::new(&AES_256_GCM, &bytes).map(Self).map_err(|_| malformed("it does not hold 32 bytes"))
    }

    /// Seals a value for a purpose, as text that is safe in a URL and a cookie.
    pub fn seal(&self, purpose: &str, value: &impl Serialize) -> Result<String, Problem> {
        let mut bytes = serde_json::to_vec(value).map_err(|error| Problem::internal(&error))?;
        let nonce = self
            .0
            .seal_in_place_append_tag(Aad::from(purpose.as_bytes()), &mut bytes)
            .map_err(|error| Problem::internal(&error))?;
        let mut sealed = nonce.as_ref().to_vec();
        sealed.append(&mut bytes);
        Ok(BASE64URL_NOPAD.encode(&sealed))
    }

    /// Opens what was sealed for a purpose; `None` when it was not, or not here.
    pub fn open<T: DeserializeOwned>(&self, purpose: &str, text: &str) -> Option<T> {
        let mut bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_BYTES)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let opened = self.0.open_in_place(nonce, Aad::from(purpose.as_bytes()), sealed).ok()?;
        serde_json::from_slice(opened).ok()
    }

    /// Opens the cursor of a list, or says that the list must be begun again.
    pub fn open_cursor<T: DeserializeOwned>(&self, list: &str, text: &str) -> Result<T, Problem> {
        self.open(list, text).ok_or_else(|| {
            Problem::new(Code::BadCursor, "this cursor was not made here for this list: start again without a cursor")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sealer() -> (Sealer, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        (Sealer::open_or_create(&folder.path().join("door.key"), Modes::Enforce).unwrap(), folder)
    }

    #[test]
    fn a_seal_opens_under_the_same_key_and_purpose_after_a_restart() {
        let (sealer, folder) = sealer();
        let sealed = sealer.seal("datasets", &("after", 7)).unwrap();
        let again = Sealer::open_or_create(&folder.path().join("door.key"), Modes::Enforce).unwrap();
        assert_eq!(again.open::<(String, u8)>("datasets", &sealed), Some(("after".to_owned(), 7)));
        assert_eq!(again.open::<(String, u8)>("session", &sealed), None);
        let (other, _folder) = self::sealer();
        assert_eq!(other.open::<(String, u8)>("datasets", &sealed), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_seal_that_was_changed_in_any_place_does_not_open(place in 0usize..60, with in 1u8..64) {
            let (sealer, _folder) = sealer();
            let mut bytes = BASE64URL_NOPAD.decode(sealer.seal("x", &"some words that are sealed").unwrap().as_bytes()).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= with;
            prop_assert_eq!(sealer.open::<String>("x", &BASE64URL_NOPAD.encode(&bytes)), None);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}") {
            let (sealer, _folder) = sealer();
            prop_assert_eq!(sealer.open::<String>("x", &text), None);
        }
    }
}
