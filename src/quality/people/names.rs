//! Names of people in a text, where the words beside them say that they are names: a title, *contact:*, an e-mail address
//! of the same name, a list of authors. A name alone is not looked for: without learning it cannot be told from a street,
//! a species or an office.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Seen, What};

/// Titles that stand before a name and before nothing else, as they are written, without their point.
const TITLES: &str = "Dr Prof Professor Professeur Mme Mlle Mevr Mevrouw Dhr Herr Herrn Frau Mrs Ms Mr Dott Dottssa Sig \
    Sra Ing Dipl Mgr PhDr MUDr RNDr";
/// What announces a person, in lower case.
const LABELS: &str = "contact|contact person|contactpersoon|contact point|personne de contact|personne à contacter|\
    ansprechpartner|ansprechpartnerin|ansprechperson|kontaktperson|kontakt|yhteyshenkilö|author|authors|\
    auteur|auteurs|autor|autoren|autore|created by|curated by|collected by|compiled by|maintained by|\
    annotated by|written by|principal investigator|data owner|data manager|kontaktní osoba|réalisé par|\
    bearbeiter|bearbeitet von|sachbearbeiter";
/// Labels after which a name follows without a colon.
const BARE: &str = "created by|curated by|collected by|compiled by|maintained by|annotated by|written by|réalisé par|\
    bearbeitet von";
/// Words of which a name of an office, a place or a work is made; one of them, and it is no person.
const OFFICES: &str = "academy act aerial agence agency agentschap amazon amt and annotators api archive area association \
    authority avenue aws bank board brussel brussels bruxelles bundesamt bureau cadastre catalogue \
    center centre city climate college commission committee commons company consortium corpus council \
    county creative data dataset departement department desk details dienst different digital direction \
    directorate district division département earth east email environment environnement europe european \
    evaluation experts facebook fachbereich faculty federal field flanders for forest form forum \
    foundation gemeente gemeinde geo geodata geographic geological geoportal github gmbh google \
    government group haltestelle health helpdesk hospital house http https inc independent information \
    initiative institut institute instituto instruct instruments international kreis lab labelers \
    laboratory labs land landesamt landeshauptstadt landkreis language leefmilieu library licence \
    license limited ltd mail mapping marine microsoft milieu ministerium ministry ministère mobilité \
    model multi multiple municipality museum name national native nature network no north number ocean \
    office online open organisation organization our packages page park person persons phone pied place \
    plan platform platz please point police portal post program programme project province provincie \
    public question rate referentie region regional registry research researchers river royal rue school \
    science sciences scientific sea secretariat section see semantic series service services social \
    society south spatial srl stad stadt state statistical statistics statistik statistisches straat \
    strasse straße street students survey system systems team technology tel the three time town tracing \
    transport trust two union unit united universiteit university universität université us various \
    vehicle via ville vlaamse volunteers wallonie water weather web website weg west workers www your \
    zone école";
/// Particles that belong to a name, in small letters.
const PARTICLES: &str = "de du da di della van von der den ten ter la le af zu del dos el bin y";

/// Adds the names of a text. The first `mails` of what was found are its e-mail addresses.
pub(super) fn find(text: &str, mails: usize, found: &mut Vec<Seen>) {
    let words = words(text);
    let mut names = Vec::new();
    for at in 0..words.len() {
        let (start, word) = words[at];
        if TITLE_SET.contains(word) && is_title(text, start, word) {
            names.extend(
                name_from(text, &words, skip_titles(&words, at + 1), 1)
                    .filter(|name| follows_title(text, start + word.len(), name.0)),
            );
        }
        if let Some(next) = label(text, &words, at) {
            names.extend(name_from(text, &words, next, 2));
        }
    }
    for seen in found.iter().take(mails).filter(|seen| seen.what == What::PersonalMail) {
        names.extend(beside_mail(text, &words, seen));
    }
    found.extend(names.into_iter().map(|(start, end)| Seen { what: What::Name, start, end }));
    authors(text, &words, found);
}

/// The lists as sets: every word of every text is looked up in them.
static TITLE_SET: Words = LazyLock::new(|| TITLES.split(' ').collect());
static OFFICE_SET: Words = LazyLock::new(|| OFFICES.split(' ').collect());
static PARTICLE_SET: Words = LazyLock::new(|| PARTICLES.split(' ').collect());
/// The first words of the labels.
static FIRST_WORDS: Words = LazyLock::new(|| LABELS.split('|').filter_map(|label| label.split(' ').next()).collect());

type Words = LazyLock<HashSet<&'static str>>;

/// Words of letters, with the apostrophes and dashes inside them.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut begin = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        let is_part = c.is_alphabetic() || (begin.is_some() && "'’-".contains(c));
        match (begin, is_part) {
            (None, true) => begin = Some(at),
            (Some(start), false) => {
                found.push((start, text[start..at].trim_end_matches(['\'', '’', '-'])));
                begin = None;
            }
            _ => {}
        }
    }
    found
}

/// Whether a title is one here: a word of its own, and an abbreviation keeps its point apart from a domain or a file.
fn is_title(text: &str, start: usize, word: &str) -> bool {
    let before = text[..start].chars().next_back();
    let after = text[start + word.len()..].chars().next();
    !before.is_some_and(|c| c.is_alphanumeric() || "._-/@".contains(c))
        && match after {
            Some('.') => text[start + word.len() + 1..].starts_with(char::is_whitespace),
            after => matches!(after, Some(' ' | '\u{a0}')),
        }
}

/// Nothing but points, spaces and further titles stand between a title and its name.
fn follows_title(text: &str, end: usize, name: usize) -> bool {
    let between = &text[end..name];
    between.len() <= 24 && !between.contains(['\n', ',', ';', ':', '(']) && !between.contains(". .")
}

fn skip_titles(words: &[(usize, &str)], mut at: usize) -> usize {
    while words.get(at).is_some_and(|(_, word)| {
        TITLE_SET.contains(word) || ["Ing", "rer", "nat", "med", "phil", "habil", "h", "c"].contains(word)
    }) {
        at += 1;
    }
    at
}

/// The place of the word after a label and its colon.
fn label(text: &str, words: &[(usize, &str)], at: usize) -> Option<usize> {
    if !FIRST_WORDS.contains(words[at].1.to_lowercase().as_str()) {
        return None;
    }
    let labels = (1..=3).rev().filter(|length| at + length <= words.len()).find_map(|length| {
        let (start, last) = (words[at].0, words[at + length - 1]);
        let phrase = &text[start..last.0 + last.1.len()];
        (phrase.len() <= 30 && LABELS.split('|').any(|known| known == phrase.to_lowercase()))
            .then(|| (at + length, phrase.to_lowercase()))
    });
    let (next, phrase) = labels?;
    let (start, last) = (words.get(next)?.0, words[next - 1]);
    let between = &text[last.0 + last.1.len()..start];
    let is_announced = between.trim_start_matches("(s)").trim_start().starts_with(':') && between.len() <= 6;
    (is_announced || BARE.split('|').any(|known| known == phrase) && between == " ").then_some(next)
}

/// A name that begins at a word: one capitalised word after another, at least so many of them, and not an office.
fn name_from(text: &str, words: &[(usize, &str)], at: usize, least: usize) -> Option<(usize, usize)> {
    let first = skip_titles(words, at);
    let (start, _) = *words.get(first)?;
    let (mut end, mut parts, mut at) = (start, 0, first);
    while let Some((begin, word)) = words.get(at).copied() {
        let gap = if at == first { "" } else { &text[end..begin] };
        let is_joined = gap.is_empty() || gap == " " || gap == "\u{a0}" || (gap == ". " && end - words[at - 1].0 <= 2);
        if !is_joined || parts == 4 {
            break;
        }
        if is_name_part(word) {
            // A single letter is an initial and counts for no name of its own.
            parts += usize::from(word.chars().count() > 1);
            end = begin + word.len();
        } else if parts > 0
            && PARTICLE_SET.contains(word)
            && words.get(at + 1).is_some_and(|(_, next)| is_name_part(next))
        {
            end = begin + word.len();
        } else {
            break;
        }
        at += 1;
    }
    let name = words[first..at].iter().map(|(_, word)| word.to_lowercase());
    let is_office = name
        .clone()
        .any(|word| OFFICE_SET.contains(word.as_str()) || word.split('-').any(|part| OFFICE_SET.contains(part)))
        || words.get(at).is_some_and(|(begin, next)| {
            &text[end..*begin] == " " && OFFICE_SET.contains(next.to_lowercase().as_str()) && is_capital(next)
        });
    (parts >= least && !is_office).then_some((start, end))
}

/// A word as a name is written: a capital, then small letters (`Weber`, `O'Brien`, `Kuhn-Meier`), or one capital alone.
fn is_name_part(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase)
        && (word.chars().count() == 1 || letters.any(char::is_lowercase))
        && word.chars().filter(|c| c.is_uppercase()).count()
            <= 1 + word.matches(['-', '\'', '’']).count() + usize::from(word.starts_with("Mc"))
}

fn is_capital(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// The name right before an address that has a word of it: `Aino Virtanen (aino.virtanen@…)`.
fn beside_mail(text: &str, words: &[(usize, &str)], mail: &Seen) -> Option<(usize, usize)> {
    let local = text[mail.start..mail.end].split('@').next().unwrap_or_default().to_lowercase();
    let last = words.iter().rposition(|(start, word)| start + word.len() <= mail.start)?;
    let (start, word) = words[last];
    let between = &text[start + word.len()..mail.start];
    if between.chars().count() > 12 || between.contains(['\n', '.']) {
        return None;
    }
    let begin = (0..=last).rev().take(3).take_while(|at| is_name_part(words[*at].1)).last()?;
    let (from, to) = name_from(text, words, begin, 2)?;
    let is_of_the_address = words[begin..=last].iter().any(|(_, word)| {
        let word = word.to_lowercase();
        word.chars().count() >= 3 && local.contains(word.as_str())
    });
    (is_of_the_address && to == start + word.len()).then_some((from, to))
}

/// A list of authors as bibliographies write it: `Virtanen, A., de Vries, J.`, two or more.
fn authors(text: &str, words: &[(usize, &str)], found: &mut Vec<Seen>) {
    let mut at = 0;
    while at < words.len() {
        let (mut next, mut count, mut end) = (at, 0, words[at].0);
        while let Some((after, stop)) = author(text, words, next) {
            let gap = if count == 0 { "" } else { text[end..words[next].0].trim() };
            if !["", ",", "&", ", &", ";", ", and", "and"].contains(&gap) && count > 0 {
                break;
            }
            (next, end) = (after, stop);
            count += 1;
            if words.get(next).is_some_and(|(_, word)| ["and", "und", "et"].contains(word)) {
                next += 1;
            }
        }
        if count >= 2 {
            found.push(Seen { what: What::Authors, start: words[at].0, end });
            at = next;
        } else {
            at += 1;
        }
    }
}

/// One author: a surname, a comma, one to three initials with points. The place after it, and where it ends.
fn author(text: &str, words: &[(usize, &str)], at: usize) -> Option<(usize, usize)> {
    // `de Rigo, D.`: the particles before a surname belong to it.
    let at = (at..words.len().min(at + 3)).find(|at| !PARTICLE_SET.contains(words[*at].1.to_lowercase().as_str()))?;
    let (start, surname) = *words.get(at)?;
    if !is_name_part(surname) || surname.chars().count() < 2 || text[..start].ends_with(['.', '@']) {
        return None;
    }
    let (mut end, mut next, mut initials) = (start + surname.len(), at + 1, 0);
    while let Some((begin, word)) = words.get(next).copied() {
        let gap = &text[end..begin];
        let expected = if initials == 0 { gap == ", " } else { ["", " ", "-"].contains(&gap) };
        if !expected
            || word.chars().count() != 1
            || !is_capital(word)
            || !text[begin + word.len()..].starts_with('.')
            || initials == 3
        {
            break;
        }
        end = begin + word.len() + 1;
        initials += 1;
        next += 1;
    }
    (initials > 0).then_some((next, end))
}
