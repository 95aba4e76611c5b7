//! Names that are valid once they exist.
//!
//! Everything that crosses a door as a string and names something (a trust domain, a node, a participant, a dataset, a
//! digest) becomes one of these types at the door, by [`FromStr`], and is never checked again. This is the file to
//! imitate for a value born valid: a private field, one way in, one error that says what was wrong and what is allowed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Why a name was refused: the kind of name, what was found, and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {found:?} is not valid: {allowed}")]
pub struct InvalidName {
    /// The kind of name, as a person would say it.
    pub kind: &'static str,
    /// What stood there, shortened to 80 characters.
    pub found: String,
    /// What is allowed.
    pub allowed: &'static str,
}

impl InvalidName {
    fn new(kind: &'static str, found: &str, allowed: &'static str) -> Self {
        Self { kind, found: found.chars().take(80).collect(), allowed }
    }
}

/// A name made of a private string, with its one rule. Serde goes through `FromStr`, so no door can be forgotten.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $allowed:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let rule: fn(&str) -> bool = $rule;
                if rule(text) { Ok(Self(text.to_owned())) } else { Err(InvalidName::new($kind, text, $allowed)) }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

fn is_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

name!(
    /// A trust domain: the DNS name under which one member state's CA speaks, such as `fi.pleiad.example`.
    TrustDomain,
    "trust domain",
    "a DNS name in lower case with at least one dot, such as fi.pleiad.example",
    is_domain
);

name!(
    /// The short id of a node or participant within its trust domain: a DNS label.
    LocalId,
    "id",
    "1 to 63 of a-z, 0-9 and '-', not beginning or ending with '-'",
    is_label
);

name!(
    /// An absolute IRI with a scheme that may be shown as a link or kept as an identifier (RFC 3987, at most 2,048 characters).
    Iri,
    "IRI",
    "an absolute IRI such as https://example.org/x or urn:uuid:…, without spaces, at most 2,048 characters",
    |text| {
        text.chars().count() <= 2048
            && !text.chars().any(|c| c.is_whitespace() || c.is_control() || "<>\"{}|\\^`".contains(c))
            && text.split_once(':').is_some_and(|(scheme, rest)| {
                !rest.is_empty()
                    && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                    && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
            })
    }
);

impl Iri {
    /// The IRI where it may be shown as a link: `http`, `https` or `mailto`. Everything else, `javascript:` above all,
    /// is shown as text.
    pub fn link(&self) -> Option<&str> {
        let (scheme, _) = self.0.split_once(':')?;
        ["https", "http", "mailto"].iter().any(|safe| scheme.eq_ignore_ascii_case(safe)).then_some(&self.0)
    }
}

name!(
    /// An e-mail address in ASCII, without `mailto:` and without a name.
    Email,
    "e-mail address",
    "an e-mail address in ASCII without mailto:, such as data@archive.example, at most 254 characters",
    |text| {
        text.len() <= 254
            && text.split_once('@').is_some_and(|(local, domain)| {
                (1..=64).contains(&local.len())
                    && local.bytes().all(|b| b.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&b))
                    && domain.contains('.')
                    && domain.split('.').all(|label| is_label(&label.to_ascii_lowercase()))
            })
    }
);

name!(
    /// An ISO 3166-1 alpha-2 country code in upper case; Greece is `GR`.
    Country,
    "country",
    "an assigned ISO 3166-1 alpha-2 code in upper case, such as FI",
    |text| text.len() == 2 && COUNTRIES.split(' ').any(|code| code == text)
);

/// The assigned codes of ISO 3166-1 (2024).
pub const COUNTRIES: &str = "AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

name!(
    /// A well-formed BCP 47 language tag, such as `fi`, `sr-Latn` or `nl-t-fr` (translated by machine from French).
    LanguageTag,
    "language tag",
    "a BCP 47 tag such as fi or nl-t-fr",
    |text| text.len() <= 64 && oxilangtag::LanguageTag::parse(text).is_ok() && !is_irregular_tag(text)
);

/// The grandfathered tags that RFC 5646 lists as irregular: they have no primary language, and all are deprecated.
fn is_irregular_tag(text: &str) -> bool {
    text.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("i-"))
        || ["en-GB-oed", "sgn-BE-FR", "sgn-BE-NL", "sgn-CH-DE"].iter().any(|tag| tag.eq_ignore_ascii_case(text))
}

impl LanguageTag {
    /// The primary language, in lower case: `nl` of `nl-t-fr`.
    pub fn primary(&self) -> &str {
        self.0.split('-').next().unwrap_or(&self.0)
    }

    /// Whether the text was translated by machine: the `t` extension of RFC 6497.
    pub fn is_machine_translated(&self) -> bool {
        self.0.split('-').skip(1).any(|part| part.eq_ignore_ascii_case("t"))
    }
}

/// What an identity is: a node of the federation or a participant of a member state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// A Pleiad node.
    Node,
    /// An organisation vouched for by its home node's CA.
    Participant,
}

impl IdentityKind {
    fn segment(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Participant => "participant",
        }
    }
}

/// Who somebody is, everywhere in the federation: the one URI SAN of its certificate,
/// `spiffe://<domain>/node/<id>` or `spiffe://<domain>/participant/<id>`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Identity {
    domain: TrustDomain,
    kind: IdentityKind,
    id: LocalId,
}

impl Identity {
    /// The identity of a node.
    pub fn node(domain: TrustDomain, id: LocalId) -> Self {
        Self { domain, kind: IdentityKind::Node, id }
    }

    /// The identity of a participant.
    pub fn participant(domain: TrustDomain, id: LocalId) -> Self {
        Self { domain, kind: IdentityKind::Participant, id }
    }

    /// The trust domain whose CA vouches for it.
    pub fn domain(&self) -> &TrustDomain {
        &self.domain
    }

    /// Node or participant.
    pub fn kind(&self) -> IdentityKind {
        self.kind
    }

    /// The id within the domain.
    pub fn id(&self) -> &LocalId {
        &self.id
    }

    /// The identity as the Dataspace Protocol spells it. This and [`Identity::from_did`] are the only place that knows both.
    pub fn did(&self) -> String {
        format!("did:web:{}:{}:{}", self.domain, self.kind.segment(), self.id)
    }

    /// Reads `did:web:<domain>:participant:<id>`.
    pub fn from_did(text: &str) -> Result<Self, InvalidName> {
        let refuse = || InvalidName::new("DID", text, "did:web:<domain>:participant:<id>");
        let rest = text.strip_prefix("did:web:").ok_or_else(refuse)?;
        let mut parts = rest.split(':');
        let (Some(domain), Some(kind), Some(id), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse());
        };
        Self::from_parts(domain, kind, id).ok_or_else(refuse)
    }

    fn from_parts(domain: &str, kind: &str, id: &str) -> Option<Self> {
        let kind = match kind {
            "node" => IdentityKind::Node,
            "participant" => IdentityKind::Participant,
            _ => return None,
        };
        Some(Self { domain: domain.parse().ok()?, kind, id: id.parse().ok()? })
    }
}

impl FromStr for Identity {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refuse =
            || InvalidName::new("identity", text, "spiffe://<domain>/node/<id> or spiffe://<domain>/participant/<id>");
        let rest = text.strip_prefix("spiffe://").ok_or_else(refuse)?;
        let mut parts = rest.split('/');
        let (Some(domain), Some(kind), Some(id), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse());
        };
        Self::from_parts(domain, kind, id).ok_or_else(refuse)
    }
}

impl TryFrom<String> for Identity {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Identity> for String {
    fn from(identity: Identity) -> String {
        identity.to_string()
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spiffe://{}/{}/{}", self.domain, self.kind.segment(), self.id)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The id of a dataset: `https://<trust domain>/dataset/<local part>`, minted by the node of that domain, never reused.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DatasetId {
    iri: String,
    domain_len: usize,
}

const DATASET_SCHEME: &str = "https://";
const DATASET_PATH: &str = "/dataset/";

/// What an address of a record ends in, after a dot, to ask for one of its forms.
pub const FORM_SUFFIXES: [&str; 9] =
    ["json", "ttl", "jsonld", "rdf", "nt", "croissant.json", "schema.json", "datacite.json", "bib"];

impl DatasetId {
    /// Mints the id of a dataset under a domain; `local` is what [`DatasetId::local`] will give back.
    pub fn mint(domain: &TrustDomain, local: &str) -> Result<Self, InvalidName> {
        format!("{DATASET_SCHEME}{domain}{DATASET_PATH}{local}").parse()
    }

    /// The trust domain that minted it.
    pub fn domain(&self) -> &str {
        &self.iri[DATASET_SCHEME.len()..DATASET_SCHEME.len() + self.domain_len]
    }

    /// Whether this domain minted it.
    pub fn is_under(&self, domain: &TrustDomain) -> bool {
        self.domain() == domain.as_str()
    }

    /// The part after `/dataset/`, unique within the domain.
    pub fn local(&self) -> &str {
        &self.iri[DATASET_SCHEME.len() + self.domain_len + DATASET_PATH.len()..]
    }

    /// The suffix of the local part that an address takes for a form of the record; a new id has none.
    pub fn form_suffix(&self) -> Option<&'static str> {
        let ends = |suffix: &&str| self.local().strip_suffix(suffix).is_some_and(|stem| stem.ends_with('.'));
        FORM_SUFFIXES.into_iter().find(ends)
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.iri
    }

    /// What decides between records of equal rank, on every node alike: the first 8 bytes, big-endian, of the SHA-256
    /// of the id. Lower goes first. A hash, so that no country is always ahead by its name.
    pub fn tie_break(&self) -> u64 {
        let Digest(bytes) = Digest::of(self.iri.as_bytes());
        bytes.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl FromStr for DatasetId {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let refuse =
            || InvalidName::new("dataset id", text, "https://<domain>/dataset/<1 to 100 of a-z, 0-9, '-', '_', '.'>");
        let rest = text.strip_prefix(DATASET_SCHEME).ok_or_else(refuse)?;
        let (domain, local) = rest.split_once(DATASET_PATH).ok_or_else(refuse)?;
        let local_is_valid = !local.is_empty()
            && local.len() <= 100
            && local.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b))
            && local.starts_with(|c: char| c.is_ascii_alphanumeric());
        if !is_domain(domain) || !local_is_valid {
            return Err(refuse());
        }
        Ok(Self { iri: text.to_owned(), domain_len: domain.len() })
    }
}

impl TryFrom<String> for DatasetId {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<DatasetId> for String {
    fn from(id: DatasetId) -> String {
        id.iri
    }
}

impl fmt::Display for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.iri)
    }
}

impl fmt::Debug for DatasetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.iri)
    }
}

/// A SHA-256 digest; as text, 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(bytes).into())
    }
}

impl FromStr for Digest {
    type Err = InvalidName;
    fn from_str(text: &str) -> Result<Self, InvalidName> {
        data_encoding::HEXLOWER
            .decode(text.as_bytes())
            .ok()
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| InvalidName::new("SHA-256 digest", text, "64 hexadecimal digits in lower case"))
    }
}

impl TryFrom<String> for Digest {
    type Error = InvalidName;
    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.to_string()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The number of an immutable revision of a dataset, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Revision(pub u32);

impl Revision {
    /// The first revision.
    pub const FIRST: Self = Self(1);

    /// The revision after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// A position in a node's log, from 1; 0 is before the first event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

name!(
    /// The id of a request, agreement, grant, receipt or token: random, opaque, safe in a URL and a file name.
    OpaqueId,
    "id",
    "8 to 64 of a-z, 0-9 and '-'",
    |text| (8..=64).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identity_is_the_same_in_both_spellings() {
        let identity: Identity = "spiffe://fi.pleiad.example/participant/csc".parse().unwrap();
        assert_eq!(identity.did(), "did:web:fi.pleiad.example:participant:csc");
        assert_eq!(Identity::from_did(&identity.did()).unwrap(), identity);
    }

    #[test]
    fn a_name_that_climbs_or_shouts_is_refused_with_what_is_allowed() {
        for text in [
            "spiffe://fi.example/node/../x",
            "spiffe://FI.example/node/x",
            "spiffe://fi.example/node/x/y",
            "https://fi.example/node/x",
        ] {
            assert!(text.parse::<Identity>().is_err(), "{text}");
        }
        let refused = "https://fi.example/dataset/../etc".parse::<DatasetId>().unwrap_err();
        assert!(refused.to_string().contains("https://<domain>/dataset/"));
        assert!("XX".parse::<Country>().is_err());
        assert!("javascript alert(1)".parse::<Iri>().is_err());
    }

    #[test]
    fn a_dataset_id_knows_its_domain() {
        let domain: TrustDomain = "fi.pleiad.example".parse().unwrap();
        let id = DatasetId::mint(&domain, "eduskunta-2024").unwrap();
        assert!(id.is_under(&domain));
        assert_eq!((id.domain(), id.local()), ("fi.pleiad.example", "eduskunta-2024"));
        assert_eq!(format!("{:016x}", id.tie_break()), Digest::of(id.as_str().as_bytes()).to_string()[..16]);
    }
}
