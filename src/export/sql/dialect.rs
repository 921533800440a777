//! Differences between the SQL dialects.

use crate::config::Dialect;
use crate::data::{Column, Temporal, Unit};
use crate::error::{ExportError, Result};

/// Arguments in one call of GREATEST; SQLite allows at most 127.
const ARGUMENTS: usize = 100;

/// Bytes of a name in PostgreSQL, which truncates longer ones.
const POSTGRESQL_NAME: usize = 63;

impl Dialect {
    /// `name` as a quoted identifier.
    pub(super) fn identifier(self, name: &str) -> Result<String> {
        let refuse = |why, way_out| ExportError::Text {
            what: "the column name",
            text: name.to_owned(),
            form: self.name(),
            why,
            way_out,
        };
        const RENAME: &str = "rename the column and train again";
        if name.is_empty() {
            return Err(refuse("a name cannot be empty", RENAME).into());
        }
        if name.contains('\0') {
            return Err(refuse("a name cannot hold the character U+0000", RENAME).into());
        }
        Ok(match self {
            Self::Bigquery => format!("`{}`", escape(name, '`')),
            _ => format!("\"{}\"", name.replace('"', "\"\"")),
        })
    }

    /// `text` as a literal.
    pub(super) fn text(self, text: &str) -> Result<String> {
        if self == Self::Bigquery {
            return Ok(format!("'{}'", escape(text, '\'')));
        }
        if text.contains('\0') {
            return Err(ExportError::Text {
                what: "the level or class",
                text: text.to_owned(),
                form: self.name(),
                why: "a text literal cannot hold the character U+0000",
                way_out: "replace that value in the table and train again",
            }
            .into());
        }
        Ok(format!("'{}'", text.replace('\'', "''")))
    }

    /// A float64 literal with all its digits. Without an exponent some dialects would read it as a decimal,
    /// which is slower and has another precision. A negative literal is in parentheses, because two minus
    /// signs begin a comment.
    pub(super) fn float(self, value: f64) -> String {
        let plain = value == 0.0 || (1e-5..1e16).contains(&value.abs());
        let literal = match (self, plain) {
            (Self::Postgresql, true) => format!("{value}::float8"),
            (Self::Postgresql, false) => format!("{value:e}::float8"),
            (_, true) => format!("{value}e0"),
            (_, false) => format!("{value:e}"),
        };
        if value.is_sign_negative() { format!("({literal})") } else { literal }
    }

    /// A float32 literal, which equals a float32 column value, also after widening to float64.
    pub(super) fn single(self, value: f32) -> String {
        let double = self.float(f64::from(value));
        match self {
            Self::Postgresql => format!("{double}::float4"),
            Self::Ansi | Self::Duckdb => format!("CAST({double} AS REAL)"),
            // All floats of these dialects are float64.
            Self::Sqlite | Self::Bigquery => double,
        }
    }

    /// A boolean literal.
    pub(super) fn boolean(self, value: bool) -> &'static str {
        match (self, value) {
            (Self::Sqlite, true) => "1",
            (Self::Sqlite, false) => "0",
            (_, true) => "TRUE",
            (_, false) => "FALSE",
        }
    }

    /// `expression` cast to float64.
    pub(super) fn double(self, expression: &str) -> String {
        match self {
            Self::Postgresql => format!("{expression}::float8"),
            Self::Ansi => format!("CAST({expression} AS DOUBLE PRECISION)"),
            Self::Duckdb => format!("CAST({expression} AS DOUBLE)"),
            Self::Sqlite => format!("CAST({expression} AS REAL)"),
            Self::Bigquery => format!("CAST({expression} AS FLOAT64)"),
        }
    }

    /// `number`, a float64, with NULL in place of NaN. SQLite has no NaN, and standard SQL cannot express it.
    pub(super) fn nan_is_null(self, number: &str) -> String {
        match self {
            Self::Postgresql => format!("NULLIF({number}, 'NaN')"),
            Self::Duckdb => format!("NULLIF({number}, 'NaN'::DOUBLE)"),
            // In BigQuery NaN equals nothing, not even itself.
            Self::Bigquery => format!("IF(IS_NAN({number}), NULL, {number})"),
            Self::Ansi | Self::Sqlite => number.to_owned(),
        }
    }

    /// `expression` as text that is compared byte by byte, whatever the collation of the column. Some
    /// dialects cannot force this for order comparisons, see [`Dialect::orders_text`].
    pub(super) fn as_text(self, expression: &str) -> String {
        match self {
            Self::Postgresql => format!("{expression}::text COLLATE \"C\""),
            Self::Ansi => format!("CAST({expression} AS VARCHAR)"),
            Self::Duckdb => format!("CAST({expression} AS VARCHAR) COLLATE C"),
            Self::Sqlite => format!("CAST({expression} AS TEXT) COLLATE BINARY"),
            Self::Bigquery => format!("COLLATE(CAST({expression} AS STRING), '')"),
        }
    }

    /// Whether text from [`Dialect::as_text`] is certain to be in byte order.
    pub(super) fn orders_text(self) -> bool {
        self != Self::Ansi
    }

    /// The number of a date or time, as training read it.
    pub(super) fn number_of(self, column: &str, of: &Column, temporal: Temporal) -> Result<String> {
        let number = match (self, temporal) {
            (Self::Ansi, _) => {
                return Err(ExportError::Temporal {
                    column: of.name.clone(),
                    kind: match temporal {
                        Temporal::Date => "dates",
                        Temporal::Timestamp => "timestamps",
                        Temporal::Time => "times of day",
                        Temporal::Duration => "durations",
                    },
                    form: self.name(),
                }
                .into());
            }
            (Self::Postgresql, Temporal::Date) => format!("({column}::date - DATE '1970-01-01')::float8"),
            (Self::Postgresql, _) => format!("EXTRACT(EPOCH FROM {column})::float8"),
            (Self::Duckdb, Temporal::Date) => {
                format!("CAST(CAST({column} AS DATE) - DATE '1970-01-01' AS DOUBLE)")
            }
            // Read from Parquet, durations are integers in DuckDB; from other sources they are intervals.
            // Casting through text gives either expression a type.
            (Self::Duckdb, Temporal::Duration) => {
                let text = format!("CAST({column} AS VARCHAR)");
                let per_second = self.float(of.unit.map_or(1.0, Unit::per_second));
                format!(
                    "(CASE typeof({column}) WHEN 'INTERVAL' THEN epoch(TRY_CAST({text} AS INTERVAL)) \
                     ELSE TRY_CAST({text} AS DOUBLE) / {per_second} END)"
                )
            }
            // Divide nanoseconds once, as in training, because epoch drops them. Nanoseconds of other column
            // types would overflow.
            (Self::Duckdb, _) => format!(
                "(CASE WHEN ends_with(typeof({column}), '_NS') THEN CAST(epoch_ns({column}) AS DOUBLE) / 1e9 \
                 ELSE epoch({column}) END)"
            ),
            (Self::Bigquery, Temporal::Date) => format!("CAST(UNIX_DATE({column}) AS FLOAT64)"),
            (Self::Bigquery, Temporal::Timestamp) => format!("(UNIX_MICROS(TIMESTAMP({column})) / 1e6)"),
            (Self::Bigquery, Temporal::Time) => {
                format!("(TIME_DIFF({column}, TIME '00:00:00', MICROSECOND) / 1e6)")
            }
            // Neither dialect has a column type for durations in imported tables: expect seconds.
            (Self::Bigquery | Self::Sqlite, Temporal::Duration) => self.double(column),
            // SQLite stores times as text or as numbers.
            (Self::Sqlite, _) => {
                let of_text = match temporal {
                    Temporal::Date => format!("julianday(date({column})) - 2440587.5e0"),
                    _ => format!(
                        "CAST(strftime('%s', {column}) AS REAL) + CAST(strftime('%f', {column}) AS REAL) \
                         - CAST(strftime('%S', {column}) AS REAL)"
                    ),
                };
                // In SQLite a time of day alone belongs to 2000-01-01.
                let midnight = if temporal == Temporal::Time { " - 946684800e0" } else { "" };
                format!("(CASE typeof({column}) WHEN 'text' THEN {of_text}{midnight} ELSE {column} END)")
            }
        };
        Ok(number)
    }

    /// The largest of several expressions.
    pub(super) fn greatest(self, expressions: &[String]) -> String {
        let name = if self == Self::Sqlite { "max" } else { "GREATEST" };
        match expressions {
            [only] => only.clone(),
            few if few.len() <= ARGUMENTS => format!("{name}({})", few.join(", ")),
            many => {
                let parts: Vec<String> = many.chunks(ARGUMENTS).map(|part| self.greatest(part)).collect();
                self.greatest(&parts)
            }
        }
    }

    /// The smaller of two expressions.
    pub(super) fn least(self, a: &str, b: &str) -> String {
        let name = if self == Self::Sqlite { "min" } else { "LEAST" };
        format!("{name}({a}, {b})")
    }

    /// The beginning and end of a common table expression that force its columns to be computed once a row.
    /// Otherwise a planner that substitutes each expression for its name makes as many copies as there are
    /// classes, squared, and more in each stage.
    pub(super) fn fence(self) -> (&'static str, &'static str) {
        match self {
            Self::Postgresql | Self::Ansi => ("AS", "\n  OFFSET 0 ROWS"),
            Self::Sqlite => ("AS MATERIALIZED", ""),
            Self::Duckdb | Self::Bigquery => ("AS", ""),
        }
    }

    /// A key that is equal for names that the database cannot tell apart: it ignores case, or the end of long
    /// names.
    pub(super) fn key(self, name: &str) -> String {
        match self {
            Self::Duckdb | Self::Sqlite | Self::Bigquery => name.to_lowercase(),
            Self::Postgresql => shortened(name, POSTGRESQL_NAME).to_owned(),
            Self::Ansi => name.to_owned(),
        }
    }

    /// The name of an output as the database stores it, different from all `taken` names.
    pub(super) fn output_name(self, wanted: &str, taken: &[String]) -> String {
        let mut name = match self {
            // Names in BigQuery have only letters, digits and underscores.
            Self::Bigquery => wanted.replace(|c: char| !(c.is_ascii_alphanumeric() || c == '_'), "_"),
            Self::Postgresql => self.key(wanted),
            _ => wanted.to_owned(),
        };
        let is_taken = |name: &String| taken.iter().any(|other| self.key(other) == self.key(name));
        let whole = name.clone();
        let mut n = 0;
        while is_taken(&name) {
            n += 1;
            let suffix = format!("_{n}");
            let room = match self {
                Self::Postgresql => POSTGRESQL_NAME - suffix.len(),
                _ => whole.len(),
            };
            name = format!("{}{suffix}", shortened(&whole, room));
        }
        name
    }
}

/// The longest prefix of whole characters within `bytes` bytes.
fn shortened(name: &str, bytes: usize) -> &str {
    let ends = name.char_indices().map(|(at, c)| at + c.len_utf8());
    &name[..ends.take_while(|&end| end <= bytes).last().unwrap_or(0)]
}

/// Escapes for GoogleSQL, whose identifiers and texts have the escapes of C.
fn escape(text: &str, quote: char) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\\\"),
            c if c == quote => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            c if c.is_control() => escaped.push_str(&format!("\\u{:04x}", c as u32)),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Dialect; 5] =
        [Dialect::Ansi, Dialect::Postgresql, Dialect::Duckdb, Dialect::Sqlite, Dialect::Bigquery];

    #[test]
    fn quotes_and_backslashes_do_not_end_a_text_or_a_name() {
        for dialect in ALL {
            let (text, name) =
                (dialect.text("it's \\ \"a\"").unwrap(), dialect.identifier("a\"b`c\\").unwrap());
            if dialect == Dialect::Bigquery {
                assert_eq!((text.as_str(), name.as_str()), ("'it\\'s \\\\ \"a\"'", "`a\"b\\`c\\\\`"));
            } else {
                assert_eq!((text.as_str(), name.as_str()), ("'it''s \\ \"a\"'", "\"a\"\"b`c\\\""));
            }
        }
        assert_eq!(Dialect::Bigquery.text("a\n\r\t\0ü").unwrap(), "'a\\n\\r\\u0009\\u0000ü'");
        let error = Dialect::Sqlite.text("a\0b").unwrap_err().to_string();
        assert!(error.contains("U+0000") && error.contains("SQLite"), "{error}");
        assert!(Dialect::Bigquery.identifier("").is_err());
    }

    #[test]
    fn float_literals_keep_every_digit_and_are_no_decimals() {
        for value in [0.0, -0.0, 1.0, 0.1, -38.5, 1e-300, f64::MAX, f64::MIN_POSITIVE, 1.0 / 3.0, -1e16] {
            for dialect in ALL {
                let literal = dialect.float(value);
                assert_eq!(literal.starts_with('('), value.is_sign_negative(), "{literal}");
                let number = literal.trim_matches(['(', ')']);
                assert!(number.ends_with("::float8") || number.contains('e'), "{literal}");
                let number: f64 = number.trim_end_matches("::float8").parse().unwrap();
                assert_eq!(number.to_bits(), value.to_bits(), "{literal}");
            }
        }
    }

    #[test]
    fn a_float32_literal_is_the_stored_value() {
        assert_eq!(Dialect::Duckdb.single(0.1), "CAST(0.10000000149011612e0 AS REAL)");
        assert_eq!(Dialect::Postgresql.single(-0.1), "(-0.10000000149011612::float8)::float4");
        assert_eq!(Dialect::Bigquery.single(0.1), "0.10000000149011612e0");
    }

    #[test]
    fn the_largest_of_many_is_asked_for_in_calls_of_few_arguments() {
        let names: Vec<String> = (0..250).map(|i| format!("z{i}")).collect();
        let text = Dialect::Sqlite.greatest(&names);
        assert_eq!(text.matches("max(").count(), 4, "three parts and their largest: {text}");
        assert_eq!(Dialect::Duckdb.greatest(&names[..1]), "z0");
    }
}
