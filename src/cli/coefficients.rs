//! Selects, sorts and explains coefficients, for text and JSON.

use clap::ValueEnum;
use glob::Pattern;
use logodds::data::{Column, ColumnKind};
use logodds::error::ConfigError;
use logodds::model::{FittedModel, Model};
use serde::Serialize;

use super::table::{brief, table_up_to};

/// Default number of coefficients in a list.
const ROWS: usize = 10;

/// The selection of coefficients.
#[derive(Debug, clap::Args)]
pub(crate) struct CoefficientArgs {
    /// Coefficients to show of each model [default: 10]
    ///
    /// Number of coefficients to show of each model; zeros are left out. The default is 10; JSON has all of
    /// them as well.
    #[arg(long, value_name = "N")]
    top: Option<usize>,
    /// Features, or columns, whose names match; may be repeated
    ///
    /// Pattern with * and ? that matches the name of a feature or of its column. By default all features.
    #[arg(long, value_name = "GLOB")]
    feature: Vec<String>,
    /// Order of the coefficients
    ///
    /// By default the coefficients that move the prediction most come first.
    #[arg(long, value_enum, default_value_t = Order::Standardised)]
    sort: Order,
}

/// The order of a list of coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// By the size of the coefficient per standard deviation
    Standardised,
    /// By the size of the coefficient per unit
    Coefficient,
    /// By p-value, smallest first (with --inference)
    P,
    /// By name
    Name,
    /// As in the model file
    File,
}

impl CoefficientArgs {
    /// Refuses an order by a value that was not computed.
    pub(crate) fn check(&self, has_inference: bool, is_penalised: bool) -> Result<(), ConfigError> {
        let why = match (self.sort, has_inference) {
            (Order::P, false) => "only --inference computes p-values; add it and the training data",
            (Order::P, true) if is_penalised => {
                "an L2 penalty shrinks coefficients, so that they have no p-values; take another order, or train \
                 again with --l1 0 --l2 0"
            }
            _ => return Ok(()),
        };
        Err(ConfigError::NotApplicable { flag: "--sort p", why: why.to_owned() })
    }

    /// Number of rows to show.
    pub(crate) fn top(&self) -> usize {
        self.top.unwrap_or(ROWS)
    }

    /// Whether each feature is selected: its name, or the name of its column, matches a pattern, or there is
    /// no pattern.
    pub(crate) fn features(&self, model: &Model) -> Result<Vec<bool>, ConfigError> {
        let mut wanted = vec![self.feature.is_empty(); model.features.len()];
        for text in &self.feature {
            let pattern = Pattern::new(text).map_err(|error| {
                let why = format!("{text:?} is not a valid pattern: {error}; write [*] for a literal star");
                ConfigError::NotApplicable { flag: "--feature", why }
            })?;
            let mut found = false;
            let mut first = 0;
            for column in &model.columns {
                let end = first + column.width();
                for (j, name) in model.features[first..end].iter().enumerate() {
                    if pattern.matches(name) || pattern.matches(&column.name) {
                        (wanted[first + j], found) = (true, true);
                    }
                }
                first = end;
            }
            if !found {
                let names: Vec<&str> =
                    model.columns.iter().take(5).map(|column| column.name.as_str()).collect();
                let why = format!("no feature matches {text:?}; the columns are {}, ..", names.join(", "));
                return Err(ConfigError::NotApplicable { flag: "--feature", why });
            }
        }
        Ok(wanted)
    }

    /// Sorts rows; a key holds the size per standard deviation, the size per unit, the tail probability and
    /// the name.
    pub(crate) fn sort<T>(&self, rows: &mut [T], key: impl Fn(&T) -> Key<'_>) {
        let descending = |a: f64, b: f64| b.abs().total_cmp(&a.abs());
        match self.sort {
            Order::File => {}
            Order::Name => rows.sort_by(|a, b| key(a).name.cmp(key(b).name)),
            Order::Standardised => {
                rows.sort_by(|a, b| descending(key(a).standardised, key(b).standardised));
            }
            Order::Coefficient => rows.sort_by(|a, b| descending(key(a).coefficient, key(b).coefficient)),
            Order::P => rows.sort_by(|a, b| key(a).log10_p.total_cmp(&key(b).log10_p)),
        }
    }
}

/// The sort key of a coefficient.
pub(crate) struct Key<'a> {
    pub(crate) name: &'a str,
    pub(crate) coefficient: f64,
    pub(crate) standardised: f64,
    pub(crate) log10_p: f64,
}

/// The effect of a coefficient on the odds of its class.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Coefficient<'a> {
    feature: &'a str,
    /// Per unit of the original column.
    coefficient: f64,
    /// Per standard deviation; per unit if the standard deviation is not known.
    standardised: f64,
    /// Standard deviation in training, if the model has it.
    sd: Option<f64>,
    /// `exp(coefficient)`.
    odds_ratio: f64,
    /// `exp(coefficient sd)`.
    odds_ratio_per_sd: Option<f64>,
}

impl Coefficient<'_> {
    /// Whether the coefficient is not zero.
    pub(crate) fn is_nonzero(&self) -> bool {
        self.coefficient != 0.0
    }
}

/// Every selected coefficient of a model, in the order of the file.
pub(crate) fn coefficients<'a>(
    model: &'a Model,
    fitted: &FittedModel,
    wanted: &[bool],
) -> Vec<Coefficient<'a>> {
    let sds = model.columns.iter().flat_map(|column| sds(column, model.standardize));
    let rows = model.features.iter().zip(&fitted.coefficients).zip(sds).zip(wanted);
    rows.filter(|(_, wanted)| **wanted)
        .map(|(((feature, &coefficient), sd), _)| Coefficient {
            feature,
            coefficient,
            standardised: coefficient * sd.unwrap_or(1.0),
            sd,
            odds_ratio: coefficient.exp(),
            odds_ratio_per_sd: sd.map(|sd| (coefficient * sd).exp()),
        })
        .collect()
}

/// The standard deviation of each feature of a column, if the model file has it.
fn sds(column: &Column, standardize: bool) -> Vec<Option<f64>> {
    match column.kind {
        ColumnKind::Numeric => vec![column.scale.filter(|_| standardize)],
        ColumnKind::Boolean => vec![column.mean.map(|share| (share * (1.0 - share)).max(0.0).sqrt())],
        ColumnKind::Categorical => vec![None; column.levels.as_ref().map_or(0, Vec::len)],
    }
}

/// The largest nonzero coefficients.
pub(crate) fn top<'a>(mut rows: Vec<Coefficient<'a>>, choice: &CoefficientArgs) -> Vec<Coefficient<'a>> {
    rows.retain(Coefficient::is_nonzero);
    choice.sort(&mut rows, |row| Key {
        name: row.feature,
        coefficient: row.coefficient,
        standardised: row.standardised,
        log10_p: 0.0,
    });
    rows.truncate(choice.top());
    rows
}

/// An odds ratio. Near 1, where columns in small units lie, it keeps three digits of the difference from 1.
pub(crate) fn ratio(x: f64) -> String {
    let off = (x - 1.0).abs();
    if off == 0.0 || off >= 0.01 {
        return brief(x);
    }
    format!("{x:.*}", (2 - off.log10().floor() as i32).clamp(0, 9) as usize)
}

/// The table of the text report.
pub(crate) fn text(rows: &[Coefficient<'_>]) -> String {
    let cells = |row: &Coefficient<'_>| {
        vec![
            row.feature.to_owned(),
            brief(row.coefficient),
            row.sd.map_or("-".to_owned(), |_| brief(row.standardised)),
            ratio(row.odds_ratio),
            row.odds_ratio_per_sd.map_or("-".to_owned(), ratio),
        ]
    };
    let cells: Vec<Vec<String>> = rows.iter().map(cells).collect();
    let head = ["feature", "coefficient", "per sd", "odds ratio", "OR per sd"];
    table_up_to(rows.len(), &head, &cells)
}

#[cfg(test)]
mod tests {
    use super::ratio;

    #[test]
    fn odds_ratios_near_1_keep_what_they_are_off() {
        for (x, text) in [
            (1.0, "1.000"),
            (1.000_319_4, "1.000319"),
            (0.999_681, "0.999681"),
            (1.012_34, "1.012"),
            (1.0 + 1e-15, "1.000000000"),
            (2.5e-9, "2.50e-9"),
        ] {
            assert_eq!(ratio(x), text);
        }
    }
}
