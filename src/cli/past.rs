//! `pleiad dataset state | history | difference | lineage`: the life of a record, its past and its family.

use serde_json::{Value, json};

use super::Output;
use super::exit::Failure;
use crate::outbound::api::Reply;

/// The history, oldest first.
pub(super) fn history(reply: &Reply, output: Output) -> Result<(), Failure> {
    let items = reply.body["items"].as_array().cloned().unwrap_or_default();
    if output.json {
        return output.list(&[], &items);
    }
    let lines: Vec<Value> = items
        .iter()
        .map(|item| {
            json!({
                "revision": item["revision"], "at": item["at"], "what": item["kind"], "state": item["state"],
                "by": by(&item["by"]), "reason": item["reason"],
            })
        })
        .collect();
    output.list(&["revision", "at", "what", "state", "by", "reason"], &lines)
}

fn by(by: &Value) -> String {
    let words = |name: &str| by[name].as_str();
    match (words("role"), words("participant")) {
        (Some(role), Some(participant)) => format!("{role} of {participant}"),
        (Some(role), None) => role.to_owned(),
        _ => "-".to_owned(),
    }
}

/// A difference, field by field.
pub(super) fn difference(reply: &Reply, output: Output) -> Result<(), Failure> {
    let items = reply.body["items"].as_array().cloned().unwrap_or_default();
    if output.json {
        return output.thing(&reply.body);
    }
    if let Some(stood) = reply.body["state"].as_object() {
        output.remark(format_args!("state: {} became {}", stood["before"], stood["after"]));
    }
    let lines: Vec<Value> = items
        .iter()
        .map(|item| json!({ "where": item["pointer"], "before": item["before"], "after": item["after"] }))
        .collect();
    output.list(&["where", "before", "after"], &lines)
}

/// The lineage both ways; who did not answer is said on standard error.
pub(super) fn lineage(reply: &Reply, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.thing(&reply.body);
    }
    let mut lines = Vec::new();
    for way in ["upward", "downward"] {
        for edge in reply.body[way].as_array().into_iter().flatten() {
            let id = if edge["card"].is_object() { &edge["card"]["id"] } else { &edge["iri"] };
            let title = edge["card"]["title"].as_object().and_then(|title| title.get("en").or(title.values().next()));
            lines.push(json!({
                "way": way, "steps": edge["steps"], "relation": edge["relation"], "id": id,
                "title": title, "node": edge["node"],
            }));
        }
    }
    output.list(&["way", "steps", "relation", "id", "title", "node"], &lines)?;
    for source in reply.body["sources"].as_array().into_iter().flatten() {
        if !matches!(source["state"].as_str(), Some("answered" | "skipped")) {
            output.remark(format_args!("{} did not answer ({})", source["node"], source["state"]));
        }
    }
    if reply.body["cut"] == true {
        output.remark("there is more than is shown");
    }
    if let Some(problem) = reply.body["problem"].as_str() {
        output.remark(problem);
    }
    Ok(())
}
