//! Settings with a fixed list of values or a syntax of their own.

use std::fmt;
use std::str::FromStr;

use clap::ValueEnum;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The algorithm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Solver {
    /// The program chooses and reports its choice.
    #[default]
    Auto,
    /// Mini-batch proximal gradient descent.
    Sgd,
    /// Full-batch L-BFGS, preconditioned by one Gram matrix for all models.
    Lbfgs,
    /// Full-batch proximal Newton.
    Newton,
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Sgd => "sgd",
            Self::Lbfgs => "lbfgs",
            Self::Newton => "newton",
        })
    }
}

/// How the classes are weighted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClassWeight {
    /// Every row has only its own weight.
    #[default]
    None,
    /// In each model, the rows of the class and all other rows get the same total weight.
    Balanced,
}

/// Where the passes over the table run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Device {
    /// A hardware GPU if there is one, else the CPU engine.
    #[default]
    Auto,
    /// A hardware GPU, or an error.
    Gpu,
    /// The CPU engine.
    Cpu,
    /// The shaders on a software adapter.
    Software,
    /// The adapter with this index in `logodds devices`.
    Index(u32),
}

impl FromStr for Device {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "gpu" => Ok(Self::Gpu),
            "cpu" => Ok(Self::Cpu),
            "software" => Ok(Self::Software),
            _ => text.parse().map(Self::Index).map_err(|_| {
                "expected auto, gpu, cpu, software, or the index of an adapter in `logodds devices`".into()
            }),
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Gpu => f.write_str("gpu"),
            Self::Cpu => f.write_str("cpu"),
            Self::Software => f.write_str("software"),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

/// An amount of memory, written as `8GiB`, `500MB` or a number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemorySize(
    /// Bytes.
    pub u64,
);

const UNITS: [(&str, u64); 9] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("B", 1),
];

impl FromStr for MemorySize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let lower = text.to_ascii_lowercase();
        let (number, unit) = UNITS
            .iter()
            .find_map(|(name, unit)| Some((lower.strip_suffix(&name.to_ascii_lowercase())?, *unit)))
            .unwrap_or((&lower, 1));
        let bytes = number.trim().parse::<f64>().unwrap_or(f64::NAN) * unit as f64;
        // Written so that NaN fails it; 2^63 bytes is beyond any machine.
        if (0.0..9.2e18).contains(&bytes) {
            Ok(Self(bytes as u64))
        } else {
            Err("expected a size such as 8GiB, 500MB or 1000000".into())
        }
    }
}

impl fmt::Display for MemorySize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exact = UNITS.iter().filter(|(_, unit)| self.0 > 0 && self.0.is_multiple_of(*unit));
        match exact.max_by_key(|(_, unit)| *unit) {
            Some((name, unit)) => write!(f, "{}{name}", self.0 / unit),
            None => write!(f, "{}B", self.0),
        }
    }
}

/// A TOML value where the command line has text.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(u64),
    Text(String),
}

fn parse_any<'de, T: FromStr<Err = String>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    let text = match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => number.to_string(),
        NumberOrText::Text(text) => text,
    };
    text.parse().map_err(|expected| serde::de::Error::custom(format!("found {text:?}, {expected}")))
}

impl<'de> Deserialize<'de> for Device {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_any(deserializer)
    }
}

impl Serialize for Device {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for MemorySize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parse_any(deserializer)
    }
}

impl Serialize for MemorySize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sizes_are_read_and_written_alike() {
        for (text, bytes) in [("8GiB", 8 << 30), ("500MB", 500_000_000), ("1.5 kib", 1536), ("77", 77)] {
            let size: MemorySize = text.parse().expect(text);
            assert_eq!(size.0, bytes, "{text}");
            assert_eq!(size.to_string().parse(), Ok(size), "{text}");
        }
        for text in ["", "GiB", "-1GB", "8 bananas", "nan", "1e40GB"] {
            assert!(text.parse::<MemorySize>().is_err(), "{text:?} must be refused");
        }
    }

    #[test]
    fn devices_are_read_and_written_alike() {
        for text in ["auto", "gpu", "cpu", "software", "0", "12"] {
            assert_eq!(text.parse::<Device>().expect(text).to_string(), text);
        }
        assert!("-1".parse::<Device>().is_err());
        assert!("tpu".parse::<Device>().is_err());
    }
}

/// The score that compares models on rows that they did not learn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
pub enum Scoring {
    /// Mean of `-log p(y)`; smaller is better.
    #[default]
    LogLoss,
    /// Area under the ROC curve.
    Auc,
    /// Share of rows whose class is predicted correctly.
    Accuracy,
    /// Mean of `(p - y)^2`; smaller is better.
    Brier,
    /// Mean precision over the positives.
    AveragePrecision,
    /// Harmonic mean of precision and recall.
    F1,
}

impl Scoring {
    /// The name in flags and files.
    pub fn name(self) -> &'static str {
        match self {
            Self::LogLoss => "log_loss",
            Self::Auc => "auc",
            Self::Accuracy => "accuracy",
            Self::Brier => "brier",
            Self::AveragePrecision => "average_precision",
            Self::F1 => "f1",
        }
    }
}

/// The rule that chooses a point of the curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The point with the best mean score.
    #[default]
    Best,
    /// The largest penalty whose mean score is within one standard error of the best.
    OneStandardError,
}
