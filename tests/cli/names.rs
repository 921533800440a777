//! Names are data: no name can control the terminal.

use std::fs;
use std::path::Path;

use tempfile::tempdir;

use super::support::{float_column, json, logodds, succeed, succeed_json, text_column, write_parquet};

/// A window title, a colour, a C1 control, a change of text direction, and a line break.
const EVIL: &str = "\u{1b}]0;title\u{7}\u{1b}[31m\u{9b}32m\u{202e}\nerror: forged";

/// A table with hostile names, levels and classes, and a model of it.
fn train(folder: &Path) {
    let n = 60;
    let x = (0..n).map(|i| f64::from(i * 37 % 60));
    let noise = (0..n).map(|i| f64::from(i * 53 % 47));
    let levels = [format!("p{EVIL}"), "q".to_owned()];
    let classes = ["no".to_owned(), format!("yes{EVIL}")];
    let of = |i: i32, names: &[String; 2], by: i32| names[usize::from(i * 37 % 60 > by)].clone();
    let t: Vec<String> = (0..n).map(|i| of(i * 7, &levels, 30)).collect();
    let y: Vec<String> = (0..n).map(|i| of(i, &classes, if i % 5 == 0 { 45 } else { 25 })).collect();
    write_parquet(
        &folder.join("t.parquet"),
        vec![
            (format!("a{EVIL}").as_str(), float_column(x)),
            ("b\u{202e}", float_column(noise)),
            ("t", text_column(t.iter().map(String::as_str))),
            ("y", text_column(y.iter().map(String::as_str))),
        ],
    );
    succeed(folder, "train t.parquet --target y --device cpu -o m.json");
}

/// Whether a terminal would act on a character other than a line feed.
fn acts(character: char) -> bool {
    character != '\n' && (character.is_control() || ('\u{202a}'..='\u{202e}').contains(&character))
}

#[test]
fn names_never_control_a_terminal() {
    let folder = tempdir().unwrap();
    train(folder.path());
    for line in [
        "train t.parquet --target y --device cpu -o n.json",
        "tune t.parquet --target y --device cpu --folds 3 --lambdas 3 -o n.json",
        "inspect m.json",
        "inspect m.json t.parquet --inference",
        "evaluate m.json t.parquet",
        "evaluate m.json m.json t.parquet",
        "threshold m.json t.parquet --by f1 --dry-run",
        "export m.json -o m.sql",
        "train t.parquet --target b --device cpu -o n.json",
        "inspect m.json --class yess",
        "train t.parquet --target y --no-such\u{1b}[31m",
        "inspect absent\u{202e}.json",
    ] {
        for json in ["", " --json"] {
            let line = format!("{line}{json}");
            // Requests the program's own styles, which a pipe does not get by default.
            let mut command = logodds(folder.path());
            let output = command.args(line.split(' ')).env("CLICOLOR_FORCE", "1").output().unwrap();
            for text in [output.stdout, output.stderr] {
                let text = String::from_utf8(text).unwrap();
                let styled = text.contains("\u{1b}[1m");
                let text = anstream_free(&text);
                assert!(!text.contains(acts), "{line}\n{text:?}");
                assert!(!text.lines().any(|line| line.starts_with("error: forged")), "{line}\n{text}");
                assert!(!styled || json.is_empty(), "{line}");
            }
        }
    }
    let text = succeed(folder.path(), "inspect m.json");
    assert!(text.contains("\\u{1b}]0;title\\u{7}") && text.contains("b\\u{202e}"), "{text}");
    let names = succeed_json(folder.path(), "inspect m.json");
    assert_eq!(names["classes"][1], format!("yes{EVIL}"));
}

/// The text without the program's own style sequences.
fn anstream_free(text: &str) -> String {
    let styles = ["\u{1b}[1m\u{1b}[31m", "\u{1b}[1m\u{1b}[33m", "\u{1b}[1m", "\u{1b}[36m", "\u{1b}[0m"];
    styles.iter().fold(text.to_owned(), |text, style| text.replace(style, ""))
}

#[test]
fn what_is_no_terminal_gets_names_as_they_are() {
    let folder = tempdir().unwrap();
    train(folder.path());
    succeed(folder.path(), "export m.json -o m.sql --dialect duckdb");
    let sql = fs::read_to_string(folder.path().join("m.sql")).unwrap();
    assert!(sql.contains(&format!("yes{EVIL}")), "{sql:?}");
    assert_eq!(succeed(folder.path(), "export m.json --format sql --dialect duckdb -o -"), sql);
    assert_eq!(json(&folder.path().join("m.json"))["classes"][1], format!("yes{EVIL}"));
    succeed(folder.path(), "report m.json t.parquet --plot coefficients -o p.svg");
    let svg = fs::read_to_string(folder.path().join("p.svg")).unwrap();
    roxmltree::Document::parse(&svg).unwrap();
    succeed(folder.path(), "report m.json t.parquet -o r.html");
    let page = fs::read_to_string(folder.path().join("r.html")).unwrap();
    for text in [page, svg] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "a name has more than letters in {text}");
    }
}
