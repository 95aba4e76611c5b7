//! `pleiad dataset import`: reads the records of another catalogue, from anywhere and in any format that is read, and sends
//! them to the node.
//!
//! [`inputs`] finds what is to be read and in which format, [`reading`] makes records of it on a thread of its own,
//! [`sending`] gives them to the node in batches, and [`summary`] says honestly what became of each. What is refused, by the
//! reader or by the node, is counted by reason and does not stop the rest; that is how real catalogues are, so it ends with
//! exit code 0 unless `--strict` is given. A command that was broken off is run again.

mod fetching;
mod inputs;
mod reading;
mod sending;
mod summary;

use std::path::PathBuf;
use std::time::Instant;

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::connect::{self, NodeArgs};
use super::{Exit, Failure, Output};
use crate::domain::ids::{Country, Iri};
use crate::formats::detect;
use crate::formats::mapping::Mapping;

pub(super) use inputs::{WHOLE, unpacked};
use summary::Summary;

/// `pleiad dataset import …`
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// Files, folders, addresses on the web, or - for standard input; .gz and .zst are unpacked.
    #[arg(required = true)]
    inputs: Vec<String>,
    /// The format of the records. Else each file's name or content tells it.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A mapping file (TOML or YAML) from columns or fields to ours, for tables, JSON Lines and YAML.
    #[arg(long)]
    mapping: Option<PathBuf>,
    /// The address of the CKAN from which a saved answer comes, where the answer does not say it.
    #[arg(long)]
    site: Option<Iri>,
    /// What the source is called; records are known again by it. Else the host of the catalogue's address, or the name
    /// of the file.
    #[arg(long)]
    source: Option<String>,
    /// The country of the records (ISO 3166-1 alpha-2). Else the node's, where it speaks for one only.
    #[arg(long)]
    country: Option<Country>,
    /// A host on this machine or network from which may be fetched; others there are refused.
    #[arg(long = "allow-host", value_name = "HOST")]
    allowed_hosts: Vec<String>,
    /// The state in which what is new begins its life: published, or draft, which nobody but its owner knows of.
    #[arg(long, default_value = "published", value_parser = PossibleValuesParser::new(["draft", "published"]))]
    state: String,
    /// Read and report; send nothing.
    #[arg(long)]
    dry_run: bool,
    /// End with exit code 1 where anything was refused or could not be read.
    #[arg(long)]
    strict: bool,
    #[command(flatten)]
    node: NodeArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// DCAT-AP in Turtle, TriG, N-Triples, N-Quads, RDF/XML or JSON-LD.
    Dcat,
    /// Croissant 0.8, 1.0 and 1.1.
    Croissant,
    /// schema.org Dataset in JSON-LD.
    SchemaOrg,
    /// Dataset cards of the Hugging Face hub.
    HfCard,
    /// dataset_infos.json of the Hugging Face library.
    HfInfos,
    /// What package_show and package_search of a CKAN answer.
    Ckan,
    /// A table with commas, through --mapping.
    Csv,
    /// A table with tabs, through --mapping.
    Tsv,
    /// One JSON object a line: our own documents, or records through --mapping.
    Jsonl,
    /// YAML or JSON: our own documents, or records through --mapping.
    Yaml,
}

impl From<Format> for detect::Format {
    fn from(format: Format) -> Self {
        match format {
            Format::Dcat => Self::Dcat,
            Format::Croissant => Self::Croissant,
            Format::SchemaOrg => Self::SchemaOrg,
            Format::HfCard => Self::HfCard,
            Format::HfInfos => Self::HfInfos,
            Format::Ckan => Self::Ckan,
            Format::Csv => Self::Csv,
            Format::Tsv => Self::Tsv,
            Format::Jsonl => Self::JsonLines,
            Format::Yaml => Self::Yaml,
        }
    }
}

/// Runs the command.
pub fn run(args: ImportArgs, output: Output) -> Result<(), Failure> {
    let mapping = args.mapping.as_deref().map(read_mapping).transpose()?;
    let node = match args.dry_run {
        true => None,
        false => Some(sending::Target { api: args.node.connect()?, state: args.state }),
    };
    let began = Instant::now();
    let wanted = inputs::Wanted {
        format: args.format.map(Into::into),
        source: args.source,
        country: args.country,
        site: args.site,
        mapping,
        allowed_hosts: args.allowed_hosts,
    };
    let found = inputs::find(&args.inputs, &wanted, output)?;
    let mut summary = Summary::default();
    for (why, file) in &found.skipped {
        summary.skip(why, file);
    }
    let parts = reading::open(found, wanted, &mut summary, output)?;
    if !parts.is_empty() {
        connect::wait(sending::send(parts, node, &mut summary, output))?;
    }
    summary.print(output, began.elapsed())?;
    if summary.read == 0 {
        return Err(Failure::new(
            Exit::Error,
            "no dataset was found: nothing in the input is one in a format that is read",
        ));
    }
    if args.strict && summary.refused + summary.unreadable > 0 {
        return Err(Failure::new(Exit::Error, "not everything was taken, and --strict was given"));
    }
    Ok(())
}

fn read_mapping(path: &std::path::Path) -> Result<Mapping, Failure> {
    let usage = |reason: String| Failure::new(Exit::Usage, format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| usage(format!("it cannot be read: {error}")))?;
    Mapping::read(&text, &path.display().to_string()).map_err(usage)
}
