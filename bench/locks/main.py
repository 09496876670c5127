"""Which lock for the put path: measures, keeps the raw data, and renders docs/performance/locks.md from it.

  scripts/bench locks --quick                   everything, short: at most 15 minutes
  scripts/bench locks --part micro              one part of the full run (--list says how long each takes)
  scripts/bench locks --part micro --resume     goes on where that was cut
  scripts/bench locks --render                  only writes the report anew, from the data that is there
  scripts/bench locks --host-label big --part micro    figures of another machine: their own data file
  scripts/bench locks --merge big.jsonl         takes over a data file that was made elsewhere

The data is in docs/performance/locks/LABEL.jsonl. Needs a release build with the benchmarks:
  cmake --preset release -DTERN_BENCH=ON && ninja -C build/release tern-broker ternctl put_lock_bench put_phases_bench
"""

import argparse
import pathlib
import re
import sys
import tempfile
import time

import broker
import machine
import micro
import plan
import report
import results

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs/performance"
DATA = DOCS / "locks"
SEED = 20240601
BUSY_LOAD = 0.5


def main():
    options = arguments()
    if options.list:
        return list_parts()
    if options.merge:
        merge(options.merge)
    elif not options.render:
        measure(options)
    return render()


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench locks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs and fewer cells")
    parser.add_argument("--part", action="append", choices=list(plan.PARTS), help="only this part; may be given several times")
    parser.add_argument("--resume", action="store_true", help="keep what the data has of these parts, and run the rest")
    parser.add_argument("--host-label", default="reference", help="names the machine in the data and the report (reference)")
    parser.add_argument("--merge", nargs="+", type=pathlib.Path, metavar="FILE", help="take over data files")
    parser.add_argument("--render", action="store_true", help="only write the report")
    parser.add_argument("--list", action="store_true", help="show the parts and how long they take")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release", help="where the programs were built")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path(tempfile.gettempdir()), help="where the brokers' stores are put: on the disk that is to be measured")
    options = parser.parse_args()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", options.host_label):
        parser.error("--host-label: letters, figures, '-', '_' and '.'")
    return options


def list_parts():
    for quick in (True, False):
        print("quick" if quick else "full")
        for part in plan.PARTS:
            print(f"  {part:12} {len(plan.runs(part, quick, SEED)):5} runs, about {plan.seconds(part, quick) / 60:.0f} min")
    return 0


def measure(options):
    programs = options.build.resolve()
    for program in ("bin/tern-broker", "bin/ternctl", "bench/put_lock_bench", "bench/put_phases_bench"):
        if not (programs / program).exists():
            sys.exit(f"{programs / program} is not there; --help says how to build it")
    host, chosen = options.host_label, "quick" if options.quick else "full"
    parts = options.part or list(plan.PARTS)
    if machine.load() > BUSY_LOAD:
        print(f"the machine is busy (load {machine.load()}): figures that are to stay need it quiet", file=sys.stderr)
    data = results.File(DATA / f"{host}.jsonl")
    data.machines[host] = machine.describe(programs)
    if data.machines[host]["build"] != "Release":
        sys.exit(f"{programs} is a {data.machines[host]['build']} build; figures are made with a Release build")
    if not options.resume:
        data.records = results.without(data.records, host, chosen, parts)
    data.write()
    done = {results.key_of(record) for record in data.records}
    for part in parts:
        rest = [(repeat, cell) for repeat, cell in plan.runs(part, options.quick, SEED)
                if results.key_of({"host": host, "set": chosen, "part": part, "repeat": repeat, "cell": cell}) not in done]
        run_part(programs, options.work, data, host, chosen, part, rest)


def run_part(programs, work, data, host, chosen, part, rest):
    left = sum(plan.seconds_of(part, cell) for _, cell in rest)
    begin, commit = time.monotonic(), machine.commit()
    for number, (repeat, cell) in enumerate(rest, 1):
        progress(f"{part} {number}/{len(rest)}, {left / 60:.1f} min left: " + " ".join(f"{k}={v}" for k, v in cell.items()))
        if part == "micro":
            values = micro.run_cell(programs, cell)
        elif part == "phases":
            values = micro.run_phases(programs, cell)
        else:
            values = broker.run_cell(programs, cell, work)
        data.append({"host": host, "set": chosen, "part": part, "repeat": repeat, "cell": cell, "values": values,
                     "commit": commit, "load": machine.load()})
        left -= plan.seconds_of(part, cell)
    progress("")
    print(f"{part}: {len(rest)} runs in {(time.monotonic() - begin) / 60:.1f} min", file=sys.stderr)


def progress(text):
    """Redrawn on a terminal; elsewhere a line each half minute."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text and time.monotonic() >= progress.next_s:
        print(text, file=sys.stderr, flush=True)
        progress.next_s = time.monotonic() + 30


progress.next_s = 0


def merge(paths):
    for path in paths:
        given = results.File(path)
        if not given.records:
            sys.exit(f"{path} holds no records")
        for host in sorted({record["host"] for record in given.records}):
            data = results.File(DATA / f"{host}.jsonl")
            data.records = results.merged([data.records, [r for r in given.records if r["host"] == host]])
            data.machines.update({host: given.machines[host]} if host in given.machines else {})
            data.write()


def render():
    records, machines = [], {}
    for path in sorted(DATA.glob("*.jsonl")):
        data = results.File(path)
        records += data.records
        machines.update(data.machines)
    if not records:
        sys.exit(f"no data in {DATA.relative_to(ROOT)}")
    report.write(DOCS / "locks.md", DATA, records, machines)
    print(f"{(DOCS / 'locks.md').relative_to(ROOT)} is written", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
