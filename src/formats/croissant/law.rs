//! Personal data in the words of the Data Privacy Vocabulary, the reservation of text and data mining, and how a dataset
//! was gathered: what the table of terms cannot say because it has a shape of its own.

use serde_json::{Map, Value, json};

use crate::domain::bounds;
use crate::domain::dataset::{AccessRights, Agent, Contact, Crawl, Dataset, Period, TdmReservation, TokenCount};
use crate::domain::gdpr::{Dpia, Gdpr, PersonalData, Transfer, is_special_category, is_special_condition};
use crate::domain::ids::{Country, Iri};
use crate::domain::licence::Answer;
use crate::formats::draft::{Notes, day, parse_iri, shown};
use crate::formats::linked::{Document, Item, Node, short};
use crate::formats::schema_org::words::Words;
use crate::formats::schema_org::{coverage, parties};
use crate::vocabulary;

/// Whether there is personal data, by the class of DPV.
const PERSONAL: [(PersonalData, &str); 4] = [
    (PersonalData::No, "dpv:NonPersonalData"),
    (PersonalData::Anonymised, "dpv:AnonymisedData"),
    (PersonalData::Pseudonymised, "dpv:PseudonymisedData"),
    (PersonalData::Yes, "dpv:PersonalData"),
];

/// Reads what is said about law and about collection.
pub(super) fn read(document: &Document, root: &Node, dataset: &mut Dataset, notes: &mut Notes) {
    personal_data(document, root, &mut dataset.gdpr, notes);
    dataset.tdm_reservation = match root.text("tdm:reservation").as_deref() {
        Some("1") => TdmReservation::Reserved,
        Some("0") => TdmReservation::NotReserved,
        _ => TdmReservation::NotStated,
    };
    let training = &mut dataset.training;
    training.collected = collected(root, notes);
    training.tokens = root.nodes("pleiad:tokens").next().and_then(|tokens| {
        let count = tokens.text("pleiad:count")?.parse().ok().filter(|count| *count <= bounds::COUNT)?;
        Some(TokenCount { count, tokeniser: notes.line("tokeniser", &tokens.text("pleiad:tokeniser")?)? })
    });
    training.crawl =
        root.nodes("prov:wasGeneratedBy").find(|activity| activity.is("pleiad:Crawl")).map(|node| crawl(node, notes));
    if dataset.access_rights == AccessRights::NotStated {
        let rights = root.references("dct:accessRights");
        dataset.access_rights = rights.first().map_or(AccessRights::NotStated, |iri| vocabulary::access_rights(iri));
    }
}

fn personal_data(document: &Document, root: &Node, gdpr: &mut Gdpr, notes: &mut Notes) {
    let mut answers = Vec::new();
    for class in root.references("dpv:hasData").iter().map(|iri| short(iri)) {
        match class.strip_prefix("dpv:").and_then(PersonalData::of_dpv) {
            Some(answer) => answers.push(answer),
            None => notes.note(format!("personal data: {:?} does not say whether there is any", shown(&class))),
        }
    }
    gdpr.personal_data = PersonalData::together(answers).unwrap_or_else(|| {
        notes.note("personal data: several answers are stated that differ, so none is taken");
        PersonalData::NotStated
    });
    let categories: Vec<&Node> = root.nodes("dpv:hasPersonalData").collect();
    let is_typed = categories.iter().any(|node| node.is("dpv:SpecialCategoryPersonalData"));
    for node in categories {
        let Some(iri) = node.id.as_deref().and_then(parse_iri) else { continue };
        let is_special = if is_typed { node.is("dpv:SpecialCategoryPersonalData") } else { is_special_category(&iri) };
        if is_special { gdpr.special_categories.push(iri) } else { gdpr.categories.push(iri) }
    }
    let bases = root.references("dpv:hasLegalBasis");
    let bases = notes.iris("legal basis", bases.iter().map(String::as_str));
    (gdpr.special_condition, gdpr.legal_basis) = bases.into_iter().partition(is_special_condition);
    gdpr.controllers = parties::agents(document, root.all("dpv:hasDataController"), notes);
    gdpr.processors = parties::agents(document, root.all("dpv:hasDataProcessor"), notes);
    gdpr.dpo = desk(root.nodes("dpv:hasDataProtectionOfficer").next(), notes);
    gdpr.rights_contact =
        desk(root.nodes("dpv:hasRight").flat_map(|right| right.nodes("dpv:isExercisedAt")).next(), notes);
    let durations = root.nodes("dpv:hasStorageCondition").filter_map(|condition| condition.text("dpv:hasDuration"));
    gdpr.retention = durations.into_iter().find(|text| bounds::is_duration(text) || bounds::parse_day(text).is_some());
    gdpr.dpia = root.nodes("dpv:hasImpactAssessment").find_map(dpia);
    gdpr.transfers = root.nodes("dpv:hasDataTransfer").filter_map(transfer).collect();
    let places = root.references("dpv:hasLocation");
    gdpr.processing_locations = places.iter().filter_map(|iri| vocabulary::country(iri)).collect();
    for (what, list) in [("categories", &mut gdpr.categories), ("special categories", &mut gdpr.special_categories)] {
        notes.cut(what, list);
    }
    notes.cut("controllers", &mut gdpr.controllers);
    notes.cut("processors", &mut gdpr.processors);
    notes.cut("transfers", &mut gdpr.transfers);
    notes.cut("places of processing", &mut gdpr.processing_locations);
}

fn desk(node: Option<&Node>, notes: &mut Notes) -> Option<Contact> {
    parties::contact_point(node?, None, notes)
}

fn dpia(node: &Node) -> Option<Dpia> {
    let status = node.text("pleiad:dpiaStatus").map(Value::String)?;
    let reference = node.references("schema:url").iter().find_map(|text| parse_iri(text));
    Some(Dpia { status: serde_json::from_value(status).ok()?, reference })
}

fn transfer(node: &Node) -> Option<Transfer> {
    let country: Country = node.references("dpv:hasLocation").iter().find_map(|iri| vocabulary::country(iri))?;
    let tool = node.references("dpv:hasLegalBasis").iter().find_map(|iri| parse_iri(iri))?;
    Some(Transfer { country, tool })
}

fn collected(root: &Node, notes: &mut Notes) -> Option<Period> {
    let frame = root.first_of(&["rai:dataCollectionTimeFrame", "rai:dataCollectionTimeframe"]);
    let mut texts: Vec<String> = frame.iter().filter_map(Item::text).collect();
    if let [only] = &texts[..]
        && let Some(period) = only.contains('/').then(|| coverage::period(only)).flatten()
    {
        return Some(period);
    }
    let end = root.text("it6:collectionDate").and_then(|text| day(&text));
    texts.truncate(2);
    let days = notes.days("time of collection", texts.iter().map(String::as_str));
    let period = Period { start: days.first().copied(), end: days.get(1).copied().or(end) };
    (period.start.is_some() || period.end.is_some()).then_some(period)
}

fn crawl(node: &Node, notes: &mut Notes) -> Crawl {
    let at = |property: &str| node.text(property).and_then(|text| day(&text));
    let (start, end) = (at("prov:startedAtTime"), at("prov:endedAtTime"));
    let mut domains: Vec<String> =
        node.all("prov:used").iter().filter_map(Item::text).filter_map(|text| notes.line("domain", &text)).collect();
    notes.cut("domains", &mut domains);
    let answer = |property: &str| match node.all(property) {
        [Item::Bool(true), ..] => Answer::Yes,
        [Item::Bool(false), ..] => Answer::No,
        _ => Answer::NotStated,
    };
    Crawl {
        period: (start.is_some() || end.is_some()).then_some(Period { start, end }),
        domains,
        robots_honoured: answer("pleiad:robotsHonoured"),
        reservations_honoured: answer("pleiad:reservationsHonoured"),
    }
}

/// Writes what is said about law and about collection.
pub(super) fn write(dataset: &Dataset, words: &Words, document: &mut Map<String, Value>) {
    let mut put = |term: &str, value: Value| document.insert(term.to_owned(), value);
    match dataset.tdm_reservation {
        TdmReservation::Reserved => put("tdm:reservation", json!(1)),
        TdmReservation::NotReserved => put("tdm:reservation", json!(0)),
        TdmReservation::NotStated => None,
    };
    if let Some(Period { start, end }) = dataset.training.collected {
        match start {
            Some(_) => put(
                "rai:dataCollectionTimeFrame",
                json!([start, end].into_iter().flatten().map(|day| day.to_string()).collect::<Vec<_>>()),
            ),
            None => put("it6:collectionDate", json!(end.map(|day| day.to_string()))),
        };
    }
    if let Some(tokens) = &dataset.training.tokens {
        put("pleiad:tokens", json!({"pleiad:count": tokens.count, "pleiad:tokeniser": tokens.tokeniser}));
    }
    if let Some(crawl) = &dataset.training.crawl {
        put("prov:wasGeneratedBy", written_crawl(crawl));
    }
    document.extend(written_gdpr(&dataset.gdpr, words));
}

fn written_crawl(crawl: &Crawl) -> Value {
    let mut activity = json!({"@type": ["prov:Activity", "pleiad:Crawl"], "prov:label": "Web crawl"});
    if let Some(Period { start, end }) = crawl.period {
        for (term, day) in [("prov:startedAtTime", start), ("prov:endedAtTime", end)] {
            if let Some(day) = day {
                activity[term] = json!(day.to_string());
            }
        }
    }
    if !crawl.domains.is_empty() {
        activity["prov:used"] = json!(crawl.domains);
    }
    let answers = [
        ("pleiad:robotsHonoured", crawl.robots_honoured),
        ("pleiad:reservationsHonoured", crawl.reservations_honoured),
    ];
    for (term, answer) in answers {
        if answer != Answer::NotStated {
            activity[term] = json!(answer == Answer::Yes);
        }
    }
    activity
}

fn written_gdpr(gdpr: &Gdpr, words: &Words) -> Map<String, Value> {
    let mut written = Map::new();
    let mut list = |term: &str, values: Vec<Value>| {
        if !values.is_empty() {
            written.insert(term.to_owned(), json!(values));
        }
    };
    let ids = |iris: &[Iri]| iris.iter().map(|iri| json!({"@id": iri})).collect::<Vec<_>>();
    let agents = |agents: &[Agent]| agents.iter().map(|agent| parties::written(agent, words)).collect::<Vec<_>>();
    let class = PERSONAL.iter().find(|(answer, _)| *answer == gdpr.personal_data);
    list("dpv:hasData", class.map(|(_, class)| json!({"@id": class})).into_iter().collect());
    let special = |iri: &Iri| json!({"@id": iri, "@type": "dpv:SpecialCategoryPersonalData"});
    let mut categories = ids(&gdpr.categories);
    categories.extend(gdpr.special_categories.iter().map(special));
    list("dpv:hasPersonalData", categories);
    list("dpv:hasLegalBasis", [ids(&gdpr.legal_basis), ids(&gdpr.special_condition)].concat());
    list("dpv:hasDataController", agents(&gdpr.controllers));
    list("dpv:hasDataProcessor", agents(&gdpr.processors));
    let desk = |contact: &Option<Contact>| contact.as_ref().map(parties::written_contact);
    list("dpv:hasDataProtectionOfficer", desk(&gdpr.dpo).into_iter().collect());
    let right = desk(&gdpr.rights_contact).map(|desk| json!({"@type": "dpv:Right", "dpv:isExercisedAt": desk}));
    list("dpv:hasRight", right.into_iter().collect());
    let storage = gdpr.retention.as_ref().map(|text| json!({"@type": "dpv:StorageDuration", "dpv:hasDuration": text}));
    list("dpv:hasStorageCondition", storage.into_iter().collect());
    list("dpv:hasImpactAssessment", gdpr.dpia.as_ref().map(written_dpia).into_iter().collect());
    list("dpv:hasDataTransfer", gdpr.transfers.iter().map(written_transfer).collect());
    let places = gdpr.processing_locations.iter().filter_map(vocabulary::country_iri);
    list("dpv:hasLocation", places.map(|iri| json!({"@id": iri})).collect());
    written
}

fn written_dpia(dpia: &Dpia) -> Value {
    let mut written = json!({"@type": "dpv:DPIA", "pleiad:dpiaStatus": dpia.status});
    if let Some(reference) = &dpia.reference {
        written["url"] = json!(reference);
    }
    written
}

fn written_transfer(transfer: &Transfer) -> Value {
    let mut written = json!({"@type": "dpv:DataTransfer", "dpv:hasLegalBasis": {"@id": transfer.tool}});
    if let Some(iri) = vocabulary::country_iri(&transfer.country) {
        written["dpv:hasLocation"] = json!({"@id": iri});
    }
    written
}
