/// Statistics of a model that cannot be computed, or would be meaningless.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// The features were selected by an L1 penalty.
    #[error(
        "the model of class {class:?} has an L1 penalty, which chose its features by these very rows: p-values and \
         intervals that ignore this choice are too small, and its coefficients are shrunk. \
         Train again without a penalty on the features chosen, best on other rows: --l1 0 --l2 0 {features}"
    )]
    Chosen {
        /// The class of the model.
        class: String,
        /// A flag or setting that selects the columns with a nonzero coefficient.
        features: String,
    },
    /// The table or its rows differ from those of the training.
    #[error(
        "these are not the rows that the model was trained on: {what}. Give the training table, with the same --weight; \
         a model trained with --validation-fraction or --class-weight balanced has no such statistics"
    )]
    OtherRows {
        /// The difference.
        what: String,
    },
    /// A level that did not occur in training.
    #[error(
        "column {column:?} has a value that training never saw: these are not the rows that the model was trained on; \
         give the training table"
    )]
    UnseenLevel {
        /// Name of the column.
        column: String,
    },
    /// The model was trained with class weights.
    #[error(
        "the model was trained with --class-weight balanced: its likelihood is not the likelihood of the rows, so its \
         standard errors would be wrong; train again without class weights (they change little but the intercept), or \
         choose another threshold instead"
    )]
    ClassWeights,
    /// A reference level that does not exist.
    #[error(
        "--reference {found:?} is not a level of a categorical column that needs a reference level{}",
        example.as_ref().map(|name| format!("; expected COLUMN=LEVEL, such as {name:?}")).unwrap_or_default()
    )]
    UnknownReference {
        /// The value as typed.
        found: String,
        /// An example that exists.
        example: Option<String>,
    },
    /// A matrix that exceeds the memory limit.
    #[error(
        "the information matrix of one model has {parameters} x {parameters} numbers, and the computation takes {needed} \
         bytes, but {available} are available. Train with fewer --features, or give more --memory"
    )]
    Memory {
        /// Number of parameters of the model.
        parameters: usize,
        /// Bytes needed for one model.
        needed: u64,
        /// Bytes available.
        available: u64,
    },
    /// A class that the model does not have.
    #[error("the model has no class {found:?}; it has {classes}")]
    UnknownClass {
        /// The class as typed.
        found: String,
        /// The classes of the model.
        classes: String,
    },
}

impl InferenceError {
    /// The error for the model of `class`, which has nonzero coefficients in `columns` only.
    pub(crate) fn chosen(class: &str, columns: &[&str]) -> Self {
        let is_plain = |c: char| c.is_alphanumeric() || "_./:@%+=,-".contains(c);
        let listed = columns.join(",");
        let features = if columns.iter().any(|name| name.contains(',')) {
            // A flag splits its value at commas.
            format!("and, in the TOML of --config, features = {columns:?}")
        } else if listed.chars().all(is_plain) {
            format!("--features {listed}")
        } else {
            format!("--features '{}'", listed.replace('\'', r"'\''"))
        };
        Self::Chosen { class: class.to_owned(), features }
    }

    /// The error for `found`, which is not one of `classes`.
    pub fn unknown_class<'a>(found: &str, classes: impl Iterator<Item = &'a str>) -> Self {
        let mut classes: Vec<&str> = classes.take(21).collect();
        if classes.len() > 20 {
            classes[20] = "..";
        }
        Self::UnknownClass { found: found.to_owned(), classes: classes.join(", ") }
    }
}
