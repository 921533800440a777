//! The second derivatives of a model's mean loss.

/// A symmetric matrix over a model's column: the features, then the intercept.
///
/// # Shapes
/// `order x order`, row after row; `order` is d + 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Hessian {
    order: usize,
    values: Vec<f64>,
}

impl Hessian {
    /// From its values.
    ///
    /// # Panics
    /// If they are not a square.
    pub fn new(order: usize, values: Vec<f64>) -> Self {
        assert_eq!(values.len(), order * order, "a square matrix");
        Self { order, values }
    }

    /// From the sums of its upper triangle, row after row, times `scale`; what stands below is not read.
    pub fn from_upper(order: usize, mut sums: Vec<f64>, scale: f64) -> Self {
        for i in 0..order {
            for j in i..order {
                let value = sums[i * order + j] * scale;
                (sums[i * order + j], sums[j * order + i]) = (value, value);
            }
        }
        Self::new(order, sums)
    }

    /// Rows, and columns.
    pub fn order(&self) -> usize {
        self.order
    }

    /// Row `i`.
    pub fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.order..][..self.order]
    }

    /// Row `i`, to be changed together with column `i`.
    pub(crate) fn row_mut(&mut self, i: usize) -> &mut [f64] {
        &mut self.values[i * self.order..][..self.order]
    }

    /// The matrix times a vector.
    pub fn times(&self, v: &[f64]) -> Vec<f64> {
        (0..self.order).map(|i| self.row(i).iter().zip(v).map(|(a, b)| a * b).sum()).collect()
    }

    /// The matrix with rows and columns of zeros.
    #[must_use]
    pub fn without(mut self, places: &[usize]) -> Self {
        for &place in places {
            for other in 0..self.order {
                self.values[place * self.order + other] = 0.0;
                self.values[other * self.order + place] = 0.0;
            }
        }
        self
    }

    /// Every value times `factor`.
    #[must_use]
    pub fn scaled(mut self, factor: f64) -> Self {
        self.values.iter_mut().for_each(|value| *value *= factor);
        self
    }
}
