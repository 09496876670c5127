"""Runs cells end to end: a broker on an empty directory, and `ternctl bench produce` against it, once for each rate."""

import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

PATIENCE_S = 60
CONNECTIONS, IN_FLIGHT = 16, 32
SETTINGS = """listenPort = 0
brokerIP1 = 127.0.0.1
bindAddress = 127.0.0.1
"""
COUNTERS = ["putLockAcquisitions", "putLockWaits", "putLockRetreats", "putLockSwitches", "putLockTimed", "putLockTimedWaitNanos",
            "putLockTimedHoldNanos", "msgPutTotalTodayNow", "putNotReady"]
LATENCIES = ["mean_ns", "p50_ns", "p99_ns", "p99.9_ns", "p99.99_ns", "max_ns"]


def settings_of(cell, directory):
    lines = [f"storePathRootDir = {directory}/store", f"putMessageLock = {cell['lock']}", f"flushDiskType = {cell['policy']}",
             f"ioThreads = {cell['io']}", f"groupAppendEnable = {'true' if cell['group'] else 'false'}"]
    if cell["k"]:
        lines.append(f"spinLockCollisionRetreatOptimalDegree = {cell['k']}")
    return SETTINGS + "\n".join(lines) + "\n"


def connections_of(cell):
    """The same number of sends under way for each cell; at least a connection for each io thread."""
    connections = max(CONNECTIONS, cell["io"])
    return connections, CONNECTIONS * IN_FLIGHT // connections


class Broker:
    def __init__(self, programs, cell, work):
        self.programs = programs
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="tern-locks-", dir=work))
        (self.directory / "broker.properties").write_text(settings_of(cell, self.directory), encoding="utf-8")
        with open(self.directory / "out", "wb") as out, open(self.directory / "err", "wb") as err:
            self.process = subprocess.Popen([programs / "bin/tern-broker", "-c", self.directory / "broker.properties"],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        self.address = None

    def __enter__(self):
        try:
            give_up = time.monotonic() + PATIENCE_S
            while not self.address:
                found = re.search(r"ready listen=[^ ]*?(127\.0\.0\.1:\d+)", (self.directory / "out").read_text(errors="replace"))
                self.address = found.group(1) if found else None
                if self.process.poll() is not None or time.monotonic() > give_up:
                    raise RuntimeError("the broker does not get ready:\n" + (self.directory / "err").read_text(errors="replace")[-2000:])
                time.sleep(0.02)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory)

    def ternctl(self, *arguments):
        done = subprocess.run([self.programs / "bin/ternctl", *arguments], capture_output=True, text=True, check=False,
                              timeout=10 * PATIENCE_S)
        if done.returncode != 0:
            raise RuntimeError(f"ternctl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def status(self):
        return dict(line.split("=", 1) for line in self.ternctl("broker", "status", "-a", self.address).splitlines())

    def produce(self, load, warm_s):
        """What the generator measured, and the broker's status when its warm-up ended and when all was answered."""
        command = [self.programs / "bin/ternctl", *load, "-a", self.address, "--server-pid", str(self.process.pid)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as generator:
            try:
                time.sleep(warm_s)
                before = self.status()
                out, err = generator.communicate(timeout=10 * PATIENCE_S)
            except BaseException:
                generator.kill()
                raise
        if generator.returncode != 0:
            raise RuntimeError(f"ternctl {' '.join(load)}: {err.strip()}")
        return json.loads(out), before, self.status()


def run(programs, cells, work):
    """(values, seconds it took) of each cell, whose rates the same broker is loaded with in this order."""
    made = []
    begin = time.monotonic()
    with Broker(programs, cells[0], work) as broker:
        for cell in cells:
            values = values_of(*broker.produce(load_of(cell), cell["warm_s"]))
            made.append((values, time.monotonic() - begin))
            begin = time.monotonic()
    values, took_s = made[-1]
    made[-1] = values, took_s + time.monotonic() - begin
    return made


def load_of(cell):
    connections, in_flight = connections_of(cell)
    load = ["bench", "produce", "--json", "-s", str(cell["body"]), "-c", str(connections), "--warmup", str(cell["warm_s"]),
            "--seconds", str(cell["run_s"])]
    # Open loop: so many may be under way that a broker which keeps up never holds a send back.
    return load + (["-r", str(cell["rate"]), "-i", "1024"] if cell["rate"] else ["-i", str(in_flight)])


def values_of(produced, before, after):
    latency = produced["latency"]
    values = {"messages/s": round(produced["messages_per_s"], 1), "cpu_us": round(produced["server_cpu_us"], 4),
              "cpu_cores": round((produced["server_user_s"] + produced["server_system_s"]) / produced["seconds"], 3),
              "generator_cores": round(produced["generator_cpu_s"] / produced["seconds"], 3), "unsent": produced["unsent"]}
    for name in LATENCIES:
        values[name.replace("_ns", "_ms")] = round(latency[name] / 1e6, 4)
    number = {name: int(after[name]) - int(before[name]) for name in COUNTERS}
    acquisitions, timed = max(1, number["putLockAcquisitions"]), max(1, number["putLockTimed"])
    values.update({"acquisitions": number["putLockAcquisitions"],
                   "records_per_acquisition": round(number["msgPutTotalTodayNow"] / acquisitions, 2),
                   "waits_part": round(number["putLockWaits"] / acquisitions, 4), "retreats": number["putLockRetreats"],
                   "retreats_per_1000": round(1000 * number["putLockRetreats"] / max(1, number["msgPutTotalTodayNow"]), 4),
                   "switches": number["putLockSwitches"], "k": int(after["putLockSpinLimit"]), "mode": after["putLockMode"],
                   "not_ready": number["putNotReady"], "timed": number["putLockTimed"],
                   "wait_us": round(number["putLockTimedWaitNanos"] / timed / 1e3, 3),
                   "hold_us": round(number["putLockTimedHoldNanos"] / timed / 1e3, 3)})
    # A send waits for the lock as long as the batch that it is in, and is in the log when that has let go.
    mean_us = latency["mean_ns"] / 1e3
    values["wait_share"] = round(values["wait_us"] / mean_us, 5)
    values["hold_share"] = round(values["hold_us"] / mean_us, 5)
    return values
