//! The columns of a table: those of its files, and those from folders named `key=value`.

use super::paths::folder_columns;
use super::schema::ValueType;
use super::source::{ColumnPlace, FileEntry, SourceColumn, Trouble};
use arrow_array::{Int64Array, StringArray};
use arrow_schema::Schema;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The columns of the files so far.
#[derive(Default)]
pub(super) struct Columns {
    pub(super) columns: Vec<SourceColumn>,
    /// The index of each column name.
    pub(super) names: HashMap<String, usize>,
    paths: Vec<PathBuf>,
}

impl Columns {
    /// Adds the columns of a file. Returns where the file has each of the columns known so far.
    pub(super) fn add_file(&mut self, path: &Path, schema: &Schema) -> Vec<ColumnPlace> {
        let mut place = vec![ColumnPlace::Nowhere; self.columns.len()];
        let mut seen = HashSet::new();
        let index = pandas_index(schema);
        for (at, field) in schema.fields().iter().enumerate() {
            let found = ValueType::of(field.data_type());
            let known = *self.names.entry(field.name().clone()).or_insert_with(|| {
                self.columns.push(SourceColumn {
                    name: field.name().clone(),
                    value_type: found.clone(),
                    is_folder: false,
                    is_index: index.contains(field.name()),
                    trouble: self
                        .paths
                        .first()
                        .map(|before| Trouble::Absent { path: before.clone(), other: path.to_owned() }),
                });
                place.push(ColumnPlace::Nowhere);
                self.columns.len() - 1
            });
            let column = &mut self.columns[known];
            if !seen.insert(known) {
                column.trouble.get_or_insert_with(|| Trouble::Doubled { path: path.to_owned() });
                continue;
            }
            place[known] = ColumnPlace::Column(at);
            match column.value_type.merge(&found) {
                Some(both) => column.value_type = both,
                None => {
                    column.trouble.get_or_insert_with(|| Trouble::Differs {
                        path: path.to_owned(),
                        other: self.paths[0].clone(),
                        found: found.describe().to_owned(),
                        expected: column.value_type.describe().to_owned(),
                    });
                }
            }
        }
        for (column, place) in self.columns.iter_mut().zip(&place) {
            if matches!(place, ColumnPlace::Nowhere) {
                let other = self.paths[0].clone();
                column.trouble.get_or_insert_with(|| Trouble::Absent { path: path.to_owned(), other });
            }
        }
        self.paths.push(path.to_owned());
        place
    }

    /// Adds the columns from folder names, unless a file has a column of that name.
    pub(super) fn add_folders(&mut self, files: &mut [FileEntry]) {
        let of_file: Vec<HashMap<String, Option<String>>> =
            files.iter().map(|file| folder_columns(&file.path).into_iter().collect()).collect();
        let mut keys: Vec<String> = Vec::new();
        for (key, _) in files.iter().flat_map(|file| folder_columns(&file.path)) {
            if !self.names.contains_key(&key) && !keys.contains(&key) {
                keys.push(key);
            }
        }
        for key in keys {
            let values: Vec<Option<&str>> =
                of_file.iter().map(|folders| folders.get(&key)?.as_deref()).collect();
            // As in Arrow and Spark: integers if all values are, else text.
            let integers: Option<Vec<Option<i64>>> = values
                .iter()
                .map(|value| value.map(|v| v.parse().ok()).map_or(Some(None), |v| v.map(Some)))
                .collect();
            let integers = integers.filter(|_| values.iter().any(Option::is_some));
            let value_type = if integers.is_some() { ValueType::Integer } else { ValueType::Text };
            let mut trouble = None;
            for (f, file) in files.iter_mut().enumerate() {
                if !of_file[f].contains_key(&key) {
                    let has = of_file.iter().position(|folders| folders.contains_key(&key)).unwrap_or(0);
                    trouble.get_or_insert((f, has));
                }
                file.place.resize(self.columns.len(), ColumnPlace::Nowhere);
                file.place.push(ColumnPlace::Folder(match &integers {
                    Some(integers) => Arc::new(Int64Array::from(vec![integers[f]])),
                    None => Arc::new(StringArray::from(vec![values[f]])),
                }));
            }
            let trouble = trouble.map(|(path, other)| Trouble::Absent {
                path: files[path].path.clone(),
                other: files[other].path.clone(),
            });
            self.names.insert(key.clone(), self.columns.len());
            self.columns.push(SourceColumn {
                name: key,
                value_type,
                is_folder: true,
                is_index: false,
                trouble,
            });
        }
        for file in files {
            file.place.resize(self.columns.len(), ColumnPlace::Nowhere);
        }
    }
}

/// The columns that pandas wrote for the index of a frame.
fn pandas_index(schema: &Schema) -> HashSet<String> {
    #[derive(serde::Deserialize)]
    struct Pandas {
        index_columns: Vec<serde_json::Value>,
    }
    let pandas = schema.metadata().get("pandas").and_then(|json| serde_json::from_str::<Pandas>(json).ok());
    // A RangeIndex is not stored as a column: an object describes it instead of a name.
    let name = |entry: serde_json::Value| entry.as_str().map(str::to_owned);
    pandas.into_iter().flat_map(|pandas| pandas.index_columns).filter_map(name).collect()
}
