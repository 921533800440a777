//! Settings files in TOML; errors name the line and the column.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::error::{ConfigError, Error, Result};

/// Reads the text of a settings file.
pub(super) fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source }.into())
}

/// Parses the settings in the text of a file; errors have their line and column.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T> {
    toml::from_str(text).map_err(|error: toml::de::Error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        let message = error.message().trim().replace('\n', ", ");
        ConfigError::Parse { path: path.to_owned(), line, column, message }.into()
    })
}

/// Parses two sets of settings from one file: the lines of `keys`, and all others. For each part the lines of
/// the other part are blanked, so that errors name the right line.
pub(super) fn load_split<A: DeserializeOwned, B: DeserializeOwned>(
    path: &Path,
    keys: &[&str],
) -> Result<(A, B)> {
    let text = read(path)?;
    let document: std::collections::BTreeMap<toml::Spanned<String>, toml::Spanned<toml::Value>> =
        parse(path, &text)?;
    let mut parts = [text.clone(), text.clone()];
    for (key, value) in &document {
        let of_second = keys.contains(&key.get_ref().as_str());
        let span = key.span().start..value.span().end;
        let blank: String = text[span.clone()].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
        // Keep the number of bytes, so that later spans stay valid.
        let blank = format!("{blank}{}", " ".repeat(span.len() - blank.len()));
        parts[usize::from(!of_second)].replace_range(span, &blank);
    }
    let first = parse(path, &parts[0]).map_err(|error| match error {
        // A key that is not of the second part is looked up in the first.
        Error::Config(ConfigError::Parse { path, line, column, message })
            if message.starts_with("unknown field") =>
        {
            let more: String = keys.iter().map(|key| format!(", `{key}`")).collect();
            ConfigError::Parse { path, line, column, message: message + &more }.into()
        }
        other => other,
    })?;
    Ok((first, parse(path, &parts[1])?))
}

/// Reads a list, or a single value as a list of one.
pub(super) fn one_or_many<'de, T, D>(deserializer: D) -> std::result::Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany<T> {
        One(T),
        Many(Vec<T>),
    }
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// The same, with at least one value: an empty list would mean the same as a missing key.
pub(super) fn some<'de, T, D>(deserializer: D) -> std::result::Result<Vec<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let values = one_or_many(deserializer)?;
    if values.is_empty() {
        return Err(serde::de::Error::custom("an empty list; give at least one value, or leave the key out"));
    }
    Ok(values)
}
