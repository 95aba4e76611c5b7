//! Creative Commons, read from its elements: `CC BY-SA 3.0 AT`, `Namensnennung – nicht kommerziell 4.0`,
//! `licenses/by-nc/2.5/za`. Elements and countries have names in many languages (`data/licence-word.tsv`).

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::super::table::rows;
use super::tables::{Known, TABLES};
use super::words::{Word, words};

/// What some words name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Named {
    /// One licence and one version.
    One(Known),
    /// A licence without its version: what all versions permit alike, without an id.
    WithoutVersion(Known),
    /// Creative Commons, but not which licence.
    Nothing,
    /// A version, a country or a pair of elements that there is not.
    Unknown,
}

/// What a text names that is the name of a Creative Commons licence and nothing else.
pub(super) fn whole(text: &str) -> Option<Named> {
    let words = words(text);
    let (named, length) = at(&words)?;
    // "Namensnennung 2.0" alone is a name of the Datenlizenz Deutschland too.
    let is_shared = matches!(&named, Named::One(known) if known.spdx == Some("CC-BY-2.0")) && !calls(&words);
    (length == words.len()).then_some(if is_shared { Named::Unknown } else { named })
}

/// Whether `CC` or `Creative Commons` stands there.
pub(super) fn calls(words: &[Word]) -> bool {
    words.iter().any(|word| word.text == "cc")
        || words.windows(2).any(|pair| pair[0].text == "creative" && pair[1].text == "commons")
}

/// The element other than attribution that the words from here on name.
pub(super) fn condition_at(words: &[Word]) -> Option<&'static str> {
    match meaning(words)?.0 {
        Meaning::Element(Element::Nc) => Some("nc"),
        Meaning::Element(Element::Nd) => Some("nd"),
        Meaning::Element(Element::Sa) => Some("sa"),
        Meaning::Element(Element::By) | Meaning::Port(_) => None,
    }
}

/// `by-nc/3.0/at/legalcode.de` and its like; a national version without an SPDX id keeps the meaning of its elements.
pub(super) fn at_address(elements: &str, version: &str, rest: &[&str]) -> Option<Known> {
    let is_page = |part: &&str| part.starts_with("deed") || part.starts_with("legalcode") || part.is_empty();
    let rest: Vec<&str> = rest.iter().copied().filter(|part| !is_page(part)).collect();
    match rest[..] {
        [] => TABLES.by_spdx.get(&format!("cc-{elements}-{version}")).cloned(),
        [port] => ported(elements, version, port),
        _ => None,
    }
}

/// The version for one country. There was none after 3.0.
fn ported(elements: &str, version: &str, port: &str) -> Option<Known> {
    let id = format!("cc-{elements}-{version}");
    if let Some(known) = TABLES.by_spdx.get(&format!("{id}-{port}")) {
        return Some(known.clone());
    }
    let international = TABLES.by_spdx.get(&id).filter(|_| version != "4.0")?;
    let iri = format!("https://creativecommons.org/licenses/{elements}/{version}/{port}/");
    Some(Known { iri: Some(iri), spdx: None, permissions: international.permissions })
}

/// What the words from here on name, with the number of words it takes; nothing where they do not name Creative Commons.
pub(super) fn at(words: &[Word]) -> Option<(Named, usize)> {
    let words = &words[..words.len().min(LONGEST)];
    let mut read = Read::default();
    let mut next = 0;
    while next < words.len() && (next == 0 || !words[next].apart) {
        match read.take(&words[next..], next == 0) {
            0 => break,
            taken => next += taken,
        }
    }
    Some((read.named()?, next))
}

/// The most words that a name has.
const LONGEST: usize = 32;

/// What was read so far.
#[derive(Default)]
struct Read {
    elements: BTreeSet<Element>,
    /// `CC` or `Creative Commons` stood there.
    called: bool,
    zero: bool,
    mark: bool,
    universal: bool,
    dedication: bool,
    version: Option<String>,
    port: Option<&'static str>,
}

/// The order is the one in which an id names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Element {
    By,
    Nc,
    Nd,
    Sa,
}

#[derive(Debug, Clone, Copy)]
enum Meaning {
    Element(Element),
    Port(&'static str),
}

impl Read {
    /// Takes what comes next; the number of words it was.
    fn take(&mut self, words: &[Word], first: bool) -> usize {
        let word = words[0].text.as_str();
        let follows = |text: &str| words.get(1).is_some_and(|next| next.text == text && !next.apart);
        match word {
            "cc" if self.version.is_none() => {
                self.called = true;
                1
            }
            "creative" if follows("commons") && self.version.is_none() => {
                self.called = true;
                2
            }
            "0" | "zero" if self.called && self.elements.is_empty() && self.version.is_none() => {
                self.zero = true;
                1
            }
            "pdm" | "mark" if self.called => {
                self.mark = true;
                1
            }
            _ if first => self.take_meaning(words, true),
            "license" | "licence" | "lizenz" | "licentie" | "licencia" | "licenza" | "licença" | "international"
            | "internacional" | "internationale" | "internazionale" | "internationaal" | "generic" | "unported"
            | "public" | "domain" | "version" | "v" => 1,
            "universal" => {
                self.universal = true;
                1
            }
            "dedication" => {
                self.dedication = true;
                1
            }
            _ if self.version.is_none() && is_version(word) => {
                self.version = Some(word.to_owned());
                1
            }
            _ => self.take_meaning(words, false),
        }
    }

    /// An element or, after a version, a country.
    fn take_meaning(&mut self, words: &[Word], first: bool) -> usize {
        let Some((meaning, length)) = meaning(words) else { return self.take_code(&words[0]) };
        match meaning {
            // A short element alone is an English word.
            Meaning::Element(_) if first && words[0].text.len() < 3 => 0,
            Meaning::Element(element) => {
                self.elements.insert(element);
                length
            }
            Meaning::Port(port) if self.version.is_some() && self.port.is_none() => {
                self.port = Some(port);
                length
            }
            Meaning::Port(_) => 0,
        }
    }

    /// A country by its code, which must not be taken for a word.
    fn take_code(&mut self, word: &Word) -> usize {
        let known = PORTS.iter().find(|port| **port == word.text);
        match known {
            Some(port) if word.is_code && self.version.is_some() && self.port.is_none() => {
                self.port = Some(port);
                1
            }
            _ => 0,
        }
    }

    fn named(self) -> Option<Named> {
        // "Creative Commons 1.0 Universal Public Domain Dedication" is its full name.
        let zero = self.zero || (self.called && self.universal && self.dedication);
        let spdx = |id: &str| TABLES.by_spdx.get(id).cloned().map_or(Named::Unknown, Named::One);
        let first = self.version.as_deref().is_none_or(|version| matches!(version, "1" | "1.0"));
        match (zero, self.mark, self.elements.is_empty()) {
            (true, false, true) if first && self.port.is_none() => Some(spdx("cc0-1.0")),
            (false, true, true) if first => Some(spdx("cc-pdm-1.0")),
            (false, false, true) => self.called.then_some(Named::Nothing),
            (false, false, false) => self.of_elements(),
            _ => Some(Named::Unknown),
        }
    }

    fn of_elements(self) -> Option<Named> {
        let elements = self.elements.iter().map(|element| match element {
            Element::By => "by",
            Element::Nc => "nc",
            Element::Nd => "nd",
            Element::Sa => "sa",
        });
        let elements = elements.collect::<Vec<_>>().join("-");
        let Some(version) = &self.version else { return self.called.then(|| without_version(&elements)) };
        let version = match version.as_str() {
            whole @ ("1" | "3" | "4") => format!("{whole}.0"),
            other => other.to_owned(),
        };
        let known = match self.port {
            None => TABLES.by_spdx.get(&format!("cc-{elements}-{version}")).cloned(),
            Some(port) => ported(&elements, &version, port),
        };
        // Without naming the source there was only the first version of one.
        Some(known.filter(|_| self.elements.contains(&Element::By)).map_or(Named::Unknown, Named::One))
    }
}

/// From the first version to the last each pair of elements permits the same.
fn without_version(elements: &str) -> Named {
    let known = TABLES.by_spdx.get(&format!("cc-{elements}-4.0"));
    match known.filter(|_| elements.starts_with("by")) {
        Some(known) => Named::WithoutVersion(Known { iri: None, spdx: None, permissions: known.permissions }),
        None => Named::Unknown,
    }
}

fn is_version(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|b| (b'1'..=b'9').contains(&b)) && bytes.all(|b| b == b'.' || b.is_ascii_digit())
}

fn meaning(words: &[Word]) -> Option<(Meaning, usize)> {
    let reach = words.iter().skip(1).position(|word| word.apart).map_or(words.len(), |at| at + 1).min(6);
    (1..=reach).rev().find_map(|length| {
        let phrase = words[..length].iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Some((*MEANINGS.get(phrase.as_str())?, length))
    })
}

static MEANINGS: LazyLock<HashMap<&'static str, Meaning>> = LazyLock::new(|| {
    let read = rows(include_str!("../data/licence-word.tsv")).1.filter_map(|row| {
        let [phrase, meaning] = row[..] else { return None };
        let meaning = match meaning.strip_prefix('/') {
            Some(port) => Meaning::Port(port),
            None => Meaning::Element(match meaning {
                "by" => Element::By,
                "nc" => Element::Nc,
                "nd" => Element::Nd,
                _ => Element::Sa,
            }),
        };
        Some((phrase, meaning))
    });
    read.collect()
});

static PORTS: LazyLock<BTreeSet<&'static str>> = LazyLock::new(|| {
    let ports = MEANINGS.values().filter_map(|meaning| match meaning {
        Meaning::Port(port) => Some(*port),
        Meaning::Element(_) => None,
    });
    ports.chain(["uk"]).collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    fn id(text: &str) -> Option<&'static str> {
        match whole(text) {
            Some(Named::One(known)) => known.spdx,
            _ => None,
        }
    }

    #[test]
    fn elements_in_any_order_and_language_name_one_licence() {
        for (text, expected) in [
            ("CC BY-SA-NC 4.0", "CC-BY-NC-SA-4.0"),
            ("Creative Commons BY 4", "CC-BY-4.0"),
            ("cc-by3", "CC-BY-3.0"),
            ("CC-0 1.0", "CC0-1.0"),
            (
                "Creative Commons Namensnennung – Weitergabe unter gleichen Bedingungen 3.0 Deutschland",
                "CC-BY-SA-3.0-DE",
            ),
            ("Creative Commons Reconocimiento – No comercial 4.0 Internacional", "CC-BY-NC-4.0"),
            ("Attribution-ShareAlike 3.0 IGO", "CC-BY-SA-3.0-IGO"),
            ("CC BY 3.0 AT", "CC-BY-3.0-AT"),
            ("Creative Commons Public Domain Mark 1.0", "CC-PDM-1.0"),
        ] {
            assert_eq!(id(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_there_is_not_is_unknown_and_a_version_is_never_guessed() {
        for text in
            ["CC BY 4.0 Austria", "CC BY-ND-SA 4.0", "Creative Commons Non-Commercial 4.0", "CC BY 9.0", "CC BY 2"]
        {
            assert_eq!(whole(text), Some(Named::Unknown), "{text}");
        }
        assert!(matches!(whole("CC BY-SA"), Some(Named::WithoutVersion(_))));
        assert_eq!(whole("Creative Commons"), Some(Named::Nothing));
        for text in ["by 4.0", "attribution", "attribution required", "CC BY 4.0 at home"] {
            assert!(!matches!(whole(text), Some(Named::One(_))), "{text}");
        }
    }
}
