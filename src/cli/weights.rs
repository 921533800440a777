//! Flags of row weights, shared by every command that evaluates a model.

use logodds::data;
use logodds::evaluate::{AskedWeight, RowWeights};
use logodds::model::Model;

#[derive(Debug, clap::Args)]
pub(crate) struct WeightArguments {
    /// Column of row weights [default: as in training]
    ///
    /// A numeric column with the weight of each row, 0 or more. By default the column that the model was
    /// trained with, if the table has it; otherwise every row counts once.
    #[arg(long, value_name = "COLUMN", help_heading = "Evaluation")]
    pub(super) weight: Option<String>,
    /// Count each row once, without any weights
    ///
    /// Ignores the weight column that the model was trained with. By default it is used.
    #[arg(long, conflicts_with = "weight", help_heading = "Evaluation")]
    pub(super) no_weight: bool,
}

impl WeightArguments {
    /// The weights of a table.
    pub(super) fn choose(&self, models: &[&Model], table: &data::Source) -> RowWeights {
        RowWeights::choose(models, table, self.asked())
    }

    /// The weights that the flags ask for.
    pub(super) fn asked(&self) -> AskedWeight<'_> {
        match &self.weight {
            Some(name) => AskedWeight::Column(name),
            None if self.no_weight => AskedWeight::None,
            None => AskedWeight::Training,
        }
    }

    /// The weights of training rows: by default the column of training.
    pub(super) fn of_training(&self, model: &Model) -> Option<String> {
        let own = || model.training.weight.clone().filter(|_| !self.no_weight);
        self.weight.clone().or_else(own)
    }

    /// The flag that was typed, if any was.
    pub(super) fn typed(&self) -> Option<&'static str> {
        let flags = [("--weight", self.weight.is_some()), ("--no-weight", self.no_weight)];
        flags.into_iter().find(|(_, typed)| *typed).map(|(flag, _)| flag)
    }
}

/// Lines of the report about the weights.
pub(super) fn weight_lines(weights: &RowWeights) -> Vec<(&'static str, String)> {
    let column = weights.column.iter().map(|name| ("weights", format!("{name:?}")));
    column.chain(weights.note.iter().map(|note| ("note", note.clone()))).collect()
}
