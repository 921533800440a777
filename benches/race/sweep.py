#!/usr/bin/env python3
"""Races `logodds tune` against scikit-learn's LogisticRegressionCV and adelie's paths: 20 ridge penalties, 5 folds, the refit.

    cargo build --release && pip install numpy pyarrow scikit-learn==1.9.1
    python benches/race/sweep.py                        # 1,000,000 x 64, generated; or --table FILE --target COLUMN
    python benches/race/sweep.py --peers adelie         # adelie==1.1.52, in an environment with numpy<2 and pyarrow<20

Both get the same standardised columns, folds and penalties; seconds of training alone, and logodds' passes beside those
of one fit. Both stop at a tolerance of 1e-5 of their own; logodds' residuals are certified in float64.
"""
import argparse, json, os, subprocess, tempfile, time, warnings
import numpy as np, pyarrow as pa, pyarrow.parquet as pq

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PENALTIES = np.logspace(0, -5, 20)


def generated(rows, features):
    """Correlated columns, and a class that follows a linear rule with noise."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((rows, features), dtype=np.float32)
    x[:, 1:] += 0.8 * x[:, :-1]
    score = x @ rng.standard_normal(features).astype(np.float32) / np.sqrt(features)
    y = (score + rng.logistic(size=rows) > 0).astype(np.int8)
    return x, y


def run(*arguments):
    out = subprocess.run([os.path.join(ROOT, "target/release/logodds"), *arguments, "--json", "--quiet"], check=True, capture_output=True)
    return json.loads(out.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--table")
    parser.add_argument("--target", default="y")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=64)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", default="scikit-learn", help="scikit-learn, adelie, both with a comma between, or none")
    parser.add_argument("--keep", help="file for the table")
    a = parser.parse_args()
    if a.table:
        table = pq.read_table(a.table)
        y = table[a.target].to_numpy()
        x = np.column_stack([table[c].to_numpy() for c in table.column_names if c != a.target]).astype(np.float32)
    else:
        x, y = generated(a.rows, a.features)
    fold = np.random.default_rng(1).permutation(np.arange(len(y)) % 5)
    with tempfile.TemporaryDirectory() as folder:
        path, model = a.keep or os.path.join(folder, "t.parquet"), os.path.join(folder, "m.json")
        columns = {f"x{j}": x[:, j] for j in range(x.shape[1])} | {"y": y, "fold": fold}
        pq.write_table(pa.table(columns), path, compression="zstd", row_group_size=131_072)
        common = [path, "--target", "y", "--device", "cpu", "--tolerance", "1e-5", "-o", model]
        penalties = ",".join(repr(float(p)) for p in PENALTIES)
        for _ in range(a.repeats):
            found = run("tune", *common, "--fold-column", "fold", "--lambdas", penalties)
            print(f"logodds tune: {found['seconds']['train']:.2f} s, {found['passes']:.1f} passes, "
                  f"{found['converged']} of {found['models']} models certified", flush=True)
        one = run("train", *common, "--exclude", "fold", "--l1", "0", "--l2", "1e-3")
        print(f"logodds train, one model: {one['seconds']['train']:.3f} s, {one['passes']:.1f} passes", flush=True)

    x = (x - x.mean(0, dtype=np.float64)) / x.std(0, dtype=np.float64)
    for name in a.peers.split(","):
        if name != "none":
            start = time.time()
            what = PEERS[name](x, y, fold)
            print(f"{what}: {time.time() - start:.1f} s", flush=True)


def scikit_learn(x, y, fold):
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import PredefinedSplit
    warnings.filterwarnings("ignore")
    LogisticRegressionCV(Cs=1 / (PENALTIES * 0.8 * len(y)), cv=PredefinedSplit(fold), solver="newton-cholesky", tol=1e-5,
                         scoring="neg_log_loss", n_jobs=-1).fit(x, y)
    return "scikit-learn LogisticRegressionCV, newton-cholesky"


def adelie(x, y, fold):
    """Six paths, one after another; copies of the folds' rows are in the time."""
    import adelie as ad
    threads = os.cpu_count()
    for kept in [fold != k for k in range(5)] + [slice(None)]:
        rows, labels = np.asfortranarray(x[kept], dtype=np.float32), y[kept].astype(np.float32)
        ad.grpnet(X=ad.matrix.dense(rows, method="naive", n_threads=threads), glm=ad.glm.binomial(y=labels, dtype=np.float32),
                  alpha=0.0, lmda_path=PENALTIES, tol=1e-6, irls_tol=1e-6, adev_tol=1, ddev_tol=0, early_exit=False,
                  progress_bar=False, n_threads=threads)
    return "adelie, six paths, float32, tol 1e-6"


PEERS = {"scikit-learn": scikit_learn, "adelie": adelie}
main()
