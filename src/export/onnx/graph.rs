//! The nodes of the graph: from raw columns to z, and from z to label and probabilities.

use super::super::stack::{Input, Stack, fresh};
use super::builder::{Attribute, Builder, Constant};
use super::nulls::{Nulls, Tensor, describe, labels};
use super::proto::{GraphProto, element};
use super::{LABEL, MACHINE_LEARNING, PROBABILITIES};
use crate::model::Task;

/// The graph of a model, described by `doc`.
pub(super) fn graph(stack: &Stack<'_>, nulls: &Nulls, doc: String) -> GraphProto {
    let names = stack.inputs.iter().map(|input| input.column.name.as_str());
    let mut builder = Builder::new(names.clone());
    let z = linear_predictor(&mut builder, stack, nulls);
    let (index, probabilities) = match stack.model.task {
        Task::Binary => binary(&mut builder, stack, &z),
        Task::OneVsRest => one_vs_rest(&mut builder, stack, &z),
    };
    let labels = labels(stack.model, nulls);
    let (n, kind) = (stack.model.classes.len(), labels.element());
    let classes = builder.constant("classes", &[n + 1], labels);
    let label = builder.node("Gather", "label", &[&classes, &index], vec![Attribute::Int("axis", 0)]);
    builder.output(&label, &fresh(LABEL, names.clone()), kind, None, "the predicted class");
    let of_classes = "one column for each class, in the order of the property \"classes\"; NaN in a row with a \
                      null that the model cannot fill, or an infinite value: ignore its label";
    let name = fresh(PROBABILITIES, names);
    builder.output(&probabilities, &name, element::DOUBLE, Some(n), of_classes);
    builder.finish(doc)
}

/// z of every row and model; NaN if it is not finite.
fn linear_predictor(builder: &mut Builder, stack: &Stack<'_>, nulls: &Nulls) -> String {
    let mut numbers = Vec::new();
    let mut levels: Option<String> = None;
    for (at, input) in stack.inputs.iter().enumerate() {
        let tensor = Tensor::of(input.column);
        let kind = match tensor {
            Tensor::Float => element::DOUBLE,
            Tensor::Integer => element::INT64,
            Tensor::Text => element::STRING,
        };
        let doc = format!("{}; null: {}", describe(input.column), tensor.null(nulls));
        let name = builder.input(&input.column.name, kind, doc);
        if tensor == Tensor::Float {
            numbers.push(input);
            continue;
        }
        let term = level_term(builder, stack, nulls, (at, input, &name));
        levels = Some(match levels {
            None => term,
            Some(sum) => builder.node("Add", &format!("{at}/sum"), &[&sum, &term], vec![]),
        });
    }
    let levels = levels.map(|sum| squeeze(builder, "levels", &sum));
    let numbers = (!numbers.is_empty()).then(|| number_terms(builder, stack, &numbers));
    let m = stack.n_models();
    let mut z = builder.constant("intercepts", &[m], Constant::Float(stack.intercepts.clone()));
    for (name, terms) in [("z of levels", levels), ("z", numbers)] {
        if let Some(terms) = terms {
            z = builder.node("Add", name, &[&terms, &z], vec![]);
        }
    }
    let infinite = builder.node("IsInf", "is infinite", &[&z], vec![]);
    let nan = builder.scalar("nan", f64::NAN);
    builder.node("Where", "finite z", &[&infinite, &nan, &z], vec![])
}

/// The coefficient of each row's level, rows x 1 x models: looked up, not multiplied with 0/1 columns.
///
/// The last row of the lookup table is zero, for levels without a coefficient, known from training or not.
fn level_term(
    builder: &mut Builder,
    stack: &Stack<'_>,
    nulls: &Nulls,
    (at, input, name): (usize, &Input<'_>, &str),
) -> String {
    let m = stack.n_models();
    let tensor = Tensor::of(input.column);
    let (mut keys, mut table) = (Vec::new(), Vec::new());
    for (place, level) in input.levels() {
        let row: Vec<f64> = (0..m).map(|m| stack.coefficient(m, input, place)).collect();
        if row.iter().any(|&w| w != 0.0) {
            keys.push(level);
            table.extend(row);
        }
    }
    table.extend(std::iter::repeat_n(0.0, m));
    let n = keys.len();
    let table = builder.constant(&format!("{at}/coefficients"), &[n + 1, m], Constant::Float(table));
    let mut attributes = match tensor {
        Tensor::Integer => {
            let integer = |level: Option<&str>| match level {
                None => nulls.integer,
                Some("true") => 1,
                Some("false") => 0,
                Some(level) => level.parse().unwrap_or(nulls.integer),
            };
            vec![Attribute::Ints("keys_int64s", keys.into_iter().map(integer).collect())]
        }
        Tensor::Text | Tensor::Float => {
            let text = |level: Option<&str>| level.unwrap_or(&nulls.text).to_owned();
            vec![Attribute::Strings("keys_strings", keys.into_iter().map(text).collect())]
        }
    };
    if n == 0 {
        // An encoder needs at least one key; the key of nulls also maps to the row of zeros.
        attributes = match tensor {
            Tensor::Integer => vec![Attribute::Ints("keys_int64s", vec![nulls.integer])],
            Tensor::Text | Tensor::Float => {
                vec![Attribute::Strings("keys_strings", vec![nulls.text.clone()])]
            }
        };
    }
    attributes.push(Attribute::Ints("values_int64s", (0..n.max(1) as i64).collect()));
    attributes.push(Attribute::Int("default_int64", n as i64));
    let row = builder.node_of(MACHINE_LEARNING, "LabelEncoder", &format!("{at}/row"), &[name], attributes);
    builder.node("Gather", &format!("{at}/term"), &[&table, &row], vec![Attribute::Int("axis", 0)])
}

/// The sum over the numbers, rows x models: nulls are filled and numbers centred; then one matrix product.
fn number_terms(builder: &mut Builder, stack: &Stack<'_>, numbers: &[&Input<'_>]) -> String {
    let names: Vec<&str> = numbers.iter().map(|input| input.column.name.as_str()).collect();
    let (n, m) = (numbers.len(), stack.n_models());
    let mut x = builder.node("Concat", "numbers", &names, vec![Attribute::Int("axis", 1)]);
    if numbers.iter().any(|input| input.column.missing.is_some()) {
        let missing = numbers.iter().map(|input| input.column.missing.unwrap_or(f64::NAN)).collect();
        let missing = builder.constant("missing", &[1, n], Constant::Float(missing));
        let null = builder.node("IsNaN", "is null", &[&x], vec![]);
        x = builder.node("Where", "filled", &[&null, &missing, &x], vec![]);
    }
    if numbers.iter().any(|input| input.centre != 0.0) {
        let centre = numbers.iter().map(|input| input.centre).collect();
        let centre = builder.constant("centre", &[1, n], Constant::Float(centre));
        x = builder.node("Sub", "centred", &[&x, &centre], vec![]);
    }
    let coefficients =
        numbers.iter().flat_map(|input| (0..m).map(|m| stack.coefficient(m, input, 0))).collect();
    let coefficients = builder.constant("coefficients", &[n, m], Constant::Float(coefficients));
    builder.node("MatMul", "z of numbers", &[&x, &coefficients], vec![])
}

/// Removes a dimension of length 1.
fn squeeze(builder: &mut Builder, name: &str, value: &str) -> String {
    let axes = builder.constant(&format!("{name}/axis"), &[1], Constant::Integer(vec![1]));
    builder.node("Squeeze", name, &[value, &axes], vec![])
}

/// The class index and the probabilities; the positive class has `1 / (1 + exp(-z))`.
fn binary(builder: &mut Builder, stack: &Stack<'_>, z: &str) -> (String, String) {
    let model = stack.model;
    let positive = model.model_classes()[0];
    let p = builder.node("Sigmoid", "probability", &[z], vec![]);
    let one = builder.scalar("one", 1.0);
    let rest = builder.node("Sub", "probability of the other", &[&one, &p], vec![]);
    let order = if positive == 1 { [rest.as_str(), &p] } else { [p.as_str(), &rest] };
    let both = builder.node("Concat", "probabilities", &order, vec![Attribute::Int("axis", 1)]);

    let threshold = builder.scalar("threshold", model.threshold());
    let reached = builder.node("GreaterOrEqual", "reaches the threshold", &[&p, &threshold], vec![]);
    let index = |builder: &mut Builder, name: &str, index: usize| {
        builder.constant(name, &[], Constant::Integer(vec![index as i64]))
    };
    let positive_index = index(builder, "positive class", positive);
    let other_index = index(builder, "other class", 1 - positive);
    let said = builder.node("Where", "class of z", &[&reached, &positive_index, &other_index], vec![]);
    let said = squeeze(builder, "class", &said);
    let p = squeeze(builder, "probability of row", &p);
    (or_none(builder, 2, &p, &said), both)
}

/// The index of the class with the largest z minus its offset (the first in a tie), and the probabilities
/// scaled to sum to 1: `softmax(log sigmoid(z))`, which neither overflows nor divides by zero.
fn one_vs_rest(builder: &mut Builder, stack: &Stack<'_>, z: &str) -> (String, String) {
    let zero = builder.scalar("zero", 0.0);
    let one = builder.scalar("one", 1.0);
    let size = builder.node("Abs", "size of z", &[z], vec![]);
    let negative = builder.node("Neg", "negative", &[&size], vec![]);
    let e = builder.node("Exp", "exp", &[&negative], vec![]);
    let sum = builder.node("Add", "one more", &[&one, &e], vec![]);
    let log = builder.node("Log", "log", &[&sum], vec![]);
    let below = builder.node("Min", "below zero", &[z, &zero], vec![]);
    let log_sigmoid = builder.node("Sub", "log sigmoid", &[&below, &log], vec![]);
    let p = builder.node("Softmax", "probabilities", &[&log_sigmoid], vec![Attribute::Int("axis", 1)]);

    let margin = match stack.offsets() {
        None => z.to_owned(),
        Some(offsets) => {
            let offsets = builder.constant("offsets", &[1, offsets.len()], Constant::Float(offsets));
            builder.node("Sub", "above offset", &[z, &offsets], vec![])
        }
    };
    let attributes = vec![Attribute::Int("axis", 1), Attribute::Int("keepdims", 0)];
    let said = builder.node("ArgMax", "class", &[&margin], attributes);
    let first = builder.constant("first class", &[], Constant::Integer(vec![0]));
    let one_of_row =
        builder.node("Gather", "probability of row", &[&p, &first], vec![Attribute::Int("axis", 1)]);
    (or_none(builder, stack.n_models(), &one_of_row, &said), p)
}

/// `class`, or the index after all classes if there is no probability.
fn or_none(builder: &mut Builder, n_classes: usize, p: &str, class: &str) -> String {
    let none = builder.constant("no class", &[], Constant::Integer(vec![n_classes as i64]));
    let absent = builder.node("IsNaN", "has no class", &[p], vec![]);
    builder.node("Where", "class or none", &[&absent, &none, class], vec![])
}
