//! A licence named inside a sentence: `The data are available under the CC BY 4.0 licence, please cite …`.
//!
//! Every name and address in the text must mean the same licence. The sentence that names it must put the data under it
//! (it begins with the name, or leads to it with *licensed*, *under*, *subject to*) and must not take anything back:
//! *unless*, *some*, *or*, *similar to*, *for academic use*. Every other sentence that speaks of licences, terms,
//! permissions or restrictions must be one that is known to change nothing. Whatever is left in doubt is not resolved.

use super::creative_commons::{self, Named};
use super::tables::Known;
use super::words::{Word, words};
use super::{address, names};
use crate::domain::licence::Answer;

/// Texts beyond this length are contracts, not the name of a licence.
const LONGEST: usize = 20_000;

/// The licence that a text puts its data under; nothing where that is not one, or not beyond doubt.
pub(super) fn find(text: &str) -> Option<Known> {
    if text.len() > LONGEST {
        return None;
    }
    let read = Read::of(text);
    let known = read.one()?;
    let addresses_agree = read.links.iter().all(|link| read.is_harmless_link(link));
    let words_agree = !read.names_another_family(&known) && !read.adds_an_element(&known);
    let sentences_agree = sentences(&read.masked).into_iter().all(|sentence| read.is_clean(sentence, &known));
    (addresses_agree && words_agree && sentences_agree).then_some(known)
}

/// Whether a text is `[words](address)` and nothing else but a full stop.
pub(super) fn is_one_link(text: &str) -> bool {
    let link = || {
        let (words, rest) = text.strip_prefix('[')?.split_once("](")?;
        let (url, after) = rest.split_once(')')?;
        Some(!words.contains('[') && address::find(url).is_some() && after.trim_matches('.').trim().is_empty())
    };
    link().unwrap_or(false)
}

/// A licence at a place of the text.
struct Mention {
    named: Named,
    start: usize,
    end: usize,
}

/// An address at a place of the text.
struct Link {
    url: String,
    start: usize,
    known: Option<Known>,
}

struct Read {
    /// The text with its addresses and mark-up blanked out, byte for byte as long as before.
    masked: String,
    words: Vec<Word>,
    mentions: Vec<Mention>,
    links: Vec<Link>,
}

impl Read {
    fn of(text: &str) -> Self {
        let (masked, links) = mask(text);
        let words = words(&masked);
        let mut mentions = Vec::new();
        let mut at = 0;
        while at < words.len() {
            let (named, length) = match (names::at(&words[at..]), creative_commons::at(&words[at..])) {
                // The longer name is the one that is meant.
                (Some((known, long)), Some((_, short))) if long >= short => (Named::One(known), long),
                (_, Some(found)) => found,
                (Some((known, length)), None) => (Named::One(known), length),
                (None, None) => {
                    at += 1;
                    continue;
                }
            };
            mentions.push(Mention { named, start: words[at].start, end: words[at + length - 1].end });
            at += length;
        }
        Self { masked, words, mentions, links }
    }

    /// The one licence that all names and addresses mean.
    fn one(&self) -> Option<Known> {
        let mut one: Option<&Known> = None;
        let mut without_version: Vec<&Known> = Vec::new();
        let mut named_creative_commons = false;
        let by_name = self.mentions.iter().map(|mention| &mention.named);
        let at_address: Vec<Named> = self.links.iter().filter_map(|link| link.known.clone().map(Named::One)).collect();
        for named in by_name.chain(&at_address) {
            match named {
                Named::One(known) if !known.names_one() => without_version.push(known),
                Named::One(known) if one.is_none_or(|one| one.is(known)) => one = Some(known),
                Named::One(_) | Named::Unknown => return None,
                Named::WithoutVersion(known) => without_version.push(known),
                Named::Nothing => named_creative_commons = true,
            }
        }
        let one = one?;
        let is_creative_commons = one.spdx.map_or_else(
            || one.iri.as_deref().is_some_and(|iri| iri.contains("creativecommons.org")),
            |id| id.starts_with("CC"),
        );
        if is_creative_commons && !self.calls_creative_commons() {
            return None;
        }
        let agree = without_version.iter().all(|known| known.permissions == one.permissions && is_creative_commons);
        (agree && (is_creative_commons || !named_creative_commons)).then(|| one.clone())
    }

    /// Elements alone (`Namensnennung 2.0`) may be those of another licence.
    fn calls_creative_commons(&self) -> bool {
        creative_commons::calls(&self.words) || self.links.iter().any(|link| link.known.is_some())
    }

    /// An address of something else does no harm unless it could hold further terms: a licence page whose own words name
    /// the licence, and the licence file of a repository, hold the licence itself.
    fn is_harmless_link(&self, link: &Link) -> bool {
        let address = link.url.to_lowercase();
        let before = &self.masked[..link.start];
        let open = if before.ends_with("](") { before.rfind('[') } else { None };
        let title = open.map_or("", |at| &before[at..]).to_lowercase();
        let speaks_of_terms = |text: &str| TERMS.iter().any(|term| text.contains(term));
        if link.known.is_some() || !(speaks_of_terms(&address) || speaks_of_terms(&title)) {
            return true;
        }
        let file = address.split(['?', '#']).next().unwrap_or_default().rsplit('/').next().unwrap_or_default();
        let is_licence_file = ["license", "licence", "copying"].iter().any(|name| file.starts_with(name));
        let names_it = open.is_some_and(|at| {
            self.mentions.iter().any(|mention| mention.start >= at && matches!(mention.named, Named::One(_)))
        });
        names_it || (is_licence_file && address.contains("git"))
    }

    /// Whether a word stands there that is another family of licences than the one that was found.
    fn names_another_family(&self, known: &Known) -> bool {
        let id = known.spdx.unwrap_or_default().to_lowercase();
        self.words.iter().any(|word| {
            let family = FAMILIES.iter().find(|(name, _)| *name == word.text);
            family.is_some_and(|(_, id_of_it)| !id.starts_with(id_of_it)) && !self.is_mentioned(word)
        })
    }

    fn is_mentioned(&self, word: &Word) -> bool {
        let next = self.mentions.partition_point(|mention| mention.end <= word.start);
        self.mentions.get(next).is_some_and(|mention| mention.start <= word.start)
    }

    /// Whether an element stands apart from the name and is not one of the licence: `CC BY 4.0 (NC)`.
    fn adds_an_element(&self, known: &Known) -> bool {
        let id = known.spdx.or(known.iri.as_deref()).unwrap_or_default().to_lowercase();
        let has = |element: &str| id.split(['-', '/']).any(|part| part == element);
        self.words.iter().enumerate().any(|(at, word)| {
            !self.is_mentioned(word)
                && creative_commons::condition_at(&self.words[at..]).is_some_and(|element| !has(element))
        })
    }

    fn is_clean(&self, (start, end): (usize, usize), known: &Known) -> bool {
        let inside = |at: usize| start <= at && at < end;
        let named = self.mentions.iter().filter(|mention| inside(mention.start));
        let firm = named.clone().filter(|m| !matches!(m.named, Named::Nothing)).map(|mention| mention.start);
        let linked = self.links.iter().filter(|link| inside(link.start) && link.known.is_some());
        let first = firm.chain(linked.map(|link| link.start)).min();
        let rest = IDLE.iter().fold(self.without_mentions(start, end), |rest, idle| rest.replace(idle, " "));
        let Some(first) = first else {
            return !SPEAKS.iter().any(|word| rest.contains(word));
        };
        self.is_led_to((start, end), first) && !self.takes_back(start, end, &rest, first, known)
    }

    /// Whether the sentence puts the data under what it names. The words of a link may lead to its address, or stand for
    /// it.
    fn is_led_to(&self, (start, end): (usize, usize), first: usize) -> bool {
        let inside = |at: usize| start <= at && at < end;
        let named = self.mentions.iter().filter(|m| inside(m.start) && matches!(m.named, Named::One(_)));
        let linked = self.links.iter().filter(|link| inside(link.start) && link.known.is_some()).map(|link| link.start);
        let at = named.map(|mention| mention.start).chain(linked).min().unwrap_or(first);
        let whole = &self.masked[start..at];
        let title = if whole.ends_with("](") { whole.rfind('[') } else { None };
        let called = self.mentions.iter().any(|m| start <= m.start && m.end <= at && m.named == Named::Nothing);
        called
            || leads(&self.without_mentions(start, at))
            || title.is_some_and(|title| leads(&self.without_mentions(start, start + title)))
    }

    /// A part of the text in lower case, without the names of licences.
    fn without_mentions(&self, start: usize, end: usize) -> String {
        let mut rest = self.masked[start..end].to_owned();
        for mention in self.mentions.iter().rev().filter(|m| start <= m.start && m.end <= end) {
            rest.replace_range(mention.start - start..mention.end - start, &" ".repeat(mention.end - mention.start));
        }
        rest.to_lowercase()
    }

    fn takes_back(&self, start: usize, end: usize, rest: &str, first: usize, known: &Known) -> bool {
        let before = self.without_mentions(start, first);
        let has = |text: &str, list: &[&str]| words(text).iter().any(|word| list.contains(&word.text.as_str()));
        let non_commercial = known.permissions.commercial != Answer::No
            && ["non-commercial", "noncommercial", "non commercial"].iter().any(|text| rest.contains(text));
        let mut named = self.mentions.iter().filter(|mention| start <= mention.start && mention.end <= end);
        let beside = named.any(|mention| self.has_or_beside(mention, start, end) || self.has_sign_beside(mention));
        // What a non-commercial licence is called is no doubt.
        let rest = &match known.permissions.commercial {
            Answer::No => rest.replace("non-commercial", " ").replace("non commercial", " "),
            _ => rest.to_owned(),
        };
        has(rest, DOUBT)
            || has(&before, PART)
            || DOUBTFUL.iter().any(|phrase| rest.contains(phrase))
            || beside
            || non_commercial
    }

    /// Whether the word before a name, or one of the two after it, is *or*.
    fn has_or_beside(&self, mention: &Mention, start: usize, end: usize) -> bool {
        let is_or = |word: &Word| OR.contains(&word.text.as_str());
        let before = self.words[..self.words.partition_point(|word| word.end <= mention.start)].last();
        let after = &self.words[self.words.partition_point(|word| word.start < mention.end)..];
        before.is_some_and(|word| start <= word.start && is_or(word))
            || after.iter().take(2).any(|word| word.end <= end && is_or(word))
    }

    /// Whether a sign inside or beside a name says more than the name: `GPL-3.0+`, `GPL >= 2`, `MIT | file LICENSE`. An
    /// `&` inside it is the word.
    fn has_sign_beside(&self, mention: &Mention) -> bool {
        let before = &self.masked[..mention.start];
        let after = self.masked[mention.end..].trim_start_matches([' ', ')', '(', '"']);
        let compares =
            after.strip_prefix(['<', '>']).is_some_and(|next| next.starts_with([' ', '=']) || is_number(next));
        names::has_signs(&self.masked[mention.start..mention.end].replace('&', " "))
            || before.ends_with(['!', '<'])
            || before.trim_end().ends_with(['+', '=', '≥', '≤', '≠', '≈', '~', '|', '&'])
            || after.starts_with(['?', '+', '=', '≥', '≤', '≠', '|', '&'])
            || compares
    }
}

fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether what stands before a name puts the data under it: nothing, or words that lead there.
fn leads(before: &str) -> bool {
    if !before.chars().any(char::is_alphanumeric) {
        return true;
    }
    let words = words(before);
    let led = words.iter().any(|word| {
        ["licen", "lizen"].iter().any(|stem| word.text.starts_with(stem)) || LEADS.contains(&word.text.as_str())
    });
    let end = before.trim_end_matches(|c: char| !c.is_alphanumeric());
    led || end.ends_with("public domain")
}

const LEADS: &[&str] =
    &["under", "governed", "subject", "dedicated", "see", "unter", "sous", "onder", "conforme", "bajo", "sotto", "sob"];

/// Words that make one licence for all of the data doubtful, wherever in the sentence they stand.
const DOUBT: &[&str] = &[
    "unless",
    "except",
    "exception",
    "exceptions",
    "excluding",
    "excludes",
    "excluded",
    "vary",
    "varies",
    "various",
    "varying",
    "multiple",
    "several",
    "most",
    "mostly",
    "usually",
    "some",
    "sometimes",
    "partly",
    "partially",
    "similar",
    "may",
    "might",
    "either",
    "initially",
    "previously",
    "formerly",
    "not",
    "no",
    "nor",
    "neither",
    "never",
    "only",
    "also",
    "annotations",
    "annotation",
    "code",
    "software",
    "metadata",
    "additional",
    "additionally",
    "however",
    "individual",
    "respective",
    "restricted",
    "own",
    "without",
    "instead",
    "until",
    "embargo",
    "applicable",
    "cannot",
    "prohibited",
    "nicht",
    "kein",
    "keine",
    "außer",
    "sofern",
    "teilweise",
    "sauf",
    "hormis",
    "pas",
    "niet",
    "geen",
    "behalve",
    "tenzij",
    "excepto",
    "salvo",
    "eccetto",
    "later",
    "newer",
    "higher",
    "upwards",
    "apart",
    "other",
    "others",
    "besides",
    "images",
    "texts",
    "documentation",
    "t",
    "n",
    "ausgenommen",
    "ausnahme",
    "ausnahmen",
    "ausser",
    "nur",
    "lediglich",
    "ausschließlich",
    "ohne",
    "einige",
    "manche",
    "teils",
    "soweit",
    "später",
    "spätere",
    "spätestens",
    "früher",
    "ehemals",
    "keinem",
    "keiner",
    "keinen",
    "keines",
    "nie",
    "niemals",
    "non",
    "ne",
    "ni",
    "aucun",
    "aucune",
    "seulement",
    "uniquement",
    "exclusivement",
    "excepté",
    "exceptés",
    "sans",
    "certains",
    "certaines",
    "quelques",
    "partiellement",
    "ultérieure",
    "ultérieures",
    "solo",
    "soltanto",
    "solamente",
    "unicamente",
    "esclusivamente",
    "né",
    "nessuna",
    "nessuno",
    "tranne",
    "eccezione",
    "eccezion",
    "senza",
    "alcuni",
    "alcune",
    "parzialmente",
    "successive",
    "successiva",
    "sólo",
    "únicamente",
    "exclusivamente",
    "excepción",
    "sin",
    "ninguna",
    "ninguno",
    "tampoco",
    "nunca",
    "algunos",
    "algunas",
    "parcialmente",
    "posterior",
    "posteriores",
    "não",
    "nem",
    "apenas",
    "somente",
    "exceto",
    "exceção",
    "sem",
    "alguns",
    "algumas",
    "nenhuma",
    "nenhum",
    "alleen",
    "uitsluitend",
    "enkel",
    "slechts",
    "uitgezonderd",
    "uitzondering",
    "zonder",
    "sommige",
    "gedeeltelijk",
    "inte",
    "ej",
    "endast",
    "enbart",
    "bara",
    "utom",
    "undantag",
    "vissa",
    "delvis",
    "senare",
    "aldrig",
    "utan",
    "ikke",
    "ikkje",
    "kun",
    "bare",
    "undtagen",
    "undtagelse",
    "medmindre",
    "nogle",
    "noen",
    "unntatt",
    "aldri",
    "senere",
    "uden",
    "ei",
    "eivät",
    "vain",
    "ainoastaan",
    "paitsi",
    "ellei",
    "osittain",
    "pole",
    "mitte",
    "ainult",
    "tylko",
    "wyłącznie",
    "oprócz",
    "wyjątkiem",
    "chyba",
    "niektóre",
    "częściowo",
    "bez",
    "není",
    "nejsou",
    "pouze",
    "jen",
    "kromě",
    "výjimkou",
    "některé",
    "částečně",
    "nincs",
    "csak",
    "kizárólag",
    "kivéve",
    "nije",
    "nisu",
    "samo",
    "osim",
    "niso",
    "razen",
    "iba",
    "len",
    "okrem",
    "výnimkou",
    "nu",
    "doar",
    "numai",
    "excepția",
    "excepţia",
    "не",
    "само",
    "освен",
    "δεν",
    "μόνο",
    "εκτός",
    "nav",
    "tikai",
    "izņemot",
    "nėra",
    "tik",
    "išskyrus",
    "níl",
    "amháin",
    "seachas",
    "mhux",
    "mhumiex",
    "biss",
    "ħlief",
    "former",
    "will",
    "pending",
    "proposed",
    "planned",
    "compatible",
    "incompatible",
    "equivalent",
    "different",
    "analog",
    "analogous",
    "like",
    "ähnlich",
    "ähnliche",
    "ressemblant",
    "similaire",
    "similaires",
    "simile",
    "simili",
    "autre",
    "autres",
    "diferente",
    "distinta",
    "anders",
    "andere",
    "statt",
    "equivalente",
    "équivalente",
    "geschützt",
    "copyrighted",
    "vorgesehen",
    "geplant",
    "prévue",
];
/// Words before the name that speak of a part of the data, or of other data.
const PART: &[&str] = &["contains", "contain", "derived", "based", "source", "sources", "inputs", "original"];
const DOUBTFUL: &[&str] = &[
    "academic",
    "educational",
    "research purposes",
    "research use",
    "terms of use",
    "terms & conditions",
    "terms apply",
    "data use",
    "agreement and",
    "and the terms",
    "where possible",
    "e.g.",
    "for example",
    "and other",
    "or other",
];
const OR: &[&str] = &[
    "or", "oder", "ou", "o", "eller", "tai", "või", "lub", "nebo", "alebo", "vagy", "ali", "ili", "sau", "или", "ή",
    "vai", "arba",
];
/// Stems of words with which a sentence speaks of what may be done.
const SPEAKS: &[&str] = &[
    "licen",
    "lizen",
    "terms",
    "restrict",
    "permission",
    "permitted",
    "commercial",
    "kommerziel",
    "redistribut",
    "be distributed",
    "all rights",
    "agreement",
    "policy",
    "policies",
    "academic",
    "prohibit",
    "not allowed",
    "profit",
    "exclusive",
    "consent of",
    "approval",
    "comercial",
    "copyrighted",
    "confidential",
    "internal use",
    "use only",
    "research only",
    "do not share",
    "do not distribute",
    "réservé",
    "interdit",
    "verboten",
    "untersagt",
    "geschützt",
    "nur für",
    "vietat",
    "prohib",
    "forbidden",
];
/// Sentences that change nothing.
const IDLE: &[&str] = &[
    "no restrictions",
    "in compliance with the license",
    "you may obtain a copy of the license",
    "copy of the license",
    "copy of this license",
    "copy of the licence",
    "copy of this licence",
    "license is applicable to",
    "has adopted the",
    "licensors are",
    "all rights reserved",
    "no rights reserved",
];
/// Words of an address or of its title behind which further terms may stand.
const TERMS: &[&str] = &["licen", "terms", "agreement", "legal", "policy", "policies", "copyright", "eula", "-dua"];
/// Words that name a family of licences, with how its ids begin.
const FAMILIES: &[(&str, &str)] = &[
    ("gpl", "gpl"),
    ("lgpl", "lgpl"),
    ("agpl", "agpl"),
    ("bsd", "bsd"),
    ("mit", "mit"),
    ("apache", "apache"),
    ("mpl", "mpl"),
    ("eupl", "eupl"),
    ("odbl", "odbl"),
    ("odc", "odc"),
    ("pddl", "pddl"),
    ("cdla", "cdla"),
    ("ogl", "ogl"),
    ("nlod", "nlod"),
    ("iodl", "iodl"),
    ("etalab", "etalab"),
    ("ouverte", "etalab"),
    ("datenlizenz", "dl"),
    ("dl", "dl"),
];

/// Blanks addresses and the marks of HTML, so that every other byte stays where it is.
fn mask(text: &str) -> (String, Vec<Link>) {
    let mut masked = text.to_owned();
    let mut links = Vec::new();
    let mut from = 0;
    while let Some(start) = masked[from..].find("http").map(|at| from + at) {
        let rest = &masked[start..];
        let length = rest.find(|c: char| c.is_whitespace() || "()[]\"'<>”’»".contains(c)).unwrap_or(rest.len());
        let url = rest[..length].trim_end_matches(['.', ',', ';', ':', '\\']).to_owned();
        if url.starts_with("http://") || url.starts_with("https://") {
            masked.replace_range(start..start + url.len(), &"\u{1}".repeat(url.len()));
            links.push(Link { known: address::find(&url), url, start });
        }
        from = start + length.max(4);
    }
    (masked, links)
}

/// Where the sentences of a text begin and end, in bytes: at a stop, an empty line, and at mark-up.
fn sentences(text: &str) -> Vec<(usize, usize)> {
    let mut sentences = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let next = text[at + c.len_utf8()..].chars().next();
        let ends = match c {
            '.' | '!' | '?' => next.is_none_or(|next| next.is_whitespace() || "\"'”)]".contains(next)),
            '\n' => next == Some('\n'),
            '<' | '>' => true,
            _ => false,
        };
        if ends {
            sentences.push((start, at + c.len_utf8()));
            start = at + c.len_utf8();
        }
    }
    sentences.push((start, text.len()));
    sentences
}
