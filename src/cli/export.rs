//! `pleiad dataset export`: records in the form that somebody else's tool reads, as files or on standard output.
//!
//! Documents that can stand one after the other (Turtle, N-Triples, JSON a line, BibTeX) go to standard output in any
//! number; of the others each needs a file of its own. A whole catalogue is read page by page and written as it comes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::connect::{self, NodeArgs, every_page, wait};
use super::dataset::address;
use super::{Exit, Failure, Output};
use crate::formats::export::Form;
use crate::outbound::api::Api;

/// `pleiad dataset export …`
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The datasets: their ids, or the last parts of them.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// Every published dataset of the node that every member may discover.
    #[arg(long)]
    all: bool,
    /// ttl, nt, jsonld, rdf (DCAT-AP), croissant, schema (schema.org), datacite, bib or json.
    #[arg(long, short, default_value = "ttl", value_parser = form)]
    form: Form,
    /// DCAT-AP as HealthDCAT-AP asks for it.
    #[arg(long)]
    health: bool,
    /// A folder; each dataset becomes a file of its own there.
    #[arg(long, short)]
    output: Option<PathBuf>,
    #[command(flatten)]
    node: NodeArgs,
}

/// A form by its suffix, with or without `.json`.
fn form(text: &str) -> Result<Form, String> {
    let short = |form: &Form| form.suffix().strip_suffix(".json").unwrap_or(form.suffix());
    Form::ALL.into_iter().find(|form| short(form) == text || form.suffix() == text).ok_or_else(|| {
        let known: Vec<&str> = Form::ALL.iter().map(short).collect();
        format!("there is no such form; there is {}", known.join(", "))
    })
}

/// Whether documents of a form may stand one after the other.
fn can_follow(form: Form) -> bool {
    matches!(form, Form::Turtle | Form::NTriples | Form::Json | Form::BibTex)
}

/// Runs the command.
pub fn run(args: &ExportArgs, output: Output) -> Result<(), Failure> {
    if args.health && !Form::RDF.contains(&args.form) {
        return Err(Failure::new(Exit::Usage, "--health is a profile of DCAT-AP: use it with ttl, nt, jsonld or rdf"));
    }
    if args.output.is_none() && (args.all || args.ids.len() > 1) && !can_follow(args.form) {
        return Err(Failure::new(
            Exit::Usage,
            format!("documents of {} cannot stand one after the other: name a folder with --output", args.form.label()),
        ));
    }
    if let Some(folder) = &args.output {
        std::fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    }
    wait(async {
        let api = args.node.connect()?;
        if args.all && args.output.is_none() && Form::RDF.contains(&args.form) {
            return stream(&api, args, output).await;
        }
        let paths = match args.all {
            true => all(&api).await?,
            false => args.ids.iter().map(|id| address(id)).collect::<Result<_, _>>()?,
        };
        for path in &paths {
            one(&api, path, args, output).await?;
        }
        if let Some(folder) = &args.output {
            output.remark(format_args!("{} records as {} in {}", paths.len(), args.form.label(), folder.display()));
        }
        Ok(())
    })
}

fn profile(args: &ExportArgs) -> Vec<(&'static str, String)> {
    args.health.then(|| ("profile", "health".to_owned())).into_iter().collect()
}

/// The addresses of every dataset that every member may discover.
async fn all(api: &Api) -> Result<Vec<String>, Failure> {
    let query = [("visibility", "federation".to_owned()), ("limit", "100".to_owned())];
    let items = every_page(api, "/api/v1/datasets", &query).await?;
    items.iter().filter_map(|item| item["id"].as_str()).map(address).collect()
}

async fn one(api: &Api, path: &str, args: &ExportArgs, output: Output) -> Result<(), Failure> {
    let suffix = args.form.suffix();
    let (_, bytes) = api.get_document(&format!("{path}.{suffix}"), &profile(args)).await.map_err(connect::failed)?;
    match &args.output {
        Some(folder) => {
            let local = path.rsplit('/').next().unwrap_or(path);
            write(folder, &format!("{local}.{suffix}"), &bytes)
        }
        None => print(&bytes, output),
    }
}

/// The catalogue's own pages, as they come.
async fn stream(api: &Api, args: &ExportArgs, output: Output) -> Result<(), Failure> {
    let path = format!("/api/v1/catalogue.{}", args.form.suffix());
    let mut cursor: Option<String> = None;
    loop {
        let mut query = profile(args);
        query.push(("limit", "100".to_owned()));
        query.extend(cursor.take().map(|cursor| ("cursor", cursor)));
        let (headers, bytes) = api.get_document(&path, &query).await.map_err(connect::failed)?;
        print(&bytes, output)?;
        match headers.get("link").and_then(next_cursor) {
            Some(next) => cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// The cursor in `<…?cursor=…>; rel="next"`.
fn next_cursor(link: &str) -> Option<String> {
    let (address, relation) = link.strip_prefix('<')?.split_once('>')?;
    let (_, query) = address.split_once('?')?;
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let cursor = pairs.find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned());
    cursor.filter(|_| relation.contains("rel=\"next\""))
}

fn print(bytes: &[u8], output: Output) -> Result<(), Failure> {
    let text = String::from_utf8_lossy(bytes);
    output.foreign(&if text.ends_with('\n') { text.into_owned() } else { format!("{text}\n") })
}

/// A file that is there whole or not at all.
fn write(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    let written = tempfile::NamedTempFile::new_in(folder).and_then(|mut file| {
        file.write_all(bytes)?;
        // A temporary file is for its owner alone; a record is to be read like any other file.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            file.as_file().set_permissions(std::fs::Permissions::from_mode(0o644))?;
        }
        file.persist(&path).map_err(|error| error.error)
    });
    written.map(drop).map_err(|error| unwritable(&path, &error))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(Exit::Error, format!("{} cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_go_by_their_suffixes_and_a_next_link_has_its_cursor() {
        assert_eq!((form("croissant"), form("schema.json")), (Ok(Form::Croissant), Ok(Form::SchemaOrg)));
        assert!(form("xml").unwrap_err().contains("datacite"));
        let link = "<http://x/api/v1/catalogue.nt?limit=2&cursor=a%2Bb>; rel=\"next\"";
        assert_eq!(next_cursor(link).as_deref(), Some("a+b"));
        assert_eq!(next_cursor("<http://x/?cursor=a>; rel=\"alternate\""), None);
    }
}
