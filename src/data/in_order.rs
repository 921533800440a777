//! Runs tasks on all threads, and reports errors in the order of the table.

use crate::error::DataError;
use rayon::prelude::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs the tasks on all threads and collects their results, in the order of the tasks.
///
/// # Errors
/// The error of the first task, in task order, that fails. So the user sees the error of the first bad row,
/// whichever thread fails first. Tasks after a failed one are not started.
pub(crate) fn in_order<T, R: Send>(
    tasks: impl IndexedParallelIterator<Item = T>,
    run: impl Fn(T) -> Result<R, DataError> + Sync,
) -> Result<Vec<R>, DataError> {
    let failed = AtomicUsize::new(usize::MAX);
    let done: Vec<Option<Result<R, DataError>>> = tasks
        .enumerate()
        .map(|(at, task)| {
            if at > failed.load(Ordering::Relaxed) {
                return None;
            }
            let result = run(task);
            if result.is_err() {
                failed.fetch_min(at, Ordering::Relaxed);
            }
            Some(result)
        })
        .collect();
    // A task that was not started comes after one that failed.
    done.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::in_order;
    use crate::error::DataError;
    use rayon::prelude::*;
    use std::sync::atomic::{AtomicBool, Ordering};

    #[test]
    fn the_first_task_that_fails_is_named_also_where_a_later_one_fails_before_it() {
        let is_late = AtomicBool::new(false);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
        let found = pool.install(|| {
            in_order((0..1000_usize).into_par_iter(), |task| match task {
                3 => {
                    // Waits for the other thread, but not forever: it may have nothing left to do.
                    let end = std::time::Instant::now() + std::time::Duration::from_secs(2);
                    while !is_late.load(Ordering::Relaxed) && std::time::Instant::now() < end {
                        std::thread::yield_now();
                    }
                    Err(DataError::AllNull { column: "first".into() })
                }
                500.. => {
                    is_late.store(true, Ordering::Relaxed);
                    Err(DataError::AllNull { column: format!("{task}") })
                }
                task => Ok(task),
            })
        });
        assert!(matches!(found, Err(DataError::AllNull { column }) if column == "first"));
    }

    #[test]
    fn results_keep_the_order_of_the_tasks() {
        let found = in_order((0..1000_usize).into_par_iter(), |task| Ok(task * 2)).expect("no task fails");
        assert_eq!(found, (0..1000).map(|task| task * 2).collect::<Vec<_>>());
    }
}
