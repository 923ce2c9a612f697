"""CPython's side of bench_03-array. One line on stdin asks for a round; the answer is one line of
JSON: the seconds of one operation, by workload and variant."""

import json
import platform
import sys

from at_once import CONTEXT, seconds_each, seconds_of

ROUNDS = 2_000
PYTHON = f"CPython {platform.python_version()}, `Array`"


def counting(array):
    lock = array.get_lock()
    for _ in range(ROUNDS):
        with lock:
            array[0] += 1


def main():
    for _ in sys.stdin:
        round_ = {}
        for processes in (1, 2, 4):
            array = CONTEXT.Array("i", 1)
            plural = "" if processes == 1 else "es"
            round_[f"an increment, {processes} process{plural}/{PYTHON}, `get_lock()`"] = \
                seconds_each(processes, ROUNDS * processes, lambda: counting(array))
        array = CONTEXT.Array("i", 1000)
        round_[f"a copy of 1,000 integers/{PYTHON}, `a[:]`"] = seconds_of(lambda: array[:], 200)
        round_[f"a copy of 1,000 integers/{PYTHON}, one by one"] = \
            seconds_of(lambda: list(array), 10)
        print(json.dumps(round_), flush=True)


if __name__ == "__main__":
    main()
