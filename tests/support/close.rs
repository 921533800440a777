/// Fails, with the worst index and both its values, if any `|actual - expected| > atol + rtol |expected|`.
#[track_caller]
pub(crate) fn assert_close(actual: &[f64], expected: &[f64], rtol: f64, atol: f64) {
    assert_eq!(actual.len(), expected.len(), "lengths differ");
    let excess = |i: usize| (actual[i] - expected[i]).abs() - atol - rtol * expected[i].abs();
    // NaN never agrees.
    let bad = |i: &usize| excess(*i).is_nan() || excess(*i) > 0.0;
    if let Some(worst) = (0..actual.len()).filter(bad).max_by(|&a, &b| excess(a).total_cmp(&excess(b))) {
        panic!(
            "at {worst}: found {}, expected {} (rtol {rtol:e}, atol {atol:e})",
            actual[worst], expected[worst]
        );
    }
}
