//! The commands: they read arguments, call the library and print reports. No mathematics and no data format
//! here.

mod coefficients;
mod devices;
mod driver;
mod early;
mod evaluate;
mod evaluation;
mod export;
mod failure;
mod inference;
mod inspect;
mod interrupt;
mod output;
mod panics;
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

use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

pub(crate) use driver::quieten as quieten_drivers;
pub(crate) use failure::Failure;
pub(crate) use panics::{caught, quieten as quieten_panics};

/// Trains logistic regression straight from Parquet, with or without a GPU.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, arg_required_else_help = true, styles = style::HELP)]
pub(crate) struct Arguments {
    /// Print one JSON object instead of a report; an error becomes JSON on stderr
    ///
    /// Results go to stdout as one JSON object on one line, with all digits. If the command fails, a JSON
    /// object goes to stderr instead: `{"error": {"kind", "message", "causes"}}`. By default results are text
    /// for people.
    #[arg(long, global = true, help_heading = "Output")]
    pub(crate) json: bool,
    /// No progress and no messages on stderr
    ///
    /// Results and errors are still printed. By default progress is shown if stderr is a terminal.
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
    /// Cross-validate a grid of penalties, all models at once, and train with the best
    Tune(Box<tune::TuneArguments>),
    /// Write predictions and probabilities as Parquet
    Predict(predict::PredictArguments),
    /// Measure models on labelled data
    Evaluate(evaluate::EvaluateArguments),
    /// Choose the threshold of a model on labelled data, and store it in the model
    Threshold(threshold::ThresholdArguments),
    /// Show a model and its quality on labelled data, as one HTML page
    Report(report_page::ReportArguments),
    /// Show the contents of a model file, and how well the training data determine it
    Inspect(inspect::InspectArguments),
    /// Write a model as ONNX or SQL, to predict where the data are
    Export(export::ExportArguments),
    /// List the devices, and the one that `--device auto` chooses
    Devices,
    /// Print shell completions (`logodds man FOLDER` writes the manual)
    Completions(setup::CompletionsArguments),
    /// Write the manual, a page for each command
    // Hidden so that the list of commands fits a screen; `completions` names it.
    #[command(hide = true)]
    Man(setup::ManArguments),
}

impl Arguments {
    /// Reads the arguments of the process; ends the process if they are wrong.
    pub(crate) fn read() -> Self {
        let matches = Self::described().try_get_matches().unwrap_or_else(|error| failure::exit(&error));
        let mut arguments = Self::from_arg_matches(&matches).unwrap_or_else(|error| failure::exit(&error));
        if let Some((_, matches)) = matches.subcommand() {
            let typed = matches.ids().map(clap::Id::as_str);
            let typed = typed.filter(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
            arguments.typed = typed.map(|id| format!("--{}", id.replace('_', "-"))).collect();
        }
        arguments
    }

    /// The command line as `--help` shows it.
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

    /// The command line for shell completions, without the hidden parts.
    pub(crate) fn completed() -> clap::Command {
        shown(&Self::described()).version(env!("CARGO_PKG_VERSION"))
    }
}

/// Flags that only `--help` shows, so that `-h` fits a screen.
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

/// The command with a short help for its common flags; the short help points to `--help`.
fn abridged(command: clap::Command, rare: &[&str]) -> clap::Command {
    let command =
        rare.iter().fold(command, |command, flag| command.mut_arg(flag, |flag| flag.hide_short_help(true)));
    let examples = command.get_after_help().map(|text| format!("{text}\n\n")).unwrap_or_default();
    let whole = command.get_after_long_help().or(command.get_after_help()).cloned().unwrap_or_default();
    command.after_help(format!("{examples}--help shows all settings")).after_long_help(whole)
}

/// The command without its hidden parts.
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

/// Starts logging to stderr; `RUST_LOG` sets another level than warnings.
pub(crate) fn start_logging(quiet: bool) {
    // Graphics drivers warn about missing features; these warnings do not help a user.
    let default = if quiet { "off" } else { "warn,wgpu_hal=off,wgpu_core=error,naga=error" };
    env_logger::Builder::from_env(env_logger::Env::default().default_filter_or(default))
        .format_timestamp(None)
        .init();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Collects every argument and value of `command` and its subcommands without a description.
    fn walk(command: &clap::Command, path: &str, undescribed: &mut Vec<String>) {
        let mut check = |name: String, is_described: bool| {
            if !is_described {
                undescribed.push(format!("{path} {name}"));
            }
        };
        check(String::new(), command.get_about().is_some());
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let name = argument.get_id().to_string();
            let long = argument.get_long_help().map(ToString::to_string).unwrap_or_default();
            check(name.clone(), argument.get_help().is_some() && long.trim_end().ends_with('.'));
            if argument.is_hide_possible_values_set() || !argument.get_action().takes_values() {
                continue;
            }
            for value in argument.get_possible_values() {
                // The help of the argument may describe its values.
                let is_described = value.get_help().is_some() || long.contains(value.get_name());
                check(format!("{name}={}", value.get_name()), is_described);
            }
        }
        for command in command.get_subcommands() {
            walk(command, &format!("{path} {}", command.get_name()), undescribed);
        }
    }

    #[test]
    fn every_option_and_value_is_described() {
        let mut undescribed = Vec::new();
        walk(&Arguments::described(), "logodds", &mut undescribed);
        assert!(undescribed.is_empty(), "{undescribed:#?}");
    }
}
