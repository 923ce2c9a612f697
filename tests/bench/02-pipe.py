"""CPython's side of bench_02-pipe. One line on stdin asks for a round; the answer is one line of
JSON: the seconds of one iteration, by workload and variant."""

import json
import multiprocessing
import platform
import sys
import time

CONTEXT = multiprocessing.get_context("fork")
VARIANT = f"CPython {platform.python_version()}, `Connection`"


def serve(ours, connection, batch):
    ours.close()
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


def seconds_each(size, batch, iterations):
    ours, theirs = multiprocessing.Pipe()
    peer = CONTEXT.Process(target=serve, args=(ours, theirs, batch))
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
        for workload, size, batch, iterations in (
                ("round trip, 8 B", 8, 0, 1000),
                ("round trip, 1 KiB", 1024, 0, 1000),
                ("64 times 1 KiB one way", 1024, 64, 40),
                ("16 times 1 MiB one way", 1 << 20, 16, 3)):
            round_[f"{workload}/{VARIANT}"] = seconds_each(size, batch, iterations)
        print(json.dumps(round_), flush=True)


if __name__ == "__main__":
    main()
