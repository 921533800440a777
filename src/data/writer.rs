//! Writes predictions as Parquet, to a temporary file that is renamed when complete.

use super::blocks::KeptColumns;
use super::options::column;
use super::source::Source;
use super::{Target, TargetType};
use crate::error::DataError;
use crate::output::Draft;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_cast::{can_cast_types, cast};
use arrow_schema::{DataType, Field, Schema, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Name of the column of predicted classes.
pub const PREDICTION: &str = "prediction";

/// Writes predictions block by block. The file appears only when [`PredictionWriter::finish`] succeeds.
pub struct PredictionWriter {
    path: PathBuf,
    schema: SchemaRef,
    n_kept: usize,
    classes: Classes,
    writer: ArrowWriter<Draft>,
}

/// The class values in a type that converts to the type of predictions.
enum Classes {
    Text(Vec<String>),
    Boolean(Vec<bool>),
    Signed(Vec<i64>),
    Unsigned(Vec<u64>),
    Float(Vec<f64>),
}

impl Classes {
    fn new(target: &Target) -> Self {
        fn parsed<T: std::str::FromStr>(classes: &[String]) -> Option<Vec<T>> {
            classes.iter().map(|class| class.parse().ok()).collect()
        }
        let classes = &target.classes;
        let typed = match target.data_type {
            TargetType::String => None,
            TargetType::Boolean => parsed(classes).map(Self::Boolean),
            TargetType::Integer => {
                parsed(classes).map(Self::Signed).or_else(|| parsed(classes).map(Self::Unsigned))
            }
            TargetType::Float => parsed(classes).map(Self::Float),
        };
        typed.unwrap_or_else(|| Self::Text(classes.clone()))
    }

    fn data_type(&self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Boolean(_) => DataType::Boolean,
            Self::Signed(_) => DataType::Int64,
            Self::Unsigned(_) => DataType::UInt64,
            Self::Float(_) => DataType::Float64,
        }
    }

    fn array(&self, prediction: &[Option<u32>]) -> ArrayRef {
        fn pick<'a, T>(values: &'a [T], prediction: &[Option<u32>]) -> impl Iterator<Item = Option<&'a T>> {
            prediction.iter().map(move |class| class.and_then(|class| values.get(class as usize)))
        }
        match self {
            Self::Text(v) => {
                Arc::new(pick(v, prediction).map(|c| c.map(String::as_str)).collect::<StringArray>())
            }
            Self::Boolean(v) => Arc::new(pick(v, prediction).map(|c| c.copied()).collect::<BooleanArray>()),
            Self::Signed(v) => Arc::new(pick(v, prediction).map(|c| c.copied()).collect::<Int64Array>()),
            Self::Unsigned(v) => Arc::new(pick(v, prediction).map(|c| c.copied()).collect::<UInt64Array>()),
            Self::Float(v) => Arc::new(pick(v, prediction).map(|c| c.copied()).collect::<Float64Array>()),
        }
    }
}

impl PredictionWriter {
    /// Starts a file with the columns `keep` of `source`, the column `prediction`, and a float64 column for
    /// each name in `probabilities`.
    ///
    /// # Errors
    /// If two columns would have the same name, or the directory is not writable.
    pub fn create(
        path: &Path,
        source: &Source,
        keep: &[String],
        target: &Target,
        probabilities: &[String],
    ) -> crate::Result<Self> {
        let classes = Classes::new(target);
        let mut fields = Vec::new();
        for name in keep {
            let at = column(source, name, "keep")?;
            fields.push(source.files[0].natural_field(name, at).with_nullable(true));
        }
        // Without a known type that the classes convert to, they are written in the type they were parsed to.
        let exact = target.arrow_type.as_deref().and_then(|name| name.parse::<DataType>().ok());
        let exact = exact.filter(|exact| can_cast_types(&classes.data_type(), exact));
        fields.push(Field::new(PREDICTION, exact.unwrap_or_else(|| classes.data_type()), true));
        fields.extend(probabilities.iter().map(|name| Field::new(name, DataType::Float64, true)));
        let mut names = HashSet::new();
        if let Some(twice) = fields.iter().find(|field| !names.insert(field.name())) {
            return Err(DataError::OutputColumn { column: twice.name().clone() }.into());
        }
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let failed = |reason: String| DataError::Write { path: path.to_owned(), reason };
        let file = Draft::create(path).map_err(|e| failed(e.to_string()))?;
        let mut properties =
            WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
        for name in probabilities {
            // Hardly any two probabilities are equal, so a dictionary would be built and then discarded.
            properties = properties.set_column_dictionary_enabled(ColumnPath::from(name.as_str()), false);
        }
        let properties = properties.build();
        let writer = ArrowWriter::try_new(file, schema.clone(), Some(properties))
            .map_err(|e| failed(e.to_string()))?;
        Ok(Self { path: path.to_owned(), schema, n_kept: keep.len(), classes, writer })
    }

    /// Appends a block: its passed-through columns, the class of each row (null for none), and the
    /// probabilities, column by column. Probabilities are null where the prediction is null.
    ///
    /// # Errors
    /// If the disk is full, or a passed-through column cannot be converted to its type in the first file.
    ///
    /// # Panics
    /// If the columns differ in number of rows, or are not as many as in [`PredictionWriter::create`].
    pub fn write(
        &mut self,
        keep: &KeptColumns,
        prediction: &[Option<u32>],
        probabilities: &[Vec<f64>],
    ) -> crate::Result<()> {
        let failed = |reason: String| DataError::Write { path: self.path.clone(), reason };
        let n_columns = keep.columns.len() + 1 + probabilities.len();
        assert_eq!(n_columns, self.schema.fields().len(), "as many columns as announced");
        assert_eq!(keep.columns.len(), self.n_kept, "as many columns kept as announced");
        let mut columns = Vec::with_capacity(n_columns);
        for (array, field) in keep.columns.iter().zip(self.schema.fields()) {
            columns.push(cast(array, field.data_type()).map_err(|e| failed(e.to_string()))?);
        }
        let exact = self.schema.field(self.n_kept).data_type();
        columns.push(cast(&self.classes.array(prediction), exact).map_err(|e| failed(e.to_string()))?);
        for column in probabilities {
            assert_eq!(column.len(), prediction.len(), "a probability for each row");
            let values = column.iter().zip(prediction).map(|(&p, class)| class.map(|_| p));
            columns.push(Arc::new(values.collect::<Float64Array>()));
        }
        let batch = RecordBatch::try_new(self.schema.clone(), columns).map_err(|e| failed(e.to_string()))?;
        self.writer.write(&batch).map_err(|e| failed(e.to_string()))?;
        Ok(())
    }

    /// Completes the file and renames it to its final name.
    ///
    /// # Errors
    /// If the disk is full, or the file cannot be renamed.
    pub fn finish(self) -> crate::Result<()> {
        let Self { path, writer, .. } = self;
        let failed = |reason: String| DataError::Write { path: path.clone(), reason };
        let file = writer.into_inner().map_err(|e| failed(e.to_string()))?;
        file.finish().map_err(|e| failed(e.to_string()))?;
        Ok(())
    }
}
