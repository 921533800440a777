//! One reading of the table: what the statistics of some models are made of, block by block.

use rayon::prelude::*;

use super::columns::ColumnSums;
use super::statistics::{Movement, Step};
use crate::data::{self, Block, BlocksOptions, ColumnKind, Encoding, Source, Target};
use crate::engine::Chosen;
use crate::error::{InferenceError, Result};
use crate::objective::{
    Basis, Coefficients, Gaps, Gram, ModelSpec, Sides, evaluate, linear_predictor, log1pexp,
};
use crate::observer::Observer;
use crate::panels::{NO_CLASS, PANEL_ROWS, Panels, Rows, class_of};
use crate::predict::{report_rows, rows_per_block};

/// A linear predictor, towards a row's own side, at which its part of an information matrix, e^-20, may be the rounding of
/// others' parts.
const FAR: f64 = 20.0;

/// Rows whose terms one task computes.
const ROWS_PER_TASK: usize = 1 << 14;

/// How a step moves the rows, but for those that 0/1 features put at infinity.
#[derive(Debug, Clone, Default)]
pub(super) struct Moves {
    near: Sides,
    /// Of rows so far from the plane that rounding may have made the step.
    far: Sides,
}

impl Moves {
    /// Why the step moves coefficients, where rows that go against their sides by a share of `against` are rounding.
    pub(super) fn movement(&self, against: f64) -> Movement {
        match (self.near.is_moving(), self.far.is_moving()) {
            (true, _) if !self.near.are_separated(against) => Movement::Unfinished,
            (false, false) => Movement::None,
            _ => Movement::Separated,
        }
    }
}

/// What is read, and for which models.
pub(super) struct Pass<'a> {
    pub(super) source: &'a Source,
    pub(super) encoding: &'a Encoding,
    pub(super) target: &'a Target,
    /// Column of row weights.
    pub(super) weight: Option<&'a str>,
    pub(super) models: &'a [ModelSpec],
    /// What the panels are turned into before anything is summed.
    pub(super) basis: &'a Basis,
    /// In panel space, and that basis.
    pub(super) coefficients: &'a Coefficients,
    /// Whether the sandwich estimator needs the squares of the residuals.
    pub(super) robust: bool,
    pub(super) device: &'a Chosen,
    /// Bytes of all matrices that are summed.
    pub(super) matrices: u64,
    /// Bytes that they and blocks of the table may take.
    pub(super) memory: Option<u64>,
}

/// Sums over the rows of the table.
pub(super) struct TableSums {
    /// Rows with a label and no null that the model cannot fill.
    pub(super) rows: usize,
    /// S, of those rows.
    pub(super) weight_sum: f64,
    pub(super) class_weight: Vec<f64>,
    /// Whether every weight is a whole number.
    pub(super) whole_weights: bool,
    pub(super) columns: ColumnSums,
}

/// Sums over the rows, as a model sees them.
pub(super) struct ModelSums {
    /// `sum_i s_i p_i (1 - p_i) [x_i, 1] [x_i, 1]'`.
    pub(super) information: Gram,
    /// `sum_i s_i (p_i - y_i)^2 [x_i, 1] [x_i, 1]'`.
    pub(super) meat: Option<Gram>,
    /// Loss of the rows with y = 0 and of those with y = 1.
    pub(super) loss: [f64; 2],
    /// `sum_i s_i (p_i - y_i) [x_i, 1]`.
    pub(super) gradient: Vec<f64>,
    /// The smallest of `z_i` where y = 1 and `-z_i` where y = 0: above 0, a plane separates the classes.
    pub(super) least_margin: f64,
}

impl Pass<'_> {
    /// Reads the table once.
    ///
    /// # Errors
    /// As [`data::blocks`]; a level that training had not, for then it is another table; or `observer` asks to stop.
    pub(super) fn run(&self, observer: &dyn Observer) -> Result<(TableSums, Vec<ModelSums>)> {
        let n_features = self.encoding.n_features();
        let n_classes = self.target.classes.len();
        let mut table = TableSums {
            rows: 0,
            weight_sum: 0.0,
            class_weight: vec![0.0; n_classes],
            whole_weights: true,
            columns: ColumnSums::new(&indicators(self.encoding), n_classes),
        };
        let zeros = || Gram::zeros(n_features);
        let sums = |_: &ModelSpec| ModelSums {
            information: zeros(),
            meat: self.robust.then(zeros),
            loss: [0.0; 2],
            gradient: vec![0.0; n_features + 1],
            least_margin: f64::INFINITY,
        };
        let mut models: Vec<ModelSums> = self.models.iter().map(sums).collect();
        // Predictors are kept for every model, twice as wide as features.
        let rows_per_block = self.block_rows(n_features.max(2 * self.models.len()))?;
        self.read(rows_per_block, observer, |counted, panels, rows| {
            table.rows += counted;
            table.whole_weights &= (0..panels.n_rows()).all(|slot| rows.exact_weight(slot).fract() == 0.0);
            if rows.weight_sum() > 0.0 { self.add(panels, &rows, &mut table, &mut models) } else { Ok(()) }
        })?;
        Ok((table, models))
    }

    /// Reads the table once for `sum_i s_i [x_i, 1] [x_i, 1]'`, whose rank is that of the rows that count.
    ///
    /// # Errors
    /// As [`Pass::run`].
    pub(super) fn gram(&self, observer: &dyn Observer) -> Result<Gram> {
        let n_features = self.encoding.n_features();
        let mut gram = Gram::zeros(n_features);
        self.read(self.block_rows(n_features)?, observer, |_, panels, rows| {
            let panels = self.basis.panels(panels);
            let weights: Vec<f64> = (0..panels.n_rows()).map(|slot| rows.exact_weight(slot)).collect();
            gram.add(&panels, &weights);
            Ok(())
        })?;
        Ok(gram)
    }

    /// Reads the table once for how steps move its rows; each with the model that it is of.
    ///
    /// # Errors
    /// As [`Pass::run`].
    pub(super) fn moves(&self, steps: &[(usize, Step)], observer: &dyn Observer) -> Result<Vec<Moves>> {
        let (n_features, n_models, n_steps) = (self.encoding.n_features(), self.models.len(), steps.len());
        let columns = steps.iter().map(|(_, step)| step.by.as_slice());
        let columns = Coefficients::from_columns(n_features, columns);
        let mut moves = vec![Moves::default(); n_steps];
        let n_values = n_features.max(2 * (n_steps + n_models));
        self.read(self.block_rows(n_values)?, observer, |_, panels, rows| {
            let at_infinity: Vec<Vec<bool>> =
                steps.iter().map(|(_, step)| rows_with(&panels, &step.at_infinity)).collect();
            let panels = self.basis.panels(panels);
            let z = linear_predictor(&panels, self.coefficients);
            let by = linear_predictor(&panels, &columns);
            for (k, ((m, _), moves)) in steps.iter().zip(&mut moves).enumerate() {
                let own = || by.iter().skip(k).step_by(n_steps).copied();
                let model = &self.models[*m];
                let is_far = |slot: usize| {
                    let z = z[slot * n_models + m];
                    (if rows.class(slot) == model.class { z } else { -z }) > FAR
                };
                let counts = |slot: usize| !at_infinity[k][slot];
                moves.near.add(model, &rows, own(), |slot| counts(slot) && !is_far(slot));
                moves.far.add(model, &rows, own(), |slot| counts(slot) && is_far(slot));
            }
            Ok(())
        })?;
        Ok(moves)
    }

    /// Rows of a block: as many as fit beside the matrices.
    pub(super) fn block_rows(&self, n_values: usize) -> Result<usize> {
        let models = self.models.len() as u64;
        // Predictors and curvatures are float64, and so is each row of a stripe of features.
        let beside = 4 * 8 * models;
        let wanted = rows_per_block(n_values);
        data::block_rows(self.source, &[self.encoding], (beside, self.matrices), wanted, self.memory)
    }

    /// Gives `add` each block: how many of its rows have a label and features, its panels, classes and weights.
    pub(super) fn read(
        &self,
        rows_per_block: usize,
        observer: &dyn Observer,
        mut add: impl FnMut(usize, Panels, Rows) -> Result<()>,
    ) -> Result<()> {
        let options = BlocksOptions {
            target: Some(self.target),
            weight: self.weight.map(Into::into),
            keep: Vec::new(),
            exact: vec![vec![true; self.encoding.n_features()]],
            rows_per_block,
        };
        let mut done = 0;
        for block in data::blocks(self.source, self.encoding, options)? {
            let block = block?;
            done += block.rows;
            if let Some(column) = block.unseen.iter().position(|&rows| rows > 0) {
                return Err(InferenceError::UnseenLevel {
                    column: self.encoding.columns[column].name.clone(),
                }
                .into());
            }
            let (counted, panels, rows) = self.rows(block);
            add(counted, panels, rows)?;
            report_rows(observer, done, self.source.n_rows())?;
        }
        Ok(())
    }

    /// Classes and weights as training has them: none for a row without a label or a feature.
    fn rows(&self, block: Block) -> (usize, Panels, Rows) {
        let mut class: Vec<u32> = match block.class {
            Some(class) => class.into_iter().map(|class| class.unwrap_or(NO_CLASS)).collect(),
            None => vec![NO_CLASS; block.rows],
        };
        for &row in &block.incomplete {
            class[row] = NO_CLASS;
        }
        let weight = |row: usize| block.weight.as_ref().map_or(1.0, |weight| weight[row]);
        let weights: Vec<f64> =
            class.iter().enumerate().map(|(row, &c)| if c == NO_CLASS { 0.0 } else { weight(row) }).collect();
        let counted = class.iter().filter(|&&class| class != NO_CLASS).count();
        (counted, block.panels, Rows::new(class, &weights, self.target.classes.len()))
    }

    fn add(&self, panels: Panels, rows: &Rows, table: &mut TableSums, sums: &mut [ModelSums]) -> Result<()> {
        table.weight_sum += rows.weight_sum();
        table.class_weight.iter_mut().zip(rows.class_weight()).for_each(|(sum, weight)| *sum += weight);
        table.columns.add(&panels, rows);
        let panels = &self.basis.panels(panels);
        let exact = evaluate(panels, rows, self.models, self.coefficients, Gaps::Without);
        let z = linear_predictor(panels, self.coefficients);
        let mut engine = if self.device.is_host() { None } else { Some(self.device.engine(panels, rows)?) };
        let (mut curvature, mut squares) = (vec![0.0; panels.n_rows()], Vec::new());
        if self.robust {
            squares.resize(panels.n_rows(), 0.0);
        }
        for (m, (model, sums)) in self.models.iter().zip(sums).enumerate() {
            let weight_sum = model.weight_sum(rows);
            let gradient = exact.evaluation.gradient.model(m);
            sums.gradient.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += weight_sum * g);
            let z = z.iter().skip(m).step_by(self.models.len());
            let z: Vec<f64> = z.copied().collect();
            sums.add_rows(&z, rows, model, &mut curvature, &mut squares);
            match &mut engine {
                None => sums.information.add(panels, &curvature),
                Some(engine) => {
                    let hessian =
                        engine.hessian(model, self.coefficients.model(m), crate::panels::Sample::ALL)?;
                    sums.information.add_values(weight_sum, |i, j| hessian.row(i)[j]);
                }
            }
            if let Some(meat) = &mut sums.meat {
                meat.add(panels, &squares);
            }
        }
        Ok(())
    }
}

impl ModelSums {
    /// Adds losses and margins, and writes each row's share of information and of squared residuals.
    fn add_rows(
        &mut self,
        z: &[f64],
        rows: &Rows,
        model: &ModelSpec,
        curvature: &mut [f64],
        squares: &mut [f64],
    ) {
        // Chunks of the squares stand beside those of the curvature, or there are none.
        let mut squares = squares.chunks_mut(ROWS_PER_TASK).map(Some).collect::<Vec<_>>();
        squares.resize_with(curvature.len().div_ceil(ROWS_PER_TASK), || None);
        let tasks = curvature.par_chunks_mut(ROWS_PER_TASK).zip(squares).enumerate();
        let partials: Vec<([f64; 2], f64)> = tasks
            .map(|(task, (curvature, mut squares))| {
                let first = task * ROWS_PER_TASK;
                let (mut loss, mut margin) = ([0.0; 2], f64::INFINITY);
                for i in 0..curvature.len() {
                    let slot = first + i;
                    let s = rows.exact_weight(slot);
                    curvature[i] = 0.0;
                    if let Some(squares) = &mut squares {
                        squares[i] = 0.0;
                    }
                    // A row of weight 0 may have any predictor.
                    if s == 0.0 {
                        continue;
                    }
                    let is_positive = class_of(rows.labels()[slot]) == model.class;
                    // The probability of the other side, by which the row is wrong: nothing cancels.
                    let a = if is_positive { -z[slot] } else { z[slot] };
                    let e = (-a.abs()).exp();
                    let wrong = if a >= 0.0 { 1.0 } else { e } / (1.0 + e);
                    curvature[i] = s * e / ((1.0 + e) * (1.0 + e));
                    if let Some(squares) = &mut squares {
                        squares[i] = s * wrong * wrong;
                    }
                    loss[usize::from(is_positive)] += s * log1pexp(a);
                    margin = margin.min(-a);
                }
                (loss, margin)
            })
            .collect();
        for (loss, margin) in partials {
            self.loss.iter_mut().zip(loss).for_each(|(sum, loss)| *sum += loss);
            self.least_margin = self.least_margin.min(margin);
        }
    }
}

/// Which rows have one of some values of 0/1 features.
fn rows_with(panels: &Panels, values: &[(usize, bool)]) -> Vec<bool> {
    let mut found = vec![false; panels.n_panels() * PANEL_ROWS];
    let mut x = [0.0; PANEL_ROWS];
    for &(j, value) in values {
        for (p, found) in found.chunks_exact_mut(PANEL_ROWS).enumerate() {
            panels.widen(p, j, &mut x);
            found
                .iter_mut()
                .zip(&x)
                .for_each(|(found, &x)| *found |= if value { x >= 1.0 } else { x <= 0.0 });
        }
    }
    found
}

/// Which features are 0 or 1.
pub(super) fn indicators(encoding: &Encoding) -> Vec<bool> {
    let of_column = |column: &data::Column| {
        let width = column.width();
        std::iter::repeat_n(column.kind != ColumnKind::Numeric, width)
    };
    encoding.columns.iter().flat_map(of_column).collect()
}
