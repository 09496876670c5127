"""The table of suites. To add one: a file here with a function run(context) -> Totals, and a row below."""

import dataclasses
import pathlib
from collections.abc import Callable

from ..cluster import Cluster


@dataclasses.dataclass
class Totals:
    passed: int = 0
    failed: int = 0


@dataclasses.dataclass
class Context:
    """What a suite gets: a cluster that runs, and where it may write."""

    cluster: Cluster
    control: str          # host:port that takes requests about the daemons (see control.py)
    work: pathlib.Path    # the run's own directory, removed when all went well
    only: str             # what the caller picked of the suite, in the suite's own terms; empty: everything


@dataclasses.dataclass
class Topology:
    """Whose daemons a cluster has: one nameserver and one broker of each maker that is named."""

    nameservers: list[str]
    brokers: list[str]

    def __str__(self):
        return f"{'+'.join(self.brokers)} under {'+'.join(self.nameservers)}"


@dataclasses.dataclass
class Suite:
    run: Callable[[Context], Totals]
    # Runs once in each of these clusters. Empty: in the one that the command line asks for.
    topologies: list[Topology] = dataclasses.field(default_factory=list)


from . import go, java, mqadmin, npm, rust  # noqa: E402  (they use the classes above)

#: name on the command line -> suite
SUITES = {
    "java-5.5.0": Suite(java.suite("5.5.0")),
    "java-4.9.8": Suite(java.suite("4.9.8")),
    # The same with the compact header encoding instead of JSON.
    "java-5.5.0-binary": Suite(java.suite("5.5.0", {"ROCKETMQ_SERIALIZE_TYPE": "ROCKETMQ"})),
    "mixed": Suite(java.suite("5.5.0", tag="mixed"), [
        Topology(["apache"], ["tern"]), Topology(["tern"], ["apache"]), Topology(["tern", "apache"], ["tern", "apache"])]),
    "mqadmin": Suite(mqadmin.run),
    "go": Suite(go.run),
    "npm": Suite(npm.run),
    "rust": Suite(rust.run),
}
