"""Makes the tables that exported models are tried on: FOLDER SAMPLE_OF... -> FOLDER/<n>.parquet

Of each table named, some rows, with nulls in every column and with texts that no table has; the table
"awkward" is made up here, with every type that a feature can have and names that need quotes.
"""

import datetime
import decimal
import pathlib
import random
import sys

import pyarrow
import pyarrow.parquet

ROWS = 2_000
# Tables as wide as a database allows take its time, not more of its abilities.
WIDE = 300
UNSEEN = "never 'seen' \"before\" \\ %s"


def disturb(table, target):
    """Nulls in every column but the target, texts that training had not, and a number for each row."""
    columns = {"row id": pyarrow.array(range(len(table)), pyarrow.int64())}
    for j, name in enumerate(table.column_names):
        if name == target:
            continue
        values = table.column(name).combine_chunks()
        is_text = pyarrow.types.is_string(values.type) or pyarrow.types.is_large_string(values.type)
        changed = values.to_pylist()
        for i in range(len(changed)):
            if (3 * i + 5 * j) % 23 == 0:
                changed[i] = None
            elif is_text and (i + j) % 29 == 0:
                changed[i] = UNSEEN
        columns[name] = pyarrow.array(changed, values.type)
    return pyarrow.table(columns)


def awkward(rows, classes):
    choose = random.Random(7)
    texts = ["", " ", "a", "A", "it's", '"', "\\", "a\\'b", "naïve Ünïcode 漢字 🦀", "new\nline", "tab\t", "%s {x} --", "null", None]
    many = [f"level {i}" for i in range(100)] + [None]

    def column(make, type_):
        values = [make(i) for i in range(rows)]
        return pyarrow.array([None if choose.random() < 0.05 else v for v in values], type_)

    start = datetime.datetime(2024, 1, 1)
    columns = {
        "plain": column(lambda i: choose.gauss(0, 1), pyarrow.float64()),
        "sp ace, comma; -- dash": column(lambda i: choose.gauss(5, 1), pyarrow.float32()),
        'quo"te\'s `tick` \\ back': column(lambda i: choose.randrange(-1000, 1000), pyarrow.int64()),
        "Ünïcode 漢字": column(lambda i: choose.random() < 0.3, pyarrow.bool_()),
        "label": column(lambda i: start + datetime.timedelta(seconds=choose.random() * 1e6), pyarrow.timestamp("us")),
        "probabilities": column(lambda i: (start + datetime.timedelta(days=choose.randrange(900))).date(), pyarrow.date32()),
        "select": column(lambda i: (start + datetime.timedelta(seconds=choose.randrange(86400))).time(), pyarrow.time64("us")),
        "price": column(lambda i: decimal.Decimal(choose.randrange(10**6)) / 100, pyarrow.decimal128(12, 2)),
        "text": column(lambda i: choose.choice(texts), pyarrow.string()),
        "logodds/x": column(lambda i: choose.choice(many), pyarrow.string()),
        "integer level": column(lambda i: choose.choice([-5, 3, 9, 2**62]), pyarrow.int64()),
        "boolean level": column(lambda i: choose.random() < 0.5, pyarrow.bool_()),
        "tiny": column(lambda i: choose.gauss(0, 1) * 1e-9, pyarrow.float64()),
        "huge": column(lambda i: 1e15 + choose.gauss(0, 1) * 1e9, pyarrow.float64()),
    }
    score = [
        sum(float(hash_of(columns[name][i].as_py(), name)) for name in columns) + choose.gauss(0, 1)
        for i in range(rows)
    ]
    order = sorted(score)
    cuts = [order[len(order) * (k + 1) // len(classes)] for k in range(len(classes) - 1)]
    columns["the target"] = pyarrow.array([classes[sum(s >= c for c in cuts)] for s in score])
    return pyarrow.table(columns)


def hash_of(value, name):
    """A number between -1 and 1 that a value has in a column; like values have like numbers."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return max(-1.0, min(1.0, value / 1000)) if name == "plain" else 0.1
    return random.Random(repr((value, name))).uniform(-1, 1)


def main():
    folder, *sources = sys.argv[1:]
    folder = pathlib.Path(folder)
    for name, classes in [
        ("awkward-binary", ["it's", 'a "no"']),
        ("awkward-classes", ["", "1", "A-b", "ü\\'"]),
        ("awkward-numbers", [-1, 0, 7]),
        ("awkward-floats", [0.5, 2.0]),
        ("awkward-truth", [False, True]),
    ]:
        table = awkward(1_500, classes)
        pyarrow.parquet.write_table(table, folder / f"{name}-train.parquet")
        raw = disturb(table, "the target")
        pyarrow.parquet.write_table(raw, folder / f"{name}.parquet")
    for source in sources:
        name, target, path = source.split("=", 2)
        table = pyarrow.parquet.read_table(path)
        table = table.slice(0, WIDE if table.num_columns > 200 else ROWS)
        pyarrow.parquet.write_table(disturb(table, target), folder / f"{name}.parquet")


main()
