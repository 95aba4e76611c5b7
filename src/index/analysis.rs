//! How a text becomes terms, each by its own language, and the words of a question by the reader's.
//!
//! A word is normalised (NFKC, lower case) and kept in up to three forms at one position: its *key* (the stem in its
//! language, folded), its surface (folded, not stemmed) and the stem of its folded surface. A reader who knows the
//! language finds inflected forms; a reader who pastes a word, or who cannot type å, finds it too. Languages without a
//! stemmer keep the first five letters as key, which is known to work about as well for inflecting languages.

use std::borrow::Cow;
use std::sync::LazyLock;

use frostem::{Algorithm, Stemmer};
use sha2::Digest as _;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::domain::ids::LanguageTag;

/// Words whose folded form is longer than this many bytes are not indexed.
const LONGEST: usize = 100;
/// The letters that are kept of a word in a language without a stemmer.
const TRUNCATED: usize = 5;
/// Raised when the rules here change in a way that the sample text might not show.
const RULES: u32 = 1;

/// How the words of one language are reduced to keys.
#[derive(Clone, Copy)]
pub(super) enum Reduction {
    /// A Snowball stemmer.
    Stem(Stemmer),
    /// The first letters.
    Truncate,
    /// The surface form only: no language, or one we know nothing of.
    Surface,
}

impl Reduction {
    /// The reduction for texts of this language; a text without one, or `und`, keeps its surface forms.
    pub(super) fn of(language: Option<&LanguageTag>) -> Self {
        let primary = language.map(|tag| tag.primary().to_ascii_lowercase()).unwrap_or_default();
        let algorithm = match primary.as_str() {
            "ar" => Algorithm::Arabic,
            "ca" => Algorithm::Catalan,
            // The Czech stemmer is a fair one for Slovak, and the Serbian one reads Croatian and Bosnian.
            "cs" | "sk" => Algorithm::Czech,
            "bs" | "hr" | "sr" => Algorithm::Serbian,
            "da" => Algorithm::Danish,
            "de" => Algorithm::German,
            "el" => Algorithm::Greek,
            "en" => Algorithm::English,
            "es" => Algorithm::Spanish,
            "et" => Algorithm::Estonian,
            "eu" => Algorithm::Basque,
            "fi" => Algorithm::Finnish,
            "fr" => Algorithm::French,
            "ga" => Algorithm::Irish,
            "hu" => Algorithm::Hungarian,
            "hy" => Algorithm::Armenian,
            "it" => Algorithm::Italian,
            "lt" => Algorithm::Lithuanian,
            "nb" | "nn" | "no" => Algorithm::Norwegian,
            "nl" => Algorithm::Dutch,
            "pl" => Algorithm::Polish,
            "pt" => Algorithm::Portuguese,
            "ro" => Algorithm::Romanian,
            "ru" => Algorithm::Russian,
            "sv" => Algorithm::Swedish,
            "tr" => Algorithm::Turkish,
            "be" | "bg" | "is" | "lv" | "mk" | "mt" | "sl" | "sq" | "uk" => return Self::Truncate,
            _ => return Self::Surface,
        };
        Self::Stem(Stemmer::new(algorithm))
    }

    fn key(self, word: &str) -> String {
        match self {
            Self::Stem(stemmer) => fold(&stemmer.stem(word)).into_owned(),
            Self::Truncate => fold(word).chars().take(TRUNCATED).collect(),
            Self::Surface => fold(word).into_owned(),
        }
    }
}

/// A word of a text: where it stands, in bytes and in words, and its forms, the key first.
pub(super) struct Word {
    /// First byte.
    pub(super) from: usize,
    /// The byte after the last.
    pub(super) to: usize,
    /// The number of words before it.
    pub(super) position: usize,
    /// Its key, then the other forms that differ; never empty.
    pub(super) forms: Vec<String>,
}

/// The words of a text, reduced by one language.
pub(super) fn words(text: &str, reduction: Reduction) -> impl Iterator<Item = Word> + '_ {
    spans(text).enumerate().filter_map(move |(position, (from, to))| {
        let forms = forms(&text[from..to], reduction);
        (!forms.is_empty()).then_some(Word { from, to, position, forms })
    })
}

/// A text as a title is compared: folded words with single spaces between.
pub(super) fn folded(text: &str) -> String {
    let words: Vec<String> = spans(text).map(|(from, to)| fold(&normalised(&text[from..to])).into_owned()).collect();
    words.join(" ")
}

/// Runs of letters, digits and the marks on them.
fn spans(text: &str) -> impl Iterator<Item = (usize, usize)> + '_ {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (from, first) = chars.by_ref().find(|(_, c)| c.is_alphanumeric())?;
        let mut to = from + first.len_utf8();
        while let Some((_, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() || is_combining_mark(*c)) {
            to += c.len_utf8();
        }
        Some((from, to))
    })
}

fn forms(word: &str, reduction: Reduction) -> Vec<String> {
    let word = normalised(word);
    let surface = fold(&word);
    if surface.is_empty() || surface.len() > LONGEST {
        return Vec::new();
    }
    let mut forms = vec![reduction.key(&word)];
    if forms[0].is_empty() {
        forms[0] = surface.to_string();
    }
    let mut add = |form: Cow<'_, str>| {
        if !form.is_empty() && !forms.iter().any(|known| *known == form) {
            forms.push(form.into_owned());
        }
    };
    if surface != word {
        add(Cow::Owned(reduction.key(&surface)));
    }
    add(surface);
    forms
}

fn normalised(word: &str) -> String {
    if word.is_ascii() {
        return word.to_ascii_lowercase();
    }
    let composed: String = word.nfkc().filter(|c| c.is_alphanumeric() || is_combining_mark(*c)).collect();
    composed.to_lowercase()
}

/// Without marks, and with letters that only differ by a stroke or a tie written out.
fn fold(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return Cow::Borrowed(word);
    }
    let mut folded = String::with_capacity(word.len());
    for c in word.nfd().filter(|c| !is_combining_mark(*c)) {
        match c {
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'ß' => folded.push_str("ss"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'đ' | 'ð' => folded.push('d'),
            'ł' => folded.push('l'),
            'ħ' => folded.push('h'),
            'ı' => folded.push('i'),
            'ŋ' => folded.push('n'),
            'ŧ' => folded.push('t'),
            'ς' => folded.push('σ'),
            other => folded.push(other),
        }
    }
    Cow::Owned(folded)
}

/// What tells two nodes that they make the same terms: a hash over the terms of a sample in many languages.
pub(super) fn analyser_id() -> String {
    ANALYSER.clone()
}

static ANALYSER: LazyLock<String> = LazyLock::new(|| {
    let mut hash = sha2::Sha256::new();
    hash.update(RULES.to_be_bytes());
    for (language, text) in SAMPLE {
        let language: Option<LanguageTag> = language.parse().ok();
        for word in words(text, Reduction::of(language.as_ref())) {
            for form in word.forms {
                hash.update(form.as_bytes());
                hash.update([0]);
            }
        }
        hash.update([1]);
    }
    data_encoding::HEXLOWER.encode(&hash.finalize()[..8])
});

/// Inflected words, one line a language. Changing a line changes every node's analyser.
const SAMPLE: &[(&str, &str)] = &[
    ("bg", "народното събрание речи и гласувания"),
    ("cs", "otevřených databázích parlamentních projevů"),
    ("da", "Folketingets forhandlinger og afstemningerne"),
    ("de", "Plenarprotokolle des Bundestages, Straßenverkehrsdaten"),
    ("el", "Πρακτικά των συνεδριάσεων της Βουλής των Ελλήνων"),
    ("en", "speeches of the parliament, recordings and transcriptions"),
    ("es", "las grabaciones y transcripciones parlamentarias, naciones"),
    ("et", "Riigikogu stenogrammid ja hääletustulemused"),
    ("fi", "eduskunnan täysistuntojen pöytäkirjoissa, puheenvuoroista"),
    ("fr", "les données ouvertes des débats parlementaires"),
    ("ga", "díospóireachtaí na Dála agus an tSeanaid"),
    ("hr", "zapisnici sabora i podataka o glasovanju"),
    ("hu", "országgyűlési felszólalások jegyzőkönyvei"),
    ("it", "le registrazioni delle sedute parlamentari"),
    ("lt", "Seimo posėdžių stenogramos ir balsavimai"),
    ("lv", "Saeimas sēžu stenogrammas un balsojumi"),
    ("mt", "dibattiti parlamentari u reġistrazzjonijiet"),
    ("nl", "handelingen van de Tweede Kamer, verkeersgegevens"),
    ("pl", "stenogramy posiedzeń Sejmu, przemówieniami"),
    ("pt", "gravações e transcrições das sessões"),
    ("ro", "stenogramele ședințelor parlamentului"),
    ("sk", "prepisy parlamentných rozpráv"),
    ("sl", "zapisi parlamentarnih razprav in glasovanj"),
    ("sv", "riksdagens protokoll, språkbankens inspelningar"),
    ("tr", "Türkiye Büyük Millet Meclisi tutanakları"),
    ("und", "ISO-8601 covid-19 ﬁle №5 ŒUVRE"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(language: &str, word: &str) -> String {
        let language: LanguageTag = language.parse().unwrap();
        words(word, Reduction::of(Some(&language))).next().unwrap().forms.swap_remove(0)
    }

    #[test]
    fn inflected_forms_share_a_key() {
        for (language, one, other) in [
            ("fi", "puheenvuoroista", "puheenvuorot"),
            ("fi", "pöytäkirjoissa", "pöytäkirja"),
            ("sv", "inspelningarna", "inspelning"),
            ("el", "συνεδριάσεων", "συνεδριάσεις"),
            ("cs", "databázích", "databáze"),
            ("pl", "przemówieniami", "przemówienia"),
            ("et", "stenogrammid", "stenogrammide"),
            ("hr", "podataka", "podatak"),
            ("bg", "речите", "речит"),
            ("sl", "parlamentarnih", "parlamentarni"),
        ] {
            assert_eq!(key(language, one), key(language, other), "{language}");
        }
    }

    #[test]
    fn a_word_without_its_marks_shares_a_form_with_the_word() {
        for (language, marked, bare) in [
            ("sv", "språkbanken", "sprakbanken"),
            ("fi", "pöytäkirjoissa", "poytakirjoissa"),
            ("cs", "databázích", "databazich"),
            ("es", "transcripción", "transcripcion"),
            ("hu", "jegyzőkönyvei", "jegyzokonyvei"),
            ("pl", "posiedzeń", "posiedzen"),
        ] {
            let language: LanguageTag = language.parse().unwrap();
            let forms = |word: &str| words(word, Reduction::of(Some(&language))).next().unwrap().forms;
            let (with, without) = (forms(marked), forms(bare));
            assert!(without.iter().any(|form| with.contains(form)), "{with:?} {without:?}");
        }
    }

    #[test]
    fn a_long_compound_is_kept_and_a_monster_is_not() {
        let compound = "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz";
        assert_eq!(words(compound, Reduction::of(None)).count(), 1);
        assert_eq!(words(&"x".repeat(LONGEST + 1), Reduction::of(None)).count(), 0);
    }

    #[test]
    fn the_analyser_names_itself_the_same_each_time() {
        assert_eq!(analyser_id().len(), 16);
        // Where this changes, statistics of older nodes are no longer added: on purpose only.
        assert_eq!(analyser_id(), "21155f0f5609dd68");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn any_text_in_any_language_is_analysed_within_its_bytes(text in "\\PC{0,80}", language in 0..SAMPLE.len()) {
            let language: LanguageTag = SAMPLE[language].0.parse().unwrap();
            for word in words(&text, Reduction::of(Some(&language))) {
                prop_assert!(!text[word.from..word.to].is_empty());
                prop_assert!(!word.forms.is_empty());
                prop_assert!(word.forms.iter().all(|form| !form.is_empty()));
            }
        }
    }
}
