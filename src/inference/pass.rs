//! Readings of the table, block by block, for the sums that the statistics of some models need.

use rayon::prelude::*;

use super::columns::ColumnSums;
use super::statistics::{Movement, Step};
use crate::data::{self, Block, BlocksOptions, ColumnKind, Encoding, Source, Target};
use crate::engine::Chosen;
use crate::engine::exact::{Basis, Gram, add_evaluation, linear_predictor};
use crate::error::{InferenceError, Result};
use crate::objective::{Coefficients, Gaps, ModelSpec, Sides, Sums, log1pexp};
use crate::observer::Observer;
use crate::panels::{NO_CLASS, PANEL_ROWS, Panels, Rows, Sample, class_of};
use crate::predict::{report_rows, rows_per_block};

/// A row whose margin (its linear predictor towards its own class) exceeds this is far. Its information,
/// e^-20, may be within the rounding errors of other rows' information.
const FAR: f64 = 20.0;

/// Rows per parallel task.
const ROWS_PER_TASK: usize = 1 << 14;

/// How a step moves the linear predictors of rows, except those that go to infinity because of 0/1 features.
#[derive(Debug, Clone, Default)]
pub(super) struct Moves {
    near: Sides,
    /// Moves of far rows, which rounding alone may explain.
    far: Sides,
}

impl Moves {
    /// Why the step moves coefficients. Moves against a row's class are taken for rounding up to the share
    /// `against` of the largest move.
    pub(super) fn movement(&self, against: f64) -> Movement {
        match (self.near.is_moving(), self.far.is_moving()) {
            (true, _) if !self.near.are_separated(against) => Movement::Unfinished,
            (false, false) => Movement::None,
            _ => Movement::Separated,
        }
    }
}

/// The inputs of a reading.
pub(super) struct Pass<'a> {
    pub(super) source: &'a Source,
    pub(super) encoding: &'a Encoding,
    pub(super) target: &'a Target,
    /// Column of row weights.
    pub(super) weight: Option<&'a str>,
    pub(super) models: &'a [ModelSpec],
    /// The basis of the sums. Panels are transformed to it.
    pub(super) basis: &'a Basis,
    /// Coefficients for panel values, in that basis.
    pub(super) coefficients: &'a Coefficients,
    /// Whether to sum squared residuals for the sandwich estimator.
    pub(super) robust: bool,
    pub(super) device: &'a Chosen,
    /// Bytes of all matrices that are summed.
    pub(super) matrices: u64,
    /// Bytes that these matrices and blocks of the table may take.
    pub(super) memory: Option<u64>,
}

/// Sums over the rows of the table.
pub(super) struct TableSums {
    /// Number of rows with a label and without nulls that the model cannot fill.
    pub(super) rows: usize,
    /// S: the total weight of those rows.
    pub(super) weight_sum: f64,
    pub(super) class_weight: Vec<f64>,
    /// Whether every weight is a whole number.
    pub(super) whole_weights: bool,
    pub(super) columns: ColumnSums,
}

/// Sums over the rows for one model, with y = 1 for rows of its class.
pub(super) struct ModelSums {
    /// `sum_i s_i p_i (1 - p_i) [x_i, 1] [x_i, 1]'`.
    pub(super) information: Gram,
    /// `sum_i s_i (p_i - y_i)^2 [x_i, 1] [x_i, 1]'`.
    pub(super) meat: Option<Gram>,
    /// Loss of the rows with y = 0, and of the rows with y = 1.
    pub(super) loss: [f64; 2],
    /// `sum_i s_i (p_i - y_i) [x_i, 1]`.
    pub(super) gradient: Vec<f64>,
    /// The smallest margin: `z_i` where y = 1, `-z_i` where y = 0. If it is above 0, a plane separates the
    /// classes.
    pub(super) least_margin: f64,
}

impl Pass<'_> {
    /// Reads the table once for the sums of the table and of each model.
    ///
    /// # Errors
    /// As [`data::blocks`]; a level not seen in training, since the table is then not the training table;
    /// or `observer` asks to stop.
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
        // Linear predictors of all models are stored in float64, twice as wide as a float32 feature.
        let rows_per_block = self.block_rows(n_features.max(2 * self.models.len()))?;
        self.read(rows_per_block, observer, |counted, panels, rows| {
            table.rows += counted;
            table.whole_weights &= (0..panels.n_rows()).all(|slot| rows.exact_weight(slot).fract() == 0.0);
            if rows.weight_sum() > 0.0 { self.add(panels, &rows, &mut table, &mut models) } else { Ok(()) }
        })?;
        Ok((table, models))
    }

    /// Reads the table once for the Gram matrix `sum_i s_i [x_i, 1] [x_i, 1]'`.
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

    /// Reads the table once for how steps move its rows. Each step comes with the index of its model.
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

    /// Rows per block that fit into memory together with the matrices. `n_values` is the number of float32
    /// values a row.
    pub(super) fn block_rows(&self, n_values: usize) -> Result<usize> {
        let models = self.models.len() as u64;
        // For each model, a row has a few float64 numbers: predictors, curvatures and squares.
        let beside = 4 * 8 * models;
        let wanted = rows_per_block(n_values);
        data::block_rows(self.source, &[self.encoding], (beside, self.matrices), wanted, self.memory)
    }

    /// Reads the table, and calls `add` on each block with the number of its rows that count, its panels,
    /// and its classes and weights.
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

    /// Classes and weights of a block. As in training, a row without a label, or with a null that the model
    /// cannot fill, has no class and weight 0.
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
        let mut stack = Sums::zeros_exact(panels.n_features(), self.models.len(), Gaps::Without);
        add_evaluation((panels, rows), self.models, self.coefficients, &mut stack);
        let z = linear_predictor(panels, self.coefficients);
        let mut engine = if self.device.is_host() { None } else { Some(self.device.engine(panels, rows)?) };
        let (mut curvature, mut squares) = (vec![0.0; panels.n_rows()], Vec::new());
        if self.robust {
            squares.resize(panels.n_rows(), 0.0);
        }
        for (m, (model, sums)) in self.models.iter().zip(sums).enumerate() {
            sums.gradient.iter_mut().zip(stack.gradient(m)).for_each(|(sum, part)| *sum += part);
            let z = z.iter().skip(m).step_by(self.models.len());
            let z: Vec<f64> = z.copied().collect();
            sums.add_rows(&z, rows, model, &mut curvature, &mut squares);
            match &mut engine {
                None => sums.information.add(panels, &curvature),
                Some(engine) => {
                    let column = self.coefficients.model(m);
                    let mut upper = [vec![0.0; column.len() * column.len()]];
                    engine.add_curvatures(&[(*model, column)], Sample::ALL, &mut upper)?;
                    // Symmetric: what the matrix has below its diagonal stands above that of the sums.
                    sums.information.add_values(|row, other| upper[0][other * column.len() + row]);
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
    /// Adds losses and margins. Writes the information and the squared residual of each row.
    fn add_rows(
        &mut self,
        z: &[f64],
        rows: &Rows,
        model: &ModelSpec,
        curvature: &mut [f64],
        squares: &mut [f64],
    ) {
        // `squares` has as many chunks as `curvature`, or none.
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
                    // A row of weight 0 may have any linear predictor, even NaN.
                    if s == 0.0 {
                        continue;
                    }
                    let is_positive = class_of(rows.labels()[slot]) == model.class;
                    // |y - p|, the probability of the other side, computed without cancellation.
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

/// Which rows have any of these values of 0/1 features.
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

/// Which features have only the values 0 and 1.
pub(super) fn indicators(encoding: &Encoding) -> Vec<bool> {
    let of_column = |column: &data::Column| {
        let width = column.width();
        std::iter::repeat_n(column.kind != ColumnKind::Numeric, width)
    };
    encoding.columns.iter().flat_map(of_column).collect()
}
