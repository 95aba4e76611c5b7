//! What a home node attests of the organisations it vouches for.

use std::collections::BTreeMap;

use crate::domain::ids::{Country, Identity, IdentityKind, LocalId, TrustDomain};
use crate::domain::negotiation::Fact;

/// What is attested of one participant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attested {
    /// Where it is established.
    pub country: Option<Country>,
    /// Its sector, in the words that policies use, such as `health`.
    pub sector: Option<String>,
    /// Whether it works in a secure processing environment.
    pub secure_environment: Option<bool>,
}

/// The participants of one node.
#[derive(Debug, Clone)]
pub struct Participants {
    domain: TrustDomain,
    countries: Vec<Country>,
    known: BTreeMap<LocalId, Attested>,
}

impl Participants {
    /// The participants of the node of this domain, which speaks for these countries.
    pub fn new(domain: TrustDomain, countries: Vec<Country>, known: BTreeMap<LocalId, Attested>) -> Self {
        Self { domain, countries, known }
    }

    /// Whether this node vouches for it.
    pub fn vouches_for(&self, participant: &Identity) -> bool {
        participant.kind() == IdentityKind::Participant && *participant.domain() == self.domain
    }

    /// What this node attests of a participant. Of one that is not described, only what cannot be otherwise: where the
    /// node speaks for one country, its participants are established there.
    pub fn attest(&self, participant: &Identity) -> Vec<Fact> {
        let known = self.known.get(participant.id()).cloned().unwrap_or_default();
        let only = match &self.countries[..] {
            [only] => Some(only.clone()),
            _ => None,
        };
        let country = known.country.or(only).map(|country| ("country", country.to_string()));
        let sector = known.sector.map(|sector| ("sector", sector));
        let secure = known.secure_environment.map(|secure| ("secure_environment", secure.to_string()));
        let fact = |(name, value): (&str, String)| Fact { name: name.to_owned(), value, attested: true };
        [country, sector, secure].into_iter().flatten().map(fact).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_of_several_countries_attests_only_what_it_was_told() {
        let csc: Identity = "spiffe://fi.example/participant/csc".parse().unwrap();
        let country = |code: &str| code.parse::<Country>().unwrap();
        let of = |countries: &[&str], known| {
            Participants::new("fi.example".parse().unwrap(), countries.iter().map(|c| country(c)).collect(), known)
        };
        assert_eq!(of(&["FI"], BTreeMap::new()).attest(&csc)[0].value, "FI");
        assert!(of(&["FI", "NO"], BTreeMap::new()).attest(&csc).is_empty());
        let known =
            BTreeMap::from([("csc".parse().unwrap(), Attested { country: Some(country("NO")), ..Default::default() })]);
        let several = of(&["FI", "NO"], known);
        assert_eq!(several.attest(&csc)[0].value, "NO");
        assert!(!several.vouches_for(&"spiffe://de.example/participant/csc".parse().unwrap()));
        assert!(!several.vouches_for(&"spiffe://fi.example/node/csc".parse().unwrap()));
    }
}
