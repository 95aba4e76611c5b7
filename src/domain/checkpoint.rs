//! The signed head of a node's log, in the format that witnesses of transparency logs read: a C2SP
//! [tlog-checkpoint](https://c2sp.org/tlog-checkpoint) in a C2SP [signed note](https://c2sp.org/signed-note).
//!
//! ```text
//! fi.pleiad.example/log/1
//! 1027
//! bTFpVkMyAu0z…=
//!
//! — fi.pleiad.example/log/1 Az3grlYr…=
//! ```

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::ids::Digest;

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log.
    pub origin: String,
    /// How many entries it has.
    pub size: u64,
    /// The root of its tree.
    pub root: Digest,
}

/// The text that is signed.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64.encode(&self.root.0))
    }
}

/// A checkpoint with its signatures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignedCheckpoint {
    /// The head.
    pub checkpoint: Checkpoint,
    /// Who signed it: the log itself first, then witnesses.
    pub signatures: Vec<NoteSignature>,
}

/// A signature under a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    /// The name of the key; for the log itself its origin.
    pub name: String,
    /// The first bytes of the key's hash: which key of that name.
    pub key_hash: [u8; 4],
    /// The signature.
    pub signature: Vec<u8>,
}

/// A text that is no signed checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("this is not a signed checkpoint: {0}")]
pub struct InvalidCheckpoint(&'static str);

/// The algorithm byte of Ed25519 in a signed note.
const ED25519: u8 = 1;

impl NoteSignature {
    /// The hash that names an Ed25519 key in a note: SHA-256 of its name, a line feed, the algorithm and the key, cut to
    /// four bytes.
    pub fn key_hash(name: &str, public_key: &[u8; 32]) -> [u8; 4] {
        let mut named = format!("{name}\n").into_bytes();
        named.push(ED25519);
        named.extend_from_slice(public_key);
        let digest = Digest::of(&named).0;
        [digest[0], digest[1], digest[2], digest[3]]
    }
}

impl SignedCheckpoint {
    /// The signatures that say they were made with this Ed25519 key; whoever has the key checks them.
    pub fn signatures_of<'a>(&'a self, name: &'a str, public_key: &[u8; 32]) -> impl Iterator<Item = &'a [u8]> {
        let wanted = NoteSignature::key_hash(name, public_key);
        self.signatures
            .iter()
            .filter(move |signature| signature.name == name && signature.key_hash == wanted)
            .map(|signature| signature.signature.as_slice())
    }
}

/// The note: the text, an empty line, a line for each signature.
impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.checkpoint)?;
        for signature in &self.signatures {
            let bytes = [signature.key_hash.as_slice(), &signature.signature].concat();
            writeln!(f, "— {} {}", signature.name, BASE64.encode(&bytes))?;
        }
        Ok(())
    }
}

impl FromStr for SignedCheckpoint {
    type Err = InvalidCheckpoint;
    fn from_str(note: &str) -> Result<Self, InvalidCheckpoint> {
        let (text, signatures) = note.split_once("\n\n").ok_or(InvalidCheckpoint("no empty line before signatures"))?;
        let lines: Vec<&str> = text.split('\n').collect();
        let [origin, size, root] = lines[..] else {
            return Err(InvalidCheckpoint("its text must have three lines: origin, size, root"));
        };
        if origin.is_empty() {
            return Err(InvalidCheckpoint("its origin is empty"));
        }
        let size: u64 = match size.parse() {
            Ok(number) if size == format!("{number}") => number,
            _ => return Err(InvalidCheckpoint("its size is not a decimal number without leading zeros")),
        };
        let root = BASE64
            .decode(root.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Digest)
            .ok_or(InvalidCheckpoint("its root is not 32 bytes in base64"))?;
        let signatures = signatures
            .strip_suffix('\n')
            .ok_or(InvalidCheckpoint("it does not end with a line feed"))?
            .split('\n')
            .map(signature)
            .collect::<Option<Vec<_>>>()
            .ok_or(InvalidCheckpoint("a signature line is not `— name base64`"))?;
        Ok(Self { checkpoint: Checkpoint { origin: origin.to_owned(), size, root }, signatures })
    }
}

fn signature(line: &str) -> Option<NoteSignature> {
    let (name, bytes) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = BASE64.decode(bytes.as_bytes()).ok()?;
    let (key_hash, signature) = bytes.split_first_chunk::<4>()?;
    if name.is_empty() || name.contains('+') || signature.is_empty() {
        return None;
    }
    Some(NoteSignature { name: name.to_owned(), key_hash: *key_hash, signature: signature.to_vec() })
}

impl TryFrom<String> for SignedCheckpoint {
    type Error = InvalidCheckpoint;
    fn try_from(note: String) -> Result<Self, InvalidCheckpoint> {
        note.parse()
    }
}

impl From<SignedCheckpoint> for String {
    fn from(signed: SignedCheckpoint) -> String {
        signed.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed() -> SignedCheckpoint {
        SignedCheckpoint {
            checkpoint: Checkpoint {
                origin: "fi.pleiad.example/log/1".to_owned(),
                size: 1027,
                root: Digest::of(b"root"),
            },
            signatures: vec![NoteSignature {
                name: "fi.pleiad.example/log/1".to_owned(),
                key_hash: [1, 2, 3, 4],
                signature: vec![7; 64],
            }],
        }
    }

    #[test]
    fn a_checkpoint_reads_back_as_it_was_written() {
        let note = signed().to_string();
        assert!(note.starts_with("fi.pleiad.example/log/1\n1027\n"));
        assert!(note.contains("\n\n— fi.pleiad.example/log/1 AQIDBA"), "{note}");
        assert_eq!(note.parse::<SignedCheckpoint>().unwrap(), signed());
    }

    #[test]
    fn the_key_of_the_go_checksum_database_has_the_hash_that_its_name_says() {
        // sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8
        let key = BASE64.decode(b"Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8").unwrap();
        let public_key: [u8; 32] = key[1..].try_into().unwrap();
        assert_eq!(NoteSignature::key_hash("sum.golang.org", &public_key), [0x03, 0x3d, 0xe0, 0xae]);
    }

    #[test]
    fn a_note_that_is_not_exactly_one_is_refused() {
        let note = signed().to_string();
        let broken = [
            note.replace("\n\n", "\n"),
            note.replace("1027", "01027"),
            note.replace("1027", "-1"),
            note.replace("1027\n", "1027\nextra\n"),
            note.replace("— ", "- "),
            note.trim_end().to_owned(),
            note.replacen("fi.pleiad.example/log/1", "", 1),
            String::new(),
        ];
        for text in broken {
            assert!(text.parse::<SignedCheckpoint>().is_err(), "{text:?}");
        }
    }
}
