//! `pleiad config`: check a file as `serve` would read it, or print the documented sample.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Exit, Failure, Output};
use crate::config::{self, Config};

/// Arguments of `pleiad config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

/// The verbs of `pleiad config`.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Read a configuration as `serve` would, environment included, and say whether it is good.
    Check {
        /// The configuration.
        file: PathBuf,
    },
    /// Print every key with its default and what it means.
    Sample,
}

/// Runs `pleiad config`.
pub fn run(args: ConfigArgs, output: Output) -> Result<(), Failure> {
    match args.verb {
        ConfigVerb::Check { file } => {
            let config = Config::load(&file, std::env::vars()).map_err(|error| Failure::new(Exit::Usage, error))?;
            output.remark(format_args!(
                "{} is good: {}, data in {}",
                file.display(),
                config.identity,
                config.data.display()
            ));
            Ok(())
        }
        ConfigVerb::Sample => output.text(&config::sample()),
    }
}
