//! A model as one SELECT statement, so that a database predicts where its rows are.
//!
//! The statement reads a table with the columns of training, by their names, and gives the columns to keep,
//! `prediction` and the probabilities, as `predict` writes them. Nulls are filled and levels looked up as in
//! training; a level that training had not seen counts for nothing. Prediction and probabilities are NULL
//! for a row with a null that the model cannot fill, or with a NaN or an infinity in a column that counts
//! (which `predict` refuses).

mod dialect;
mod query;
mod terms;

use self::query::Query;
use super::ExportedInput;
use super::stack::{Stack, fresh};
use crate::config::Dialect;
use crate::data::PREDICTION;
use crate::error::{DataError, ExportError, Result};
use crate::model::{Model, Task};

/// The table that a statement reads unless another is named.
pub const DEFAULT_TABLE: &str = "input";

/// Bytes of a statement from which on PostgreSQL's compiler takes seconds.
const COMPILED_SLOWLY: usize = 100_000;

/// What a statement reads and gives.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SqlOptions {
    /// The database that it is for.
    pub dialect: Dialect,
    /// The table to read, with its schema before a point if need be; [`DEFAULT_TABLE`] if none. Parts in
    /// quotes are left as they are, others are quoted.
    pub table: Option<String>,
    /// Columns to pass through.
    pub keep: Vec<String>,
}

/// A model as a statement, and what it takes and gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    /// The statement.
    pub text: String,
    /// The columns of the model that it reads.
    pub inputs: Vec<ExportedInput>,
    /// The columns that it gives.
    pub outputs: Vec<String>,
}

/// Writes `model` as a SELECT statement.
///
/// # Errors
/// [`ExportError`]: a name or text that the dialect cannot write, or names that it takes for one.
/// [`DataError::OutputColumn`]: a column to keep bears the name of an output.
pub fn sql(model: &Model, options: &SqlOptions) -> Result<Sql> {
    let dialect = options.dialect;
    let stack = Stack::new(model);
    check_case(dialect, stack.inputs.iter().map(|input| input.column.name.as_str()))?;
    let names = probability_names(model, dialect);
    let outputs = || names.iter().map(String::as_str).chain([PREDICTION]);
    for kept in &options.keep {
        if outputs().any(|output| output.to_lowercase() == kept.to_lowercase()) {
            return Err(DataError::OutputColumn { column: kept.clone() }.into());
        }
    }
    let table = options.table.as_deref().unwrap_or(DEFAULT_TABLE);
    // No name between the stages is that of a column or of the table.
    let mut prefix = "logodds_".to_owned();
    let outside = || options.keep.iter().map(String::as_str).chain([table]);
    while outside().any(|name| name.to_lowercase().contains(&prefix)) {
        prefix.push('_');
    }
    let quoted =
        |names: &[String]| names.iter().map(|name| dialect.identifier(name)).collect::<Result<Vec<_>>>();
    let query = Query {
        dialect,
        stack: &stack,
        keep: quoted(&options.keep)?,
        table: quote_table(dialect, table)?,
        prefix,
        probabilities: quoted(&names)?,
    };
    let statement = match model.task {
        Task::Binary => query.binary()?,
        Task::OneVsRest => query.one_vs_rest()?,
    };
    let input = |name: &str| ExportedInput { name: name.to_owned(), r#type: None, null: None };
    Ok(Sql {
        text: header(model, dialect, &statement) + &statement,
        inputs: stack.inputs.iter().map(|i| input(&i.column.name)).collect(),
        outputs: options.keep.iter().cloned().chain([PREDICTION.to_owned()]).chain(names).collect(),
    })
}

/// Comments above the statement; names are escaped, so that none of them ends its line.
fn header(model: &Model, dialect: Dialect, statement: &str) -> String {
    let what = match &model.positive {
        Some(positive) => format!("the probability that {:?} is {positive:?}", model.target),
        None => format!("the probability of each of {} classes of {:?}", model.classes.len(), model.target),
    };
    let version = env!("CARGO_PKG_VERSION");
    let mut text = format!("-- {what}, for {}; written by logodds {version}\n", dialect.name());
    if dialect == Dialect::Postgresql && statement.len() > COMPILED_SLOWLY {
        text.push_str("-- SET jit = off; before a long statement like this: compiling it takes longer than running it\n");
    }
    text
}

/// The names that `predict` gives the probabilities; for BigQuery, whose names hold letters, digits and
/// underscores only, others are replaced by underscores.
fn probability_names(model: &Model, dialect: Dialect) -> Vec<String> {
    if model.task == Task::Binary {
        return vec!["probability".to_owned()];
    }
    let mut names: Vec<String> = Vec::with_capacity(model.classes.len());
    for class in &model.classes {
        let mut name = format!("probability_{class}");
        if dialect == Dialect::Bigquery {
            name = name.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '_'), "_");
            name = fresh(&name, names.iter().map(String::as_str));
        }
        names.push(name);
    }
    names
}

fn check_case<'n>(dialect: Dialect, names: impl Iterator<Item = &'n str>) -> Result<()> {
    let mut seen = std::collections::HashMap::new();
    for name in names.filter(|_| dialect.ignores_case()) {
        if let Some(first) = seen.insert(name.to_lowercase(), name) {
            let (first, second) = (first.to_owned(), name.to_owned());
            return Err(ExportError::SameName { first, second, form: dialect.name() }.into());
        }
    }
    Ok(())
}

/// The parts of a table's name in the quotes of the dialect.
fn quote_table(dialect: Dialect, table: &str) -> Result<String> {
    let (mut parts, mut part, mut open) = (Vec::new(), String::new(), None);
    for c in table.chars() {
        match (c, open) {
            ('.', None) => parts.push(std::mem::take(&mut part)),
            ('"' | '`', None) => {
                open = Some(c);
                part.push(c);
            }
            (c, open_with) => {
                if open_with == Some(c) {
                    open = None;
                }
                part.push(c);
            }
        }
    }
    parts.push(part);
    let quote = |part: &String| {
        if part.starts_with(['"', '`']) { Ok(part.clone()) } else { dialect.identifier(part) }
    };
    Ok(parts.iter().map(quote).collect::<Result<Vec<_>>>()?.join("."))
}
