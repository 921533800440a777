//! Real tables: names, means and scales of every feature equal the references.

use super::read;
use crate::support::assert_close;
use logodds::data::{ColumnKind, ReadOptions};
use std::path::PathBuf;

#[test]
fn real_tables_are_encoded_as_in_their_references() {
    let Some(shared) = std::env::var_os("LOGODDS_SHARED") else {
        eprintln!("skipped: LOGODDS_SHARED is not set");
        return;
    };
    for set in ["adult", "nycflights13", "covertype", "breast_cancer"] {
        let directory = PathBuf::from(&shared).join("data").join(set);
        let text = std::fs::read_to_string(directory.join("reference.json")).expect("a reference");
        let reference: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let columns = &reference["columns"];
        let names = |key: &str| -> Vec<String> {
            columns[key].as_array().into_iter().flatten().filter_map(|v| v.as_str()).map(Into::into).collect()
        };
        let mut options = ReadOptions::new(columns["label"].as_str().expect("a label"));
        options.exclude = names("unused");
        let schema = logodds::data::open(&[directory.join("train.parquet").display().to_string()]);
        let known = schema.expect("a table").column_names();
        options.categorical = names("onehot")
            .into_iter()
            .filter(|n| set == "nycflights13" && known.contains(n) && n == "month")
            .collect();
        let dataset = read(&directory.join("train.parquet"), &options);
        assert_eq!(dataset.panels.n_rows() as u64, reference["n_train"].as_u64().expect("a count"), "{set}");
        assert_eq!(
            dataset.panels.n_features() as u64,
            reference["n_features"].as_u64().expect("a count"),
            "{set}"
        );
        for feature in reference["features"].as_array().expect("features") {
            let Some(name) = feature["name"].as_str().filter(|_| feature["kind"] == "numeric") else {
                continue;
            };
            let column = dataset.encoding.columns.iter().find(|c| c.name == name).expect("the column");
            if column.kind == ColumnKind::Numeric {
                let found = [column.mean.expect("a mean"), column.scale.expect("a scale")];
                let expected =
                    [feature["mean"].as_f64().expect("a mean"), feature["std"].as_f64().expect("a std")];
                assert_close(&found, &expected, 1e-10, 1e-12);
            }
        }
    }
}
