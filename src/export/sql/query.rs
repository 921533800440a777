//! The stages of a query, from linear predictors to probabilities and the class.

use super::super::stack::Stack;
use super::terms::linear_predictor;
use crate::config::Dialect;
use crate::data::{PREDICTION, TargetType};
use crate::error::Result;

/// Largest exponent for which exp neither overflows nor underflows, which is an error in PostgreSQL.
const EXPONENT: f64 = 700.0;

/// A chain of common table expressions; each computes columns from the previous one.
pub(super) struct Query<'a> {
    pub(super) dialect: Dialect,
    pub(super) stack: &'a Stack<'a>,
    /// Quoted names of the columns to copy.
    pub(super) keep: Vec<String>,
    /// Quoted name of the table.
    pub(super) table: String,
    /// Prefix of the names of stages and inner columns; no copied column begins with it.
    pub(super) prefix: String,
    /// Quoted names of the output columns of probabilities.
    pub(super) probabilities: Vec<String>,
}

impl Query<'_> {
    /// `p = 1 / (1 + exp(-z))`, and the positive class if p reaches the threshold.
    pub(super) fn binary(&self) -> Result<String> {
        let model = self.stack.model;
        let z = self.inner("z");
        let mut text = "WITH ".to_owned();
        let predictor = linear_predictor(self.dialect, self.stack, 0, "    ")?;
        self.stage(&mut text, "predictors", &self.table, &[(&predictor, &z)]);
        let p = self.inner("p");
        let sigmoid = self.sigmoid(&z);
        text.push_str(",\n");
        self.stage(&mut text, "probabilities", &self.inner("predictors"), &[(&sigmoid, &p)]);
        let threshold = self.dialect.float(model.threshold());
        let positive = model.model_classes()[0];
        let decision = format!(
            "CASE WHEN {p} >= {threshold} THEN {} WHEN {p} < {threshold} THEN {} END",
            self.class(positive)?,
            self.class(1 - positive)?
        );
        self.last(&mut text, "probabilities", &decision, &[p]);
        Ok(text)
    }

    /// Probabilities scaled to sum to 1, computed in logarithms: `exp(log sigmoid(z_k) - log sum_j
    /// sigmoid(z_j))`. The class has the largest z minus its offset (the first in a tie).
    pub(super) fn one_vs_rest(&self) -> Result<String> {
        let n = self.stack.n_models();
        let of = |name: &str| (0..n).map(|k| self.inner(&format!("{name}{k}"))).collect::<Vec<_>>();
        let (z, l) = (of("z"), of("l"));
        let [top, best, class, log_sum] = ["top", "best", "class", "log_sum"].map(|name| self.inner(name));
        let mut text = "WITH ".to_owned();
        let predictors = (0..n)
            .map(|m| linear_predictor(self.dialect, self.stack, m, "    "))
            .collect::<Result<Vec<_>>>()?;
        self.stage(&mut text, "predictors", &self.table, &pairs(&predictors, &z));

        let margins: Vec<String> = match self.stack.offsets() {
            None => z.clone(),
            Some(offsets) => {
                z.iter().zip(offsets).map(|(z, off)| format!("{z} - {}", self.dialect.float(off))).collect()
            }
        };
        let (largest, decisive) = (self.dialect.greatest(&z), self.dialect.greatest(&margins));
        let mut columns = pairs(&z, &z);
        columns.extend([(largest.as_str(), top.as_str()), (decisive.as_str(), best.as_str())]);
        text.push_str(",\n");
        self.stage(&mut text, "largest", &self.inner("predictors"), &columns);

        let logs: Vec<String> = z.iter().map(|z| self.log_sigmoid(z)).collect();
        let log_top = self.log_sigmoid(&top);
        let branches = margins
            .iter()
            .enumerate()
            .map(|(k, margin)| Ok(format!("\n      WHEN {margin} >= {best} THEN {}", self.class(k)?)))
            .collect::<Result<String>>()?;
        let decision = format!("CASE{branches}\n    END");
        let mut columns = pairs(&logs, &l);
        columns.extend([(log_top.as_str(), top.as_str()), (decision.as_str(), class.as_str())]);
        text.push_str(",\n");
        self.stage(&mut text, "logarithms", &self.inner("largest"), &columns);

        let shares: Vec<String> = l.iter().map(|l| self.exp(&format!("{l} - {top}"))).collect();
        let sum = format!("{top} + LN({})", super::terms::sum(&shares, "      "));
        let mut columns = pairs(&l, &l);
        columns.extend([(sum.as_str(), log_sum.as_str()), (class.as_str(), class.as_str())]);
        text.push_str(",\n");
        self.stage(&mut text, "sums", &self.inner("logarithms"), &columns);

        let probabilities: Vec<String> = l.iter().map(|l| self.exp(&format!("{l} - {log_sum}"))).collect();
        let decision = format!("CASE WHEN {log_sum} IS NOT NULL THEN {class} END");
        self.last(&mut text, "sums", &decision, &probabilities);
        Ok(text)
    }

    /// An inner name, quoted.
    fn inner(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// One common table expression: the copied columns, and `(expression, name)` pairs.
    fn stage(&self, text: &mut String, name: &str, from: &str, columns: &[(&str, &str)]) {
        let (defined, end) = self.dialect.fence();
        text.push_str(&format!("{} {defined} (\n  SELECT\n", self.inner(name)));
        let computed = columns.iter().map(|&(expression, name)| {
            if expression == name { format!("    {name}") } else { format!("    {expression} AS {name}") }
        });
        let kept = self.keep.iter().map(|name| format!("    {name}"));
        text.push_str(&kept.chain(computed).collect::<Vec<_>>().join(",\n"));
        text.push_str(&format!("\n  FROM {from}{end}\n)"));
    }

    /// The final SELECT.
    fn last(&self, text: &mut String, from: &str, decision: &str, probabilities: &[String]) {
        text.push_str("\nSELECT\n");
        let prediction = format!("  {decision} AS {PREDICTION}");
        let computed =
            probabilities.iter().zip(&self.probabilities).map(|(p, name)| format!("  {p} AS {name}"));
        let kept = self.keep.iter().map(|name| format!("  {name}"));
        text.push_str(&kept.chain([prediction]).chain(computed).collect::<Vec<_>>().join(",\n"));
        text.push_str(&format!("\nFROM {}\n", self.inner(from)));
    }

    /// The class as a value in the type of the target.
    fn class(&self, index: usize) -> Result<String> {
        let model = self.stack.model;
        let class = &model.classes[index];
        Ok(match model.target_type {
            TargetType::Boolean => self.dialect.boolean(class == "true").to_owned(),
            TargetType::Integer => class.clone(),
            // Databases read float16 as float32.
            TargetType::Float
                if matches!(model.target_arrow_type.as_deref(), Some("Float32" | "Float16")) =>
            {
                self.dialect.single(class.parse().unwrap_or(f32::NAN))
            }
            TargetType::Float => self.dialect.float(class.parse().unwrap_or(f64::NAN)),
            TargetType::String => self.dialect.text(class)?,
        })
    }

    /// The sigmoid; NULL if z is not finite.
    fn sigmoid(&self, z: &str) -> String {
        let float = |value: f64| self.dialect.float(value);
        let (low, high) = (float(-EXPONENT), float(EXPONENT));
        let (zero, one, largest, smallest) = (float(0.0), float(1.0), float(f64::MAX), float(f64::MIN));
        format!(
            "CASE\n      WHEN {z} BETWEEN {low} AND {high} THEN {one} / ({one} + EXP(-{z}))\n      \
             WHEN {z} BETWEEN {high} AND {largest} THEN {one}\n      \
             WHEN {z} BETWEEN {smallest} AND {low} THEN {zero}\n    END"
        )
    }

    /// `log sigmoid(z) = min(z, 0) - log(1 + exp(-|z|))`; NULL if z is not finite.
    fn log_sigmoid(&self, z: &str) -> String {
        let float = |value: f64| self.dialect.float(value);
        let least = self.dialect.least(z, &float(0.0));
        let size = self.dialect.least(&format!("ABS({z})"), &float(EXPONENT));
        format!(
            "CASE WHEN ABS({z}) <= {} THEN {least} - LN({} + EXP(-{size})) END",
            float(f64::MAX),
            float(1.0)
        )
    }

    /// exp of an expression that is not positive.
    fn exp(&self, x: &str) -> String {
        let (low, zero) = (self.dialect.float(-EXPONENT), self.dialect.float(0.0));
        format!("CASE WHEN {x} > {low} THEN EXP({x}) WHEN {x} <= {low} THEN {zero} END")
    }
}

fn pairs<'n>(expressions: &'n [String], names: &'n [String]) -> Vec<(&'n str, &'n str)> {
    expressions.iter().zip(names).map(|(expression, name)| (expression.as_str(), name.as_str())).collect()
}
