//! Whether RDF conforms to the official SHACL shapes of DCAT-AP, MLDCAT-AP and HealthDCAT-AP, which are embedded.
//!
//! Only in builds with the feature `shacl`: the validator brings a great deal with it, and a node answers without it. The
//! shapes are those of `schemas/shacl`. They expect every concept of a code list that is named to be described in the
//! same graph; our exports do that, other people's data often does not, and then says so by many results of
//! [`Shapes::DcatApRanges`] and [`Shapes::DcatApCodeLists`].

use std::io::Cursor;

use rudof_rdf::rdf_core::RDFFormat;
use rudof_rdf::rdf_impl::{OxigraphInMemory, ReaderMode};
use serde::Serialize;
use shacl::ir::IRSchema;
use shacl::types::Severity;
use shacl::validator::processor::{GraphValidation, ShaclProcessor};
use shacl::validator::report::ValidationResult;
use shacl::validator::store::{Graph, ShaclDataManager};
use shacl::validator::{ShaclConfig, ShaclValidationMode};

/// A file of shapes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shapes {
    /// DCAT-AP 3.0.1: what must be stated, and how often.
    DcatAp,
    /// DCAT-AP 3.0.1: the classes of what is referred to.
    DcatApRanges,
    /// DCAT-AP 3.0.1: what should be stated.
    DcatApRecommended,
    /// DCAT-AP 3.0.1: values out of the code lists.
    DcatApCodeLists,
    /// DCAT-AP 3.0.1: IRIs that are no longer to be used.
    DcatApDeprecated,
    /// MLDCAT-AP 3.1.0.
    MldcatAp,
    /// HealthDCAT-AP, release 5, for data that is not public.
    HealthDcatAp,
    /// The profile of the European Health Data Space for sensitive data.
    HealthSensitive,
}

impl Shapes {
    /// What every export has to conform to.
    pub const CATALOGUE: [Self; 6] = [
        Self::DcatAp,
        Self::DcatApRanges,
        Self::DcatApRecommended,
        Self::DcatApCodeLists,
        Self::DcatApDeprecated,
        Self::MldcatAp,
    ];
    /// What an export with the health profile has to conform to beside.
    pub const HEALTH: [Self; 2] = [Self::HealthDcatAp, Self::HealthSensitive];

    /// The name on the command line and in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DcatAp => "dcat-ap",
            Self::DcatApRanges => "dcat-ap-ranges",
            Self::DcatApRecommended => "dcat-ap-recommended",
            Self::DcatApCodeLists => "dcat-ap-code-lists",
            Self::DcatApDeprecated => "dcat-ap-deprecated",
            Self::MldcatAp => "mldcat-ap",
            Self::HealthDcatAp => "health-dcat-ap",
            Self::HealthSensitive => "health-sensitive",
        }
    }

    fn turtle(self) -> &'static str {
        match self {
            Self::DcatAp => include_str!("../../schemas/shacl/dcat-ap-3.0.1/shapes.ttl"),
            Self::DcatApRanges => include_str!("../../schemas/shacl/dcat-ap-3.0.1/range.ttl"),
            Self::DcatApRecommended => include_str!("../../schemas/shacl/dcat-ap-3.0.1/shapes_recommended.ttl"),
            Self::DcatApCodeLists => include_str!("../../schemas/shacl/dcat-ap-3.0.1/mdr-vocabularies.shape.ttl"),
            Self::DcatApDeprecated => include_str!("../../schemas/shacl/dcat-ap-3.0.1/deprecateduris.ttl"),
            Self::MldcatAp => include_str!("../../schemas/shacl/mldcat-ap-3.1.0.ttl"),
            Self::HealthDcatAp => include_str!("../../schemas/shacl/healthdcat-ap-5-non-public.ttl"),
            Self::HealthSensitive => include_str!("../../schemas/shacl/healthdcat-ap-sensitive.ttl"),
        }
    }
}

/// Why a graph could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum ShaclError {
    /// The graph is not what its syntax asks for.
    #[error("the graph cannot be read: {0}")]
    Graph(String),
    /// The validator gave up.
    #[error("the shapes {shapes} could not be applied: {reason}")]
    Shapes {
        /// Which.
        shapes: &'static str,
        /// What it said.
        reason: String,
    },
}

/// One result of a validation: the terms are written as N-Triples.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Result {
    /// Of which shapes.
    pub shapes: Shapes,
    /// `violation`, `warning` or `info`.
    pub severity: &'static str,
    /// The node that was looked at.
    pub focus: String,
    /// The property, where the shape is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The value that is wrong, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// The kind of constraint, such as `MinCountConstraintComponent`.
    pub constraint: String,
    /// What the shape says about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Shapes, compiled once for many graphs.
pub struct Validator {
    compiled: Vec<(Shapes, IRSchema)>,
}

impl Validator {
    /// Compiles these shapes.
    pub fn new(shapes: &[Shapes]) -> std::result::Result<Self, ShaclError> {
        let compile = |shapes: &Shapes| {
            let turtle = &mut Cursor::new(shapes.turtle());
            let schema = ShaclDataManager::load(turtle, shapes.as_str(), &RDFFormat::Turtle, None)
                .map_err(|error| ShaclError::Shapes { shapes: shapes.as_str(), reason: error.to_string() })?;
            Ok((*shapes, schema))
        };
        Ok(Self { compiled: shapes.iter().map(compile).collect::<std::result::Result<_, _>>()? })
    }

    /// Every result over a graph in Turtle (which N-Triples is too), in a stable order.
    pub fn validate(&self, turtle: &[u8]) -> std::result::Result<Vec<Result>, ShaclError> {
        let read = || {
            let mode = ReaderMode::default();
            OxigraphInMemory::from_reader(&mut Cursor::new(turtle), "graph", &RDFFormat::Turtle, None, &mode)
                .map_err(|error| ShaclError::Graph(error.to_string()))
        };
        let mut results = Vec::new();
        let mut validation = GraphValidation::new(Graph::from(read()?));
        for (shapes, schema) in &self.compiled {
            let report = validation
                .validate(schema, &ShaclValidationMode::Native, &ShaclConfig::default())
                .map_err(|error| ShaclError::Shapes { shapes: shapes.as_str(), reason: error.to_string() })?;
            results.extend(report.results().iter().map(|result| read_result(*shapes, result)));
        }
        results.sort();
        Ok(results)
    }
}

fn read_result(shapes: Shapes, result: &ValidationResult) -> Result {
    let constraint = result.constraint_component().to_string();
    let severity = match result.severity() {
        Severity::Violation | Severity::Generic(_) => "violation",
        Severity::Warning => "warning",
        Severity::Info | Severity::Debug | Severity::Trace => "info",
    };
    let messages = result.message();
    Result {
        shapes,
        severity,
        focus: result.focus_node().to_string(),
        path: result.path().map(ToString::to_string),
        value: result.value().map(ToString::to_string),
        constraint: constraint.rsplit(['#', '/']).next().unwrap_or_default().trim_end_matches('>').to_owned(),
        message: messages.iter().next().map(|(_, text)| text.clone()),
    }
}
