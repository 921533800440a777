//! JSON for people: short objects take one line, and so does every list of numbers.

use std::io;

use serde_json::Value;
use serde_json::ser::Formatter;

/// Longest line of an object or of a list of objects.
const WIDTH: usize = 160;

/// `value` as text, with a line for each short object and each list of plain values.
pub(super) fn to_text(value: &Value) -> String {
    let mut text = String::new();
    write(value, 0, &mut text);
    text.push('\n');
    text
}

fn write(value: &Value, indent: usize, out: &mut String) {
    let is_plain = |v: &Value| !v.is_array() && !v.is_object();
    let whole = one_line(value);
    let children: Vec<(Option<&String>, &Value)> = match value {
        Value::Object(map) if indent + whole.len() > WIDTH => map.iter().map(|(k, v)| (Some(k), v)).collect(),
        Value::Array(list) if indent + whole.len() > WIDTH && !list.iter().all(is_plain) => {
            list.iter().map(|v| (None, v)).collect()
        }
        _ => {
            out.push_str(&whole);
            return;
        }
    };
    out.push(if value.is_object() { '{' } else { '[' });
    for (i, (key, child)) in children.into_iter().enumerate() {
        out.push_str(if i == 0 { "\n" } else { ",\n" });
        out.extend(std::iter::repeat_n(' ', indent + 2));
        if let Some(key) = key {
            out.push_str(&Value::from(key.as_str()).to_string());
            out.push_str(": ");
        }
        write(child, indent + 2, out);
    }
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
    out.push(if value.is_object() { '}' } else { ']' });
}

fn one_line(value: &Value) -> String {
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Spaced);
    serde::Serialize::serialize(value, &mut serializer).expect("a value is always text, memory never fails");
    String::from_utf8(bytes).expect("JSON is UTF-8")
}

/// The compact form, with a space after each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_of_numbers_stays_on_its_line() {
        let numbers: Vec<f64> = (0..100).map(f64::from).collect();
        let value = serde_json::json!({"name": "a", "inner": {"x": 1, "y": [1, 2]}, "numbers": numbers});
        let text = to_text(&value);
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(text.contains("\n  \"inner\": {\"x\": 1, \"y\": [1, 2]},\n"), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
