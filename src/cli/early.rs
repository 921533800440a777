//! Reports of early stopping.

use logodds::model::{FittedModel, HeldOutRows, Training};
use logodds::scoring::BestScore;

use super::table::{count, number, plural};

/// The held-out rows, and the best epochs of the models on them.
pub(super) fn held_out(training: &Training, models: &[&FittedModel]) -> Option<String> {
    let held_out = training.validation?;
    let best: Vec<BestScore> = models.iter().filter_map(|model| model.best).collect();
    let rows = plural(held_out.rows, "row");
    let name = name(&held_out);
    Some(match (best.as_slice(), models) {
        ([], _) => format!("{rows}, on which no model has a score"),
        ([_], [model]) => format!("{rows}: {}", of_model(training, model).unwrap_or_default()),
        _ => {
            let mean = best.iter().map(|best| best.score).sum::<f64>() / best.len() as f64;
            let epochs = || best.iter().map(|best| best.epoch);
            let (first, last) = (epochs().min().unwrap_or(0), epochs().max().unwrap_or(0));
            format!("{rows}: best {name} {} on average, after epochs {first} to {last}", number(mean))
        }
    })
}

/// The best epoch of a model.
pub(super) fn of_model(training: &Training, model: &FittedModel) -> Option<String> {
    let name = name(&training.validation?);
    let BestScore { score, epoch } = model.best?;
    Some(format!("best {name} {} after epoch {} of {}", number(score), count(epoch), count(model.iterations)))
}

fn name(held_out: &HeldOutRows) -> String {
    held_out.scoring.name().replace('_', " ")
}
