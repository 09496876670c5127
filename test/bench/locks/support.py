"""Finds the modules that are tested, and makes records of given figures."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "bench/locks"))


def record(part, cell, values, repeat=0, host="a", chosen="full"):
    return {"host": host, "set": chosen, "part": part, "repeat": repeat, "cell": cell, "values": values, "took_s": 1.0, "commit": "c", "load": 0.5}
