//! Suggests existing names for a mistyped one.

/// Most names that are suggested.
const SUGGESTED: usize = 3;

/// Longest name, in bytes, that is compared with others.
const LONGEST: usize = 256;

/// Largest edit distance of a suggested name.
const FARTHEST: usize = 32;

/// Names the existing names nearest to `name`, for an error message.
pub(crate) fn nearest<'a>(name: &str, existing: impl Iterator<Item = &'a str>) -> String {
    let folded = folded(name);
    let mut best: Vec<(usize, &str)> = Vec::new();
    let mut n_names = 0;
    for other in existing {
        n_names += 1;
        if name.len() > LONGEST || other.len() > LONGEST {
            continue;
        }
        let limit = if best.len() < SUGGESTED { FARTHEST } else { best[SUGGESTED - 1].0 };
        if let Some(distance) = distance(&folded, other, limit) {
            let place = best.partition_point(|&found| found <= (distance, other));
            best.insert(place, (distance, other));
            best.truncate(SUGGESTED);
        }
    }
    let names: Vec<String> = best.iter().map(|(_, other)| format!("\"{other}\"")).collect();
    match (n_names, names.is_empty()) {
        (0, _) => "the table has none".into(),
        (1, true) => "its only name is not similar".into(),
        (_, true) => format!("none of its {n_names} names is similar"),
        _ => format!("nearest: {}", names.join(", ")),
    }
}

/// Lower-case characters of a name; none for a name that is too long.
fn folded(name: &str) -> Vec<char> {
    if name.len() > LONGEST { Vec::new() } else { name.to_lowercase().chars().collect() }
}

/// Edit distance, if it is at most `limit`. Of the table over all pairs of prefixes, only the band of width
/// `limit` along the diagonal is computed.
fn distance(a: &[char], b: &str, limit: usize) -> Option<usize> {
    let b = folded(b);
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let far = limit + 1;
    let mut row: Vec<usize> = (0..=b.len()).map(|j| j.min(far)).collect();
    for (i, &x) in a.iter().enumerate() {
        let first = (i + 1).saturating_sub(limit).max(1);
        let last = (i + 1 + limit).min(b.len());
        let mut diagonal = row[first - 1];
        row[first - 1] = if first == 1 { (i + 1).min(far) } else { far };
        let mut least = row[first - 1];
        for j in first..=last {
            let above = if j == i + 1 + limit { far } else { row[j] };
            let substituted = diagonal + usize::from(x != b[j - 1]);
            diagonal = row[j];
            row[j] = substituted.min(row[j - 1] + 1).min(above + 1).min(far);
            least = least.min(row[j]);
        }
        if least > limit {
            return None;
        }
    }
    Some(row[b.len()]).filter(|&distance| distance <= limit)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    /// The whole table, row by row.
    fn plain_distance(a: &[char], b: &[char]) -> usize {
        let mut row: Vec<usize> = (0..=b.len()).collect();
        for (i, x) in a.iter().enumerate() {
            let mut diagonal = row[0];
            row[0] = i + 1;
            for (j, y) in b.iter().enumerate() {
                let substituted = diagonal + usize::from(x != y);
                diagonal = row[j + 1];
                row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
            }
        }
        row[b.len()]
    }

    #[test]
    fn a_band_gives_the_distance_of_the_whole_table() {
        let names = ["", "a", "price", "prize", "Price", "prices of all", "ecirp", "abcabcabc", "bcabcabca"];
        for a in names {
            for b in names {
                let (a, folded_b) = (folded(a), folded(b));
                let whole = plain_distance(&a, &folded_b);
                for limit in 0..16 {
                    let expected = Some(whole).filter(|&whole| whole <= limit);
                    assert_eq!(distance(&a, b, limit), expected, "{a:?} {b:?} {limit}");
                }
            }
        }
    }

    #[test]
    fn the_nearest_three_are_suggested() {
        let names = ["age", "wage", "pages", "city", "AGES"];
        assert_eq!(nearest("ages", names.into_iter()), "nearest: \"AGES\", \"age\", \"pages\"");
        assert_eq!(nearest("x", std::iter::empty()), "the table has none");
    }

    #[test]
    fn long_names_and_many_names_take_no_time() {
        let long = "x".repeat(100_000);
        let many: Vec<String> = (0..100_000).map(|i| format!("{i:0>250}")).collect();
        let begun = Instant::now();
        assert_eq!(nearest(&long, many.iter().map(String::as_str)), "none of its 100000 names is similar");
        assert_eq!(nearest("y", [long.as_str()].into_iter()), "its only name is not similar");
        let found = nearest(&format!("{:y>250}", 99), many.iter().map(String::as_str));
        assert_eq!(found, "none of its 100000 names is similar");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    }
}
