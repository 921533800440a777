//! A model as one SELECT statement, so that a database predicts where its rows are.
//!
//! The statement reads a table that has the training columns, by their names. It returns the columns to keep,
//! `prediction` and the probabilities, in the format of `predict`. Nulls are filled and levels looked up as
//! in training; a level that did not occur in training contributes nothing. A NaN is a null, except in
//! standard SQL, which cannot express it. Prediction and probabilities are NULL for a row with a null
//! that the model cannot fill. They are also NULL for an infinite value, or a NaN that training refused, in a
//! relevant column; `predict` refuses such values.

mod dialect;
mod query;
mod terms;

use self::query::Query;
use super::ExportedInput;
use super::stack::Stack;
use crate::config::Dialect;
use crate::data::PREDICTION;
use crate::error::{ConfigError, DataError, ExportError, Result};
use crate::model::{Model, Task};

/// The default table of a statement.
pub const DEFAULT_TABLE: &str = "input";

/// Length in bytes from which PostgreSQL's compiler takes seconds.
const COMPILED_SLOWLY: usize = 100_000;

/// Options of a statement.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SqlOptions {
    /// The target database.
    pub dialect: Dialect,
    /// The table to read, with its schema before a dot if needed; by default [`DEFAULT_TABLE`]. Quoted parts
    /// keep their names, other parts get quotes.
    pub table: Option<String>,
    /// Columns to copy.
    pub keep: Vec<String>,
}

/// A model as a statement, with its inputs and outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Sql {
    /// The statement.
    pub text: String,
    /// The columns of the model that the statement reads.
    pub inputs: Vec<ExportedInput>,
    /// The columns that the statement returns.
    pub outputs: Vec<String>,
}

/// Writes `model` as a SELECT statement.
///
/// # Errors
/// [`ExportError`]: a name or text that the dialect cannot write, or names that it cannot tell apart.
/// [`DataError::OutputColumn`]: a column to keep has the name of an output. [`ConfigError`]: the name of a
/// table or of a column to keep is not valid.
pub fn sql(model: &Model, options: &SqlOptions) -> Result<Sql> {
    let dialect = options.dialect;
    let stack = Stack::new(model);
    check_apart(dialect, stack.inputs.iter().map(|input| input.column.name.as_str()))?;
    let names = probability_names(model, dialect);
    let outputs: Vec<&str> = names.iter().map(String::as_str).chain([PREDICTION]).collect();
    check_keep(dialect, &options.keep, &outputs)?;
    let table = options.table.as_deref().unwrap_or(DEFAULT_TABLE);
    // The prefix of inner names, which no column and no table begins with.
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

/// Comments above the statement; names are escaped, so that none can end its comment line.
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

/// The names of the probabilities, as in `predict`, as far as the database can tell them apart.
fn probability_names(model: &Model, dialect: Dialect) -> Vec<String> {
    if model.task == Task::Binary {
        return vec!["probability".to_owned()];
    }
    let mut names: Vec<String> = Vec::with_capacity(model.classes.len());
    for class in &model.classes {
        names.push(dialect.output_name(&format!("probability_{class}"), &names));
    }
    names
}

/// Refuses columns that the database cannot tell apart.
fn check_apart<'n>(dialect: Dialect, names: impl Iterator<Item = &'n str>) -> Result<()> {
    let mut seen = std::collections::HashMap::new();
    for name in names {
        if let Some(first) = seen.insert(dialect.key(name), name) {
            let (first, second) = (first.to_owned(), name.to_owned());
            return Err(ExportError::SameName { first, second, form: dialect.name() }.into());
        }
    }
    Ok(())
}

/// Refuses columns to keep that have no name, occur twice, or have the name of an output.
fn check_keep(dialect: Dialect, keep: &[String], outputs: &[&str]) -> Result<()> {
    for (at, column) in keep.iter().enumerate() {
        if column.is_empty() {
            let (found, expected) = ("a name that is empty".to_owned(), "names of columns");
            return Err(ConfigError::Invalid { flag: "--keep", found, expected }.into());
        }
        if keep[..at].iter().any(|other| dialect.key(other) == dialect.key(column)) {
            return Err(ConfigError::Twice { flag: "--keep", column: column.clone() }.into());
        }
        // Ignore case: most databases do.
        if outputs.iter().any(|output| output.to_lowercase() == column.to_lowercase()) {
            return Err(DataError::OutputColumn { column: column.clone() }.into());
        }
    }
    Ok(())
}

/// The name of a table with its parts quoted for the dialect, whatever quotes were given.
fn quote_table(dialect: Dialect, table: &str) -> Result<String> {
    // DuckDB reads a file if a string takes the place of a table.
    let file = table.strip_prefix('\'').and_then(|rest| quoted_part(rest, '\''));
    if let Some((file, "")) = file.filter(|(file, _)| dialect == Dialect::Duckdb && !file.is_empty()) {
        return dialect.text(&file);
    }
    let parts = table_parts(table).ok_or_else(|| ConfigError::Invalid {
        flag: "--table",
        found: format!("{table:?}"),
        expected: "the name of a table, such as customers, sales.customers or \"odd name\"",
    })?;
    Ok(parts.iter().map(|part| dialect.identifier(part)).collect::<Result<Vec<_>>>()?.join("."))
}

/// The parts between dots, without quotes; `None` if a part is empty or a quote is not closed.
fn table_parts(table: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = table;
    loop {
        let part;
        (part, rest) = match rest.chars().next().filter(|c| matches!(c, '"' | '`')) {
            Some(quote) => quoted_part(&rest[1..], quote)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        if part.is_empty() {
            return None;
        }
        parts.push(part);
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None => return rest.is_empty().then_some(parts),
        }
    }
}

/// The text up to the closing quote, with doubled quotes reduced to one, and the rest.
fn quoted_part(text: &str, quote: char) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut letters = text.char_indices().peekable();
    while let Some((at, c)) = letters.next() {
        if c != quote {
            part.push(c);
        } else if letters.next_if(|(_, next)| *next == quote).is_some() {
            part.push(quote);
        } else {
            return Some((part, &text[at + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_named_with_and_without_quotes() {
        for (given, written) in [
            ("t", "\"t\""),
            ("a.b", "\"a\".\"b\""),
            ("\"a.b\".c", "\"a.b\".\"c\""),
            ("`a`", "\"a\""),
            ("\"a\"\"b\"", "\"a\"\"b\""),
            ("it's \"so\"", "\"it's \"\"so\"\"\""),
        ] {
            assert_eq!(quote_table(Dialect::Postgresql, given).unwrap(), written, "{given}");
        }
        assert_eq!(quote_table(Dialect::Duckdb, "'it''s.parquet'").unwrap(), "'it''s.parquet'");
        assert_eq!(quote_table(Dialect::Postgresql, "'a'").unwrap(), "\"'a'\"");
        for given in ["", ".", "a..b", "a.", "\"a", "\"a\"b", "\"\""] {
            let error = quote_table(Dialect::Duckdb, given).unwrap_err().to_string();
            assert!(error.contains("--table"), "{given}: {error}");
        }
    }

    #[test]
    fn outputs_are_apart_for_the_database() {
        let long = "x".repeat(70);
        let two = format!("{long}2");
        let names = |dialect: Dialect, wanted: [&str; 2]| {
            let first = dialect.output_name(wanted[0], &[]);
            let second = dialect.output_name(wanted[1], std::slice::from_ref(&first));
            [first, second]
        };
        assert_eq!(names(Dialect::Duckdb, ["p_A", "p_a"]), ["p_A", "p_a_1"]);
        assert_eq!(names(Dialect::Postgresql, ["p_A", "p_a"]), ["p_A", "p_a"]);
        let [first, second] = names(Dialect::Postgresql, [&long, &two]);
        assert_eq!((first.len(), second.len()), (63, 63));
        assert!(first != second && second.ends_with("_1"), "{second}");
        assert_eq!(names(Dialect::Ansi, [&long, &two]), [long.clone(), two.clone()]);
        assert_eq!(names(Dialect::Bigquery, ["p_<1", "p_>1"]), ["p__1", "p__1_1"]);
    }
}
