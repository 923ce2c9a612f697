"""CPython's side of bench_05-queue. One line on stdin asks for a round; the answer is one line of
JSON: the seconds of one item, by workload and variant."""

import json
import os
import platform
import sys
import time

from at_once import CONTEXT, PROCESSORS

PYTHON = f"CPython {platform.python_version()}"


def pin(placement, number):
    if placement != "unpinned":
        processor = 0 if placement == "one CPU" else number % len(PROCESSORS)
        os.sched_setaffinity(0, {PROCESSORS[processor]})


def side(put, queue, item, items, placement, number, ready, gate):
    pin(placement, number)
    ready.release()
    gate.acquire()
    for _ in range(items):
        if put:
            queue.put(item)
        else:
            queue.get()


def trips(first, there, back, times, placement, number, ready, gate):
    pin(placement, number)
    ready.release()
    gate.acquire()
    for _ in range(times):
        if first:
            there.put(1)
            back.get()
        else:
            back.put(there.get())


def timed(targets, operations):
    """The time from a common start to the end of all, by the number of operations."""
    ready, gate = CONTEXT.Semaphore(0), CONTEXT.Semaphore(0)
    workers = [CONTEXT.Process(target=target, args=(*arguments, number, ready, gate))
               for number, (target, arguments) in enumerate(targets)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    start = time.perf_counter()
    for _ in workers:
        gate.release()
    for worker in workers:
        worker.join()
    return (time.perf_counter() - start) / operations


def queue_of(kind, capacity):
    return CONTEXT.Queue(capacity) if kind == "Queue" else CONTEXT.SimpleQueue()


def main():
    for _ in sys.stdin:
        round_ = {}
        for workload, item, capacity, each, placement, kinds in (
                ("int, 1 to 1, unpinned", 1, 1024, 1, "unpinned", ("Queue", "SimpleQueue")),
                ("int, 1 to 1, two CPUs", 1, 1024, 1, "two CPUs", ("Queue", "SimpleQueue")),
                ("int, 1 to 1, one CPU", 1, 1024, 1, "one CPU", ("Queue", "SimpleQueue")),
                ("int, 1 to 1, capacity 9, unpinned", 1, 9, 1, "unpinned", ("Queue",)),
                ("int, 4 to 4, unpinned", 1, 1024, 4, "unpinned", ("Queue",)),
                ("1 KiB, 1 to 1, unpinned", bytes(1024), 1024, 1, "unpinned", ("Queue",)),
                ("1 KiB, 4 to 4, unpinned", bytes(1024), 1024, 4, "unpinned", ("Queue",))):
            for kind in kinds:
                queue = queue_of(kind, capacity)
                items = 4_000
                targets = [(side, (number % 2 == 0, queue, item, items // each, placement))
                           for number in range(2 * each)]
                round_[f"{workload}/{PYTHON}, `{kind}`"] = timed(targets, items)
        for size in (16, 64, 256, 1024, 4096, 16384, 65536):
            queue, items = CONTEXT.Queue(64), 2_000
            targets = [(side, (put, queue, bytes(size), items, "two CPUs"))
                       for put in (True, False)]
            round_[f"{size} B, 1 to 1, two CPUs/{PYTHON}, `Queue`"] = timed(targets, items)
        for placement in ("unpinned", "two CPUs", "one CPU"):
            for kind in ("Queue", "SimpleQueue"):
                there, back = queue_of(kind, 9), queue_of(kind, 9)
                targets = [(trips, (first, there, back, 300, placement))
                           for first in (True, False)]
                round_[f"round trip, {placement}/{PYTHON}, `{kind}`"] = timed(targets, 300)
        print(json.dumps(round_), flush=True)


if __name__ == "__main__":
    main()
