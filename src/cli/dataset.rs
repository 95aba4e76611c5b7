//! `pleiad dataset`: the datasets of a node, as its stewards and readers use them.
//!
//! A change names the revision that it was made from, and is refused when another stands by then: what somebody else
//! changed in the meantime is never overwritten unseen.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::connect::{self, NodeArgs, wait};
use super::{Exit, Failure, Output, check, conform, export, import, past, pull};
use crate::domain::ids::{Country, DatasetId, TrustDomain};
use crate::formats;
use crate::outbound::api::{Api, Reply};
use crate::schema;

/// `pleiad dataset …`
#[derive(Debug, Args)]
pub struct DatasetArgs {
    #[command(subcommand)]
    command: DatasetCommand,
}

#[derive(Debug, Subcommand)]
enum DatasetCommand {
    /// Register a dataset from a file of JSON; id and country may be left out.
    Register {
        /// The file; - reads standard input.
        file: PathBuf,
        /// The state in which its life begins: published, or draft, which nobody but its owner knows of.
        #[arg(long, default_value = "published", value_parser = PossibleValuesParser::new(["draft", "published"]))]
        state: String,
        /// Why, for whoever reads its history.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Take a dataset on in its life: from draft to review, back, or to published.
    State {
        /// Its id, or the last part of it.
        id: String,
        /// The state; withdraw has a command of its own.
        #[arg(value_parser = PossibleValuesParser::new(["draft", "review", "published"]))]
        state: String,
        /// Why, for whoever reads its history.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Tell the history of a dataset: who made which revision, and why.
    History {
        /// Its id, or the last part of it.
        id: String,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Tell in what a revision differs from the one before, field by field.
    Difference {
        /// Its id, or the last part of it.
        id: String,
        /// The revision.
        revision: u32,
        /// Another revision than the one before.
        #[arg(long)]
        from: Option<u32>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Tell what a dataset was made from and what was made from it, across the federation.
    Lineage {
        /// Its id, or the last part of it.
        id: String,
        /// How many steps either way, 1 to 5.
        #[arg(long, default_value_t = 1)]
        depth: usize,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Show a dataset as JSON.
    Show {
        /// Its id, or the last part of it.
        id: String,
        /// This revision instead of what stands now.
        #[arg(long)]
        revision: Option<u32>,
        /// The description alone as YAML, as a file for `pleiad plan` holds it.
        #[arg(long)]
        yaml: bool,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// List the datasets that you may know of.
    List {
        /// Of this participant.
        #[arg(long)]
        owner: Option<String>,
        /// Of this country.
        #[arg(long)]
        country: Option<Country>,
        /// Withdrawn ones too.
        #[arg(long)]
        withdrawn: bool,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Give a dataset a further revision.
    Revise {
        /// Its id, or the last part of it.
        id: String,
        /// The file with the whole description; - reads standard input.
        file: PathBuf,
        /// The revision that the change was made from.
        #[arg(long)]
        from_revision: u64,
        /// Why, for whoever reads its history.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Withdraw a dataset: it must no longer be used, and its id stays taken.
    Withdraw {
        /// Its id, or the last part of it.
        id: String,
        /// Why; those who hold it are told.
        #[arg(long)]
        reason: String,
        /// What to use in its place.
        #[arg(long)]
        successor: Option<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Write your owner's records as files, one dataset a file.
    Pull(pull::PullArgs),
    /// Print what the source of an imported dataset said, word for word. For the owner's stewards.
    Source {
        /// Its id, or the last part of it.
        id: String,
        /// Erase the texts of all its revisions instead, for good; backups keep theirs until they are gone.
        #[arg(long)]
        erase: bool,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Judge records without a node: what is wrong, what is doubtful, how well they are described.
    Check(check::CheckArgs),
    /// Write records in the form that somebody else's tool reads.
    Export(export::ExportArgs),
    /// Say what several datasets permit together: the strictest answers, the duties, and what cannot be kept at once.
    Licences {
        /// Their ids, or the last parts of them.
        #[arg(required = true)]
        ids: Vec<String>,
        /// What you want to do: commercial, derivatives.
        #[arg(long = "use", value_parser = ["commercial", "derivatives"])]
        uses: Vec<String>,
        #[command(flatten)]
        node: NodeArgs,
    },
    /// Hold RDF against the official SHACL shapes, without a node (in builds with the feature `shacl`).
    Conform(conform::ConformArgs),
    /// Bring in the records of another catalogue; doing it again changes nothing.
    Import(import::ImportArgs),
}

/// Runs the command.
pub fn run(args: DatasetArgs, output: Output) -> Result<(), Failure> {
    match args.command {
        DatasetCommand::Register { file, state, reason, node } => {
            let body = document(&file)?;
            let query: Vec<_> = [("state", state)].into_iter().chain(reason.map(|reason| ("reason", reason))).collect();
            let reply = wait(async {
                let api = node.connect()?;
                api.call("POST", "/api/v1/datasets", &query, &[], Some(&body)).await.map_err(connect::failed)
            })?;
            acknowledged(&reply, output)
        }
        DatasetCommand::State { id, state, reason, node } => {
            let (path, body) = (address(&id)?, json!({ "state": state, "reason": reason }));
            let reply = wait(async {
                let api = node.connect()?;
                let tag = tag_of(&api, &path, None).await?;
                let path = format!("{path}/state");
                api.call("POST", &path, &[], &[("if-match", &tag)], Some(&body)).await.map_err(connect::failed)
            })?;
            acknowledged(&reply, output)
        }
        DatasetCommand::History { id, node } => {
            past::history(&get(&node, &format!("{}/revisions", address(&id)?), &[])?, output)
        }
        DatasetCommand::Difference { id, revision, from, node } => {
            let path = format!("{}/revisions/{revision}/difference", address(&id)?);
            let query: Vec<_> = from.map(|from| ("from", from.to_string())).into_iter().collect();
            past::difference(&get(&node, &path, &query)?, output)
        }
        DatasetCommand::Lineage { id, depth, node } => {
            let path = format!("{}/lineage", address(&id)?);
            past::lineage(&get(&node, &path, &[("depth", depth.to_string())])?, output)
        }
        DatasetCommand::Show { id, revision, yaml, node } => {
            let revision = revision.map(|number| format!("/revisions/{number}")).unwrap_or_default();
            let path = format!("{}{revision}", address(&id)?);
            let reply = wait(async { node.connect()?.get(&path, &[]).await.map_err(connect::failed) })?;
            if yaml {
                return output.foreign(&formats::document::write(&reply.body["dataset"]));
            }
            if output.json {
                return output.thing(&reply.body);
            }
            output.text(&format!("{:#}\n", reply.body))
        }
        DatasetCommand::List { owner, country, withdrawn, node } => {
            let mut query = vec![("limit", "100".to_owned())];
            query.extend(owner.map(|owner| ("owner", owner)));
            query.extend(country.map(|country| ("country", country.to_string())));
            query.extend(withdrawn.then(|| ("withdrawn", "true".to_owned())));
            let items = wait(async { all_pages(&node.connect()?, query).await })?;
            list(items, output)
        }
        DatasetCommand::Revise { id, file, from_revision, reason, node } => {
            let (path, body) = (address(&id)?, document(&file)?);
            let reply = wait(async {
                let api = node.connect()?;
                let tag = tag_of(&api, &path, Some(from_revision)).await?;
                let query: Vec<_> = reason.map(|reason| ("reason", reason)).into_iter().collect();
                api.call("PUT", &path, &query, &[("if-match", &tag)], Some(&body)).await.map_err(connect::failed)
            })?;
            acknowledged(&reply, output)
        }
        DatasetCommand::Withdraw { id, reason, successor, node } => {
            let path = address(&id)?;
            let body = match successor {
                Some(successor) => json!({ "reason": reason, "successor": successor }),
                None => json!({ "reason": reason }),
            };
            let reply = wait(async {
                let api = node.connect()?;
                let tag = tag_of(&api, &path, None).await?;
                api.call("DELETE", &path, &[], &[("if-match", &tag)], Some(&body)).await.map_err(connect::failed)
            })?;
            acknowledged(&reply, output)
        }
        DatasetCommand::Pull(args) => pull::run(args, output),
        DatasetCommand::Source { id, erase, node } => {
            let path = format!("{}/source", address(&id)?);
            if erase {
                let call = async {
                    node.connect()?.call::<()>("DELETE", &path, &[], &[], None).await.map_err(connect::failed)
                };
                return output.thing(&wait(call)?.body);
            }
            let bytes = wait(async { node.connect()?.get_bytes(&path).await.map_err(connect::failed) })?;
            output.foreign(&String::from_utf8_lossy(&bytes))
        }
        DatasetCommand::Check(args) => check::run(&args, output),
        DatasetCommand::Export(args) => export::run(&args, output),
        DatasetCommand::Licences { ids, uses, node } => {
            let mut query: Vec<(&str, String)> = ids.into_iter().map(|id| ("dataset", id)).collect();
            query.extend(uses.into_iter().map(|what| ("use", what)));
            let path = "/api/v1/licences/effective";
            let reply = wait(async { node.connect()?.get(path, &query).await.map_err(connect::failed) })?;
            together(&reply.body, output)
        }
        DatasetCommand::Conform(args) => conform::run(&args, output),
        DatasetCommand::Import(args) => import::run(args, output),
    }
}

fn get(node: &NodeArgs, path: &str, query: &[(&str, String)]) -> Result<Reply, Failure> {
    wait(async { node.connect()?.get(path, query).await.map_err(connect::failed) })
}

/// The address of a dataset on the web door, from its id or the last part of it.
pub(super) fn address(id: &str) -> Result<String, Failure> {
    let local = match id.parse::<DatasetId>() {
        Ok(id) => id.local().to_owned(),
        Err(_) => id.to_owned(),
    };
    let probe: TrustDomain = "check.invalid".parse()?;
    DatasetId::mint(&probe, &local).map_err(|error| Failure::new(Exit::Usage, error))?;
    Ok(format!("/api/v1/datasets/{local}"))
}

/// The tag of what stands now, where it is the revision that was expected.
async fn tag_of(api: &Api, path: &str, expected: Option<u64>) -> Result<String, Failure> {
    let now = api.get(path, &[]).await.map_err(connect::failed)?;
    let stands = now.body["revision"].as_u64();
    if expected.is_some() && stands != expected {
        let stands = stands.unwrap_or_default();
        return Err(Failure::new(
            Exit::Error,
            format!("revision {stands} stands by now: look at what changed, and revise from that one"),
        ));
    }
    let tag = now.headers.get("etag").map(str::to_owned);
    tag.ok_or_else(|| Failure::new(Exit::Error, "the node answered without an ETag: is it a Pleiad node?"))
}

async fn all_pages(api: &Api, query: Vec<(&'static str, String)>) -> Result<Vec<Value>, Failure> {
    let (mut items, mut cursor) = (Vec::new(), None);
    loop {
        let mut asked = query.clone();
        asked.extend(cursor.map(|cursor| ("cursor", cursor)));
        let page = api.get("/api/v1/datasets", &asked).await.map_err(connect::failed)?.body;
        items.extend(page["items"].as_array().into_iter().flatten().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return Ok(items),
        }
    }
}

fn list(items: Vec<Value>, output: Output) -> Result<(), Failure> {
    if output.quiet && !output.json {
        return output.text(
            &items.iter().filter_map(|item| item["id"].as_str()).map(|id| format!("{id}\n")).collect::<String>(),
        );
    }
    if output.json {
        return output.list(&[], &items);
    }
    let lines: Vec<Value> = items
        .iter()
        .map(|item| {
            let titles = item["title"].as_object();
            let title = titles.and_then(|titles| titles.get("en").or_else(|| titles.values().next()));
            json!({
                "id": item["id"], "revision": item["revision"], "country": item["country"], "title": title,
                "withdrawn": item["withdrawn"]["reason"],
            })
        })
        .collect();
    output.list(&["id", "revision", "country", "title", "withdrawn"], &lines)
}

/// What several datasets permit together, as a table: what is permitted, what is owed, what stands against it.
fn together(found: &Value, output: Output) -> Result<(), Failure> {
    if output.json {
        return output.thing(found);
    }
    let line = |what: &str, of: &Value, detail: &Value| json!({ "what": what, "of": of, "detail": detail });
    let permissions = found["permissions"].as_object().into_iter().flatten();
    let mut lines: Vec<Value> = permissions.map(|(name, answer)| line("permission", &json!(name), answer)).collect();
    let each = |list: &str| found[list].as_array().cloned().unwrap_or_default();
    lines.extend(each("duties").iter().map(|duty| line("duty", &duty["duty"], &duty["licence"])));
    lines.extend(each("conflicts").iter().map(|clash| line("conflict", &clash["conflict"], &clash["detail"])));
    lines.extend(each("not_known").iter().map(|place| {
        let place = format!(
            "{}{}",
            place["dataset"].as_str().unwrap_or_default(),
            place["pointer"].as_str().unwrap_or_default()
        );
        line("not known", &json!(place), &json!("its licence is not known, so it permits nothing"))
    }));
    output.list(&["what", "of", "detail"], &lines)
}

/// What a steward needs of an acknowledgement: the id, the revision, the place in the log.
fn acknowledged(reply: &Reply, output: Output) -> Result<(), Failure> {
    let record = &reply.body;
    if output.quiet && !output.json {
        return output.text(&format!("{}\n", record["dataset"]["id"].as_str().unwrap_or_default()));
    }
    output.thing(&json!({ "id": record["dataset"]["id"], "revision": record["revision"], "seq": record["seq"] }))
}

fn document(file: &Path) -> Result<Value, Failure> {
    let bytes = bytes(file)?;
    schema::value(&bytes).map_err(|violations| Failure::new(Exit::Error, format!("{}: {violations}", file.display())))
}

fn bytes(file: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::new(Exit::Error, format!("{} cannot be read: {error}", file.display()));
    if file == Path::new("-") {
        let mut bytes = Vec::new();
        // One byte more than is taken tells that there is more.
        std::io::stdin().take(schema::MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        return Ok(bytes);
    }
    std::fs::read(file).map_err(unreadable)
}
