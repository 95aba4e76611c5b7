//! `pleiad search`: one question to the whole federation; and `pleiad federation`: who is in it and how each is doing.
//!
//! Hits go to standard output; who answered, and who did not, to standard error. The command ends with 5 when a node
//! that could hold a matching dataset did not answer: what is shown is right, but it may not be all.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::connect::{NodeArgs, failed, wait};
use super::{Exit, Failure, Output};

/// Arguments of `pleiad search`.
#[derive(Debug, Args)]
pub struct SearchArgs {
    /// The words, in the query language; without any, everything matches.
    words: Vec<String>,
    /// Of this country; may be repeated.
    #[arg(long)]
    country: Vec<String>,
    /// With this value of a field, such as licence_class=attribution; may be repeated.
    #[arg(long = "where", value_name = "FIELD=VALUE", value_parser = constraint)]
    constraints: Vec<(String, String)>,
    /// A language you read, best first; may be repeated, at most three.
    #[arg(long)]
    lang: Vec<String>,
    /// The order.
    #[arg(long, value_enum, default_value_t = Order::Relevance)]
    sort: Order,
    /// How many hits, at most 100.
    #[arg(long, default_value_t = 10)]
    limit: usize,
    /// Answer within so many milliseconds.
    #[arg(long)]
    timeout_ms: Option<u64>,
    /// Ask this node alone.
    #[arg(long)]
    local: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// The order of the hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// Best first.
    Relevance,
    /// Last modified first.
    Modified,
    /// By title.
    Title,
    /// Largest first.
    Size,
}

/// Arguments of `pleiad federation`.
#[derive(Debug, Args)]
pub struct FederationArgs {
    #[command(flatten)]
    node: NodeArgs,
}

fn constraint(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("write FIELD=VALUE, such as access=public")?;
    Ok((field.to_owned(), value.to_owned()))
}

impl SearchArgs {
    fn parameters(&self) -> Vec<(&str, String)> {
        let sort = match self.sort {
            Order::Relevance => "relevance",
            Order::Modified => "modified",
            Order::Title => "title",
            Order::Size => "size",
        };
        let mut parameters = vec![("sort", sort.to_owned()), ("limit", self.limit.to_string())];
        if !self.words.is_empty() {
            parameters.push(("q", self.words.join(" ")));
        }
        parameters.extend(self.country.iter().map(|country| ("country", country.clone())));
        parameters.extend(self.constraints.iter().map(|(field, value)| (field.as_str(), value.clone())));
        parameters.extend(self.lang.iter().map(|lang| ("lang", lang.clone())));
        parameters.extend(self.timeout_ms.map(|milliseconds| ("timeout_ms", milliseconds.to_string())));
        parameters.extend(self.local.then(|| ("local", "true".to_owned())));
        parameters
    }
}

/// Runs `pleiad search`.
pub fn run(args: SearchArgs, output: Output) -> Result<(), Failure> {
    let api = args.node.connect()?;
    let parameters = args.parameters();
    let answer = wait(async { api.get("/api/v1/search", &parameters).await.map_err(failed) })?.body;
    if output.json {
        output.list(&[], std::slice::from_ref(&answer))?;
    } else {
        let hits: Vec<Value> =
            answer["hits"].as_array().into_iter().flatten().map(|hit| row(hit, &args.lang)).collect();
        output.list(&["title", "country", "licence", "access", "personal_data", "id"], &hits)?;
        output.remark(summary(&answer));
        for source in answer["sources"].as_array().into_iter().flatten() {
            output.remark(part(source));
        }
    }
    match silent(&answer) {
        missing if missing.is_empty() => Ok(()),
        missing => Err(Failure::new(
            Exit::PartialFederation,
            format!("not every node answered: {}; what is shown is right, but it may not be all", missing.join(", ")),
        )),
    }
}

/// Runs `pleiad federation`.
pub fn members(args: FederationArgs, output: Output) -> Result<(), Failure> {
    let api = args.node.connect()?;
    let answer = wait(async { api.get("/api/v1/federation", &[]).await.map_err(failed) })?.body;
    let members: Vec<Value> = answer["members"].as_array().into_iter().flatten().map(member).collect();
    let columns = ["domain", "countries", "trust", "state", "latency_ms", "peer_file", "expires", "problem"];
    output.list(&columns, if output.json { answer["members"].as_array().map_or(&[], Vec::as_slice) } else { &members })
}

fn member(member: &Value) -> Value {
    let health = &member["health"];
    let problem = member["problems"][0].as_str().or_else(|| health["problem"].as_str());
    let state = if member["own"] == true { json!("this node") } else { health["state"].clone() };
    json!({
        "domain": member["domain"],
        "countries": member["peer_file"]["countries"],
        "trust": member["trust"],
        "state": state,
        "latency_ms": health["latency_ms"],
        "peer_file": member["peer_file"]["number"],
        "expires": member["peer_file"]["expires"],
        "problem": problem,
    })
}

/// A hit as a line: its title in a wanted language, else in English, else in the first there is.
fn row(hit: &Value, languages: &[String]) -> Value {
    let card = &hit["card"];
    let wanted = languages.iter().map(String::as_str).chain(["en"]);
    let title = wanted.filter_map(|tag| card["title"][tag].as_str()).next();
    let title = title.or_else(|| card["title"].as_object()?.values().next()?.as_str()).unwrap_or_default();
    json!({
        "title": title,
        "country": card["country"],
        "licence": card["licence"],
        "access": card["access_rights"],
        "personal_data": card["personal_data"],
        "id": card["id"],
    })
}

fn summary(answer: &Value) -> String {
    let total = &answer["total"];
    let at_least = if total["relation"] == "gte" { "at least " } else { "" };
    let ranking = if answer["ranking"] == "exact" { "order proven" } else { "order approximate" };
    let hits = answer["hits"].as_array().map_or(0, Vec::len);
    format!("{hits} of {at_least}{} in {} ms; {ranking}", total["value"], answer["took_ms"])
}

/// A source as a line of the strip.
fn part(source: &Value) -> String {
    let node = source["node"].as_str().and_then(|node| node.rsplit('/').next()).unwrap_or_default();
    let countries: Vec<&str> = source["countries"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let number =
        |name: &str, unit: &str| source[name].as_u64().map(|number| format!("{number}{unit}")).unwrap_or_default();
    let words = [
        format!("  {node:<8} {:<18} ", countries.join(" ")),
        format!("{:<22}", source["state"].as_str().unwrap_or_default().replace('_', " ")),
        format!("{:>8}", number("ms", " ms")),
        format!("{:>12}", number("total", " found")),
        source["next_try"].as_str().map(|moment| format!("  next try {moment}")).unwrap_or_default(),
        source["problem"].as_str().map(|problem| format!("  {problem}")).unwrap_or_default(),
    ];
    let line = words.concat();
    line.trim_end().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The nodes that could hold a matching dataset and did not answer, each with its state.
fn silent(answer: &Value) -> Vec<String> {
    let sources = answer["sources"].as_array().into_iter().flatten();
    let missing = sources.filter(|source| !matches!(source["state"].as_str(), Some("answered" | "skipped")));
    missing
        .map(|source| {
            let node = source["node"].as_str().unwrap_or_default();
            let domain = node.trim_start_matches("spiffe://").split('/').next().unwrap_or(node);
            format!("{domain} ({})", source["state"].as_str().unwrap_or("no state").replace('_', " "))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_node_is_named_and_a_skipped_one_is_not_missing() {
        let answer = json!({"sources": [
            {"node": "spiffe://fi.example/node/fi", "state": "answered"},
            {"node": "spiffe://de.example/node/de", "state": "skipped"},
            {"node": "spiffe://es.example/node/es", "state": "timed_out"},
        ]});
        assert_eq!(silent(&answer), ["es.example (timed out)"]);
    }

    #[test]
    fn a_title_is_shown_in_a_language_that_was_asked_for() {
        let hit = json!({"card": {"title": {"en": "Speech", "fi": "Puhe"}}});
        assert_eq!(row(&hit, &["fi".to_owned()])["title"], "Puhe");
        assert_eq!(row(&hit, &["de".to_owned()])["title"], "Speech");
        assert_eq!(row(&json!({"card": {"title": {"el": "Ομιλία"}}}), &[])["title"], "Ομιλία");
    }
}
