//! Progress of a running command: bars on a terminal, metrics in a file.

use std::fs::File;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use logodds::observer::{EpochReport, Observer, SweepProgress};
use logodds::output::is_stdout;
use serde::Serialize;

use super::interrupt;
use super::output::{self, Output, write_stdout};
use super::table::{count, number, seconds};

/// A bar on stderr if stderr is a terminal; otherwise nothing.
fn bar(output: Output) -> ProgressBar {
    let shown = !output.quiet && std::io::stderr().is_terminal();
    let target = if shown { ProgressDrawTarget::stderr_with_hz(10) } else { ProgressDrawTarget::hidden() };
    ProgressBar::with_draw_target(None, target)
}

/// The work that a bar counts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Work {
    Reading,
    Drawing,
}

impl Work {
    fn template(self) -> &'static str {
        match self {
            Self::Reading => "reading  [{bar:30}] {human_pos} of {human_len} rows, {per_sec:0}",
            Self::Drawing => "ranking  [{bar:30}] {human_pos} of {human_len} resamples, {per_sec:0}",
        }
    }
}

/// Shows and records a training run.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// The work that the bar counts, and its total.
    counted: Mutex<Option<(Work, usize)>>,
    quiet: bool,
    metrics: Option<Mutex<Metrics>>,
}

/// The metrics file. It is created at the first epoch, so that a run that fails earlier keeps an older file.
struct Metrics {
    path: PathBuf,
    file: Option<File>,
    /// The first write error; the run continues, and reports it at its end.
    failure: Option<std::io::Error>,
}

impl Metrics {
    /// Appends `text` without buffering, because people watch the file while it grows.
    fn write(&mut self, text: &str) {
        if self.failure.is_some() {
            return;
        }
        if is_stdout(&self.path) {
            self.failure = write_stdout(text).err();
            return;
        }
        let file = match self.file.take() {
            Some(file) => Ok(file),
            None => File::create(&self.path),
        };
        let written = file.and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            self.file = Some(file);
            Ok(())
        });
        self.failure = written.err();
    }
}

impl Progress {
    /// Shows the bar; the metrics file is not created yet.
    pub(crate) fn start(output: Output, metrics: Option<&Path>) -> Self {
        let metrics =
            metrics.map(|path| Mutex::new(Metrics { path: path.to_owned(), file: None, failure: None }));
        Self { bar: bar(output), counted: Mutex::new(None), quiet: output.quiet, metrics }
    }

    /// Removes the bar and reports a write error. A successful run without an epoch leaves an empty metrics
    /// file.
    pub(crate) fn finish(self, succeeded: bool) -> anyhow::Result<()> {
        self.bar.finish_and_clear();
        let Some(mut metrics) = self.metrics.and_then(|metrics| metrics.into_inner().ok()) else {
            return Ok(());
        };
        if succeeded {
            metrics.write("");
        }
        match metrics.failure {
            Some(failure) => Err(failure)
                .with_context(|| format!("the --metrics file {} is incomplete", metrics.path.display())),
            None => Ok(()),
        }
    }

    /// Moves the bar; other work starts a new bar.
    fn advance(&self, work: Work, done: usize, total: usize) {
        let Ok(mut counted) = self.counted.lock() else { return };
        if *counted != Some((work, total)) {
            *counted = Some((work, total));
            // Set everything before the bar is drawn.
            self.bar.set_style(style(work.template()));
            self.bar.reset_eta();
            self.bar.update(|state| {
                state.set_pos(0);
                state.set_len(total as u64);
            });
        }
        self.bar.set_position(done as u64);
    }

    /// Writes a line of the metrics file.
    fn append<T: Serialize>(&self, report: &T) {
        let Some(Ok(mut metrics)) = self.metrics.as_ref().map(Mutex::lock) else { return };
        metrics.write(&(serde_json::to_string(report).expect("plain numbers always serialise") + "\n"));
    }
}

impl Observer for Progress {
    fn message(&self, text: &str) {
        if !self.quiet {
            self.bar.suspend(|| output::note(text));
        }
    }

    fn reading(&self, rows_done: usize, rows_total: usize) {
        self.advance(Work::Reading, rows_done, rows_total);
    }

    fn drawing(&self, tables_done: usize, tables_total: usize) {
        self.advance(Work::Drawing, tables_done, tables_total);
    }

    fn epoch(&self, report: &EpochReport) {
        interrupt::training();
        self.append(report);
        if report.epoch == 1 {
            self.bar.set_style(style("training {spinner} {msg}"));
            self.bar.reset();
        }
        self.bar.set_position(report.epoch as u64);
        let validation = report.validation_score.map(|score| format!(", validation {}", number(score)));
        self.bar.set_message(format!(
            "epoch {}, objective {}, residual {:.1e}, {} of {} done{}, {} rows/s",
            report.epoch,
            number(report.objective),
            report.kkt_residual,
            report.models_converged,
            report.models_converged + report.models_active,
            validation.unwrap_or_default(),
            count(report.rows_per_second as usize),
        ));
    }

    fn sweep(&self, progress: &SweepProgress) {
        interrupt::training();
        self.append(progress);
        self.bar.set_style(style("tuning {spinner} {msg}"));
        self.bar.unset_length();
        self.bar.tick();
        let left = progress.models - progress.done - progress.running;
        self.bar.set_message(format!(
            "{} of {} models done, {} running, {} left; {} passes; about {} to go",
            count(progress.done),
            count(progress.models),
            count(progress.running),
            count(left),
            number((progress.passes * 10.0).round() / 10.0),
            seconds(progress.remaining_secs),
        ));
    }

    fn is_interrupted(&self) -> bool {
        interrupt::is_asked()
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("templates are written above").progress_chars("=> ")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use indicatif::TermLike;

    use super::*;

    /// A terminal that records what is written to it.
    #[derive(Debug, Clone, Default)]
    struct Written(Arc<Mutex<String>>);

    impl TermLike for Written {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            self.write_str("\n")
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_frame_says_what_is_counted_in_whole_numbers() {
        let terminal = Written::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
        let bar = ProgressBar::with_draw_target(None, target);
        let progress = Progress { bar, counted: Mutex::new(None), quiet: false, metrics: None };
        for (rows, tables) in [(1_000_000, 100), (2_500_000, 700)] {
            progress.reading(rows, 3_000_000);
            std::thread::sleep(std::time::Duration::from_millis(20));
            progress.reading(rows + 1, 3_000_000);
            progress.drawing(tables, 1000);
            progress.bar.tick();
        }
        let written = terminal.0.lock().unwrap().clone();
        let frames: Vec<&str> = written.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert!(
            frames.iter().all(|frame| frame.starts_with("reading") || frame.starts_with("ranking")),
            "{frames:?}"
        );
        let rates: Vec<&str> =
            frames.iter().filter_map(|frame| frame.rsplit_once(", ")).map(|(_, rate)| rate).collect();
        assert!(
            rates.iter().any(|rate| rate.len() > 2) && rates.iter().all(|rate| !rate.contains('.')),
            "{rates:?}"
        );
        assert!(!frames.iter().any(|frame| frame.contains(" of 0 ")), "{frames:?}");
        assert!(frames.iter().any(|frame| frame.contains("of 1,000 resamples")), "{frames:?}");
    }
}
