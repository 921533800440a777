//! A model as an ONNX graph: raw columns in, label and probabilities out.
//!
//! Each relevant column is an input `[N, 1]` under its name. Numbers, times and booleans are float64, so that
//! the sums equal those of prediction, which are also float64. Levels are int64 or string, as in the files. A
//! null is NaN, or the integer or text in the properties of the file. The graph does the rest: it fills
//! nulls, looks up levels, multiplies one matrix, and computes probabilities and the decision.
//!
//! Operators: ai.onnx 13 and ai.onnx.ml 2 of 2020, which all common runtimes support.

mod builder;
mod graph;
mod nulls;
mod proto;

use prost::Message;

use self::nulls::{Nulls, Tensor};
use self::proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto};
use super::ExportedInput;
use super::stack::{Stack, fresh};
use crate::error::{ExportError, Result};
use crate::model::{Model, Task};

/// Output with the predicted class, `[N]`, in the type of the target.
pub const LABEL: &str = "label";
/// Output with the probabilities, `[N, classes]`.
pub const PROBABILITIES: &str = "probabilities";

const IR_VERSION: i64 = 7;
const OPERATORS: i64 = 13;
const MACHINE_LEARNING: &str = "ai.onnx.ml";
const MACHINE_LEARNING_OPERATORS: i64 = 2;
/// Protocol buffers address bytes by signed 32-bit numbers.
const LARGEST: usize = i32::MAX as usize;

/// A model as the bytes of an ONNX file, with its inputs and outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Onnx {
    /// The file.
    pub bytes: Vec<u8>,
    /// The inputs, in order.
    pub inputs: Vec<ExportedInput>,
    /// Names of the outputs: the class and the probabilities. Underscores are appended if a column has the
    /// same name.
    pub outputs: [String; 2],
}

/// Writes `model` as an ONNX graph.
///
/// # Errors
/// [`ExportError`]: a column without a name, or more coefficients than a file holds (2 GiB).
pub fn onnx(model: &Model) -> Result<Onnx> {
    let stack = Stack::new(model);
    if let Some(input) = stack.inputs.iter().find(|input| input.column.name.is_empty()) {
        return Err(ExportError::Text {
            what: "the column name",
            text: input.column.name.clone(),
            form: "ONNX",
            why: "every input has a name there",
            way_out: "name the column and train again",
        }
        .into());
    }
    let nulls = Nulls::new(&stack);
    let file = ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: "logodds".to_owned(),
        producer_version: env!("CARGO_PKG_VERSION").to_owned(),
        doc_string: format!("logistic regression of {:?}", model.target),
        graph: Some(graph::graph(&stack, &nulls, doc(&nulls))),
        opset_import: [("", OPERATORS), (MACHINE_LEARNING, MACHINE_LEARNING_OPERATORS)]
            .map(|(domain, version)| OperatorSetIdProto {
                domain: Some(domain.to_owned()),
                version: Some(version),
            })
            .to_vec(),
        metadata_props: properties(model, &nulls),
    };
    let bytes = file.encoded_len();
    if bytes > LARGEST {
        return Err(ExportError::TooLarge { bytes, limit: LARGEST }.into());
    }
    let names = || stack.inputs.iter().map(|input| input.column.name.as_str());
    let input = |input: &super::stack::Input<'_>| {
        let tensor = Tensor::of(input.column);
        ExportedInput {
            name: input.column.name.clone(),
            r#type: Some(tensor.name()),
            null: Some(tensor.null(&nulls)),
        }
    };
    Ok(Onnx {
        bytes: file.encode_to_vec(),
        inputs: stack.inputs.iter().map(input).collect(),
        outputs: [fresh(LABEL, names()), fresh(PROBABILITIES, names())],
    })
}

/// The description for users of the graph.
fn doc(nulls: &Nulls) -> String {
    format!(
        "Every input is a column as it was in the training table, of shape [N, 1]: float64 for numbers, times \
         and booleans, int64 or string for levels. A null is NaN, {} or {:?}. A level that did \
         not occur in training contributes nothing. The label is the class; the probabilities are in the order \
         of the property \"classes\". Probabilities of NaN mean no prediction; the label is then {:?}, {}, NaN or \
         false, depending on its type.",
        nulls.integer, nulls.text, nulls.text, nulls.integer
    )
}

/// The properties for programs.
fn properties(model: &Model, nulls: &Nulls) -> Vec<StringStringEntryProto> {
    let task = match model.task {
        Task::Binary => "binary",
        Task::OneVsRest => "one-vs-rest",
    };
    let mut entries = vec![
        ("task", task.to_owned()),
        ("target", model.target.clone()),
        ("classes", serde_json::Value::from(model.classes.clone()).to_string()),
        ("thresholds", serde_json::Value::from(model.thresholds()).to_string()),
        ("null_text", nulls.text.clone()),
        ("null_integer", nulls.integer.to_string()),
        ("logodds_version", env!("CARGO_PKG_VERSION").to_owned()),
    ];
    if let Some(positive) = &model.positive {
        entries.push(("positive", positive.clone()));
    }
    let entry = |(key, value): (&str, String)| StringStringEntryProto { key: key.to_owned(), value };
    entries.into_iter().map(entry).collect()
}
