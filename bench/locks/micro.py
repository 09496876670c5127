"""Runs put_lock_bench and put_phases_bench, each for one cell."""

import json
import subprocess
import time

import plan

KEPT = ["appends/s", "cpu_ns", "p50_us", "p99_us", "p9999_us", "mean_us", "fair", "wait_ns", "hold_ns", "wait_share",
        "hold_share", "k", "retreats", "switches", "sleeps"]
PATIENCE_S = 120


def run(programs, cells):
    """(values, seconds it took) of the only cell."""
    (cell,), begin = cells, time.monotonic()
    return [(locks_alone(programs, cell), time.monotonic() - begin)]


def run_phases(programs, cells):
    (cell,), begin = cells, time.monotonic()
    return [(changing_load(programs, cell), time.monotonic() - begin)]


def locks_alone(programs, cell):
    name = f"{cell['lock']}/threads:{cell['threads']}/body:{cell['body']}"
    out = subprocess.run([programs / "bench/put_lock_bench", f"--benchmark_filter=^{name}/", f"--warm_ms={cell['warm_ms']}",
                          f"--run_ms={cell['run_ms']}", "--benchmark_format=json"],
                         capture_output=True, text=True, check=True, timeout=PATIENCE_S).stdout
    found = json.loads(out)["benchmarks"]
    if len(found) != 1:
        raise RuntimeError(f"{name}: {len(found)} benchmarks")
    return {key: float(f"{found[0][key]:.5g}") for key in KEPT}


def changing_load(programs, cell):
    phases = [f"{threads}x{body}:{cell['phase_s']}" for threads, body in plan.SHAPES[cell["shape"]]] * cell["rounds"]
    out = subprocess.run([programs / "bench/put_phases_bench", cell["lock"], str(cell["speed"]), *phases],
                         capture_output=True, text=True, check=True,
                         timeout=PATIENCE_S + cell["phase_s"] * len(phases)).stdout
    return condensed([json.loads(line) for line in out.splitlines()])


def condensed(samples):
    """Columns instead of records: [t, phase, appends, k, switches, sleeps]."""
    return {"samples": [[s["t"], s["phase"], s["appends"], s["k"], s["switches"], int(s["mode"] == "mutex")] for s in samples]}
