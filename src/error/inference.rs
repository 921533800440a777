/// Statistics of a model that cannot be computed, or would mean nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InferenceError {
    /// An L1 penalty chose the features.
    #[error(
        "the model of class {class:?} has an L1 penalty, which chose its features by these very rows: p-values and \
         intervals that do not know of the choice are too small, and its coefficients are shrunk. \
         Train again without a penalty on the features chosen, best on other rows: --l1 0 --l2 0 {features}"
    )]
    Chosen {
        /// The class of the model.
        class: String,
        /// The columns with a coefficient that is not zero, as a shell or a file of settings takes them.
        features: String,
    },
    /// Another table, or other rows, than the model was trained on.
    #[error(
        "these are not the rows that the model was trained on: {what}. Give the training table, with the same --weight; \
         a model trained with --validation-fraction or --class-weight balanced has no such statistics"
    )]
    OtherRows {
        /// What differs.
        what: String,
    },
    /// A level that training had not.
    #[error(
        "column {column:?} has a value that training never saw: these are not the rows that the model was trained on; \
         give the training table"
    )]
    UnseenLevel {
        /// Name of the column.
        column: String,
    },
    /// A model that was trained with class weights.
    #[error(
        "the model was trained with --class-weight balanced: its likelihood is not that of the rows, and its standard \
         errors would be wrong; train again without class weights (they move little but the intercept), or choose \
         another threshold instead"
    )]
    ClassWeights,
    /// A reference level that is none.
    #[error(
        "--reference {found:?} names no level of a categorical column that needs one{}",
        example.as_ref().map(|name| format!("; expected COLUMN=LEVEL, such as {name:?}")).unwrap_or_default()
    )]
    UnknownReference {
        /// As typed.
        found: String,
        /// A level that would do.
        example: Option<String>,
    },
    /// A matrix that does not fit.
    #[error(
        "the information matrix of one model has {parameters} x {parameters} numbers, and working with it takes {needed} \
         bytes; {available} are available. Train with fewer --features, or give more --memory"
    )]
    Memory {
        /// Parameters of the model.
        parameters: usize,
        /// Bytes that one model takes.
        needed: u64,
        /// Bytes that there are.
        available: u64,
    },
    /// A class that the model does not have.
    #[error("the model has no class {found:?}; it has {classes}")]
    UnknownClass {
        /// As typed.
        found: String,
        /// The classes.
        classes: String,
    },
}

impl InferenceError {
    /// The model of `class` has coefficients that are not zero in `columns` alone.
    pub(crate) fn chosen(class: &str, columns: &[&str]) -> Self {
        let is_plain = |c: char| c.is_alphanumeric() || "_./:@%+=,-".contains(c);
        let listed = columns.join(",");
        let features = if columns.iter().any(|name| name.contains(',')) {
            // A flag takes commas for ends of names.
            format!("and, in the TOML of --config, features = {columns:?}")
        } else if listed.chars().all(is_plain) {
            format!("--features {listed}")
        } else {
            format!("--features '{}'", listed.replace('\'', r"'\''"))
        };
        Self::Chosen { class: class.to_owned(), features }
    }

    /// `found` is none of `classes`.
    pub fn unknown_class<'a>(found: &str, classes: impl Iterator<Item = &'a str>) -> Self {
        let mut classes: Vec<&str> = classes.take(21).collect();
        if classes.len() > 20 {
            classes[20] = "..";
        }
        Self::UnknownClass { found: found.to_owned(), classes: classes.join(", ") }
    }
}
