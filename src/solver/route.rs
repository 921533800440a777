//! Which solver minimises a problem: decided here alone, by the shape of the table and the penalties.

use super::{FullBatch, Method, Problem, RowSpace};
use crate::config::Solver;
use crate::objective::Penalty;

/// Number of features from which L1 models use working sets; below it, a Hessian of all features costs less.
const WORKING_SET_FEATURES: usize = 2000;

/// How the models of a problem are trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// By mini-batches.
    MiniBatches,
    /// One by one, on small tables of the features that matter.
    WorkingSets,
    /// Together, in the space of the rows.
    RowSpace,
    /// Together, over all features.
    FullBatch(Method),
}

impl Route {
    /// The route of `solver` for models of these penalties over a table of `n_rows` rows and `n_features` features.
    /// With validation rows (`is_validated`) every step is over all features.
    pub fn choose(
        solver: Solver,
        (n_rows, n_features): (usize, usize),
        penalties: &[Penalty],
        is_validated: bool,
    ) -> Self {
        let method = match solver {
            Solver::Sgd => return Self::MiniBatches,
            Solver::Lbfgs => return Self::FullBatch(Method::Lbfgs),
            Solver::Newton => Method::Newton,
            Solver::Auto => Method::Auto,
        };
        let is_sparse = penalties.iter().all(|penalty| penalty.l1 > 0.0);
        if is_validated {
            Self::FullBatch(method)
        } else if is_sparse && n_features >= WORKING_SET_FEATURES {
            Self::WorkingSets
        } else if RowSpace::suits_table(n_rows, n_features) && penalties.iter().all(RowSpace::suits_penalty) {
            Self::RowSpace
        } else {
            Self::FullBatch(method)
        }
    }

    /// The route of a problem.
    pub fn of(solver: Solver, problem: &Problem<'_>, is_validated: bool) -> Self {
        let shape = (problem.rows.n_rows(), problem.start.n_features());
        let penalties: Vec<Penalty> = problem.models.iter().map(|model| model.penalty).collect();
        Self::choose(solver, shape, &penalties, is_validated)
    }

    /// Whether the models share passes over X. Where they do not, a start close to the optimum saves more.
    pub fn shares_passes(self) -> bool {
        matches!(self, Self::MiniBatches | Self::FullBatch(_))
    }

    /// The order of the curvature matrices that a model may keep; `None` if it keeps none.
    pub fn hessian_order(self, (n_rows, n_features): (usize, usize)) -> Option<usize> {
        match self {
            // Working sets are solved one after the other, whatever the number of models.
            Self::MiniBatches | Self::WorkingSets => None,
            Self::RowSpace => Some(n_rows + 1),
            Self::FullBatch(_) => (n_features <= FullBatch::MAX_FEATURES).then_some(n_features + 1),
        }
    }

    /// The routes that models of these penalties may take: all of them together, or those of one penalty alone.
    pub fn possible<'a>(
        solver: Solver,
        shape: (usize, usize),
        penalties: &'a [Penalty],
        is_validated: bool,
    ) -> impl Iterator<Item = Self> + 'a {
        let alone = penalties.iter().map(std::slice::from_ref);
        [penalties]
            .into_iter()
            .chain(alone)
            .map(move |penalties| Self::choose(solver, shape, penalties, is_validated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIDGE: Penalty = Penalty { l1: 0.0, l2: 0.1 };
    const LASSO: Penalty = Penalty { l1: 0.1, l2: 0.0 };

    #[test]
    fn the_penalty_and_the_shape_of_the_table_decide() {
        let auto = |shape, penalty| Route::choose(Solver::Auto, shape, &[penalty], false);
        assert_eq!(auto((100_000, 50), RIDGE), Route::FullBatch(Method::Auto));
        assert_eq!(auto((1000, 6000), RIDGE), Route::RowSpace);
        assert_eq!(auto((1000, 6000), LASSO), Route::WorkingSets);
        assert_eq!(auto((1000, 6000), Penalty::default()), Route::FullBatch(Method::Auto));
        assert_eq!(
            Route::choose(Solver::Newton, (1000, 6000), &[LASSO], true),
            Route::FullBatch(Method::Newton)
        );
        assert_eq!(
            Route::choose(Solver::Lbfgs, (1000, 6000), &[LASSO], false),
            Route::FullBatch(Method::Lbfgs)
        );
    }

    #[test]
    fn a_curvature_is_of_the_order_that_the_chosen_solver_works_in() {
        let order = |shape: (usize, usize), penalties: &[Penalty]| {
            let routes = Route::possible(Solver::Auto, shape, penalties, false);
            routes.filter_map(|route| route.hessian_order(shape)).max()
        };
        let tall = |penalties: &[Penalty]| order((100_000, 50), penalties);
        assert_eq!([tall(&[RIDGE]), tall(&[LASSO]), tall(&[RIDGE, LASSO])], [Some(51); 3]);
        let wide = |penalties: &[Penalty]| order((1000, 6000), penalties);
        assert_eq!(wide(&[RIDGE, RIDGE]), Some(1001), "in the space of the rows");
        assert_eq!(wide(&[LASSO, LASSO]), None, "on working sets");
        assert_eq!(wide(&[RIDGE, LASSO]), Some(1001), "a wave may hold models of one kind alone");
        assert_eq!(order((100, 3000), &[RIDGE]), Some(101));
        assert_eq!(order((10_000, 6000), &[RIDGE]), None, "more features than a Hessian may have");
    }
}
