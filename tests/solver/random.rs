//! Random tables against Newton's method in float64, in a basis in which the table is well conditioned.
//!
//! A few problems are tried with every run of the tests; `LOGODDS_RANDOM_PROBLEMS=1000` tries as many.

use std::path::Path;

use logodds::config::{Device, TrainConfig};
use logodds::model::FittedModel;
use logodds::observer::Silent;
use logodds::train::train;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::cli::support::{float_column, write_parquet};

/// What a stated objective may be off by, relative: that of the specification.
const CLOSE: f64 = 1e-8;

/// Shares of a column that the next adds to it, from which float64 values have the digits of a minimum.
const CLEAR: f64 = 1e-6;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Plain,
    /// The second column is the first, but for this share of noise.
    Twins(f64),
    /// Small spreads on large offsets.
    Offset,
    /// Values of very different sizes in one column.
    Heavy,
    /// Whole numbers: many rows alike.
    Whole,
}

struct Problem {
    kind: Kind,
    columns: Vec<Vec<f64>>,
    /// The span of the columns and 1, without large offsets or near dependence.
    basis: Vec<Vec<f64>>,
    labels: Vec<bool>,
    weights: Option<Vec<f64>>,
    l2: f64,
}

fn normal(rng: &mut StdRng) -> f64 {
    let (a, b): (f64, f64) = (rng.random(), rng.random());
    (-2.0 * (1.0 - a).ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

impl Problem {
    fn new(seed: u64) -> Self {
        let rng = &mut StdRng::seed_from_u64(seed);
        let (n, p) = (rng.random_range(20..400), rng.random_range(1..8));
        let kind = match rng.random_range(0..5) {
            1 if p > 1 => Kind::Twins(10f64.powi(-rng.random_range(2..10))),
            2 => Kind::Offset,
            3 => Kind::Heavy,
            4 => Kind::Whole,
            _ => Kind::Plain,
        };
        let mut basis: Vec<Vec<f64>> = (0..p).map(|_| (0..n).map(|_| normal(rng)).collect()).collect();
        let mut columns = basis.clone();
        match kind {
            Kind::Plain => {}
            Kind::Twins(share) => {
                for i in 0..n {
                    columns[1][i] = columns[0][i] + share * basis[1][i];
                    // Close numbers have an exact difference.
                    basis[1][i] = columns[1][i] - columns[0][i];
                }
            }
            Kind::Offset => {
                for (column, basis) in columns.iter_mut().zip(&mut basis) {
                    let (spread, offset) = (rng.random_range(-8..3), rng.random_range(0..9));
                    column.iter_mut().for_each(|x| *x = *x * 10f64.powi(spread) + 10f64.powi(offset));
                    let first = column[0];
                    basis.iter_mut().zip(&*column).for_each(|(b, x)| *b = x - first);
                }
            }
            Kind::Heavy | Kind::Whole => {
                let of = |x: f64| if kind == Kind::Heavy { (3.0 * x).sinh() } else { (5.0 * x).round() };
                columns.iter_mut().flatten().for_each(|x| *x = of(*x));
                basis.clone_from(&columns);
            }
        }
        let weights = (rng.random::<f64>() < 0.4).then(|| {
            let scale = 10f64.powi(rng.random_range(-3..4));
            (0..n).map(|_| -scale * (1.0 - rng.random::<f64>()).ln()).collect::<Vec<f64>>()
        });
        let all = weights.clone().unwrap_or_else(|| vec![1.0; n]);
        basis.retain_mut(|column| standardise(column, &all));
        let mut z = vec![0.0; n];
        for column in &basis {
            let slope = normal(rng) * 10f64.powf(rng.random_range(-1.0..0.5));
            z.iter_mut().zip(column).for_each(|(z, x)| *z += slope * x);
        }
        let labels = z.iter().map(|z| rng.random::<f64>() < 1.0 / (1.0 + (-z).exp())).collect();
        // A column that another gives, to the last bit.
        if rng.random::<f64>() < 0.3 {
            columns.push(columns[p - 1].iter().map(|x| -4.0 * x).collect());
        }
        // Powers of two, from 1e-30 to 1e30: they cost no digits.
        if rng.random() {
            for column in &mut columns {
                let scale = 2f64.powi(rng.random_range(-100..100));
                column.iter_mut().for_each(|x| *x *= scale);
            }
        }
        let l2 = if rng.random::<f64>() < 0.3 { 0.0 } else { 10f64.powf(rng.random_range(-8.0..0.0)) };
        let mut problem = Self { kind, columns, basis, labels, weights, l2 };
        if l2 > 0.0 {
            // The penalty is one on the columns themselves; it keeps their near dependence from mattering.
            problem.basis = problem.columns.clone();
            for column in &mut problem.basis {
                let first = column[0];
                column.iter_mut().for_each(|x| *x -= first);
            }
            problem.basis.retain_mut(|column| standardise(column, &all));
        }
        problem
    }

    fn train(&self, folder: &Path) -> FittedModel {
        let names: Vec<String> = (0..self.columns.len()).map(|j| format!("x{j}")).collect();
        let mut columns: Vec<(&str, _)> = names
            .iter()
            .zip(&self.columns)
            .map(|(name, x)| (name.as_str(), float_column(x.clone())))
            .collect();
        columns.push(("y", float_column(self.labels.iter().map(|&y| f64::from(u8::from(y))))));
        columns.extend(self.weights.iter().map(|weights| ("w", float_column(weights.clone()))));
        let path = folder.join("t.parquet");
        write_parquet(&path, columns);
        let config = TrainConfig {
            data: vec![path.display().to_string()],
            target: Some("y".into()),
            weight: self.weights.is_some().then(|| "w".into()),
            l1: Some(0.0),
            l2: Some(self.l2),
            device: Some(Device::Cpu),
            ..TrainConfig::default()
        };
        train(&config.check().unwrap(), &Silent).unwrap().model.models.swap_remove(0)
    }

    /// The minimum; none where classes are separated, be it by some of the rows alone, and there is none.
    #[allow(clippy::needless_range_loop, reason = "indices of matrices, as in the formulas")]
    fn minimum(&self) -> Option<f64> {
        let (n, p) = (self.labels.len(), self.basis.len());
        let weights = self.weights.clone().unwrap_or_else(|| vec![1.0; n]);
        let all: f64 = weights.iter().sum();
        let x = |i: usize, j: usize| if j < p { self.basis[j][i] } else { 1.0 };
        let predictor = |w: &[f64], i: usize| (0..=p).map(|j| w[j] * x(i, j)).sum::<f64>();
        let ridge = |j: usize| if j < p { self.l2 } else { 0.0 };
        let objective = |w: &[f64]| {
            let loss = |i: usize| {
                let a = if self.labels[i] { -predictor(w, i) } else { predictor(w, i) };
                weights[i] / all * (a.max(0.0) + (-a.abs()).exp().ln_1p())
            };
            (0..n).map(loss).sum::<f64>() + 0.5 * (0..p).map(|j| self.l2 * w[j] * w[j]).sum::<f64>()
        };
        let mut w = vec![0.0; p + 1];
        let mut best = objective(&w);
        for _ in 0..100 {
            let (mut g, mut h) = (vec![0.0; p + 1], vec![vec![0.0; p + 1]; p + 1]);
            for i in 0..n {
                let z = predictor(&w, i);
                let (chance, y) = (1.0 / (1.0 + (-z).exp()), f64::from(u8::from(self.labels[i])));
                let curvature = weights[i] / all * chance * (1.0 / (1.0 + z.exp()));
                for a in 0..=p {
                    g[a] += weights[i] / all * (chance - y) * x(i, a);
                    for b in 0..=p {
                        h[a][b] += curvature * x(i, a) * x(i, b);
                    }
                }
            }
            for j in 0..=p {
                g[j] += ridge(j) * w[j];
                h[j][j] += ridge(j);
            }
            if self.l2 == 0.0 && (0..n).all(|i| (predictor(&w, i) > 0.0) == self.labels[i]) {
                return None;
            }
            let step = solve(h, &g);
            let decrement: f64 = step.iter().zip(&g).map(|(s, g)| 0.5 * s * g).sum();
            // Close to where the others have arrived, a step still moves separated rows by 1, and all to their side.
            let towards = |i: usize| predictor(&step, i) * if self.labels[i] { -1.0 } else { 1.0 };
            let moves = (0..n)
                .map(towards)
                .fold([0.0_f64; 2], |[with, against], by| [with.max(by), against.max(-by)]);
            if self.l2 == 0.0 && decrement < 1e-6 * best && moves[0] > 0.1 && moves[1] < 1e-3 * moves[0] {
                return None;
            }
            if decrement <= 1e-17 * best {
                return Some(best);
            }
            let mut length = 1.0;
            let found = loop {
                let to: Vec<f64> = w.iter().zip(&step).map(|(w, s)| w - length * s).collect();
                let value = objective(&to);
                if value <= best || length < 1e-12 {
                    break (to, value);
                }
                length *= 0.5;
            };
            if found.1 >= best {
                return Some(best);
            }
            (w, best) = found;
        }
        // At a minimum, Newton's method converges in a few steps; towards one at infinity it goes on.
        None
    }
}

/// Mean 0 and standard deviation 1; false for a column that is constant.
fn standardise(column: &mut [f64], weights: &[f64]) -> bool {
    let all: f64 = weights.iter().sum();
    let mean = column.iter().zip(weights).map(|(x, s)| s * x).sum::<f64>() / all;
    column.iter_mut().for_each(|x| *x -= mean);
    let size = column.iter().fold(0.0, |a: f64, x| a.max(x.abs()));
    if size == 0.0 {
        return false;
    }
    // Squares of 1e-200 are none.
    let square = column.iter().zip(weights).map(|(x, s)| s * (x / size).powi(2)).sum::<f64>() / all;
    column.iter_mut().for_each(|x| *x /= size * square.sqrt());
    true
}

/// Gaussian elimination of a positive definite matrix; a direction without curvature is left alone.
#[allow(clippy::needless_range_loop, reason = "indices of matrices, as in the formulas")]
fn solve(mut h: Vec<Vec<f64>>, g: &[f64]) -> Vec<f64> {
    let n = g.len();
    let mut x = g.to_vec();
    let least: Vec<f64> = (0..n).map(|k| 1e-15 * h[k][k]).collect();
    for k in 0..n {
        for a in k + 1..n {
            let factor = if h[k][k] > least[k] { h[a][k] / h[k][k] } else { 0.0 };
            for b in k..n {
                h[a][b] -= factor * h[k][b];
            }
            x[a] -= factor * x[k];
        }
    }
    for k in (0..n).rev() {
        let known: f64 = (k + 1..n).map(|b| h[k][b] * x[b]).sum();
        x[k] = if h[k][k] > least[k] { (x[k] - known) / h[k][k] } else { 0.0 };
    }
    x
}

/// What is wrong with a model; nothing if all is well.
fn faults(problem: &Problem, model: &FittedModel) -> Vec<String> {
    let mut faults = Vec::new();
    let Some(minimum) = problem.minimum() else {
        if model.converged {
            faults.push("converged where classes are separated".into());
        }
        return faults;
    };
    let is_clear = problem.l2 > 0.0 || !matches!(problem.kind, Kind::Twins(share) if share < CLEAR);
    let (above, rounding) = (model.objective - minimum, CLOSE * minimum);
    if above < -rounding && (is_clear || model.converged) {
        faults.push(format!("stated below the minimum by {:.1e}", -above));
    }
    if model.duality_gap.is_some_and(|gap| above > gap + 1e-12 * minimum) {
        faults.push(format!("{above:.1e} above the minimum, and the gap is {:?}", model.duality_gap));
    }
    if model.converged
        && above > model.newton_decrement.unwrap_or(0.0) + model.duality_gap.unwrap_or(0.0) + rounding
    {
        faults.push(format!("called converged {above:.1e} above the minimum"));
    }
    if is_clear && !model.converged {
        faults.push(format!("not converged, {above:.1e} above the minimum"));
    }
    faults
}

#[test]
fn objectives_bounds_and_verdicts_are_true_of_random_tables() {
    let n_problems =
        std::env::var("LOGODDS_RANDOM_PROBLEMS").map_or(80, |count| count.parse().expect("a count"));
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = Vec::new();
    let mut tried = 0;
    for seed in 0..n_problems {
        let problem = Problem::new(seed);
        if problem.labels.iter().all(|&y| y == problem.labels[0]) {
            continue;
        }
        tried += 1;
        let model = problem.train(folder.path());
        let (kind, l2, p) = (problem.kind, problem.l2, problem.columns.len());
        let n = problem.labels.len();
        wrong.extend(faults(&problem, &model).into_iter().map(|fault| {
            format!("seed {seed}, {kind:?}, {n} x {p}, l2 {l2:.1e}, F = {}: {fault}", model.objective)
        }));
    }
    assert!(tried * 4 > n_problems * 3, "{tried} problems had two classes");
    assert!(wrong.is_empty(), "{} of {tried} problems:\n{}", wrong.len(), wrong.join("\n"));
}
