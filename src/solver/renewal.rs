//! When a fit's curvature is replaced, and by which.

use std::time::Instant;

use super::bases::{Bases, own_base};
use super::curvature::Curvature;
use super::full_batch::{MAX_ORDER, Method, hessian_passes};
use super::stages::Run;
use super::states::Stage;
use crate::engine::At;
use crate::error::Result;
use crate::objective::{HeldOut, Hessian, ModelSpec};
use crate::panels::Sample;

/// Orders from which an own Hessian is factored once, and later steps are kept beside it: a factor takes as long as
/// many models' share of a pass.
const FACTORED_ORDER: usize = 256;

/// Where a fit's next curvature comes from.
enum Source {
    /// The fit's own Hessian, over the rows of a sample.
    Own(Sample),
    /// The Hessian that another fit gets now. The two models differ in the held-out rows alone, so that their
    /// curvatures differ by the noise of a sample, which the steps mend.
    Sibling(usize),
    /// The matrix that the stack shares.
    Shared,
}

impl Run<'_, '_> {
    /// Gives another curvature to every active fit that has none, or one that is too slow. Hessians over the same
    /// rows are asked for together: an engine takes as many in one reading of X as its memory allows.
    pub(super) fn renew_curvatures(&mut self, stage: Stage, sample: Sample) -> Result<()> {
        let mut sources: Vec<(usize, Source)> = Vec::new();
        for m in self.active() {
            let is_replaced = match &self.fits[m].curvature {
                None => true,
                Some(Curvature::Shared(_)) => stage != Stage::Sample && self.is_too_slow(m),
                Some(Curvature::Own(_)) => false,
            };
            if is_replaced && !self.fits[m].has_aim() {
                let source = self.source(m, stage, sample, &sources);
                sources.push((m, source));
            }
        }
        self.share_curvature(&sources)?;
        while let Some(rows) = sources.iter().find_map(|(_, source)| match source {
            Source::Own(rows) => Some(*rows),
            _ => None,
        }) {
            let is_made = |source: &Source| matches!(source, Source::Own(of) if *of == rows);
            let makers: Vec<usize> =
                sources.iter().filter(|(_, source)| is_made(source)).map(|&(m, _)| m).collect();
            self.make_hessians(&makers, rows, &sources)?;
            sources.retain(|(_, source)| !is_made(source));
        }
        Ok(())
    }

    /// Which curvature a fit gets next, after fits that get theirs from `before`.
    fn source(&self, m: usize, stage: Stage, sample: Sample, before: &[(usize, Source)]) -> Source {
        let fit = &self.fits[m];
        let has_own = self.problem.start.stride() <= MAX_ORDER
            && (self.settings.prefers_own(self.problem, self.share(Sample::every(fit.stride)))
                || fit.had_own
                || matches!(fit.curvature, Some(Curvature::Shared(_))));
        if !has_own {
            return Source::Shared;
        }
        let is_sibling = |other: &ModelSpec| {
            other.held_out != HeldOut::NONE
                && ModelSpec { held_out: fit.model.held_out, ..*other } == fit.model
        };
        let mut makers = before.iter().filter(|(_, source)| matches!(source, Source::Own(_)));
        match makers.find(|&&(other, _)| is_sibling(&self.fits[other].model)) {
            // What was borrowed and did not serve is not borrowed again.
            Some(&(other, _)) if !fit.borrowed => Source::Sibling(other),
            _ => Source::Own(if stage == Stage::Sample { sample } else { Sample::every(fit.stride) }),
        }
    }

    /// Gives each of `makers` its Hessian over the rows of `sample`, and the same to the fits that borrow it.
    fn make_hessians(&mut self, makers: &[usize], sample: Sample, sources: &[(usize, Source)]) -> Result<()> {
        let started = Instant::now();
        // What they replace is freed first: a plan of memory counts one curvature a model.
        makers.iter().for_each(|&m| self.fits[m].curvature = None);
        let points: Vec<At<'_>> =
            makers.iter().map(|&m| (self.fits[m].model, self.fits[m].point.column.as_slice())).collect();
        let hessians = self.table.hessians(&points, sample)?;
        self.passes += makers.len() as f64 * self.share(sample);
        log::debug!(
            "Hessians of models {makers:?}, every {} panels, in {:.1} ms",
            sample.stride(),
            1e3 * started.elapsed().as_secs_f64()
        );
        for (&maker, hessian) in makers.iter().zip(hessians) {
            let curvature = self.own_curvature(maker, hessian)?;
            for &(m, _) in
                sources.iter().filter(|(_, source)| matches!(source, Source::Sibling(of) if *of == maker))
            {
                self.fits[m].take(curvature.again(), true);
            }
            self.fits[maker].take(curvature, false);
        }
        Ok(())
    }

    /// A Hessian as the curvature of a fit.
    fn own_curvature(&self, m: usize, hessian: Hessian) -> Result<Curvature> {
        let penalty = &self.fits[m].model.penalty;
        Ok(if hessian.order() >= FACTORED_ORDER && penalty.l1 == 0.0 {
            Curvature::shared(own_base(hessian, self.problem.coordinates, penalty)?)
        } else {
            Curvature::Own(hessian)
        })
    }

    /// Gives the fits whose source is the stack's matrix that matrix.
    fn share_curvature(&mut self, sources: &[(usize, Source)]) -> Result<()> {
        for &(m, _) in sources.iter().filter(|(_, source)| matches!(source, Source::Shared)) {
            if self.bases.is_none() {
                self.bases = Some(Bases::new(self.table, self.problem, self.finest)?);
                self.passes += self.share(self.finest);
            }
            let bases = self.bases.as_mut().expect("they were just made");
            (self.fits[m].curvature, self.fits[m].age) =
                (Some(Curvature::shared(bases.of(self.problem, m)?)), 0);
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
}
