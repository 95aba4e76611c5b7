//! Whose mailbox an e-mail address is: a desk's, which stays when people go, or a person's, which is personal data.
//!
//! Only the address is looked at. Words that name a desk are known in the languages of the Union as far as they were met
//! in real catalogues; a mailbox that bears the name of its own organisation is a desk's too.

/// Words that stand in the mailboxes of desks, in lower case.
const DESKS: &str = "abuse access accueil admin administratie administration archief archiv archive archives \
    asiakaspalvelu ask avoindata biblioteca biblioteka bibliothek blockchain bureau cadastre catalog \
    catalogue census center centre climate commune communication contact contacto contatti corpora \
    corpus data database dataservice dataset datasets daten datenportal dati datos desk digital \
    direction documentation donnees dpd dpo dsb editor einwohner energie environment environnement \
    feedback forum gdi gdpr gemeinde geo geodata geodaten geodateninfrastruktur geodesie geodienste \
    geoinfo geoinformatie geoinformatik geoinformation geologie geoportal gezondheid gis group hello \
    help helpdesk hilfe hydro info infos inspire invest itsupport jrc kartta kataster kirjaamo klant \
    klantendienst kontakt kundenservice kwaliteit lab legal library licence license licensing lists mail \
    mailbox mairie marketing media meldingen metadata meteo mobilite mobility natura natuur noreply \
    offene office ombudsman open opendata opendataportal ouvertes planning portal post postmaster \
    poststelle press presse privacy programme project publications query questions register registratur \
    registraturen registry rekisteri reply requests research rights sales schadegevallen secretariaat \
    secretariat sekretariat service servicedesk services sig stadt stat statbel statistics statistiek \
    statistik statistiques stats support team tietosuoja tilastot toimisto tourism tourisme trafic \
    transport tutkimus umwelt urbanisme verkehr vermessung ville water weather webmaster webservices \
    webteam wegen wfs whoiswho wms zentrale";

/// Parts of words that name a desk wherever they stand: `natuurdata`, `klantendienst`, `asiakaspalvelu`.
const DESK_PARTS: [&str; 8] = ["data", "desk", "dienst", "help", "info", "palvelu", "service", "support"];

/// Whether a mailbox is a desk's: a word of its local part names one, or it bears the name of its organisation.
pub fn is_a_desk(local: &str, host: &str) -> bool {
    let local = local.to_lowercase();
    let words: Vec<&str> = words(&local).collect();
    let host = host.to_lowercase();
    let names_host = |word: &&str| word.len() >= 3 && host.split(['.', '-']).any(|label| label == *word);
    words.iter().any(|word| names_a_desk(word)) || (words.len() == 1 && words.iter().any(names_host))
}

/// Whether a mailbox looks like `first.last`: two or more words of letters, none of which is a desk's.
pub fn looks_like_a_person(local: &str) -> bool {
    let local = local.to_lowercase();
    let parts: Vec<&str> = local.split(['.', '_']).collect();
    parts.len() >= 2
        && parts.iter().all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphabetic() || c == '-'))
        && !words(&local).any(names_a_desk)
}

fn names_a_desk(word: &str) -> bool {
    DESKS.split(' ').any(|desk| desk == word) || DESK_PARTS.iter().any(|part| word.contains(part))
}

fn words(local: &str) -> impl Iterator<Item = &str> {
    local.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_desk_is_known_by_its_word_or_by_the_name_of_its_house() {
        for (local, host) in [
            ("info", "x.example"),
            ("open-data", "x.example"),
            ("GIS2", "x.example"),
            ("statec", "statec.example"),
            ("geo.service", "x.example"),
        ] {
            assert!(is_a_desk(local, host), "{local}@{host}");
        }
        for (local, host) in
            [("aino.virtanen", "data.example"), ("jdupont", "stad.example"), ("m.weber", "weber.example")]
        {
            assert!(!is_a_desk(local, host), "{local}@{host}");
        }
    }

    #[test]
    fn a_person_has_two_names() {
        for person in ["aino.virtanen", "jan_de-vries", "José.García"] {
            assert!(looks_like_a_person(person), "{person}");
        }
        for other in ["data", "open-data", "data.access", "q4.2", "jdupont"] {
            assert!(!looks_like_a_person(other), "{other}");
        }
    }
}
