//! One model's place in its own descent: where it is, where it aims, and whether a step is taken.

use super::curvature::{Curvature, StepOrigin};
use super::full_batch::MAX_ORDER;
use super::states::{Stage, State};
use super::{Stop, trapezoid};
use crate::objective::{Certificate, Coordinates, Hessian, ModelSpec};

/// Share of the residual that a step may leave before an own Hessian is computed anew.
const GOOD_STEP: f64 = 0.4;

/// Share of the predicted decrease that a step must achieve.
const ARMIJO: f64 = 1e-4;

/// Relative error of a loss summed from float32 values.
const FLOAT32_ROUNDING: f64 = 1e-7;

/// The same of float64 values.
const FLOAT64_ROUNDING: f64 = 1e-14;

/// A promised decrease, relative to the objective, that float32 passes cannot follow.
const FLOAT32_DECREASE: f64 = 1e-12;

/// A promised decrease, relative to the objective, that a converged model may leave, as a share of the tolerance.
const CLOSE: f64 = 0.02;

/// Lengths of a step that failed, tried at once: columns of one pass.
const SHORTER: [f64; 3] = [0.25, 0.0625, 0.015625];

/// Rounds of shorter steps before a target is given up.
const MAX_SHORTENINGS: usize = 4;

/// Steps in a row that gain nothing before a fit has no more progress to make.
const MAX_IDLE: usize = 6;

/// A candidate that was evaluated.
#[derive(Debug, Clone)]
pub(super) struct Point {
    pub(super) column: Vec<f64>,
    pub(super) objective: f64,
    /// Gradient of the mean loss.
    pub(super) gradient: Vec<f64>,
    pub(super) residual: f64,
    /// In the float64 stage.
    pub(super) certificate: Option<Certificate>,
}

/// What is tried next.
#[derive(Debug)]
struct Aim {
    target: Vec<f64>,
    /// Slope of the objective from here towards there, times the distance: a negative number, at least the
    /// decrease that the model of the objective promises.
    promise: f64,
    /// Shares of the way that are tried in the next pass.
    lengths: Vec<f64>,
    shortenings: usize,
}

/// One model's descent.
#[derive(Debug)]
pub(super) struct Fit {
    pub(super) model: ModelSpec,
    pub(super) point: Point,
    pub(super) curvature: Option<Curvature>,
    /// Whether the curvature is an own Hessian of this very point.
    pub(super) fresh: bool,
    /// Whether it ever had an own Hessian.
    pub(super) had_own: bool,
    /// Steps taken with the present curvature.
    pub(super) age: usize,
    /// Whether the curvature is that of a model which differs in the held-out rows alone.
    pub(super) borrowed: bool,
    /// Every how many-th panel an own Hessian is made of.
    pub(super) stride: usize,
    pub(super) iterations: usize,
    pub(super) state: State,
    /// Logarithm of the share of the residual that a step leaves, averaged over the last ones.
    pub(super) pace: f64,
    ridge: f64,
    aim: Option<Aim>,
    best_residual: f64,
    /// Steps since anything was gained.
    idle: usize,
}

impl Fit {
    pub(super) fn new(model: ModelSpec, column: &[f64], stride: usize) -> Self {
        let point = Point {
            column: column.to_vec(),
            objective: f64::INFINITY,
            gradient: Vec::new(),
            residual: f64::INFINITY,
            certificate: None,
        };
        Self {
            model,
            point,
            curvature: None,
            fresh: false,
            had_own: false,
            age: 0,
            borrowed: false,
            stride,
            iterations: 0,
            state: State::Active,
            pace: -1.0,
            ridge: 0.0,
            aim: None,
            best_residual: f64::INFINITY,
            idle: 0,
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.state == State::Active
    }

    pub(super) fn is_stopped(&self) -> bool {
        matches!(self.state, State::Stopped(_))
    }

    /// Gives the fit a target, if it has none; returns the decrease promised there.
    pub(super) fn aim(&mut self, stage: Stage, coordinates: &Coordinates) -> f64 {
        if self.aim.is_none() {
            let Some(curvature) = &self.curvature else { return 0.0 };
            let Point { column, gradient, residual, .. } = &self.point;
            let penalty = self.model.penalty;
            let place =
                StepOrigin { column, gradient, penalty, coordinates, residual: *residual, ridge: self.ridge };
            let mut target = curvature.target(place);
            if stage != Stage::Float64 {
                target.iter_mut().for_each(|w| *w = to_f32(*w));
            }
            let promise = place.slope_towards(&target);
            self.aim = Some(Aim { target, promise, lengths: vec![1.0], shortenings: 0 });
        }
        self.aim.as_ref().map_or(0.0, |aim| -aim.promise)
    }

    pub(super) fn has_aim(&self) -> bool {
        self.aim.is_some()
    }

    pub(super) fn drop_aim(&mut self) {
        self.aim = None;
    }

    /// The points to be tried: on the way to the target, or where the fit is.
    pub(super) fn candidates(&self, stage: Stage) -> Vec<Vec<f64>> {
        let Some(aim) = &self.aim else { return vec![self.point.column.clone()] };
        let on_the_way = |&length: &f64| {
            if length == 1.0 {
                return aim.target.clone();
            }
            let between = |(v, w): (&f64, &f64)| w + length * (v - w);
            let point = aim.target.iter().zip(&self.point.column).map(between);
            match stage {
                Stage::Float64 => point.collect(),
                _ => point.map(to_f32).collect(),
            }
        };
        aim.lengths.iter().map(on_the_way).collect()
    }

    /// Begins another stage: other means may gain where those before did not.
    pub(super) fn begin(&mut self) {
        (self.state, self.idle, self.best_residual) = (State::Active, 0, f64::INFINITY);
    }

    /// Begins the search for a proof, which knows nothing of what failed before.
    pub(super) fn begin_proof(&mut self) {
        self.begin();
        (self.aim, self.ridge) = (None, 0.0);
    }

    /// Takes the Hessian of the very point.
    pub(super) fn learn_exactly(&mut self, hessian: Hessian) {
        self.curvature = Some(Curvature::Own(hessian));
        (self.fresh, self.borrowed, self.age) = (true, false, 0);
    }

    /// Takes an own Hessian, or one `borrowed` from a model that differs in the held-out rows alone.
    pub(super) fn take(&mut self, curvature: Curvature, borrowed: bool) {
        (self.curvature, self.had_own, self.age) = (Some(curvature), true, 0);
        (self.fresh, self.borrowed) = (!borrowed, borrowed);
    }

    /// Whether something is added to the diagonal of the curvature.
    pub(super) fn has_ridge(&self) -> bool {
        self.ridge > 0.0
    }

    /// The way to the target, if there is one.
    pub(super) fn whole_step(&self) -> Option<Vec<f64>> {
        let aim = self.aim.as_ref()?;
        Some(aim.target.iter().zip(&self.point.column).map(|(to, from)| to - from).collect())
    }

    /// Goes to a point, whatever it is worth.
    pub(super) fn go(&mut self, point: Point) {
        self.point = point;
        (self.fresh, self.aim) = (false, None);
    }

    /// Takes the best of the candidates that were evaluated, or shortens the step.
    pub(super) fn judge(&mut self, stage: Stage, candidates: Vec<Point>, coordinates: &Coordinates) {
        let Some(aim) = &self.aim else { return };
        let noise = rounding(stage) * self.point.objective.abs();
        let is_clear = |length: f64| -aim.promise * length > 100.0 * noise;
        let best = candidates
            .into_iter()
            .zip(&aim.lengths)
            .filter_map(|(point, &length)| {
                let change = if is_clear(length) {
                    point.objective - self.point.objective - noise
                } else {
                    self.change_to(&point, coordinates)
                };
                // A NaN compares false and shortens the step.
                let descends = change <= ARMIJO * length * aim.promise && point.residual.is_finite();
                descends.then_some((change, length, point))
            })
            .min_by(|a, b| a.0.total_cmp(&b.0));
        let any_clear = aim.lengths.iter().any(|&length| is_clear(length));
        match best {
            Some((_, length, point)) => {
                let is_clear = is_clear(length);
                self.accept(stage, point, is_clear);
            }
            None => self.shorten(stage, any_clear),
        }
    }

    /// The change of the objective on the way to a point close by.
    fn change_to(&self, point: &Point, coordinates: &Coordinates) -> f64 {
        let now = &self.point;
        let loss = trapezoid((&now.column, &now.gradient), (&point.column, &point.gradient));
        loss + coordinates.change(&self.model.penalty, &now.column, &point.column)
    }

    fn accept(&mut self, stage: Stage, point: Point, is_clear: bool) {
        let share = point.residual / self.point.residual;
        self.age += 1;
        self.pace = 0.6 * self.pace + 0.4 * share.clamp(1e-6, 4.0).ln();
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        let step = difference(&point.column, &self.point.column);
        let change = difference(&point.gradient, &self.point.gradient);
        let is_slow = share > GOOD_STEP;
        match &mut self.curvature {
            Some(Curvature::Own(_)) if is_slow => {
                // A step was gained: what a sibling lends next may gain another.
                self.borrowed = false;
                // Shortened or not: a sample may lack the rows that curve a direction.
                if self.fresh && stage != Stage::Sample {
                    self.stride = self.stride.div_ceil(2);
                }
                self.curvature = None;
            }
            Some(curvature) => {
                let largest = change.iter().fold(0.0, |a: f64, b| a.max(b.abs()));
                // A change of gradient that is mostly rounding teaches nothing.
                if stage == Stage::Float64 || largest > 3.0 * FLOAT32_ROUNDING {
                    curvature.learn(step, change);
                }
            }
            None => {}
        }
        if point.residual < 0.9 * self.best_residual {
            (self.best_residual, self.idle) = (point.residual, 0);
        } else {
            // A clear decrease is progress, whatever the residual does.
            self.idle = if is_clear { 0 } else { self.idle + 1 };
        }
        self.ridge /= 100.0;
        self.go(point);
    }

    /// Tries less of the step; in the end another curvature, and then none.
    fn shorten(&mut self, stage: Stage, any_clear: bool) {
        let Some(aim) = &mut self.aim else { return };
        if any_clear && aim.shortenings < MAX_SHORTENINGS {
            let shortest = aim.lengths.iter().fold(f64::INFINITY, |a, &b| a.min(b));
            aim.lengths = SHORTER.map(|factor| factor * shortest).to_vec();
            aim.shortenings += 1;
            return;
        }
        self.aim = None;
        self.idle += 1;
        if stage == Stage::Table && !any_clear {
            // What float32 cannot tell, float64 will.
            self.state = State::Waiting;
            return;
        }
        if self.fresh {
            if stage != Stage::Sample {
                self.stride = self.stride.div_ceil(2);
            }
            self.ridge = (self.ridge * 1e4).max(1e-8);
        }
        let forgot = self.curvature.as_mut().is_some_and(Curvature::forget);
        if !forgot {
            self.curvature = None;
        }
        if stage == Stage::Sample && !any_clear {
            self.leave_sample();
        }
    }

    /// Ends the fit's part in a stage, or in the run, if it is close enough to the optimum.
    pub(super) fn settle(&mut self, stage: Stage, tolerance: f64) {
        if !self.is_active() {
            return;
        }
        let residual = self.point.residual;
        match stage {
            Stage::Sample if residual <= tolerance || self.idle > MAX_IDLE => self.leave_sample(),
            Stage::Table if self.idle > MAX_IDLE => self.state = State::Waiting,
            Stage::Float64 if self.idle > MAX_IDLE => self.state = State::Stopped(Stop::ProgressEnded),
            _ => {}
        }
    }

    /// Ends the fit's part in a stage, or in the run, once its residual is small enough and the decrease that
    /// is still promised matters no more: in many features, small residuals add up.
    pub(super) fn settle_for(&mut self, promise: f64, stage: Stage, tolerance: f64) {
        let (residual, objective) = (self.point.residual, self.point.objective.abs());
        match stage {
            // The sample's optimum is off by more than this stage leaves.
            Stage::Sample => {}
            Stage::Table => {
                let is_close = residual <= 0.5 * tolerance && promise <= 0.5 * CLOSE * tolerance * objective;
                // Float32 passes cannot follow so small a decrease.
                if is_close || promise <= FLOAT32_DECREASE * objective {
                    self.state = State::Waiting;
                }
            }
            Stage::Float64
                if residual <= tolerance
                    && promise <= CLOSE * tolerance * objective
                    && (self.leaves_the_proof() || self.is_certified(tolerance)) =>
            {
                self.state = State::Stopped(Stop::Converged);
            }
            Stage::Float64 => {}
        }
    }

    fn is_certified(&self, tolerance: f64) -> bool {
        self.point.certificate.is_none_or(|certificate| certificate.is_within(tolerance))
    }

    /// Whether the last digits are left to the Newton steps of a proof: many steps of a shared curvature gain less.
    fn leaves_the_proof(&self) -> bool {
        matches!(self.curvature, Some(Curvature::Shared(_))) && self.point.column.len() <= MAX_ORDER
    }

    /// Waits for a finer sample or the table. An own Hessian, of the last point but one, is not worth keeping
    /// there; what a shared curvature learnt is.
    pub(super) fn leave_sample(&mut self) {
        (self.state, self.aim, self.borrowed) = (State::Waiting, None, false);
        if matches!(self.curvature, Some(Curvature::Own(_))) {
            self.curvature = None;
        }
    }
}

fn rounding(stage: Stage) -> f64 {
    if stage == Stage::Float64 { FLOAT64_ROUNDING } else { FLOAT32_ROUNDING }
}

/// The nearest value that float32 holds: what every engine computes with.
#[allow(clippy::cast_possible_truncation, reason = "rounding is the purpose")]
fn to_f32(x: f64) -> f64 {
    f64::from(x as f32)
}
