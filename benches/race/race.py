#!/usr/bin/env python3
"""Races logodds against other trainers of logistic regression: seconds against accuracy, from a Parquet file to a model.

    cargo build --release && pip install -r benches/race/requirements.txt
    python benches/race/race.py          # in the root of the repository; --rows 20000 for a quick look

Prints a table, writes every run to docs/race/runs.jsonl, and draws a plot for each problem beside it. The rules:

- One objective: mean log loss + l1 |w|_1 + l2/2 |w|^2 over standardised columns, intercept not penalised (in Snap ML it
  must be, here at a ninth of the strength). Several classes are one-vs-rest models, one for each class.
- One table: a Parquet file in the page cache, read as float32. logodds gets the file; the others get its values
  standardised and rounded to float32, glum's and skglm's then held in float64 (in float32, glum stalls near 1e-6).
- Each program goes from cheap to dear settings (bounds on the iterations, tolerances) until it is within 1e-9, a higher
  bound changes nothing, or --limit seconds of fitting are spent. logodds uses all cores; the others do so first, and
  then one thread, with which some are faster on small tables: the better counts.
- Accuracy is the relative suboptimality (F - F*) / F*, of the worst of the models. F is computed here, in float64, from
  the coefficients. F* is, for each model, the lowest F of all runs, among them one of logodds at --tolerance 1e-10.
- logodds runs as a program: fit and read are its seconds.train and seconds.read (reading standardises), file to model is
  the wall time of the process. The others run in Python, each in a process of its own, with everything warm: fit is the
  fitting call alone, read is pyarrow's reading into float32, prepare standardising and laying out; classes are fitted one
  by one. File to model is the sum: starting Python, imports and writing a model are not counted.
- Medians of --runs rounds, each of which runs every program once.
"""
import argparse
import json
import multiprocessing
import os
import subprocess
import sys
import time
import warnings
from collections import namedtuple
from importlib import metadata
from pathlib import Path
from pydoc import locate

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from threadpoolctl import threadpool_limits

TARGET = 1e-6  # the accuracy that the table asks for
ENOUGH = 1e-9  # closer is not told apart, and ends a sweep
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

NEWTON = [("max_iter", n) for n in (1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 16, 20, 30)]
LBFGS = [("max_iter", n) for n in (2, 4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048)]
TOLERANCES = [("tol", 10.0**-k) for k in range(1, 10)]
LOGODDS = [("--max-iterations", n) for n in (1, 2, 3, 4, 6, 8, 12, 20)] + [("--tolerance", 10.0**-k) for k in range(4, 10)]
ROWS32, COLUMNS64 = ("C", np.float32), ("F", np.float64)
GLUM = {"family": "binomial", "gradient_tol": 1e-12, "check_input": False}
SNAP_ML = {"max_iter": 2000, "random_state": 1, "fit_intercept": True, "intercept_scaling": 3.0}  # a column of threes

# settings: swept, cheap to dear. layout: of X. make: arguments of the estimator for n rows, the penalty and a number of
# threads; the setting is added. Colours stand out from white as from black, and from each other for the colour-blind.
Program = namedtuple("Program", "estimator penalties settings layout colour marker make")
PROGRAMS = {
    "logodds": Program(None, "l1 l2", LOGODDS, ROWS32, "#d55e00", "o", None),
    "scikit-learn newton-cholesky": Program(
        "sklearn.linear_model.LogisticRegression", "l2", NEWTON, ROWS32, "#1f83c4", "s",
        lambda n, l2, threads: {"C": 1 / (l2 * n), "solver": "newton-cholesky", "tol": 1e-12}),
    "scikit-learn lbfgs": Program("sklearn.linear_model.LogisticRegression", "l2", LBFGS, ROWS32, "#b8669a", "D",
                                  lambda n, l2, threads: {"C": 1 / (l2 * n), "solver": "lbfgs", "tol": 1e-12}),
    "glum irls-ls": Program("glum.GeneralizedLinearRegressor", "l2", NEWTON, COLUMNS64, "#00906a", "^",
                            lambda n, l2, threads: {"alpha": l2, "l1_ratio": 0, "solver": "irls-ls"} | GLUM),
    "glum irls-cd": Program("glum.GeneralizedLinearRegressor", "l1", NEWTON, COLUMNS64, "#00906a", "^",
                            lambda n, l1, threads: {"alpha": l1, "l1_ratio": 1, "solver": "irls-cd"} | GLUM),
    "Snap ML": Program("snapml.LogisticRegression", "l2", TOLERANCES, ROWS32, "#a8790f", "v",
                       lambda n, l2, threads: {"regularizer": l2 * n, "n_jobs": threads} | SNAP_ML),
    "skglm": Program("skglm.SparseLogisticRegression", "l1", TOLERANCES, COLUMNS64, "#1f83c4", "s",
                     lambda n, l1, threads: {"alpha": l1, "max_iter": 50}),
}


def generate(path, rows, features=64, seed=7):
    """Correlated columns (condition number about 1e3), scales over 4 decades, labels of a logistic model, 5 % flipped."""
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.standard_normal((features, features)))
    mix = basis * np.geomspace(1, 1e3**-0.5, features) @ basis.T
    truth = rng.standard_normal(features)
    truth *= 2 / np.linalg.norm(mix @ truth)
    mean, scale = rng.uniform(-3, 3, features), rng.permutation(np.geomspace(1e-2, 1e2, features))
    schema = pa.schema([(f"x{j}", pa.float32()) for j in range(features)] + [("y", pa.int32())])
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=["y"]) as writer:
        for start in range(0, rows, 131_072):
            x = rng.standard_normal((min(131_072, rows - start), features)) @ mix
            y = (rng.random(len(x)) < 1 / (1 + np.exp(-(x @ truth) - 0.3))) ^ (rng.random(len(x)) < 0.05)
            columns = np.ascontiguousarray(((x + mean) * scale).T, np.float32)
            writer.write_table(pa.table([*columns, y.astype(np.int32)], schema=schema))


def read(path, target):
    """The features (features x rows, float32) and the labels of each model (models x rows, 0 or 1)."""
    table = pq.read_table(path)
    features = table.drop_columns([target]).columns
    columns = np.empty((len(features), len(table)), np.float32)
    if any(feature.null_count or pa.types.is_boolean(feature.type) for feature in features):
        raise ValueError("the race takes tables of numbers, without nulls and booleans")
    for column, feature in zip(columns, features):
        column[:] = feature.to_numpy()
    labels = table.column(target).to_numpy()
    classes = np.unique(labels)
    classes = classes[-1:] if len(classes) == 2 else classes
    return columns, np.stack([(labels == value).astype(np.int32) for value in classes])


def prepare(columns, order, dtype):
    """Standardises, and lays out as rows x features; returns this, means and deviations."""
    mean, deviation = np.zeros(len(columns)), np.ones(len(columns))
    for j, column in enumerate(columns):
        values = column.astype(np.float64)
        mean[j], deviation[j] = values.mean(), values.std() or 1.0
        columns[j] = (values - mean[j]) / deviation[j]
    if order == "F":
        return columns.astype(dtype, copy=False).T, mean, deviation
    X = np.empty(columns.shape[::-1], dtype)
    for start in range(0, len(X), 4096):  # blocks that stay in cache
        X[start:start + 4096] = columns[:, start:start + 4096].T
    return X, mean, deviation


def objective(X, labels, coefficients, intercepts, l1, l2):
    """Of each model: mean log loss + l1 |w|_1 + l2/2 |w|^2, in float64. Coefficients: models x features."""
    loss = np.zeros(len(labels))
    for start in range(0, len(X), 65_536):
        rows = slice(start, start + 65_536)
        z = X[rows].astype(np.float64) @ coefficients.T + intercepts
        loss += (np.logaddexp(0, z) - labels[:, rows].T * z).sum(0)
    return loss / len(X) + l1 * np.abs(coefficients).sum(1) + l2 / 2 * (coefficients**2).sum(1)


def suboptimality(values, optimum):
    return float(np.max((np.asarray(values) - optimum) / optimum))


def timed(function, *arguments, **more):
    started = time.perf_counter()
    return function(*arguments, **more), time.perf_counter() - started


def run_logodds(job, setting, mean, deviation):
    """Trains; returns coefficients of the standardised columns, intercepts, and seconds."""
    flags = {"--l1": job["l1"], "--l2": job["l2"], "--tolerance": 1e-9, "--device": job["device"]} | dict([setting])
    command = [job["program"], "train", job["path"], "--target", job["target"], "-o", job["model"], "--json", "--quiet"]
    command += [f"{flag}={value}" for flag, value in flags.items()]
    done, total = timed(subprocess.run, command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr.strip() or f"exit code {done.returncode}")
    seconds, models = json.loads(done.stdout)["seconds"], json.loads(Path(job["model"]).read_text())["models"]
    original = np.array([model["coefficients"] for model in models])  # models in ascending order of their classes
    intercepts = original @ mean + [model["intercept"] for model in models]
    return original * deviation, intercepts, {"read": seconds["read"], "fit": seconds["train"], "total": total}


def run_fits(program, penalty, threads, X, labels, setting):
    """Fits each model; returns coefficients, intercepts, and seconds."""
    estimator = locate(program.estimator)
    coefficients, intercepts, seconds = [], [], 0.0
    for y in labels.astype(X.dtype):
        with threadpool_limits(threads):
            model, fit = timed(estimator(**program.make(len(y), penalty, threads) | dict([setting])).fit, X, y)
        coefficients.append(np.ravel(model.coef_))
        intercepts.append(np.ravel(model.intercept_)[0] * getattr(model, "intercept_scaling", 1))
        seconds += fit
    return np.array(coefficients, np.float64), np.array(intercepts, np.float64), seconds


def sweep(job, pipe):
    """One program on one problem, in a process of its own: sends a result for each setting, or a note of what failed."""
    warnings.simplefilter("ignore")  # most are about the bound on the iterations
    program, penalty = PROGRAMS[job["name"]], job[job["penalty"]]
    try:
        version = subprocess.check_output([job["program"], "--version"], text=True).split()[-1]
        if program.make:
            version = metadata.version(program.estimator.split(".")[0].replace("sklearn", "scikit-learn"))
        read(job["path"], job["target"])  # the first time imports and warms up
        (columns, labels), reading = timed(read, job["path"], job["target"])
        (X, mean, deviation), preparing = timed(prepare, columns, *program.layout)
        for threads in sorted({1, THREADS}, reverse=True) if program.make else [THREADS]:
            if program.make:
                some = slice(None, None, max(1, len(X) // 2000))
                run_fits(program, penalty, threads, np.array(X[some]), labels[:1, some], program.settings[0])
            before, spent = None, 0.0
            for setting in program.settings if job["optimum"] else [("--tolerance", 1e-10)]:
                time.sleep(0.1)  # for the threads of the run before to fall asleep
                if program.make:
                    *answer, fit = run_fits(program, penalty, threads, X, labels, setting)
                    seconds = {"read": reading, "prepare": preparing, "fit": fit, "total": reading + preparing + fit}
                else:
                    *answer, seconds = run_logodds(job, setting, mean, deviation)
                values = objective(X, labels, *answer, job["l1"], job["l2"]).tolist()
                label = f"{setting[0]} {setting[1]:g}" + ", 1 thread" * (threads < THREADS)
                pipe.send({"version": version, "setting": label, "seconds": seconds, "objective": values,
                           "shape": X.shape, "nonzero": int(np.count_nonzero(answer[0]))})
                near = job["optimum"] and suboptimality(values, job["optimum"]) <= ENOUGH
                spent += seconds["fit"]
                if near or spent > job["limit"] or (setting[0] == "max_iter" and values == before):
                    break
                before = values
    except Exception as error:
        pipe.send({"note": f"failed: {type(error).__name__}: {str(error).strip()[:100]}"})


def results_of(job):
    """What `sweep` sends. A crash and a hang become notes too."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=sweep, args=(job, sender))
    process.start()
    sender.close()
    try:
        while receiver.poll(2 * job["limit"] + 60):
            yield receiver.recv()
        process.kill()
        yield {"note": "stopped: one setting took more than twice --limit"}
    except EOFError:
        process.join()
        if process.exitcode:
            yield {"note": f"crashed: exit code {process.exitcode}"}


def race(job, names):
    """Every program on one problem, in rounds; returns the records of all runs, that of logodds at 1e-10 first."""
    records = []
    rounds = [(k + 1, name) for k in range(job["runs"]) for name in names if job["penalty"] in PROGRAMS[name].penalties]
    for round_, name in [(0, "logodds"), *rounds]:
        if not any(r["program"] == name and "note" in r for r in records):  # unless it failed before
            print(f"{job['problem']}, round {round_}: {name}", file=sys.stderr)
            optimum = records[0]["objective"] if records else None
            for result in results_of(job | {"name": name, "optimum": optimum}):
                records.append({"problem": job["problem"], "program": name, "round": round_} | result)
        if "note" in records[0]:
            raise SystemExit(f"logodds {records[0]['note']}")
    return records


def summarise(records):
    """Of one problem: title, a line about it, rows in Markdown, {program: [(fit, suboptimality)]}, all in medians."""
    runs = [r for r in records if "objective" in r]
    optimum = np.min([r["objective"] for r in runs], axis=0)
    lowest, behind = min(runs, key=lambda r: sum(r["objective"])), suboptimality(runs[0]["objective"], optimum)
    title = "{}: {:,} rows x {} features, models: {}".format(runs[0]["problem"], *runs[0]["shape"], len(optimum))
    about = (f"{title}, {runs[0]['nonzero']} coefficients not zero; best objective {optimum.mean():.12g}, of "
             f"{lowest['program']} at {lowest['setting']}; logodds at --tolerance 1e-10 is {behind:.0e} above")
    rows, points = [], {}
    for name in dict.fromkeys(r["program"] for r in records[1:]):
        own = [r for r in records[1:] if r["program"] == name]
        points[name], best, closest = [], (1e9, ["not reached", "", "", "", ""]), 1e9
        for setting in dict.fromkeys(r["setting"] for r in own if "setting" in r):
            of = [r for r in own if r.get("setting") == setting]
            fit = np.median([r["seconds"]["fit"] for r in of])
            accuracy = np.median([suboptimality(r["objective"], optimum) for r in of])
            if 2 * len(of) > own[-1]["round"]:  # fewer where --limit ended a sweep
                points[name].append((fit, accuracy))
                closest = min(closest, max(accuracy, 1e-12))
                if accuracy <= TARGET and fit < best[0]:
                    seconds = [[r["seconds"].get(key, 0) for r in of] for key in ("fit", "read", "prepare", "total")]
                    cells = [f"{np.median(s):.2g} ({min(s):.2g} - {max(s):.2g})" if any(s) else "" for s in seconds]
                    best = fit, [*cells, setting]
        reached = "; ".join([f"{closest:.1e}"] * bool(points[name]) + [r["note"] for r in own if "note" in r])
        cells = [runs[0]["problem"], name, own[0].get("version", ""), *best[1], reached]
        rows.append((best[0], closest, f"| {' | '.join(cells)} |"))
    return title, about, [row for *_, row in sorted(rows)], points


def plot(path, title, points):
    """Accuracy against seconds, of settings that no faster one beats; no background, for light pages and dark ones."""
    from matplotlib import figure, rcParams
    grey = "#7b7b7b"
    rcParams |= {
        "svg.fonttype": "none", "svg.hashsalt": "race", "font.size": 11, "axes.titlesize": 11, "axes.grid": True,
        "axes.titlelocation": "left", "axes.spines.top": False, "axes.spines.right": False, "grid.alpha": 0.18
    } | dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), grey)
    page = figure.Figure(figsize=(8.4, 4.8), layout="constrained")
    axes = page.subplots()
    axes.set(xscale="log", yscale="log", xlabel="seconds of the fit",
             title=f"{title}\nrelative suboptimality: lower is closer to the optimum")
    axes.axhline(TARGET, color=grey, linewidth=1, linestyle=(0, (4, 4)))
    ends, lines = [], [(seconds, TARGET) for seconds in np.geomspace(1e-5, 1e4, 600)]
    for name in filter(points.get, points):
        seen = sorted((seconds, min(max(accuracy, ENOUGH), 100)) for seconds, accuracy in points[name])
        front = [p for k, p in enumerate(seen) if all(p[1] < 0.9 * q[1] for q in seen[:k])]
        style, ours = {"color": PROGRAMS[name].colour, "marker": PROGRAMS[name].marker}, name == "logodds"
        axes.plot(*zip(*front), **style, linewidth=1.6 + ours, zorder=3 + ours)
        ends.append((front[-1], name))
        for p, q in zip(front, front[1:] or front):
            lines += [np.power(p, 1 - t) * np.power(q, t) for t in np.linspace(0, 1, 30)]
    axes.set(xlim=(None, 4 * axes.get_xlim()[1]), ylim=(ENOUGH / 25, max(2, axes.get_ylim()[1])))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_yticks([10.0**-k for k in range(10)], ["1", *(f"1e-{k}" for k in range(1, 9)), "≤ 1e-9"])
    axes.minorticks_off()
    page.draw_without_rendering()
    taken, lines = [], axes.transData.transform(lines)
    for end, name in sorted(ends):
        label = axes.annotate(name, end, (9, 0), textcoords="offset points", color=PROGRAMS[name].colour, va="center",
                              weight="bold" if name == "logodds" else "normal")

        def crowding(place):
            label.set_position(place)
            box = label.get_window_extent().padded(3)
            return 50 * sum(map(box.overlaps, taken)) + box.count_contains(lines) + abs(place[1]) / 12
        label.set_position(min([(9, 0), (9, -14), (9, 14), (0, -17), (-60, -17), (9, 28), (-60, -31)], key=crowding))
        taken.append(label.get_window_extent().padded(3))
    page.savefig(path, transparent=True, metadata={"Date": None, "Title": title})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for flag, default, text in [
            ("--program", "target/release/logodds", "logodds itself"), ("--device", "cpu", "for logodds"),
            ("--rows", 1_000_000, "of the generated table"), ("--l2", 1e-4, "L2 penalty"), ("--l1", 1e-3, "L1 penalty"),
            ("--real", "data/digits/train.parquet", "a table, named after its folder"), ("--target", "digit", "its target"),
            ("--runs", 3, "rounds"), ("--limit", 120.0, "seconds of fitting in a sweep"),
            ("--work", "target/race", "folder of the generated table"), ("--docs", "docs/race", "folder of the results")]:
        parser.add_argument(flag, type=type(default), default=default, help=f"{text} [{default}]")
    parser.add_argument("--redraw", action="store_true", help="table and plots from runs.jsonl, without a race")
    parser.add_argument("only", nargs="*", help="problems, and programs beside logodds, such as generated-l1 skglm [all]")
    arguments = parser.parse_args()
    generated, docs, real = Path(arguments.work, "generated.parquet"), Path(arguments.docs), Path(arguments.real)
    tables = {"generated": (generated, "y"), real.resolve().parent.name: (real, arguments.target)}
    problems = {f"{name}-{penalty}": (*table, penalty) for name, table in tables.items() for penalty in ("l2", "l1")}
    if unknown := set(arguments.only) - set(problems) - set(PROGRAMS):
        parser.error(f"{', '.join(unknown)}: neither of {', '.join(problems)} nor of {', '.join(PROGRAMS)}")
    if not arguments.redraw:
        generated.parent.mkdir(parents=True, exist_ok=True)
        docs.mkdir(parents=True, exist_ok=True)
        generate(generated, arguments.rows)
        cpu = subprocess.getoutput("grep -m1 'model name' /proc/cpuinfo").partition(": ")[2] or "an unnamed processor"
        with (docs / "runs.jsonl").open("w") as log:
            print(json.dumps({"machine": f"{THREADS} cores of {cpu}, {time.strftime('%B %Y')}"}), file=log)
            for name in [name for name in problems if name in arguments.only] or problems:
                path, target, penalty = problems[name]
                penalties = {"penalty": penalty, "l1": 0.0, "l2": 0.0} | {penalty: getattr(arguments, penalty)}
                job = {"problem": name, "path": str(path), "target": target, "model": str(generated) + ".model.json"}
                others = [program for program in PROGRAMS if program in arguments.only] or PROGRAMS
                for record in race(vars(arguments) | job | penalties, dict.fromkeys(["logodds", *others])):
                    print(json.dumps(record), file=log, flush=True)
    first, *records = map(json.loads, (docs / "runs.jsonl").read_text().splitlines())
    rows = []
    for name in dict.fromkeys(r["problem"] for r in records):
        title, about, more, points = summarise([r for r in records if r["problem"] == name])
        rows += more
        plot(docs / f"{name}.svg", title, points)
        print(f"- {about}")
    print(f"\nSeconds, median (lowest - highest); {first['machine']}\n\n| problem | program | version | fit to 1e-6 | read "
          "| prepare | file to model | setting | best reached |\n|---|---|---|--:|--:|--:|--:|---|---|", *rows, sep="\n")


if __name__ == "__main__":
    main()
