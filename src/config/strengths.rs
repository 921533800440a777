//! Penalties as a user gives them: a number of penalties, or a list.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Penalties: a number of them, or their values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Strengths {
    /// This many penalties, chosen from the table.
    Count(usize),
    /// These penalties.
    Values(Vec<f64>),
}

impl FromStr for Strengths {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(count) = text.trim().parse() {
            return Ok(Self::Count(count));
        }
        let values = text.split(',').map(|part| part.trim().parse::<f64>());
        values.collect::<Result<_, _>>().map(Self::Values).map_err(|_| {
            "expected a number of penalties, such as 20, or penalties, such as 0.1,0.01".to_owned()
        })
    }
}

impl fmt::Display for Strengths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Values(values) => {
                let values: Vec<String> = values.iter().map(f64::to_string).collect();
                f.write_str(&values.join(","))
            }
        }
    }
}

impl<'de> Deserialize<'de> for Strengths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Given)
    }
}

/// Reads an integer as a count, a fraction as one penalty, and a list as the penalties.
struct Given;

impl<'de> Visitor<'de> for Given {
    type Value = Strengths;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of penalties, such as 20, or a list of penalties, such as [0.1, 0.01]")
    }

    fn visit_i64<E: Error>(self, count: i64) -> Result<Strengths, E> {
        let count = usize::try_from(count);
        count.map(Strengths::Count).map_err(|_| E::custom("a number of penalties cannot be negative"))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Strengths, E> {
        Ok(Strengths::Values(vec![value]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Strengths, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Strengths::Values(values))
    }
}
