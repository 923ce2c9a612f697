"""CPython's side of bench_04-lock. One line on stdin asks for a round; the answer is one line of
JSON: the seconds of one operation, by workload and variant."""

import json
import platform
import sys

from at_once import CONTEXT, seconds_each, seconds_of

ROUNDS = 2_000
TRIPS = 500
PYTHON = f"CPython {platform.python_version()}"


def counting(lock, array):
    for _ in range(ROUNDS):
        with lock:
            array[0] += 1


def main():
    for _ in sys.stdin:
        round_ = {}
        for name in ("Lock", "RLock"):
            lock = getattr(CONTEXT, name)()

            def both():
                lock.acquire()
                lock.release()

            round_[f"acquire and release, alone/{PYTHON}, `{name}`"] = seconds_of(both, 20_000)
        for processes in (2, 4):
            lock, array = CONTEXT.Lock(), CONTEXT.RawArray("i", 1)
            round_[f"an increment, {processes} processes/{PYTHON}, `Lock`"] = \
                seconds_each(processes, ROUNDS * processes, lambda: counting(lock, array))
        there, back, first = CONTEXT.Semaphore(0), CONTEXT.Semaphore(0), CONTEXT.Semaphore(1)

        def trips():
            if first.acquire(block=False):
                for _ in range(TRIPS):
                    there.release()
                    back.acquire()
            else:
                for _ in range(TRIPS):
                    there.acquire()
                    back.release()

        round_[f"a wake-up there and one back, two CPUs/{PYTHON}, `Semaphore`"] = \
            seconds_each(2, TRIPS, trips)
        print(json.dumps(round_), flush=True)


if __name__ == "__main__":
    main()
