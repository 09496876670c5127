"""Judges a stopped store: do log, queues, index, checkpoint and configuration belong together, to the byte?"""

from . import log_files
from .log_files import SCHEDULE_TOPIC


class Verdict:
    """What was found, and everything that is wrong with it."""

    def __init__(self, layout, root, is_clean):
        self.layout, self.root = layout, root
        self.wrong = []
        self.log = log_files.read_log(root, layout.segment_size)
        self.queues = log_files.read_queues(root, layout.queue_file_size, layout.queue_ext_file_size, is_clean)
        self.batch_queues = log_files.read_batch_queues(root, layout.batch_queue_file_size)
        self.indexes = log_files.read_indexes(root, layout.index_slots, layout.index_entries, is_clean)

    def say(self, text):
        self.wrong.append(text)

    @property
    def summary(self):
        entries = sum(index.next_entry - 1 for index in self.indexes)
        return (f"{len(self.log.records)} records in {self.log.segments} segments ({self.log.blanks} filled up), "
                f"{len(self.queues)} queues in {sum(q.files for q in self.queues.values())} files, "
                f"{entries} keys in {len(self.indexes)} index files")


def judge(layout, root, last, is_clean):
    """A Verdict with an empty `wrong`, or an AssertionError that lists everything. `last` is whose broker had it last.

    After a kill (is_clean=False) queues and index may lag behind the log, but never say anything that is not so.
    """
    verdict = Verdict(layout, root, is_clean)
    _judge_log(verdict)
    # Apache's broker may leave stale records there.
    if last == "tern" and is_clean and not verdict.log.is_zero_behind:
        verdict.say(f"something stands behind the log's end at {verdict.log.end}")
    _judge_queues(verdict, is_clean)
    _judge_index(verdict, is_clean)
    # Apache's lags behind even after a clean stop.
    _judge_checkpoint(verdict, is_clean and last == "tern")
    _judge_tables(verdict, is_clean)
    if (root / "abort").exists() == is_clean:
        verdict.say("abort is there after a clean stop" if is_clean else "abort is not there after a kill")
    if (root / "lock").read_text() != "lock":
        verdict.say("lock does not hold its text")
    assert not verdict.wrong, f"{root}:\n  " + "\n  ".join(verdict.wrong[:40])
    return verdict


def _judge_log(verdict):
    next_offset, last_stored = {}, 0
    for record in verdict.log.records:
        where = f"record at {record.position} ({record.topic}#{record.queue})"
        if record.stored_position != record.position:
            verdict.say(f"{where}: says it is at {record.stored_position}")
        if record.stored < last_stored:
            verdict.say(f"{where}: stored {last_stored - record.stored} ms before the one in front of it")
        last_stored = record.stored
        if not record.is_queued:
            continue
        queue = record.topic, record.queue
        if queue in next_offset and record.offset != next_offset[queue]:
            verdict.say(f"{where}: queue offset {record.offset} instead of {next_offset[queue]}")
        next_offset[queue] = record.offset + record.count
    if verdict.log.start == 0:
        for record in verdict.log.records:
            if record.is_queued and next_offset.pop((record.topic, record.queue), None) is not None and record.offset != 0:
                verdict.say(f"{record.topic}#{record.queue} begins at {record.offset}")


def _judge_queues(verdict, is_complete):
    expected = {}
    for record in verdict.log.records:
        if record.is_queued:
            expected.setdefault((record.topic, record.queue), []).append(record)
    _judge_batch_queues(verdict, {name: expected.pop(name) for name in verdict.batch_queues if name in expected}, is_complete)
    for name, records in expected.items():
        queue = verdict.queues.get(name)
        if queue is None:
            if is_complete:
                verdict.say(f"queue {name} has no files")
            continue
        if queue.first != records[0].offset:
            verdict.say(f"queue {name} begins at {queue.first}, its records at {records[0].offset}")
            continue
        if len(queue.entries) > len(records):
            verdict.say(f"queue {name}: {len(queue.entries)} entries, {len(records)} records")
        if is_complete and len(queue.entries) < len(records):
            verdict.say(f"queue {name}: only {len(queue.entries)} entries for {len(records)} records")
        for entry, record in zip(queue.entries, records):
            if entry[:2] != (record.position, record.size) or entry[2] not in _tags_codes(verdict.layout, record):
                verdict.say(f"queue {name} at {record.offset}: {entry} instead of "
                            f"{(record.position, record.size, *_tags_codes(verdict.layout, record))}")
        if not queue.is_zero_behind:
            verdict.say(f"queue {name}: something stands behind its end")
    for name in verdict.queues.keys() - expected.keys():
        if verdict.queues[name].entries:
            verdict.say(f"queue {name} has entries, but no record")


def _judge_batch_queues(verdict, expected, is_complete):
    for name, queue in verdict.batch_queues.items():
        records = expected.get(name, [])
        if len(queue.entries) > len(records) or (is_complete and len(queue.entries) < len(records)):
            verdict.say(f"batch queue {name}: {len(queue.entries)} entries, {len(records)} records")
        for entry, record in zip(queue.entries, records):
            flags = log_files.NEED_UNWRAP | log_files.INNER_BATCH
            if "INNER_NUM" in record.properties:
                if record.sys_flag & flags != flags or int(record.properties["INNER_BASE"]) != record.offset:
                    verdict.say(f"record at {record.position}: its flags or INNER_BASE are not those of a batch at {record.offset}")
            wanted = (record.position, record.size, *_tags_codes(verdict.layout, record), record.stored, record.offset, record.count,
                      log_files.NOT_COMPACTED, 0)
            if entry != wanted:
                verdict.say(f"batch queue {name} at {record.offset}: {entry} instead of {wanted}")
        if not queue.is_zero_behind:
            verdict.say(f"batch queue {name}: something stands behind its end")


def _tags_codes(layout, record):
    level = int(record.properties.get("DELAY", 0))
    if record.topic == SCHEDULE_TOPIC and level > 0:
        # Whoever makes the entry goes by the levels that it is told.
        return {record.stored + delays[level - 1] for delays in (layout.delays_ms, layout.shortened_delays_ms)}
    return {log_files.java_hash(record.properties["TAGS"]) if "TAGS" in record.properties else 0}


def _judge_index(verdict, is_complete):
    records = {record.position: record for record in verdict.log.records}
    ends = [0] + [index.end_time for index in verdict.indexes]
    for index, previous_end in zip(verdict.indexes, ends):
        # Apache's broker makes a file before it has something to put there, and may be killed in between.
        if not is_complete and index is verdict.indexes[-1] and index.next_entry == 0 and not any(index.slots):
            continue
        if index.next_entry < 1 or index.next_entry > verdict.layout.index_entries:
            verdict.say(f"{index.path}: next entry {index.next_entry}")
            continue
        if index.used_slots != sum(slot > 0 for slot in index.slots):
            verdict.say(f"{index.path}: {index.used_slots} slots in use, but {sum(slot > 0 for slot in index.slots)} are")
        reached = set()
        for slot, newest in enumerate(index.slots):
            at = newest
            while 0 < at < index.next_entry:
                if index.entries[at][0] % len(index.slots) != slot or index.entries[at][3] >= at:
                    verdict.say(f"{index.path}: entry {at} in the chain of slot {slot}")
                    break
                reached.add(at)
                at = index.entries[at][3]
        if len(reached) != index.next_entry - 1:
            verdict.say(f"{index.path}: {index.next_entry - 1 - len(reached)} entries are in no chain")
        last = -1
        for number, (hash_, position, seconds, _) in enumerate(index.entries[1:], 1):
            record = records.get(position)
            if record is None:
                verdict.say(f"{index.path}: an entry for position {position}, where no record is")
                continue
            if hash_ not in {log_files.key_hash(key) for key in record.keys}:
                verdict.say(f"{index.path}: a key that the record at {position} has not")
            if position < last:
                verdict.say(f"{index.path}: position {position} after {last}")
            last = position
            # Apache measures a file's first entry from the end of the file before, which is another record after a gap.
            since = {index.begin_time} if number > 1 else {index.begin_time, previous_end}
            if seconds not in {max(0, record.stored - begin) // 1000 for begin in since}:
                verdict.say(f"{index.path}: {seconds} s for the record at {position}, "
                            f"{(record.stored - index.begin_time) / 1000} s after the first")
        if index.next_entry > 1:
            first, newest = records.get(index.entries[1][1]), records.get(last)
            header = index.begin_position, index.begin_time, index.end_position, index.end_time
            if first and newest and header != (first.position, first.stored, newest.position, newest.stored):
                verdict.say(f"{index.path}: its header {header} does not name its first and last record")
    if is_complete:
        missing = [(record.position, key) for record in verdict.log.records for key in record.keys
                   if not any(record.position in log_files.find_in_index(index, key) for index in verdict.indexes)]
        if missing:
            verdict.say(f"{len(missing)} keys are not in the index, for example {missing[:3]}")


def _judge_checkpoint(verdict, is_complete):
    log_time, queue_time, index_time, flushed, confirmed, queue_position = log_files.read_checkpoint(verdict.root)
    last = max((record.stored for record in verdict.log.records), default=0)
    for name, value in (("log", log_time), ("queue", queue_time), ("index", index_time)):
        if not 0 <= value <= last:
            verdict.say(f"checkpoint: {name} time {value}, but the last record is of {last}")
    for name, value in (("flushed", flushed), ("confirmed", confirmed), ("queue", queue_position)):
        if not 0 <= value <= verdict.log.end:
            verdict.say(f"checkpoint: {name} position {value}, but the log ends at {verdict.log.end}")
    if is_complete and (log_time, queue_time, queue_position) != (last, last, verdict.log.end):
        verdict.say(f"checkpoint: {log_time}, {queue_time} and {queue_position} after a clean stop, the log ends at {verdict.log.end} with {last}")


def _judge_tables(verdict, is_complete):
    config = verdict.root / "config"

    def table(file, member):
        # Each comes with the first thing that it has to say.
        return log_files.read_table(config / file)[member] if (config / file).exists() else {}
    topics = table("topics.json", "topicConfigTable")
    for (topic, queue), found in {**verdict.queues, **verdict.batch_queues}.items():
        settings = topics.get(topic)
        if found.entries and (settings is None or queue >= max(settings["readQueueNums"], settings["writeQueueNums"])):
            verdict.say(f"topics.json does not know {topic}#{queue}")
    groups = table("subscriptionGroup.json", "subscriptionGroupTable")
    if any(name != settings["groupName"] for name, settings in groups.items()):
        verdict.say("subscriptionGroup.json: a group under another's name")
    ends = {(record.topic, record.queue): record.offset + record.count for record in verdict.log.records if record.is_queued}
    for key, offsets in table("consumerOffset.json", "offsetTable").items():
        topic, _, group = key.partition("@")
        if group not in groups:
            verdict.say(f"consumerOffset.json: {key}, a group that subscriptionGroup.json does not know")
        for queue, offset in offsets.items():
            if offset > ends.get((topic, int(queue)), 0):
                verdict.say(f"consumerOffset.json: {key} {queue} at {offset}, behind its queue's end")
    done = table("delayOffset.json", "offsetTable")
    for level, offset in done.items():
        if offset > ends.get((SCHEDULE_TOPIC, int(level) - 1), 0):
            verdict.say(f"delayOffset.json: level {level} at {offset}, behind its queue's end")
    if is_complete and not done and any(topic == SCHEDULE_TOPIC for topic, _ in verdict.queues):
        verdict.say("delayOffset.json says nothing of the delayed messages")
