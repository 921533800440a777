"""Runs exported models where they are meant to run, and compares with what `predict` wrote.

FOLDER CASE... : for each case, CASE.parquet (raw rows), CASE.predicted.parquet (by `predict`) and exports of
the same model: CASE.onnx and CASE.<dialect>.sql. The databases each load the raw rows; PostgreSQL is started
for this, in FOLDER, on a socket there and nowhere else, if POSTGRES names its programs.
"""

import atexit
import contextlib
import datetime
import decimal
import json
import math
import os
import pathlib
import pwd
import sqlite3
import subprocess
import sys
import time

import duckdb
import numpy
import onnx
import onnxruntime
import pyarrow
import pyarrow.compute
import pyarrow.parquet

# Panels hold float32, exports float64: what `predict` gives is off by about 6e-8 of each term of z.
TOLERANCE = 1e-6
ROW = "row id"
# All but standard SQL.
SPEAKING_OF_NAN = ["onnx", "duckdb", "sqlite", "postgresql"]


def compare(what, model, predicted, probabilities, classes_said):
    """The same class and probabilities as `predict`'s, in the order of rows.

    A class may differ only where what decides is closer than TOLERANCE, as rounding decides there: the
    probability to its threshold, or the largest to the next. Classes with thresholds of their own must agree.
    """
    names = [name for name in predicted.column_names if name.startswith("probability")]
    expected = numpy.array([column(predicted, name) for name in names]).T
    assert probabilities.shape == expected.shape, f"{what}: {probabilities.shape} and {expected.shape}"
    nulls = numpy.isnan(expected)
    assert (numpy.isnan(probabilities) == nulls).all(), f"{what}: predictions missing elsewhere"
    off = numpy.abs(probabilities - expected)[~nulls]
    assert off.size, f"{what}: nothing to compare"
    assert off.max() <= TOLERANCE, f"{what}: off by {off.max()} in row {numpy.nanargmax(numpy.abs(probabilities - expected).max(1))}"
    said = predicted.column("prediction").to_pylist()
    differing = 0
    for i, (theirs, ours) in enumerate(zip(classes_said, said, strict=True)):
        if nulls[i, 0]:
            assert ours is None and theirs is None, f"{what}: row {i} has {theirs!r}"
            continue
        if theirs != ours:
            differing += 1
            if len(names) == 1:
                apart = abs(expected[i, 0] - model.get("threshold", 0.5))
            elif any("threshold" in of_class for of_class in model["models"]):
                apart = math.inf
            else:
                largest = numpy.sort(expected[i])
                apart = largest[-1] - largest[-2]
            assert apart <= TOLERANCE, f"{what}: row {i} is {theirs!r}, not {ours!r}: {expected[i]}"
    return off.max(), differing


def column(table, name):
    return table.column(name).cast(pyarrow.float64()).to_numpy(zero_copy_only=False)


def number(value):
    """A value as the float64 that training reads."""
    if value is None:
        return math.nan
    if isinstance(value, datetime.datetime):
        return (value - datetime.datetime(1970, 1, 1, tzinfo=value.tzinfo)).total_seconds()
    if isinstance(value, datetime.date):
        return float((value - datetime.date(1970, 1, 1)).days)
    if isinstance(value, datetime.time):
        return value.hour * 3600 + value.minute * 60 + value.second + value.microsecond / 1e6
    return float(value)


def run_onnx(path, raw):
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    properties = session.get_modelmeta().custom_metadata_map
    null_text, null_integer = properties["null_text"], int(properties["null_integer"])
    feed = {}
    for wanted in session.get_inputs():
        values = raw.column(wanted.name).to_pylist()
        if wanted.type == "tensor(string)":
            array = numpy.array([null_text if v is None else str(v) for v in values], dtype=object)
        elif wanted.type == "tensor(int64)":
            array = numpy.array([null_integer if v is None else int(v) for v in values], dtype=numpy.int64)
        else:
            array = numpy.array([number(v) for v in values], dtype=numpy.float64)
        feed[wanted.name] = array.reshape(-1, 1)
    assert [o.name.rstrip("_") for o in session.get_outputs()] == ["label", "probabilities"]
    label, probabilities = session.run(None, feed)
    classes = json.loads(properties["classes"])
    assert probabilities.shape == (len(raw), len(classes)) and label.shape == (len(raw),)
    assert numpy.allclose(probabilities.sum(1)[~numpy.isnan(probabilities[:, 0])], 1)
    absent = numpy.isnan(probabilities[:, 0])
    none = {"O": null_text, "i": null_integer, "b": False}.get(label.dtype.kind)
    for value in label[absent].tolist():
        assert value == none or value != value, value
    said = [None if gone else value for gone, value in zip(absent, label.tolist())]
    if "positive" in properties:
        probabilities = probabilities[:, [classes.index(properties["positive"])]]
    return probabilities, said


def from_rows(rows, n_probabilities):
    """Probabilities and classes of rows (id, class, probability...), in the order of their ids."""
    rows = sorted(rows, key=lambda row: int(row[0]))
    probabilities = [[math.nan if p is None else float(p) for p in row[2:]] for row in rows]
    assert all(len(row) == n_probabilities for row in probabilities)
    return numpy.array(probabilities), [row[1] for row in rows]


def run_duckdb(statement, raw):
    with duckdb.connect() as connection:
        connection.register("raw", raw)
        connection.execute("CREATE TABLE input AS SELECT * FROM raw")
        return connection.execute(statement).fetchall()


def quote(name):
    return '"' + name.replace('"', '""') + '"'


def run_sqlite(statement, raw):
    def plain(value):
        if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
            return str(value)
        return float(value) if isinstance(value, decimal.Decimal) else value

    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE input ({', '.join(map(quote, raw.column_names))})")
        rows = zip(*(column.to_pylist() for column in raw.columns))
        places = ", ".join("?" * raw.num_columns)
        connection.executemany(f"INSERT INTO input VALUES ({places})", ([plain(v) for v in row] for row in rows))
        return connection.execute(statement).fetchall()


class Postgres:
    """A server of its own in a folder, stopped at the end; not as root, which it refuses."""

    def __init__(self, programs, folder):
        self.programs, self.folder = pathlib.Path(programs), folder / "postgres"
        self.folder.mkdir()
        self.user = []
        if os.geteuid() == 0:
            self.user = ["runuser", "-u", "postgres", "--"]
            owner = pwd.getpwnam("postgres")
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)
            folder.chmod(0o755)
        data = self.folder / "data"
        self.run("initdb", "-D", data, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        settings = f"-c listen_addresses= -c unix_socket_directories={self.folder} -c fsync=off"
        atexit.register(self.run, "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        self.run("pg_ctl", "-D", data, "-w", "-t", "60", "-l", self.folder / "log", "-o", settings, "start")

    def run(self, program, *arguments, **options):
        command = [*self.user, str(self.programs / program), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, cwd=self.folder, timeout=120, **options)
        assert done.returncode == 0, f"{command}: {done.stderr.decode()}"
        return done.stdout

    def query(self, script):
        arguments = ["-h", self.folder, "-U", "tester", "-d", "postgres", "-X", "-q", "-v", "ON_ERROR_STOP=1"]
        return self.run("psql", *arguments, input=script.encode()).decode()


def postgres_type(type_):
    types = pyarrow.types
    for fits, name in [
        (types.is_boolean, "boolean"),
        (types.is_int64, "bigint"),
        (types.is_integer, "integer"),
        (types.is_float32, "real"),
        (types.is_floating, "double precision"),
        (types.is_decimal, "numeric"),
        (types.is_timestamp, "timestamp"),
        (types.is_date, "date"),
        (types.is_time, "time"),
    ]:
        if fits(type_):
            return name
    return "text"


def escaped(value):
    if value is None:
        return "\\N"
    text = str(value)
    for plain, code in [("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r")]:
        text = text.replace(plain, code)
    return text


def unescaped(text):
    if text == "\\N":
        return None
    parts = text.split("\\\\")
    for code, plain in [("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")]:
        parts = [part.replace(code, plain) for part in parts]
    return "\\".join(parts)


def run_postgres(server, statements, raw):
    """The rows of each statement."""
    fields = ", ".join(f"{quote(field.name)} {postgres_type(field.type)}" for field in raw.schema)
    rows = zip(*(column.to_pylist() for column in raw.columns))
    lines = "\n".join("\t".join(map(escaped, row)) for row in rows)
    # A planner that copies expressions would never end.
    script = "SET statement_timeout = '30s';\n"
    script += f"CREATE TEMPORARY TABLE input ({fields});\nCOPY input FROM STDIN;\n{lines}\n\\.\n"
    script += "".join(f"COPY ({statement}) TO STDOUT;\nSELECT 'end of statement';\n" for statement in statements)
    results = server.query("\\pset tuples_only\n\\pset format unaligned\n" + script).split("end of statement\n")
    return [[[unescaped(v) for v in line.split("\t")] for line in result.splitlines()] for result in results[:-1]]


def in_type(said, like):
    """Classes from a database without such a type, or from text, in the type of `predict`'s."""
    def convert(value):
        if value is None or isinstance(value, type(like)):
            return value
        if isinstance(like, bool):
            return {"t": True, "f": False, 1: True, 0: False}[value]
        return type(like)(value)

    return [convert(value) for value in said]


def main():
    folder, *cases = sys.argv[1:]
    folder = pathlib.Path(folder).resolve()
    programs = os.environ.get("POSTGRES")
    server = Postgres(programs, folder) if programs else None
    for case in cases:
        raw = pyarrow.parquet.read_table(folder / f"{case}.parquet")
        predicted = pyarrow.parquet.read_table(folder / f"{case}.predicted.parquet")
        model = json.loads((folder / f"{case}.json").read_text())
        inputs = json.loads((folder / f"{case}.json.report").read_text())["inputs"]
        keep = [ROW, *(name["name"] for name in inputs)]
        started = time.monotonic()
        check(folder, case, server, model, raw.select(keep), predicted)
        floats = [name for name in keep if raw.schema.field(name).type == pyarrow.float64()]
        if case == "awkward-binary":
            poisoned = poison(raw.select(keep), predicted, floats[0], [math.inf, -math.inf])
            check(folder, case, server, model, *poisoned)
        # NaN is null everywhere but in standard SQL, which has no word for it.
        check(folder, case, server, model, with_nan(raw.select(keep)), predicted, SPEAKING_OF_NAN)
        print(f"{case} took {time.monotonic() - started:.1f} s", file=sys.stderr)


def poison(raw, predicted, name, numbers):
    """The first rows with these numbers, and without a prediction: `predict` refuses such rows."""
    values = raw.column(name).to_pylist()
    values[: len(numbers)] = numbers
    raw = raw.set_column(raw.column_names.index(name), name, pyarrow.array(values, pyarrow.float64()))
    gone = pyarrow.array([i < len(numbers) for i in range(len(raw))])
    columns = [pyarrow.compute.if_else(gone, None, column) for column in predicted.columns]
    return raw, pyarrow.table(columns, names=predicted.column_names)


def with_nan(raw):
    """The rows with NaN for every null of a column of floats."""
    for at, field in enumerate(raw.schema):
        if pyarrow.types.is_floating(field.type):
            filled = raw.column(at).fill_null(pyarrow.scalar(math.nan, field.type))
            raw = raw.set_column(at, field.name, filled)
    return raw


def check(folder, case, server, model, raw, predicted, only=None):
    like = next(value for value in predicted.column("prediction").to_pylist() if value is not None)
    n = sum(name.startswith("probability") for name in predicted.column_names)
    statement = {path.suffixes[-2][1:]: path.read_text() for path in folder.glob(f"{case}.*.sql")}
    results = {
        "onnx": run_onnx(str(folder / f"{case}.onnx"), raw),
        "duckdb": from_rows(run_duckdb(statement["duckdb"], raw), n),
        "sqlite": from_rows(run_sqlite(statement["sqlite"], raw), n),
    }
    if server:
        dialects = [dialect for dialect in ("postgresql", "ansi") if dialect in statement]
        found = run_postgres(server, [statement[dialect] for dialect in dialects], raw)
        for dialect, rows in zip(dialects, found, strict=True):
            results[dialect] = from_rows(rows, n)
    for name in only or results:
        if name not in results:
            continue
        probabilities, said = results[name]
        off, differing = compare(f"{case} in {name}", model, predicted, probabilities, in_type(said, like))
        print(f"{case} {name} rows {len(raw)} off {off:.1e} ties {differing}")


main()
