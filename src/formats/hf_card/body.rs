//! The body of a card: Markdown in the hub's template, section by section.

use crate::domain::bounds;
use crate::domain::dataset::{Annotation, Contact, Dataset};
use crate::domain::text::Text;
use crate::formats::contact::{email, is_functional};
use crate::formats::draft::{Notes, undetermined};
use crate::formats::text;

/// What the templates write where nobody has written anything yet.
const FILLERS: [&str; 12] = [
    "more information needed",
    "needs more information",
    "dataset name",
    "more information needed.",
    "needs more information.",
    "n/a",
    "not available",
    "todo",
    "tba",
    "tbd",
    "none",
    "add a table of contents here",
];

/// The sections of a body in their order: the heading in lower case, and the text below it up to the next heading.
pub(super) struct Sections {
    title: Option<String>,
    all: Vec<(String, String)>,
}

impl Sections {
    pub(super) fn of(body: &str) -> Self {
        let mut sections = Self { title: None, all: vec![(String::new(), String::new())] };
        let mut in_code = false;
        for line in without_comments(body).lines() {
            let bare = line.trim();
            if bare.starts_with("```") || bare.starts_with("~~~") {
                in_code = !in_code;
            }
            let depth = line.bytes().take_while(|byte| *byte == b'#').count();
            let is_heading = !in_code && (1..=6).contains(&depth) && line[depth..].starts_with([' ', '\t']);
            if is_heading {
                let heading = text::line(line[depth..].trim().trim_end_matches('#'));
                if depth == 1 && sections.title.is_none() {
                    sections.title = Some(heading.clone());
                }
                sections.all.push((heading.to_lowercase(), String::new()));
            } else if let Some((_, own)) = sections.all.last_mut() {
                own.push_str(line);
                own.push('\n');
            }
        }
        sections
    }

    /// The name that the first heading gives: `Dataset Card for X`.
    pub(super) fn title(&self) -> Option<String> {
        let title = self.title.as_deref()?;
        let name = ["Dataset Card for ", "Dataset card for ", "Data Card for "]
            .iter()
            .find_map(|start| title.strip_prefix(start));
        let name = name.unwrap_or(title).trim().trim_matches(['"', '\'', '`']);
        real(name).filter(|name| !name.is_empty())
    }

    /// The real texts below headings that are one of these.
    fn texts(&self, headings: &[&str]) -> Vec<String> {
        let named =
            self.all.iter().filter(|(heading, _)| headings.contains(&heading.trim_end_matches([':', '?']).trim()));
        named.filter_map(|(_, own)| real(own)).collect()
    }

    /// The values of a line such as `- **Homepage:** https://…`.
    fn point(&self, name: &str) -> Vec<String> {
        let mut found = Vec::new();
        for (_, own) in &self.all {
            for line in own.lines() {
                let line = line.trim().trim_start_matches(['-', '*', ' ']).replace("**", "");
                let Some((label, value)) = line.split_once(':') else { continue };
                if label.trim().eq_ignore_ascii_case(name) {
                    found.extend(addresses(value));
                }
            }
        }
        found
    }

    /// The first paragraphs that say something, before any section whose matter is another.
    fn opening(&self) -> Option<String> {
        const LISTS: [&str; 3] = ["table of contents", "contents", "contributions"];
        self.all.iter().filter(|(heading, _)| !LISTS.contains(&heading.as_str())).find_map(|(_, own)| {
            let prose: Vec<&str> = own.lines().filter(|line| !is_point(line)).collect();
            real(&prose.join("\n"))
        })
    }
}

/// Whether a line is one of the template's points, such as `- **Paper:** …`.
fn is_point(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("- **")
        || line.starts_with("* **")
        || line.starts_with("**Homepage")
        || line.starts_with("**Paper")
}

/// A text without the template's own words; nothing where they are all there is.
fn real(raw: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for line in raw.lines() {
        let bare = line.trim().trim_start_matches(['-', '*', ' ']);
        let word = bare.strip_prefix('[').map_or(bare, |inner| inner.split(']').next().unwrap_or(inner));
        let is_filler = FILLERS.contains(&word.trim().trim_matches(['*', '_', '`']).to_lowercase().as_str());
        if !is_filler {
            kept.push(line);
        }
    }
    let kept = kept.join("\n").replace("[More Information Needed]", "").replace("[Needs More Information]", "");
    let says = text::passage(&kept).chars().any(char::is_alphanumeric);
    says.then(|| kept.trim().to_owned())
}

fn without_comments(body: &str) -> String {
    let mut plain = String::with_capacity(body.len());
    let mut rest = body;
    while let Some(at) = rest.find("<!--") {
        plain.push_str(&rest[..at]);
        rest = match rest[at..].find("-->") {
            Some(end) => &rest[at + end + 3..],
            None => "",
        };
    }
    plain.push_str(rest);
    plain
}

/// The web addresses in a text.
fn addresses(value: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, ')' | ']' | '>' | '<' | '"' | '\'' | '`' | '|' | ',');
    let mut found: Vec<String> = Vec::new();
    for (at, _) in value.match_indices("http").chain(value.match_indices("mailto:")) {
        let address = value[at..].split(ends).next().unwrap_or_default().trim_end_matches(['.', ';']);
        let is_whole =
            address.starts_with("http://") || address.starts_with("https://") || address.starts_with("mailto:");
        // The template's own link to how cards are written says nothing about the dataset.
        if is_whole && !address.contains("CONTRIBUTING.md") && !found.iter().any(|other| other == address) {
            found.push(address.to_owned());
        }
    }
    found
}

/// Fills in what the sections say.
pub(super) fn fill(sections: &Sections, notes: &mut Notes, dataset: &mut Dataset) {
    let mut prose = |what: &str, headings: &[&str]| -> Option<Text> {
        let texts = sections.texts(headings);
        notes.prose(what, texts.into_iter().map(|text| (undetermined(), text)))
    };
    let training = &mut dataset.training;
    let collection =
        ["curation rationale", "initial data collection and normalization", "data collection and processing"];
    training.collection_method = prose("collection", &collection);
    training.raw_data = prose(
        "source data",
        &["source data", "who are the source language producers", "who are the source data producers"],
    );
    training.annotation = prose("annotation", &["annotations", "annotation process", "annotations [optional]"]);
    let people = prose("annotators", &["who are the annotators"]);
    if people.is_some() {
        training.annotators = Some(Annotation { people, ..Annotation::default() });
    }
    training.known_biases = prose("biases", &["discussion of biases", "bias, risks, and limitations", "biases"]);
    training.social_impact =
        prose("social impact", &["social impact of dataset", "discussion of social impact and biases"]);
    training.gaps = prose("limitations", &["other known limitations", "limitations"]);
    training.sensitive_information = prose("sensitive information", &["personal and sensitive information"]);
    training.intended_use = prose("use", &["direct use", "uses", "intended uses", "supported tasks and leaderboards"]);
    training.out_of_scope = prose("use", &["out-of-scope use"]);
    let summary = prose("description", &["dataset summary", "summary"]);
    dataset.rights = prose("rights", &["licensing information", "license", "licence"]);
    dataset.description = summary
        .or_else(|| {
            let opening = sections.opening();
            notes.prose("description", opening.map(|text| (undetermined(), text)))
        })
        .or(dataset.description.take());
    if let Some(citation) = citation(sections) {
        dataset.citation = Some(citation);
    }
    addresses_of(sections, notes, dataset);
}

/// How it is to be cited: usually BibTeX, which keeps its lines.
fn citation(sections: &Sections) -> Option<String> {
    let said = sections.texts(&["citation information", "citation", "citation [optional]", "bibtex"]).join("\n\n");
    let lines = said.lines().filter(|line| !line.trim_start().starts_with("```"));
    let plain = bounds::without_controls(&lines.collect::<Vec<_>>().join("\n"));
    let (plain, _) = text::shortened(plain.trim().to_owned(), bounds::PROSE);
    (!plain.is_empty()).then_some(plain)
}

fn addresses_of(sections: &Sections, notes: &mut Notes, dataset: &mut Dataset) {
    let mut pages = sections.point("Homepage");
    pages.extend(sections.point("Repository"));
    pages.retain(|page| page.starts_with("http"));
    let pages = notes.iris("landing page", pages.iter().map(String::as_str));
    for page in pages {
        if !dataset.landing_pages.contains(&page) {
            dataset.landing_pages.push(page);
        }
    }
    let mut papers = sections.point("Paper");
    papers.extend(sections.point("Leaderboard"));
    papers.retain(|page| page.starts_with("http"));
    dataset.documentation = notes.iris("documentation", papers.iter().map(String::as_str));
    for address in sections.point("Point of Contact").iter().filter_map(|text| text.strip_prefix("mailto:")) {
        match email(address) {
            Some(address) if is_functional(&address) => {
                dataset.contact = Some(Contact { name: address.to_string(), email: Some(address), page: None });
            }
            Some(_) => {
                notes.note("contact: an address that may be a person's is left out; a functional mailbox is wanted")
            }
            None => {}
        }
    }
}
