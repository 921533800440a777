//! The distinct values of a column: the classes of a target, or the levels of a categorical column.

use super::Nan;
use super::values::numbers;
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;
use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;
use std::cmp::Ordering;
use std::collections::HashMap;

/// The id of a null.
pub(crate) const NULL_ID: u32 = u32::MAX;

/// A distinct value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text(String),
}

impl Key {
    /// Ascending order: numbers numerically, text by bytes, false before true.
    pub(crate) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(a), Self::Boolean(b)) => a.cmp(b),
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (a, b) => a.number().total_cmp(&b.number()),
        }
    }

    /// The value as a float, for a column that is integer in one file and float in another.
    pub(crate) fn number(&self) -> f64 {
        match self {
            Self::Boolean(b) => f64::from(u8::from(*b)),
            Self::Integer(i) => *i as f64,
            Self::Float(f) => *f,
            Self::Text(_) => f64::NAN,
        }
    }

    /// The value as written in the model file. A float that is a whole number has no fraction.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Boolean(b) => b.to_string(),
            Self::Integer(i) => i.to_string(),
            Self::Float(f) => f.to_string(),
            Self::Text(t) => t.clone(),
        }
    }
}

/// Why the distinct values could not be found.
#[derive(Debug)]
pub(crate) enum KeyError {
    /// More distinct values than the limit.
    TooMany,
    /// An infinity, or a NaN that does not count as null: its row in the batch, and the value.
    NotFinite(usize, f64),
    /// An unsupported type.
    Type(String),
}

/// Gives each distinct value an id, in order of appearance.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    limit: usize,
    nan: Nan,
    texts: HashMap<String, u32>,
    integers: HashMap<i128, u32>,
    /// Ids of small integers, which need no hashing.
    small: Vec<u32>,
    floats: HashMap<u64, u32>,
    booleans: [u32; 2],
    /// The last dictionary, and the ids of its entries.
    dictionary: Option<(StringArray, Vec<u32>)>,
    scratch: Vec<f64>,
}

const SMALL: usize = 256;

impl Keys {
    /// No values yet, and at most `limit` later.
    pub(crate) fn new(limit: usize, nan: Nan) -> Self {
        Self {
            keys: Vec::new(),
            limit,
            nan,
            texts: HashMap::new(),
            integers: HashMap::new(),
            small: vec![NULL_ID; SMALL],
            floats: HashMap::new(),
            booleans: [NULL_ID; 2],
            dictionary: None,
            scratch: Vec::new(),
        }
    }

    /// The values so far, by id.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Writes the id of each row's value, [`NULL_ID`] for nulls.
    pub(crate) fn ids(&mut self, array: &ArrayRef, ids: &mut Vec<u32>) -> Result<(), KeyError> {
        ids.clear();
        let n = array.len();
        match array.data_type() {
            DataType::Null => ids.resize(n, NULL_ID),
            DataType::Boolean => {
                let values = array.as_boolean();
                for row in 0..n {
                    let id = if array.is_null(row) { NULL_ID } else { self.boolean(values.value(row))? };
                    ids.push(id);
                }
            }
            t if t.is_integer() => self.integer_ids(array, ids)?,
            DataType::Dictionary(_, _) => self.dictionary_ids(array, ids)?,
            _ => self.float_ids(array, ids)?,
        }
        Ok(())
    }

    fn add(&mut self, key: Key) -> Result<u32, KeyError> {
        if self.keys.len() >= self.limit.min(NULL_ID as usize) {
            return Err(KeyError::TooMany);
        }
        self.keys.push(key);
        Ok(u32::try_from(self.keys.len() - 1).unwrap_or(NULL_ID))
    }

    fn boolean(&mut self, value: bool) -> Result<u32, KeyError> {
        let at = usize::from(value);
        if self.booleans[at] == NULL_ID {
            self.booleans[at] = self.add(Key::Boolean(value))?;
        }
        Ok(self.booleans[at])
    }

    fn integer(&mut self, value: i128) -> Result<u32, KeyError> {
        let small = usize::try_from(value).ok().filter(|&v| v < SMALL);
        if let Some(at) = small
            && self.small[at] != NULL_ID
        {
            return Ok(self.small[at]);
        }
        let id = match self.integers.get(&value) {
            Some(&id) => id,
            None => {
                let id = self.add(Key::Integer(value))?;
                self.integers.insert(value, id);
                id
            }
        };
        if let Some(at) = small {
            self.small[at] = id;
        }
        Ok(id)
    }

    fn integer_ids(&mut self, array: &ArrayRef, ids: &mut Vec<u32>) -> Result<(), KeyError> {
        macro_rules! each {
            ($($variant:ident => $native:ident),*) => {
                match array.data_type() {
                    $(DataType::$variant => {
                        let values = array.as_primitive::<arrow_array::types::$native>().values();
                        for (row, &value) in values.iter().enumerate() {
                            let id = if array.is_null(row) { NULL_ID } else { self.integer(i128::from(value))? };
                            ids.push(id);
                        }
                    })*
                    other => return Err(KeyError::Type(other.to_string())),
                }
            };
        }
        each!(Int8 => Int8Type, Int16 => Int16Type, Int32 => Int32Type, Int64 => Int64Type,
              UInt8 => UInt8Type, UInt16 => UInt16Type, UInt32 => UInt32Type, UInt64 => UInt64Type);
        Ok(())
    }

    fn float_ids(&mut self, array: &ArrayRef, ids: &mut Vec<u32>) -> Result<(), KeyError> {
        let mut values = std::mem::take(&mut self.scratch);
        numbers(array, &mut values).map_err(KeyError::Type)?;
        let single = matches!(array.data_type(), DataType::Float32 | DataType::Float16);
        let mut last = (f64::NAN, NULL_ID);
        for (row, &value) in values.iter().enumerate() {
            if array.is_null(row) || (value.is_nan() && self.nan == Nan::Null) {
                ids.push(NULL_ID);
                continue;
            }
            if !value.is_finite() {
                return Err(KeyError::NotFinite(row, value));
            }
            if value != last.0 {
                last = (value, self.float(value + 0.0, single)?);
            }
            ids.push(last.1);
        }
        self.scratch = values;
        Ok(())
    }

    fn float(&mut self, value: f64, single: bool) -> Result<u32, KeyError> {
        if let Some(&id) = self.floats.get(&value.to_bits()) {
            return Ok(id);
        }
        // The float32 nearest 0.1 is named 0.1, not 0.10000000149011612.
        #[allow(clippy::cast_possible_truncation, reason = "the value came from a float32")]
        let named = if single { (value as f32).to_string().parse().unwrap_or(value) } else { value };
        let id = self.add(Key::Float(named))?;
        self.floats.insert(value.to_bits(), id);
        Ok(id)
    }

    fn dictionary_ids(&mut self, array: &ArrayRef, ids: &mut Vec<u32>) -> Result<(), KeyError> {
        let Some(codes) = array.as_dictionary_opt::<Int32Type>() else {
            return Err(KeyError::Type(array.data_type().to_string()));
        };
        let Some(values) = codes.values().as_string_opt::<i32>() else {
            return Err(KeyError::Type(array.data_type().to_string()));
        };
        // The batches of a row group share their dictionary, so each of its entries is looked up once.
        let (seen, mut known) = match self.dictionary.take() {
            Some((seen, known)) if seen.to_data().ptr_eq(&values.to_data()) => (seen, known),
            _ => (values.clone(), vec![NULL_ID; values.len()]),
        };
        for (row, &code) in codes.keys().values().iter().enumerate() {
            if codes.is_null(row) {
                ids.push(NULL_ID);
                continue;
            }
            let at = usize::try_from(code).unwrap_or(usize::MAX);
            if values.is_null(at) {
                ids.push(NULL_ID);
                continue;
            }
            if known[at] == NULL_ID {
                let text = values.value(at);
                known[at] = match self.texts.get(text) {
                    Some(&id) => id,
                    None => {
                        let id = self.add(Key::Text(text.to_owned()))?;
                        self.texts.insert(text.to_owned(), id);
                        id
                    }
                };
            }
            ids.push(known[at]);
        }
        self.dictionary = Some((seen, known));
        Ok(())
    }
}
