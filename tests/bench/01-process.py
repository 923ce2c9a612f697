"""CPython's side of bench_01-process. One line on stdin asks for a round; the answer is one line of
JSON: the seconds of one start and join, by workload and variant. One interpreter serves all rounds,
so that its own start is not measured."""

import json
import mmap
import multiprocessing
import platform
import sys
import time

# The default was "fork" until 3.13; the others start a new interpreter and measure that.
CONTEXT = multiprocessing.get_context("fork")
VARIANT = f"CPython {platform.python_version()}, `multiprocessing.Process`"
BALLAST_SIZE = 200 * 1024 * 1024


def nothing():
    pass


def seconds_each(iterations):
    start = time.perf_counter()
    for _ in range(iterations):
        process = CONTEXT.Process(target=nothing)
        process.start()
        process.join()
    return (time.perf_counter() - start) / iterations


def ballast():
    """Touched memory, as Ballast in 01-process.cpp: private, in pages of 4 KiB."""
    memory = mmap.mmap(-1, BALLAST_SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    try:
        memory.madvise(mmap.MADV_NOHUGEPAGE)
    except OSError:
        pass  # a kernel without huge pages
    for offset in range(0, BALLAST_SIZE, mmap.PAGESIZE):
        memory[offset] = 1
    return memory


def main():
    for _ in sys.stdin:
        round_ = {f"start and join/{VARIANT}": seconds_each(30)}
        with ballast():
            round_[f"the same, parent with 200 MiB/{VARIANT}"] = seconds_each(10)
        print(json.dumps(round_), flush=True)


if __name__ == "__main__":
    main()
