//! `pleiad dataset pull`: writes the records of an owner as files, so that `pleiad plan` finds nothing to do.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::connect::{self, NodeArgs};
use super::plan::folder::{self, File, Folder};
use super::plan::records;
use super::{Exit, Failure, Output};
use crate::catalogue::plan::{Standing, may_be_pruned};
use crate::domain::ids::DatasetId;
use crate::formats::document;

/// `pleiad dataset pull …`
#[derive(Debug, Args)]
pub struct PullArgs {
    /// The folder to write into; made where it is missing.
    folder: PathBuf,
    /// Records of imports too, which belong to their source.
    #[arg(long)]
    imported: bool,
    /// Overwrite files that say something else than the node.
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    node: NodeArgs,
}

/// Runs the command.
pub fn run(args: PullArgs, output: Output) -> Result<(), Failure> {
    let (base, standing) = connect::wait(async { records(&args.node.connect()?).await })?;
    std::fs::create_dir_all(&args.folder)?;
    let Folder { files, faults } = folder::read(&args.folder, &base)?;
    if !faults.is_empty() {
        let listed: Vec<String> = faults.iter().map(|fault| format!("\n  {fault}")).collect();
        return Err(Failure::new(Exit::Error, format!("the folder has files that cannot be read:{}", listed.concat())));
    }
    let known: HashMap<&DatasetId, &File> = files.iter().map(|file| (&file.wanted.id, file)).collect();
    let (mut written, mut unchanged, mut kept) = (0, 0, Vec::new());
    for stands in standing.iter().filter(|one| is_wanted(one, args.imported)) {
        let id = &stands.record.dataset.id;
        let document = stands.document();
        match known.get(id) {
            Some(file) if file.wanted.document == document => unchanged += 1,
            Some(file) if !args.overwrite => kept.push(file.path.display().to_string()),
            Some(file) => {
                write(&file.path, &document)?;
                written += 1;
            }
            None => {
                let path = args.folder.join(format!("{}.yaml", id.local()));
                if path.exists() {
                    kept.push(path.display().to_string());
                    continue;
                }
                write(&path, &document)?;
                written += 1;
            }
        }
    }
    output.thing(&json!({ "written": written, "unchanged": unchanged, "kept": kept }))?;
    if kept.is_empty() {
        return Ok(());
    }
    Err(Failure::new(Exit::Error, "files that say something else than the node were kept: --overwrite replaces them"))
}

fn is_wanted(stands: &Standing, imported: bool) -> bool {
    may_be_pruned(&stands.record) || (imported && stands.record.withdrawn.is_none())
}

/// Writes a file whole or not at all, in the form that its name asks for.
fn write(path: &Path, document: &Value) -> Result<(), Failure> {
    let text = match path.extension() {
        Some(end) if end == "json" => format!("{document:#}\n"),
        _ => document::write(document),
    };
    let unwritten =
        |error: std::io::Error| Failure::new(Exit::Error, format!("{} cannot be written: {error}", path.display()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut draft = tempfile::Builder::new().prefix(".pleiad-").tempfile_in(folder).map_err(unwritten)?;
    draft.write_all(text.as_bytes()).map_err(unwritten)?;
    readable_as_usual(draft.as_file()).map_err(unwritten)?;
    draft.persist(path).map_err(|error| unwritten(error.error))?;
    Ok(())
}

/// A temporary file is its maker's alone; a file of a folder of files is as readable as its neighbours.
fn readable_as_usual(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))?;
    Ok(())
}
