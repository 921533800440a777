//! When a fit gets another curvature, and whose.

use std::time::Instant;

use super::bases::{Bases, own_base};
use super::curvature::{Base, Curvature};
use super::descent::Stage;
use super::full_batch::{MAX_ORDER, Method, hessian_passes};
use super::stages::Run;
use crate::error::Result;
use crate::objective::{HeldOut, Hessian, ModelSpec};
use crate::panels::Sample;

/// Orders from which an own Hessian is factored once, and later steps are kept beside it: a factor takes as long as
/// many models' share of a pass.
const FACTORED_ORDER: usize = 256;

/// A curvature that siblings may borrow.
enum Lent {
    Hessian(Hessian),
    Base(Base),
}

impl Lent {
    fn curvature(&self) -> Curvature {
        match self {
            Self::Hessian(hessian) => Curvature::Own(hessian.clone()),
            Self::Base(base) => Curvature::shared(base.clone()),
        }
    }
}

impl Run<'_, '_> {
    /// Gives every active fit without a curvature, or with one that is too slow, another.
    pub(super) fn renew_curvatures(&mut self, stage: Stage, sample: Sample) -> Result<()> {
        // Hessians made now, for models that differ in the held-out rows alone: their curvature is the same but for
        // the noise of a sample, and the steps mend it.
        let mut lent: Vec<(ModelSpec, Lent)> = Vec::new();
        for m in self.active() {
            let replace = match &self.fits[m].curvature {
                None => true,
                Some(Curvature::Shared(_)) => stage != Stage::Sample && self.is_too_slow(m),
                Some(Curvature::Own(_)) => false,
            };
            if replace && !self.fits[m].has_aim() {
                self.learn_curvature(m, stage, sample, &mut lent)?;
            }
        }
        Ok(())
    }

    /// Whether a fit with a shared curvature would be done sooner with its own.
    fn is_too_slow(&self, m: usize) -> bool {
        let fit = &self.fits[m];
        let may_have_own = self.settings.method != Method::Lbfgs && self.problem.start.stride() <= MAX_ORDER;
        if !may_have_own || fit.age < 6 {
            return false;
        }
        let left = (self.settings.tolerance / fit.point.residual).ln() / fit.pace.min(-1e-3);
        let share = self.share(Sample::every(fit.stride));
        let hessian = hessian_passes(self.problem.start.stride(), share, self.active().len());
        // A Newton run takes some Hessians, and about twice as many passes; one that is on its way takes one more.
        left > if fit.had_own { 5.0 + 2.0 * hessian } else { 10.0 + 4.0 * hessian }
    }

    /// Gives a fit the curvature that the method has for it.
    fn learn_curvature(
        &mut self,
        m: usize,
        stage: Stage,
        sample: Sample,
        lent: &mut Vec<(ModelSpec, Lent)>,
    ) -> Result<()> {
        let order = self.problem.start.stride();
        let fit = &self.fits[m];
        let own = order <= MAX_ORDER
            && (self.settings.prefers_own(self.problem, self.share(Sample::every(fit.stride)))
                || fit.had_own
                || matches!(fit.curvature, Some(Curvature::Shared(_))));
        if own {
            let is_sibling = |(other, _): &&(ModelSpec, Lent)| {
                ModelSpec { held_out: fit.model.held_out, ..*other } == fit.model
            };
            // What was borrowed and did not serve is not borrowed again.
            if let Some((_, sibling)) = lent.iter().find(is_sibling).filter(|_| !fit.borrowed) {
                let curvature = Some(sibling.curvature());
                let fit = &mut self.fits[m];
                (fit.curvature, fit.fresh, fit.had_own, fit.borrowed) = (curvature, false, true, true);
                fit.age = 0;
                return Ok(());
            }
            let rows = if stage == Stage::Sample { sample } else { Sample::every(fit.stride) };
            let started = Instant::now();
            let hessian = self.engine.hessian(&fit.model, &fit.point.column, rows)?;
            log::debug!(
                "Hessian of model {m}, every {} panels, in {:.1} ms",
                rows.stride(),
                1e3 * started.elapsed().as_secs_f64()
            );
            self.passes += self.share(rows);
            let made = if order >= FACTORED_ORDER && fit.model.penalty.l1 == 0.0 {
                Lent::Base(own_base(hessian, fit.model.penalty.l2, self.problem.intercept)?)
            } else {
                Lent::Hessian(hessian)
            };
            let fit = &mut self.fits[m];
            (fit.curvature, fit.fresh, fit.had_own) = (Some(made.curvature()), true, true);
            (fit.borrowed, fit.age) = (false, 0);
            if fit.model.held_out != HeldOut::NONE {
                lent.push((fit.model, made));
            }
        } else {
            if self.bases.is_none() {
                self.bases = Some(Bases::new(self.engine, self.host, self.problem, self.finest)?);
                self.passes += self.share(self.finest);
            }
            let bases = self.bases.as_mut().expect("they were just made");
            (self.fits[m].curvature, self.fits[m].age) =
                (Some(Curvature::shared(bases.of(self.problem, m)?)), 0);
        }
        Ok(())
    }
}
