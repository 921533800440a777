"""Prints the versions of the peers that the tests drive."""

import duckdb
import numpy
import onnxruntime
import pyarrow

for module in (duckdb, numpy, onnxruntime, pyarrow):
    print(module.__name__, module.__version__)
