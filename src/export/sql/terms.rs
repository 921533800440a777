//! The linear predictor of one model as an expression.

use super::super::stack::{Input, Stack};
use crate::config::Dialect;
use crate::data::{ColumnKind, LevelType, Nan};
use crate::error::Result;

/// Terms in a flat sum; more terms get nested parentheses. SQLite and DuckDB refuse expressions deeper than
/// 1,000, and a flat sum is one deeper with each term.
const SIDE_BY_SIDE: usize = 100;
/// Levels that are compared one by one; more levels are first halved by order comparisons.
const COMPARED: usize = 16;

/// `z` of model `m`, with each line indented by `indent`.
pub(super) fn linear_predictor(
    dialect: Dialect,
    stack: &Stack<'_>,
    m: usize,
    indent: &str,
) -> Result<String> {
    let mut terms = vec![dialect.float(stack.intercepts[m])];
    for input in &stack.inputs {
        terms.extend(term(dialect, stack, m, input)?);
    }
    Ok(sum(&terms, indent))
}

/// The sum of the terms, with parentheses if there are many.
pub(super) fn sum(terms: &[String], indent: &str) -> String {
    let separator = format!("\n{indent}+ ");
    if terms.len() <= SIDE_BY_SIDE {
        return terms.join(&separator);
    }
    let deeper = format!("{indent}  ");
    let parts = terms.chunks(SIDE_BY_SIDE).map(|part| format!("({})", part.join(&format!("\n{deeper}+ "))));
    sum(&parts.collect::<Vec<_>>(), indent)
}

/// The term of a column; `None` if its coefficients are zero and a null would not matter.
fn term(dialect: Dialect, stack: &Stack<'_>, m: usize, input: &Input<'_>) -> Result<Option<String>> {
    let name = dialect.identifier(&input.column.name)?;
    let column = input.column;
    if column.kind == ColumnKind::Categorical {
        return levels(dialect, stack, m, input, &name);
    }
    let w = stack.coefficient(m, input, 0);
    if w == 0.0 && column.missing.is_some() {
        return Ok(None);
    }
    let float = |value: f64| dialect.float(value);
    if column.kind == ColumnKind::Boolean {
        let (yes, no) = (dialect.boolean(true), dialect.boolean(false));
        let filled = column.missing.map(|missing| format!(" ELSE {}", float(w * missing)));
        let filled = filled.unwrap_or_default();
        return Ok(Some(format!(
            "CASE {name} WHEN {yes} THEN {} WHEN {no} THEN {}{filled} END",
            float(w),
            float(0.0)
        )));
    }
    let number = match column.temporal {
        // Without a fill value, null and NaN both prevent the prediction.
        None if column.missing.is_some() && stack.model.nan == Nan::Null => {
            dialect.nan_is_null(&dialect.double(&name))
        }
        None => dialect.double(&name),
        Some(temporal) => dialect.number_of(&name, column, temporal)?,
    };
    let centred =
        if input.centre == 0.0 { number.clone() } else { format!("({number} - {})", float(input.centre)) };
    let (product, w) = (format!("{} * {centred}", float(w)), float(w));
    let text = match column.missing {
        None => product,
        // A null usually means the centre, and then adds nothing.
        Some(missing) => format!(
            "COALESCE({product}, {})",
            match missing - input.centre {
                0.0 => float(0.0),
                off => format!("{w} * {}", float(off)),
            }
        ),
    };
    Ok(Some(text))
}

/// The coefficient of a row's level: of null, of one of the levels, or 0.
fn levels(
    dialect: Dialect,
    stack: &Stack<'_>,
    m: usize,
    input: &Input<'_>,
    name: &str,
) -> Result<Option<String>> {
    let level_type = input.column.level_type;
    let mut branches = Vec::new();
    let mut null = None;
    for (place, level) in input.levels() {
        let w = stack.coefficient(m, input, place);
        match level {
            _ if w == 0.0 => {}
            None => null = Some(dialect.float(w)),
            Some(level) => branches.push((level, dialect.float(w))),
        }
    }
    if level_type.is_none() {
        branches.sort_by_key(|&(level, _)| level.as_bytes());
    }
    let literal = |level: &str| match level_type {
        None => dialect.text(level),
        Some(LevelType::Integer) => Ok(level.to_owned()),
        Some(LevelType::Boolean) => Ok(dialect.boolean(level == "true").to_owned()),
    };
    let branches = branches
        .into_iter()
        .map(|(level, w)| Ok((literal(level)?, w)))
        .collect::<Result<Vec<(String, String)>>>()?;
    let value = if level_type.is_none() { dialect.as_text(name) } else { name.to_owned() };
    let ordered = level_type.is_some() || dialect.orders_text();
    let zero = dialect.float(0.0);
    let known = (!branches.is_empty()).then(|| lookup(&value, &branches, ordered, &zero));
    Ok(match (null, known) {
        (None, known) => known,
        (Some(null), None) => Some(format!("CASE WHEN {name} IS NULL THEN {null} ELSE {zero} END")),
        (Some(null), Some(known)) => Some(format!("CASE WHEN {name} IS NULL THEN {null} ELSE {known} END")),
    })
}

/// The second element of the pair whose first is `value`, otherwise `otherwise`; `pairs` are in ascending
/// order.
fn lookup(value: &str, pairs: &[(String, String)], ordered: bool, otherwise: &str) -> String {
    if ordered && pairs.len() > COMPARED {
        let (below, rest) = pairs.split_at(pairs.len() / 2);
        return format!(
            "CASE WHEN {value} < {} THEN {} ELSE {} END",
            rest[0].0,
            lookup(value, below, ordered, otherwise),
            lookup(value, rest, ordered, otherwise)
        );
    }
    let branches: String = pairs.iter().map(|(level, w)| format!(" WHEN {level} THEN {w}")).collect();
    format!("CASE {value}{branches} ELSE {otherwise} END")
}
