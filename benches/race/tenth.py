#!/usr/bin/env python3
"""Times scikit-learn on the first tenth of a table, with the penalties that a sweep of logodds tried on the whole.

    logodds tune TABLE --target COLUMN --no-standardize --lambdas 10 --tolerance 1e-5 --json -o m.json > sweep.json
    pip install numpy pandas pyarrow scikit-learn==1.9.1
    python benches/race/tenth.py TABLE COLUMN sweep.json [--solver newton-cholesky] [--limit SECONDS]

One model for each class, fold and penalty, warm-started along the path; stops at the limit and says how far it came.
"""
import argparse, json, time, warnings
import numpy as np, pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("table")
parser.add_argument("target")
parser.add_argument("sweep")
parser.add_argument("--solver", default="newton-cholesky")
parser.add_argument("--limit", type=float, default=600)
a = parser.parse_args()

warnings.simplefilter("ignore")
results = json.load(open(a.sweep))["results"]
penalties = sorted({r["l2"] for r in results if r["fold"] is not None}, reverse=True)
table = pq.read_table(a.table)
table = table.slice(0, table.num_rows // 10).to_pandas()
y = table.pop(a.target).to_numpy()
x = table.to_numpy(dtype=np.float64)

start, fits, stopped = time.perf_counter(), 0, 0
for label in np.unique(y):
    is_label = (y == label).astype(int)
    for rows, _ in StratifiedKFold(5).split(x, is_label):
        model = LogisticRegression(solver=a.solver, tol=1e-5, max_iter=1000, warm_start=True)
        for penalty in penalties:
            if time.perf_counter() - start > a.limit:
                break
            model.C = 1 / (penalty * len(rows))
            model.fit(x[rows], is_label[rows])
            fits += 1
            stopped += model.n_iter_[0] >= 1000
print(f"{a.solver}: {fits} fits in {time.perf_counter() - start:.1f} s, {stopped} of them at 1,000 iterations")
