//! Chooses the row weights of an evaluation.

use serde::Serialize;

use crate::data::Source;
use crate::model::Model;

/// The weights that are requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedWeight<'a> {
    /// The column of the models' training, if the table has it.
    Training,
    /// This column.
    Column(&'a str),
    /// No weights: each row counts once.
    None,
}

/// The row weights of an evaluation, compared with those of training.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RowWeights {
    /// Column of the weights, if rows have any.
    pub column: Option<String>,
    /// How the weights differ from those of training.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl RowWeights {
    /// Chooses the weights of `table` for models that are evaluated together.
    pub fn choose(models: &[&Model], table: &Source, asked: AskedWeight<'_>) -> Self {
        let mut trained: Vec<Option<&str>> =
            models.iter().map(|model| model.training.weight.as_deref()).collect();
        trained.dedup();
        let has = |name: &str| table.column_names().iter().any(|column| column == name);
        let column = match (asked, trained.as_slice()) {
            (AskedWeight::Column(name), _) => Some(name),
            (AskedWeight::Training, [Some(name)]) if has(name) => Some(*name),
            _ => None,
        };
        let described = column.map_or("is unweighted".to_owned(), |name| format!("weighs rows by {name:?}"));
        let note = match trained.as_slice() {
            [of] if of.is_none() || *of == column => None,
            [of] => {
                let name = of.unwrap_or_default();
                let absent = if has(name) { "" } else { ", a column that this table lacks" };
                Some(format!("trained with weights of {name:?}{absent}; this evaluation {described}"))
            }
            _ => Some(format!("the models were trained with different weights; this evaluation {described}")),
        };
        Self { column: column.map(str::to_owned), note }
    }
}
