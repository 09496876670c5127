"""Which lock for the put path: measures, keeps the raw data, and renders docs/performance/locks.md from it.

  scripts/bench locks --quick                   everything, short: at most 15 minutes
  scripts/bench locks --part micro              one part of the full run (--list says how long each takes); goes on where
                                                it was cut
  scripts/bench locks --part micro --again      measures that part anew
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
import merge
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
        merge_all(options.merge)
    elif not options.render:
        measure(options)
    return render()


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/bench locks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="short runs and fewer cells")
    parser.add_argument("--part", action="append", choices=list(plan.PARTS), help="only this part; may be given several times")
    parser.add_argument("--again", action="store_true", help="discard what the data has of these parts, and measure them anew")
    parser.add_argument("--fresh", action="store_true", help="discard all data of the label, as another machine has to")
    parser.add_argument("--busy", action="store_true", help="a full run although the machine does other things too")
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
            runs = plan.runs(part, quick, SEED)
            print(f"  {part:12} {len(runs):5} runs, {sum(len(run) for _, run in runs):5} records, about {plan.seconds(part, quick) / 60:.0f} min")
        print(f"  {'all':12} about {sum(plan.seconds(part, quick) for part in plan.PARTS) / 60:.0f} min")
    return 0


def measure(options):
    programs = options.build.resolve()
    for program in ("bin/tern-broker", "bin/ternctl", "bench/put_lock_bench", "bench/put_phases_bench"):
        if not (programs / program).exists():
            sys.exit(f"{programs / program} is not there; --help says how to build it")
    if machine.load() > BUSY_LOAD and not options.busy:
        busy = f"the machine is busy (load {machine.load()} in the last minute)"
        if not options.quick:
            sys.exit(f"{busy}: figures that are to stay need it quiet. --busy measures all the same")
        print(busy, file=sys.stderr)
    host, chosen = options.host_label, "quick" if options.quick else "full"
    parts = options.part or list(plan.PARTS)
    data = opened(options, machine.describe(programs), host, chosen, parts)
    left = {}
    for part in parts:
        of, runs = {"host": host, "set": chosen, "part": part}, plan.runs(part, options.quick, SEED)
        if results.unplanned(runs, data.records, of):
            sys.exit(f"{data.path} has figures of {part} that an older plan made: --again discards them")
        left[part], data.records = results.left_of(runs, data.records, of)
    data.write()
    for part, runs in left.items():
        run_part(programs, options.work, data, {"host": host, "set": chosen, "part": part}, runs)


def opened(options, here, host, chosen, parts):
    """The label's data, to be added to by this machine."""
    if here["build"] != "Release":
        sys.exit(f"{options.build} is a {here['build']} build; figures are made with a Release build")
    data = results.File(DATA / f"{host}.jsonl")
    if options.fresh:
        data.records = []
    if options.again:
        data.records = results.without(data.records, host, chosen, parts)
    if data.records and machine.is_another(data.machines.get(host), here):
        sys.exit(f"{data.path} has figures of {machine.name(data.machines.get(host))}, and this is {machine.name(here)}: "
                 f"--host-label LABEL keeps this one's in a file of their own, --fresh discards those")
    data.machines[host] = here
    return data


def run_part(programs, work, data, of, runs):
    left = sum(plan.seconds_of(of["part"], run) for _, run in runs)
    begin, commit = time.monotonic(), machine.commit()
    for number, (repeat, run) in enumerate(runs, 1):
        progress(f"{of['part']} {number}/{len(runs)}, {left / 60:.1f} min left: " + " ".join(f"{k}={v}" for k, v in run[0].items()))
        made = measured(programs, of["part"], run, work)
        data.append([{**of, "repeat": repeat, "cell": cell, "values": values, "took_s": round(took_s, 2), "commit": commit,
                      "load": machine.load()} for cell, (values, took_s) in zip(run, made)])
        left -= plan.seconds_of(of["part"], run)
    progress("")
    print(f"{of['part']}: {len(runs)} runs in {(time.monotonic() - begin) / 60:.1f} min", file=sys.stderr)


def measured(programs, part, run, work):
    """(values, seconds it took) of each of the run's cells."""
    if part == "micro":
        return micro.run(programs, run)
    if part == "phases":
        return micro.run_phases(programs, run)
    return broker.run(programs, run, work)


def progress(text):
    """Redrawn on a terminal; elsewhere a line each half minute."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
    elif text and time.monotonic() >= progress.next_s:
        print(text, file=sys.stderr, flush=True)
        progress.next_s = time.monotonic() + 30


progress.next_s = 0


def merge_all(paths):
    for path in paths:
        try:
            merge.take_over(path, DATA)
        except ValueError as problem:
            sys.exit(str(problem))


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
