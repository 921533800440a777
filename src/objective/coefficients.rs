//! The stacked coefficient matrix on the host.

/// Coefficients and intercepts of M models over d features, one contiguous column of d + 1
/// float64 per model, the intercept last. In panel space unless said otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficients {
    n_features: usize,
    values: Vec<f64>,
}

impl Coefficients {
    /// All zero, for `n_models` models over `n_features` features.
    pub fn zeros(n_features: usize, n_models: usize) -> Self {
        Self { n_features, values: vec![0.0; (n_features + 1) * n_models] }
    }

    /// From columns of `n_features` coefficients and an intercept each.
    pub fn from_columns<'a>(n_features: usize, columns: impl IntoIterator<Item = &'a [f64]>) -> Self {
        let mut values = Vec::new();
        for column in columns {
            assert_eq!(
                column.len(),
                n_features + 1,
                "a column has a coefficient for each feature, and one more"
            );
            values.extend_from_slice(column);
        }
        Self { n_features, values }
    }

    /// Number of features, the intercept not counted.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Number of models.
    pub fn n_models(&self) -> usize {
        self.values.len() / (self.n_features + 1)
    }

    /// Length of a model's column: the features and the intercept.
    pub fn stride(&self) -> usize {
        self.n_features + 1
    }

    /// The column of model `m`: d coefficients, then the intercept.
    pub fn model(&self, m: usize) -> &[f64] {
        &self.values[m * self.stride()..][..self.n_features + 1]
    }

    /// The column of model `m`, to be changed.
    pub fn model_mut(&mut self, m: usize) -> &mut [f64] {
        let stride = self.stride();
        &mut self.values[m * stride..][..stride]
    }

    /// The coefficients of model `m` without its intercept.
    pub fn features(&self, m: usize) -> &[f64] {
        &self.model(m)[..self.n_features]
    }

    /// The intercept of model `m`.
    pub fn intercept(&self, m: usize) -> f64 {
        self.model(m)[self.n_features]
    }

    /// Every value, model after model.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Every value, model after model, to be changed.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// The columns of `models`, in that order.
    pub fn select(&self, models: &[usize]) -> Self {
        let values = models.iter().flat_map(|&m| self.model(m)).copied().collect();
        Self { n_features: self.n_features, values }
    }
}
