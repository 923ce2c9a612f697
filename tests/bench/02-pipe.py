"""CPython's side of bench_02-pipe. One line on stdin asks for a round; the answer is one line of
JSON: the seconds of one iteration, by workload and variant."""

import json
import multiprocessing
import os
import platform
import sys
import time

CONTEXT = multiprocessing.get_context("fork")
PROCESSORS = sorted(os.sched_getaffinity(0))[:2]
VARIANT = f"CPython {platform.python_version()}, `Connection`"


def serve(ours, connection, batch, processor):
    ours.close()
    os.sched_setaffinity(0, {PROCESSORS[min(processor, len(PROCESSORS) - 1)]})
    try:
        while True:
            if batch == 0:
                connection.send_bytes(connection.recv_bytes())
            else:
                for _ in range(batch):
                    message = connection.recv_bytes()
                connection.send_bytes(message)
    except EOFError:
        pass


def seconds_each(size, batch, processor, iterations):
    os.sched_setaffinity(0, {PROCESSORS[0]})
    ours, theirs = multiprocessing.Pipe()
    peer = CONTEXT.Process(target=serve, args=(ours, theirs, batch, processor))
    peer.start()
    theirs.close()
    message = bytes(size)
    start = time.perf_counter()
    for _ in range(iterations):
        for _ in range(max(batch, 1)):
            ours.send_bytes(message)
        ours.recv_bytes()
    seconds = (time.perf_counter() - start) / iterations
    ours.close()
    peer.join()
    return seconds


def main():
    for _ in sys.stdin:
        round_ = {}
        for workload, size, batch, processor, iterations in (
                ("round trip, 8 B, one CPU", 8, 0, 0, 1000),
                ("round trip, 8 B, two CPUs", 8, 0, 1, 1000),
                ("round trip, 1 KiB, one CPU", 1024, 0, 0, 1000),
                ("round trip, 1 KiB, two CPUs", 1024, 0, 1, 1000),
                ("64 times 1 KiB one way, two CPUs", 1024, 64, 1, 60),
                ("16 times 1 MiB one way, two CPUs", 1 << 20, 16, 1, 4)):
            round_[f"{workload}/{VARIANT}"] = seconds_each(size, batch, processor, iterations)
        print(json.dumps(round_), flush=True)


if __name__ == "__main__":
    main()
