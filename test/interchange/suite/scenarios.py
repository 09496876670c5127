"""The scenarios by name. Each is a function of a Context that returns what it covered, counted, or raises."""

from . import batch_queues, chains, mistaken, pop, same_bytes, timers

SCENARIOS = {
    "same-bytes": same_bytes.run,
    "apache-on-ours": mistaken.apache_on_ours,
    "apache-on-ours-at-end": mistaken.apache_on_ours_at_a_segments_end,
    "ours-on-apache": mistaken.ours_on_apache,
    "batch-queues": batch_queues.run,
    "timers": timers.run,
    "pop": pop.run,
    "clean-apache": chains.CLEAN_A.run,
    "clean-tern": chains.CLEAN_T.run,
    "killed-apache": chains.KILLED_A.run,
    "killed-tern": chains.KILLED_T.run,
}
