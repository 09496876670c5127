"""Every variant, in the order in which they are asked: both brokers get the same sequence."""

from . import (admin, clients, control, filters, frames, ground, groups, locks, mqadmin, offsets, progress, pulls, queries, replies, retries, sends,
               timers, topics, unserved)


def all_cases():
    modules = (ground, mqadmin, frames, sends, timers, pulls, offsets, queries, retries, clients, locks, filters, replies, control, topics, groups, progress, admin,
               unserved)
    found = [variant for module in modules for variant in module.CASES]
    names = [variant.name for variant in found]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"names that are there twice: {twice}"
    return found
