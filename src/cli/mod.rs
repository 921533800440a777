//! The commands: from arguments to library calls to reports. No mathematics, no data format.

mod coefficients;
mod devices;
mod driver;
mod evaluate;
mod evaluation;
mod export;
mod inference;
mod inspect;
mod interrupt;
mod output;
mod predict;
mod progress;
mod report_page;
mod setup;
mod style;
mod table;
mod threshold;
mod train;
mod tune;
mod weights;

use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use logodds::Error;
use logodds::error::{DataError, SweepError};

pub(crate) use driver::quieten as quieten_drivers;
pub(crate) use output::print_error;

/// Trains logistic regression straight from Parquet, on any GPU or none.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true, styles = style::HELP)]
pub(crate) struct Arguments {
    /// Print one JSON object instead of a report
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// No progress and no messages on stderr
    #[arg(long, short, global = true, help_heading = "Output")]
    pub(crate) quiet: bool,
    /// Names of the flags that were typed
    #[arg(skip)]
    pub(crate) typed: Vec<String>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train one model, or one for each class
    Train(Box<train::TrainArguments>),
    /// Try penalties on folds of the table, all models at once, and train with the best
    Tune(Box<tune::TuneArguments>),
    /// Write predictions and probabilities as Parquet
    Predict(predict::PredictArguments),
    /// Measure models on labelled data
    Evaluate(evaluate::EvaluateArguments),
    /// Choose the threshold of a model on labelled data, and store it in the model
    Threshold(threshold::ThresholdArguments),
    /// Show a model and what it is worth on labelled data, as one HTML page
    Report(report_page::ReportArguments),
    /// Show what a model file holds, and how well the training data determine it
    Inspect(inspect::InspectArguments),
    /// Write a model as ONNX or SQL, to predict where the data are
    Export(export::ExportArguments),
    /// List the devices, and what `--device auto` would take
    Devices,
    /// Print the completions of a shell (`logodds man FOLDER` writes the manual)
    Completions(setup::CompletionsArguments),
    /// Write the manual, a page for each command
    // Named beside the completions: the list of commands fits a screen.
    #[command(hide = true)]
    Man(setup::ManArguments),
}

impl Arguments {
    /// Those of the process; a wrong one ends it.
    pub(crate) fn read() -> Self {
        let matches = Self::described().get_matches();
        let mut arguments = Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if let Some((_, matches)) = matches.subcommand() {
            let typed = matches.ids().map(clap::Id::as_str);
            let typed = typed.filter(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
            arguments.typed = typed.map(|id| format!("--{}", id.replace('_', "-"))).collect();
        }
        arguments
    }

    /// The command line, as it is shown.
    fn described() -> clap::Command {
        let hide = |command: clap::Command| {
            let hidden = tune::NOT_OF_A_SWEEP.iter();
            hidden
                .fold(command, |command, flag| command.mut_arg(flag, |flag| flag.hide(true)))
                .mut_arg("features", |flag| {
                    flag.help("Columns to use [default: all but target, weight, group, fold and time]")
                })
                .mut_arg("scoring", |flag| flag.help_heading("Choice"))
                .mut_arg("solver", |flag| flag.help("Algorithm: auto, newton, lbfgs [default: auto]"))
                .mut_arg("metrics", |flag| flag.help("Write one JSON line per pass; - for stdout"))
                .after_long_help(
                    "Examples:\n  logodds tune train.parquet --target y --l1-ratios 0,0.5,1 -o m.json\n  \
                     logodds tune train.parquet --target y --group patient --plots plots -o m.json",
                )
        };
        let command = Self::command().mut_subcommand("tune", hide);
        RARE.iter().fold(command, |command, (name, flags)| {
            command.mut_subcommand(name, |command| abridged(command, flags))
        })
    }

    /// The command line as a shell completes it: what `--help` does not show is no part of it.
    pub(crate) fn completed() -> clap::Command {
        shown(&Self::described()).version(env!("CARGO_PKG_VERSION"))
    }
}

/// Flags that `-h` leaves to `--help`, so that it fits a screen.
const RARE: [(&str, &[&str]); 3] = [
    (
        "train",
        &[
            "exclude",
            "class_weight",
            "missing",
            "nan",
            "no_standardize",
            "no_intercept",
            "tolerance",
            "max_iterations",
            "epochs",
            "batch_size",
            "learning_rate",
            "momentum",
            "seed",
            "validation",
            "validation_fraction",
            "patience",
            "scoring",
            "memory",
            "threads",
            "metrics",
        ],
    ),
    (
        "tune",
        &[
            "exclude",
            "categorical",
            "positive",
            "class_weight",
            "missing",
            "nan",
            "no_standardize",
            "no_intercept",
            "solver",
            "tolerance",
            "max_iterations",
            "seed",
            "memory",
            "threads",
            "metrics",
            "cs",
            "per_class",
            "halving",
            "fold_column",
            "time",
            "rule",
            "checkpoint",
            "resume",
            "plots",
        ],
    ),
    ("inspect", &["reference", "device", "memory"]),
];

/// The command with a short help of its common flags, which names the long one.
fn abridged(command: clap::Command, rare: &[&str]) -> clap::Command {
    let command =
        rare.iter().fold(command, |command, flag| command.mut_arg(flag, |flag| flag.hide_short_help(true)));
    let examples = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let whole = command.get_after_long_help().or(command.get_after_help()).cloned().unwrap_or_default();
    command.after_help(format!("{examples}--help shows all settings")).after_long_help(whole)
}

/// A command without what is hidden.
fn shown(command: &clap::Command) -> clap::Command {
    clap::Command::new(command.get_name().to_owned())
        .about(command.get_about().cloned().unwrap_or_default())
        .args(command.get_arguments().filter(|argument| !argument.is_hide_set()))
        .subcommands(command.get_subcommands().filter(|command| !command.is_hide_set()).map(shown))
}

/// Runs the command.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let output = output::Output { json: arguments.json, quiet: arguments.quiet };
    interrupt::listen()?;
    match arguments.command {
        Command::Train(arguments) => train::run(*arguments, output),
        Command::Tune(arguments) => tune::run(*arguments, output),
        Command::Predict(arguments) => predict::run(&arguments, output),
        Command::Evaluate(arguments) => evaluate::run(&arguments, output),
        Command::Threshold(arguments) => threshold::run(&arguments, output),
        Command::Report(arguments) => report_page::run(&arguments, output),
        Command::Inspect(arguments) => inspect::run(&arguments, output),
        Command::Export(arguments) => export::run(&arguments, output),
        Command::Devices => devices::run(output),
        Command::Completions(arguments) => setup::completions(&arguments, output),
        Command::Man(arguments) => setup::man(&arguments, output),
    }
}

/// 2 for a command that was called the wrong way, 130 for one stopped by Ctrl-C (by another signal, 128 and its
/// number), else 1.
pub(crate) fn exit_code(error: &anyhow::Error, typed: &[String]) -> ExitCode {
    let is_typed = |flag: &str| typed.iter().any(|name| name == flag);
    // A value that is not typed was read from the config file.
    let is_typed = |flag: &str| is_typed(flag) || !is_typed("--config");
    match error.downcast_ref::<Error>() {
        Some(Error::Config(config)) if config.is_usage(is_typed) => ExitCode::from(2),
        Some(Error::Data(DataError::Interrupted) | Error::Sweep(SweepError::Interrupted { .. })) => {
            ExitCode::from(interrupt::exit_code())
        }
        _ => ExitCode::FAILURE,
    }
}

/// Logs go to stderr; `RUST_LOG` chooses others than warnings.
pub(crate) fn start_logging(quiet: bool) {
    // The driver layers warn about what they do not find; that is for their authors.
    let default = if quiet { "off" } else { "warn,wgpu_hal=off,wgpu_core=error,naga=error" };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(default))
        .format_timestamp(None)
        .init();
}
