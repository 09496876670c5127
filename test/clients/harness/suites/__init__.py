"""The table of suites. To add one: a file here with a function run(context) -> Totals, and a row below."""

import dataclasses
import pathlib

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


from . import go, java, mqadmin, npm  # noqa: E402  (they use the classes above)

#: name on the command line -> function
SUITES = {
    "java-5.5.0": java.suite("5.5.0"),
    "java-4.9.8": java.suite("4.9.8"),
    # The same with the compact header encoding instead of JSON.
    "java-5.5.0-binary": java.suite("5.5.0", {"ROCKETMQ_SERIALIZE_TYPE": "ROCKETMQ"}),
    "mqadmin": mqadmin.run,
    "go": go.run,
    "npm": npm.run,
}
