"""For the CPython side of bench_03-array, bench_04-lock and bench_05-queue: several processes at once."""

import multiprocessing
import os
import time

CONTEXT = multiprocessing.get_context("fork")
PROCESSORS = sorted(os.sched_getaffinity(0))


def work(number, ready, gate, body):
    os.sched_setaffinity(0, {PROCESSORS[number % len(PROCESSORS)]})
    ready.release()
    gate.acquire()
    body()


def seconds_each(processes, operations, body):
    """The time from a common start until all have run `body`, by the number of operations."""
    ready, gate = CONTEXT.Semaphore(0), CONTEXT.Semaphore(0)
    workers = [CONTEXT.Process(target=work, args=(number, ready, gate, body))
               for number in range(processes)]
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


def seconds_of(statement, times):
    """The time of a function, called often."""
    start = time.perf_counter()
    for _ in range(times):
        statement()
    return (time.perf_counter() - start) / times
