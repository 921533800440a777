#!/usr/bin/env python3
"""Throughput of one pass against the number of its models, from what the benches measured, beside NumPy's float32
matrix product on the same machine.

    cargo bench --bench benches -- models_
    pip install numpy matplotlib && python benches/models.py

Draws docs/models.svg and prints the table.
"""
import glob, json, os, time
import numpy as np

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def product(n=4096, repeats=5):
    """Multiply-adds of a float32 matrix product, counted as two operations, in GFLOP/s."""
    a = np.random.default_rng(0).standard_normal((n, n), dtype=np.float32)
    best = min(_timed(a) for _ in range(repeats))
    return 2 * n**3 / best / 1e9


def _timed(a):
    start = time.perf_counter()
    a @ a
    return time.perf_counter() - start


def measured():
    """By engine and shape: [models, GFLOP/s, GB/s of X]."""
    found = {}
    for path in glob.glob(os.path.join(ROOT, "target/criterion/models_*/*/new/estimates.json")):
        group, models = path.split(os.sep)[-4:-2]
        _, engine, shape = group.split("_")
        rows, features = map(int, shape.split("x"))
        seconds = json.load(open(path))["median"]["point_estimate"] / 1e9
        rate = [int(models), 4 * rows * features * int(models) / seconds / 1e9, 4 * rows * features / seconds / 1e9]
        found.setdefault((engine, shape), []).append(rate)
    return {key: sorted(rates) for key, rates in sorted(found.items())}


def draw(found, limit):
    from matplotlib import figure, rcParams
    grey = "#7b7b7b"
    rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "models", "font.size": 11, "axes.grid": True, "grid.alpha": 0.2})
    rcParams.update(dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "grid.color"), grey))
    page = figure.Figure(figsize=(8.4, 4.4), layout="constrained")
    axes = page.subplots()
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("models in one pass")
    axes.set_title("GFLOP/s of one pass: memory rules on the slope, arithmetic on the plateau", loc="left", fontsize=11)
    for (engine, shape), colour in zip(found, ("#0072b2", "#d55e00", "#009e73")):
        rates = found[engine, shape]
        axes.plot([r[0] for r in rates], [r[1] for r in rates], marker="o", color=colour, label=f"{engine}, {shape}")
    axes.axhline(limit, color=grey, linestyle=(0, (4, 4)), linewidth=1)
    axes.annotate("NumPy's float32 matrix product", (1, limit), (4, 4), textcoords="offset points")
    axes.set_xticks([r[0] for r in next(iter(found.values()))])
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="lower right")
    page.savefig(os.path.join(ROOT, "docs/models.svg"), transparent=True, metadata={"Date": None})


found, limit = measured(), product()
print(f"float32 matrix product: {limit:.0f} GFLOP/s")
for (engine, shape), rates in found.items():
    print(f"\n{engine}, {shape}\n| models | GFLOP/s | share of the product | GB/s of X |\n|---:|---:|---:|---:|")
    for models, flops, bandwidth in rates:
        print(f"| {models:,} | {flops:.3g} | {100 * flops / limit:.0f} % | {bandwidth:.3g} |")
draw(found, limit)
