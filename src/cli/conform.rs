//! `pleiad dataset conform`: whether RDF conforms to the official shapes of DCAT-AP, MLDCAT-AP and HealthDCAT-AP.
//!
//! The validator is in builds with the feature `shacl` only. Without it the command is there and says how to get it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{Failure, Output};

/// `pleiad dataset conform …`
#[derive(Debug, Args)]
pub struct ConformArgs {
    /// Files of Turtle or N-Triples, as `dataset export` writes them; together they are one graph.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The shapes to hold them against; without it those that every export has to meet.
    #[arg(long, value_enum, value_delimiter = ',')]
    shapes: Vec<ShapesName>,
}

/// The embedded shapes, as the command line names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ShapesName {
    /// DCAT-AP 3.0.1: what must be stated.
    DcatAp,
    /// DCAT-AP 3.0.1: the classes of what is referred to.
    DcatApRanges,
    /// DCAT-AP 3.0.1: what should be stated.
    DcatApRecommended,
    /// DCAT-AP 3.0.1: values out of the code lists.
    DcatApCodeLists,
    /// DCAT-AP 3.0.1: IRIs no longer to be used.
    DcatApDeprecated,
    /// MLDCAT-AP 3.1.0.
    MldcatAp,
    /// HealthDCAT-AP, release 5, for data that is not public.
    HealthDcatAp,
    /// The profile of the European Health Data Space for sensitive data.
    HealthSensitive,
}

/// Says how to get the validator.
#[cfg(not(feature = "shacl"))]
pub fn run(_: &ConformArgs, _: Output) -> Result<(), Failure> {
    let how =
        "this program was built without the SHACL validator: build it with `cargo build --release --features shacl`";
    Err(Failure::new(super::Exit::Usage, how))
}

#[cfg(feature = "shacl")]
pub use validated::run;

#[cfg(feature = "shacl")]
mod validated {
    use serde_json::json;

    use super::{ConformArgs, Failure, Output, ShapesName};
    use crate::cli::Exit;
    use crate::quality::shacl::{Shapes, Validator};

    impl From<ShapesName> for Shapes {
        fn from(name: ShapesName) -> Self {
            match name {
                ShapesName::DcatAp => Self::DcatAp,
                ShapesName::DcatApRanges => Self::DcatApRanges,
                ShapesName::DcatApRecommended => Self::DcatApRecommended,
                ShapesName::DcatApCodeLists => Self::DcatApCodeLists,
                ShapesName::DcatApDeprecated => Self::DcatApDeprecated,
                ShapesName::MldcatAp => Self::MldcatAp,
                ShapesName::HealthDcatAp => Self::HealthDcatAp,
                ShapesName::HealthSensitive => Self::HealthSensitive,
            }
        }
    }

    /// Runs the command: exit code 1 where anything violates.
    pub fn run(args: &ConformArgs, output: Output) -> Result<(), Failure> {
        let mut graph = Vec::new();
        for file in &args.files {
            let bytes = std::fs::read(file)
                .map_err(|error| Failure::new(Exit::Error, format!("{} cannot be read: {error}", file.display())))?;
            graph.extend(bytes);
            graph.push(b'\n');
        }
        let shapes: Vec<Shapes> = match args.shapes.as_slice() {
            [] => Shapes::CATALOGUE.to_vec(),
            named => named.iter().copied().map(Shapes::from).collect(),
        };
        let failed = |error: crate::quality::shacl::ShaclError| Failure::new(Exit::Error, error);
        let results = Validator::new(&shapes).and_then(|validator| validator.validate(&graph)).map_err(failed)?;
        let violations = results.iter().filter(|result| result.severity == "violation").count();
        if output.json {
            output.text(&format!("{}\n", json!({ "violations": violations, "results": results })))?;
        } else {
            let lines: Vec<serde_json::Value> = results.iter().map(|result| json!(result)).collect();
            output.list(&["severity", "shapes", "focus", "path", "constraint", "value", "message"], &lines)?;
            output.remark(format_args!("{violations} violations, {} other results", results.len() - violations));
        }
        if violations > 0 {
            let sentence = format!("{violations} violations: the graph does not conform");
            return Err(Failure::new(Exit::Error, sentence));
        }
        Ok(())
    }
}
