"""What a reader has to know of the machine that figures come from; never its name."""

import os
import platform
import re
import subprocess


def describe(programs):
    cpu = ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as info:
            found = re.search(r"^(?:model name|Processor)\s*:\s*(.*)$", info.read(), re.MULTILINE)
            cpu = found.group(1) if found else ""
    except OSError:
        pass
    return {"arch": platform.machine(), "cpu": cpu, "cores": os.cpu_count(), "kernel": platform.release().split("-")[0],
            "build": build_type(programs)}


def is_another(stored, found):
    """Whether figures of these two must not be put together. Who is not known (None) is another."""
    return stored is None or any(stored[key] != found[key] for key in ("arch", "cpu", "cores"))


def name(described):
    if described is None:
        return "an unknown machine"
    return f"{described['cpu'] or 'an unknown processor'} ({described['arch']}, {described['cores']} cores)"


def build_type(programs):
    try:
        cache = (programs / "CMakeCache.txt").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    found = re.search(r"^CMAKE_BUILD_TYPE:\w+=(.*)$", cache, re.MULTILINE)
    return found.group(1) if found else "unknown"


def commit():
    """With a "+" where the tree differs from it, apart from what a run itself writes."""
    def git(*arguments):
        return subprocess.run(["git", *arguments], capture_output=True, text=True, check=False).stdout.strip()
    return git("rev-parse", "--short", "HEAD") + ("+" if git("status", "--porcelain", "--", "src", "include", "bench") else "")


def load():
    """Of the minute before: a machine that does other things too shows here."""
    return round(os.getloadavg()[0], 2)
