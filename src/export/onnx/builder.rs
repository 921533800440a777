//! Builds a graph from nodes, constants, inputs and outputs; each value gets a unique name.

use super::proto::{
    AttributeProto, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto, TensorTypeProto,
    TypeProto, ValueInfoProto, attribute, element,
};

/// Name of the row dimension.
const ROWS: &str = "N";

/// An attribute of a node.
pub(super) enum Attribute {
    Int(&'static str, i64),
    Ints(&'static str, Vec<i64>),
    Strings(&'static str, Vec<String>),
}

impl From<Attribute> for AttributeProto {
    fn from(from: Attribute) -> Self {
        let named = |name: &str, kind| Self { name: name.to_owned(), kind: Some(kind), ..Self::default() };
        match from {
            Attribute::Int(name, i) => Self { i: Some(i), ..named(name, attribute::INT) },
            Attribute::Ints(name, ints) => Self { ints, ..named(name, attribute::INTS) },
            Attribute::Strings(name, strings) => Self {
                strings: strings.into_iter().map(String::into_bytes).collect(),
                ..named(name, attribute::STRINGS)
            },
        }
    }
}

/// Constant values of one type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Constant {
    Text(Vec<String>),
    Boolean(Vec<bool>),
    Integer(Vec<i64>),
    Float(Vec<f64>),
}

impl Constant {
    /// The element type.
    pub(super) fn element(&self) -> i32 {
        match self {
            Self::Text(_) => element::STRING,
            Self::Boolean(_) => element::BOOL,
            Self::Integer(_) => element::INT64,
            Self::Float(_) => element::DOUBLE,
        }
    }
}

/// The graph under construction.
pub(super) struct Builder {
    graph: GraphProto,
    /// Prefix of every inner value; no input name begins with it.
    prefix: String,
}

impl Builder {
    /// A graph without nodes, for inputs with these names.
    pub(super) fn new<'a>(inputs: impl Iterator<Item = &'a str> + Clone) -> Self {
        let mut prefix = "logodds/".to_owned();
        while inputs.clone().any(|name| name.starts_with(&prefix)) {
            prefix.push('/');
        }
        Self { graph: GraphProto { name: "logodds".to_owned(), ..GraphProto::default() }, prefix }
    }

    /// An input with one column and any number of rows.
    pub(super) fn input(&mut self, name: &str, element: i32, doc: String) -> String {
        self.graph.input.push(value_info(name, element, Some(1), doc));
        name.to_owned()
    }

    /// Makes `value` an output with one number a row, or with `columns` of them.
    pub(super) fn output(
        &mut self,
        value: &str,
        name: &str,
        element: i32,
        columns: Option<usize>,
        doc: &str,
    ) {
        self.graph.output.push(value_info(name, element, columns, doc.to_owned()));
        self.graph.node.push(NodeProto {
            op_type: "Identity".to_owned(),
            name: format!("{}output {name}", self.prefix),
            input: vec![value.to_owned()],
            output: vec![name.to_owned()],
            ..NodeProto::default()
        });
    }

    /// A constant of this shape.
    pub(super) fn constant(&mut self, name: &str, dims: &[usize], values: Constant) -> String {
        let mut tensor = TensorProto {
            name: format!("{}{name}", self.prefix),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: Some(values.element()),
            ..TensorProto::default()
        };
        match values {
            Constant::Text(texts) => {
                tensor.string_data = texts.into_iter().map(String::into_bytes).collect();
            }
            Constant::Boolean(values) => tensor.raw_data = Some(values.into_iter().map(u8::from).collect()),
            Constant::Integer(values) => {
                tensor.raw_data = Some(values.into_iter().flat_map(i64::to_le_bytes).collect());
            }
            Constant::Float(values) => {
                tensor.raw_data = Some(values.into_iter().flat_map(f64::to_le_bytes).collect());
            }
        }
        let name = tensor.name.clone();
        self.graph.initializer.push(tensor);
        name
    }

    /// One float64.
    pub(super) fn scalar(&mut self, name: &str, value: f64) -> String {
        self.constant(name, &[], Constant::Float(vec![value]))
    }

    /// An operation of the standard domain; returns the name of its result.
    pub(super) fn node(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
    ) -> String {
        self.node_of("", op, name, inputs, attributes)
    }

    /// An operation of another domain.
    pub(super) fn node_of(
        &mut self,
        domain: &str,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
    ) -> String {
        let result = format!("{}{name}", self.prefix);
        self.graph.node.push(NodeProto {
            op_type: op.to_owned(),
            domain: domain.to_owned(),
            name: result.clone(),
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![result.clone()],
            attribute: attributes.into_iter().map(AttributeProto::from).collect(),
        });
        result
    }

    /// The finished graph.
    pub(super) fn finish(mut self, doc: String) -> GraphProto {
        self.graph.doc_string = doc;
        self.graph
    }
}

fn value_info(name: &str, element: i32, columns: Option<usize>, doc_string: String) -> ValueInfoProto {
    let rows = DimensionProto { dim_param: Some(ROWS.to_owned()), dim_value: None };
    let columns = columns.map(|n| DimensionProto { dim_value: Some(n as i64), dim_param: None });
    let shape = TensorShapeProto { dim: std::iter::once(rows).chain(columns).collect() };
    let tensor_type = Some(TensorTypeProto { elem_type: Some(element), shape: Some(shape) });
    ValueInfoProto { name: name.to_owned(), r#type: Some(TypeProto { tensor_type }), doc_string }
}
