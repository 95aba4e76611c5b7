//! The terms of a policy between their short spelling and their IRI, for the way in and the way out.

/// A namespace whose terms a policy may spell short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Namespace {
    /// ODRL 2.2.
    Odrl,
    /// TDMRep.
    TdmRep,
    /// This project.
    Own,
}

/// Each namespace with the ways in which its terms are spelled at length.
const NAMESPACES: [(Namespace, &[&str]); 3] = [
    (Namespace::Odrl, &["http://www.w3.org/ns/odrl/2/", "odrl:"]),
    (Namespace::TdmRep, &["http://www.w3.org/ns/tdmrep#", "tdm:"]),
    (Namespace::Own, &[super::write::names::OWN, "pleiad:"]),
];

/// Terms that are spelled short and are not ODRL's.
const MINING: &str = "mine";
const OWN: [&str; 3] = ["train", "sector", "secure_environment"];

/// The actions, operands and operators of ODRL 2.2 (Vocabulary & Expression, sections 3.3 to 3.5 and 4).
#[rustfmt::skip]
const ODRL: &[&str] = &[
    "use", "transfer", "give", "sell", "grantUse", "aggregate", "annotate", "anonymize", "archive", "concurrentUse",
    "derive", "digitize", "distribute", "execute", "include", "index", "install", "modify", "move", "play", "display",
    "present", "print", "read", "reproduce", "extract", "stream", "synchronize", "textToSpeech", "transform",
    "translate", "watermark", "commercialize", "share", "attribute", "delete", "inform", "shareAlike", "acceptTracking",
    "attachPolicy", "attachSource", "uninstall", "nextPolicy", "compensate", "pay", "obtainConsent", "reviewPolicy",
    "ensureExclusivity",
    "absolutePosition", "absoluteSize", "absoluteSpatialPosition", "absoluteTemporalPosition", "count", "dateTime",
    "delayPeriod", "deliveryChannel", "device", "elapsedTime", "event", "fileFormat", "industry", "language", "media",
    "meteredTime", "payAmount", "percentage", "product", "purpose", "recipient", "relativePosition", "relativeSize",
    "relativeSpatialPosition", "relativeTemporalPosition", "resolution", "spatial", "spatialCoordinates", "system",
    "systemDevice", "timeInterval", "unitOfCount", "version", "virtualLocation",
    "eq", "gt", "gteq", "hasPart", "isA", "isAllOf", "isAnyOf", "isNoneOf", "isPartOf", "lt", "lteq", "neq",
];

/// The namespace and the name of a term, however it is spelled; nothing where it is none of these namespaces'.
pub(super) fn namespace(text: &str) -> Option<(Namespace, &str)> {
    let spelled = NAMESPACES.iter().find_map(|(namespace, starts)| {
        starts.iter().find_map(|start| text.strip_prefix(start)).map(|name| (*namespace, name))
    });
    match spelled {
        Some((namespace, name)) if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            Some((namespace, name))
        }
        Some(_) => None,
        None if text == MINING => Some((Namespace::TdmRep, text)),
        None if OWN.contains(&text) => Some((Namespace::Own, text)),
        None if ODRL.contains(&text) => Some((Namespace::Odrl, text)),
        None => None,
    }
}

/// The short spelling of a term where it stands for the same term, else the term as it is.
pub(super) fn short(text: &str) -> &str {
    match namespace(text) {
        Some((spelled, name)) if namespace(name) == Some((spelled, name)) => name,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_term_has_one_short_one_and_a_foreign_term_keeps_its_own() {
        for text in ["use", "odrl:use", "http://www.w3.org/ns/odrl/2/use"] {
            assert_eq!((namespace(text), short(text)), (Some((Namespace::Odrl, "use")), "use"));
        }
        assert_eq!(short("http://www.w3.org/ns/tdmrep#mine"), "mine");
        assert_eq!(short("https://pleiad.example/ns#train"), "train");
        // Not a term of ODRL: short, it would be a word of nobody's.
        assert_eq!(short("http://www.w3.org/ns/odrl/2/fly"), "http://www.w3.org/ns/odrl/2/fly");
        assert_eq!(namespace("fly"), None);
        assert_eq!(short("https://example.org/use"), "https://example.org/use");
    }
}
