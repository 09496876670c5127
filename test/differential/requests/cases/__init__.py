"""Every variant, in the order in which they are asked: both brokers get the same sequence."""

from . import admin, clients, filters, frames, ground, groups, locks, offsets, pulls, queries, retries, sends, timers, topics, unserved


def all_cases():
    modules = (ground, frames, sends, timers, pulls, offsets, queries, retries, clients, locks, filters, topics, groups, admin, unserved)
    found = [variant for module in modules for variant in module.CASES]
    names = [variant.name for variant in found]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"names that are there twice: {twice}"
    return found
