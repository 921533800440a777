//! `logodds export`.

use std::path::PathBuf;

use logodds::config::{Dialect, ExportFormat};
use logodds::error::ConfigError;
use logodds::export::{self, ExportedInput, Onnx, SqlOptions};
use logodds::model::Model;
use logodds::output::check_apart;
use serde::Serialize;

use super::output::{Output, shown};
use super::table::{count, facts, plural};

/// The longest query that BigQuery accepts, in bytes.
const BIGQUERY_LIMIT: usize = 1 << 20;

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  logodds export model.json -o model.onnx
  logodds export model.json -o score.sql --dialect duckdb --table customers --keep id
  logodds export model.json --format sql -o - | psql")]
pub(crate) struct ExportArguments {
    /// Model file
    ///
    /// The path of a model file (JSON) that train or tune wrote.
    model: PathBuf,
    /// File to write; - for stdout
    ///
    /// Path of the file, which is written completely or not at all; a single dash is stdout. Needed.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Format [default: by the extension of the file]
    ///
    /// By default the extension of the output decides: .onnx, .sql or .json.
    #[arg(long, value_enum, value_name = "FORMAT")]
    format: Option<ExportFormat>,
    /// The database to write for [default: postgresql]
    ///
    /// Databases differ in how they quote names, write text and compute exponentials.
    #[arg(long, value_enum, value_name = "DIALECT", help_heading = "SQL")]
    dialect: Option<Dialect>,
    /// The table to read, with its schema if needed (schema.name) [default: input]
    ///
    /// Name of the table or view that the statement selects from; its parts are quoted as the database needs.
    #[arg(long, value_name = "NAME", help_heading = "SQL")]
    table: Option<String>,
    /// Columns of the table to pass through, such as its key
    ///
    /// Names of columns, separated by commas, that the statement returns with the prediction. By default
    /// none.
    #[arg(long, value_delimiter = ',', value_name = "A,B,..", help_heading = "SQL")]
    keep: Vec<String>,
}

/// The report of an export.
#[derive(Serialize)]
struct Report {
    format: ExportFormat,
    output: PathBuf,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    dialect: Option<Dialect>,
    inputs: Vec<ExportedInput>,
    /// Columns of the model that the export does not read, because all their coefficients are 0.
    columns_left_out: usize,
    outputs: Vec<String>,
    warnings: Vec<String>,
}

/// An export before it is written, with the columns for its report.
struct Exported {
    bytes: Vec<u8>,
    inputs: Vec<ExportedInput>,
    outputs: Vec<String>,
    warnings: Vec<String>,
}

pub(crate) fn run(arguments: &ExportArguments, output: Output) -> anyhow::Result<()> {
    let format = check(arguments, output)?;
    let model = Model::load(&arguments.model)?;
    check_apart("--output", &arguments.output, "the model file", &[&arguments.model])?;
    let exported = match format {
        ExportFormat::Onnx => of_onnx(export::onnx(&model)?),
        ExportFormat::Sql => of_sql(&model, arguments)?,
        ExportFormat::Json => Exported {
            bytes: model.to_json().into_bytes(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            warnings: Vec::new(),
        },
    };
    export::write(&arguments.output, &exported.bytes)?;
    let report = Report {
        format,
        output: arguments.output.clone(),
        bytes: exported.bytes.len(),
        dialect: (format == ExportFormat::Sql).then(|| arguments.dialect.unwrap_or_default()),
        columns_left_out: if format == ExportFormat::Json {
            0
        } else {
            model.columns.len() - exported.inputs.len()
        },
        inputs: exported.inputs,
        outputs: exported.outputs,
        warnings: exported.warnings,
    };
    output.written(&[&arguments.output], &report, || text(&report))
}

/// The format, from the flag or the file name; refuses flags that contradict each other.
fn check(arguments: &ExportArguments, output: Output) -> logodds::Result<ExportFormat> {
    let what = "the file's extension is none of .onnx, .sql, .json; name one of the three formats";
    let format = arguments.format.or_else(|| ExportFormat::of_path(&arguments.output));
    let format = format.ok_or(ConfigError::Missing { flag: "--format", what })?;
    let given = [
        ("--dialect", arguments.dialect.is_some()),
        ("--table", arguments.table.is_some()),
        ("--keep", !arguments.keep.is_empty()),
    ];
    if format != ExportFormat::Sql
        && let Some((flag, _)) = given.into_iter().find(|(_, given)| *given)
    {
        let why = format!("it is only for SQL, and the format is {}; leave it out", format.name());
        return Err(ConfigError::NotApplicable { flag, why }.into());
    }
    let binary = (format == ExportFormat::Onnx).then_some("a file or a pipe, because ONNX is not text");
    output.check(&arguments.output, binary)?;
    Ok(format)
}

fn of_onnx(onnx: Onnx) -> Exported {
    Exported { bytes: onnx.bytes, inputs: onnx.inputs, outputs: onnx.outputs.to_vec(), warnings: Vec::new() }
}

fn of_sql(model: &Model, arguments: &ExportArguments) -> logodds::Result<Exported> {
    let dialect = arguments.dialect.unwrap_or_default();
    let options = SqlOptions { dialect, table: arguments.table.clone(), keep: arguments.keep.clone() };
    let sql = export::sql(model, &options)?;
    let mut warnings = Vec::new();
    if dialect == Dialect::Bigquery && sql.text.len() > BIGQUERY_LIMIT {
        warnings.push(format!(
            "BigQuery accepts queries of at most {} bytes; train with an L1 penalty for fewer coefficients",
            count(BIGQUERY_LIMIT)
        ));
    }
    Ok(Exported { bytes: sql.text.into_bytes(), inputs: sql.inputs, outputs: sql.outputs, warnings })
}

fn text(report: &Report) -> String {
    let mut lines = vec![("output", format!("{}, {} bytes", shown(&report.output), count(report.bytes)))];
    if let Some(dialect) = report.dialect {
        lines.push(("dialect", dialect.name().to_owned()));
    }
    if !report.inputs.is_empty() {
        let mut inputs = plural(report.inputs.len(), "column");
        if report.columns_left_out > 0 {
            inputs
                .push_str(&format!(", without {} that have no coefficient", count(report.columns_left_out)));
        }
        lines.push(("inputs", inputs));
    }
    for kind in ["float64", "int64", "string"] {
        let of_kind = || report.inputs.iter().filter(|input| input.r#type == Some(kind));
        if let Some(null) = of_kind().find_map(|input| input.null.as_deref()) {
            lines.push((kind, format!("{}, null: {null}", count(of_kind().count()))));
        }
    }
    if !report.outputs.is_empty() {
        lines.push(("outputs", first_of(&report.outputs)));
    }
    lines.extend(report.warnings.iter().map(|warning| ("warning", warning.clone())));
    facts(&lines)
}

/// The first names, and how many there are in all.
fn first_of(names: &[String]) -> String {
    let mut text = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > 5 {
        text.push_str(&format!(", ... ({} in all)", names.len()));
    }
    text
}
