#!/usr/bin/env python3
"""Measures one chapter, and prints a table in Markdown: ratios first.

A machine has quiet and busy phases, so nothing is measured all at once. A round runs every variant
of every workload a few times for a short while, in turn; a ratio is taken within a round, and the
table shows medians over all rounds. The variants come from build/release/programs/bench_NN-name (Google
Benchmark) and from tests/bench/NN-name.py, if there is one, which serves for all rounds.

Exit status: 0 measured, 1 the benchmark does not build or fails, 2 wrong usage, 3 the machine
lacks something.
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys

SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
FEWEST_ROUNDS = 9
BUSY = 0.15  # of the processors' time; beyond that a child often has to wait for its turn


class Failure(Exception):
    """What ends this program: a sentence, and the exit status."""

    def __init__(self, sentence, status):
        super().__init__(sentence)
        self.status = status


def run(words, folder, what, status):
    """Runs a program to its end; shows what it said only if it failed."""
    try:
        done = subprocess.run(words, cwd=folder, text=True, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    except OSError as error:
        raise Failure(f"{words[0]}: {error.strerror}", 3) from error
    if done.returncode != 0:
        sys.stderr.write(done.stdout)
        raise Failure(what, status)


def build(source, chapter):
    """@return the path of the chapter's benchmark, built for speed."""
    run(["cmake", "--preset", "release", "-DMP_BENCH=ON"], source,
        "CMake could not configure the release preset (is libbenchmark-dev installed?)", 3)
    run(["cmake", "--build", "build/release", "--target", f"bench_{chapter}"], source,
        f"bench_{chapter} does not build", 1)
    return source / "build/release/programs" / f"bench_{chapter}"


def parts(name):
    """Google Benchmark adds words such as "/real_time" to "workload/variant"."""
    return tuple(name.split("/")[:2])


def said_by(program, *options):
    """What the chapter's program prints."""
    done = subprocess.run([program, *options], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{program.name} failed: {done.stderr.strip()}", 1)
    return done.stdout


def run_workload(program, workload):
    """@return {(workload, variant): seconds}, from repetitions that are shuffled: not all of one
    variant and then all of the next."""
    # A process for each workload, because what one leaves behind (memory, caches) slows the next.
    report = said_by(program, "--benchmark_format=json", f"--benchmark_filter=^{workload}/",
                     "--benchmark_enable_random_interleaving=true")
    repetitions = {}
    for result in json.loads(report)["benchmarks"]:
        if result["run_type"] == "iteration":  # not Google Benchmark's own mean and median
            seconds = result["real_time"] * SECONDS[result["time_unit"]]
            repetitions.setdefault(parts(result["name"]), []).append(seconds)
    return {name: statistics.median(seconds) for name, seconds in repetitions.items()}


class Peer:
    """A process that measures another implementation, one round for each line it reads."""

    def __init__(self, script):
        self.left_out = None  # why, once it has failed
        self.process = None
        if script.exists():
            self.process = subprocess.Popen(
                [sys.executable, script], text=True, stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def round(self):
        if self.process is None or self.left_out is not None:
            return {}
        try:
            self.process.stdin.write("round\n")
            self.process.stdin.flush()
            return json.loads(self.process.stdout.readline())
        except (BrokenPipeError, ValueError):
            self.process.kill()
            errors = self.process.communicate()[1].strip().splitlines()
            self.left_out = errors[-1] if errors else "it ended without an answer"
            return {}

    def end(self):
        if self.process is not None:
            self.process.kill()
            self.process.communicate()


def measure(program, script, rounds):
    """@return ({workload: {variant: [seconds of each round]}}, why the peer was left out)."""
    times = {}
    for name in said_by(program, "--benchmark_list_tests=true").splitlines():
        workload, variant = parts(name)
        times.setdefault(workload, {})[variant] = []
    workloads = list(times)
    peer = Peer(script)
    try:
        for number in range(rounds):
            if sys.stderr.isatty():
                print(f"\rround {number + 1} of {rounds} ", end="", file=sys.stderr, flush=True)
            measured = {}
            for workload in workloads:
                measured |= run_workload(program, workload)
            measured |= {parts(name): seconds for name, seconds in peer.round().items()}
            for (workload, variant), seconds in measured.items():
                times[workload].setdefault(variant, []).append(seconds)
    finally:
        peer.end()
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
    if peer.left_out is not None:  # in the middle, perhaps: it has fewer rounds than the others
        for variants in times.values():
            for variant in [v for v, seconds in variants.items() if len(seconds) < rounds]:
                del variants[variant]
    return times, peer.left_out


class Surroundings:
    """How busy others kept the processors since this object was made."""

    def __init__(self):
        self.before = self.seconds()

    @staticmethod
    def seconds():
        """@return (idle, in all, our own) processor time since the machine's start."""
        with open("/proc/stat", encoding="ascii") as stat:
            ticks = [int(word) for word in stat.readline().split()[1:9]]  # to "steal"; proc(5)
        second = os.sysconf("SC_CLK_TCK")
        own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return ((ticks[3] + ticks[4]) / second, sum(ticks) / second,
                sum(usage.ru_utime + usage.ru_stime for usage in own))

    def busy(self):
        """@return the share of the processors' time that others had, from 0 to 1."""
        idle, total, own = (a - b for a, b in zip(self.seconds(), self.before))
        return max(0.0, (total - idle - own) / total)


def spell_ratio(ratio):
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"


def spell_time(seconds):
    for unit, name in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= unit:
            break
    else:
        unit, name = 1e-9, "ns"
    value = seconds / unit
    return f"{value:.0f} {name}" if value >= 100 else f"{value:.3g} {name}"


def print_table(times, left_out, rounds, busy):
    print("| workload | variant | ratio | middle half | median |")
    print("|---|---|--:|--:|--:|")
    for workload, variants in times.items():
        first = next(iter(variants.values()))
        for variant, seconds in variants.items():
            ratios = [own / peer for own, peer in zip(seconds, first)]
            low, middle, high = (spell_ratio(q) for q in statistics.quantiles(ratios, n=4))
            if seconds is first:
                middle, spread = "1", ""
            else:
                spread = f"{low} to {high}"
            print(f"| {workload} | {variant} | {middle} | {spread} "
                  f"| {spell_time(statistics.median(seconds))} |")
            workload = ""
    if left_out is not None:
        print(f"\nLeft out: CPython ({left_out}).")
    print(f"\nMedians of {rounds} rounds, each of which ran every variant in turn. A ratio is to the "
          f"first variant of its workload in the same round. Other work meanwhile had {busy:.0%} of "
          "the processors' time.")
    if busy > BUSY:
        print("\nThat is too much: measure again when the machine is quiet.")


def main():
    parser = argparse.ArgumentParser(description="Measures one chapter.")
    parser.add_argument("--source", type=pathlib.Path, required=True, help="the repository")
    parser.add_argument("--rounds", type=int, default=15, help="at least %d" % FEWEST_ROUNDS)
    parser.add_argument("chapter", help="such as 01-process")
    words = parser.parse_args()
    if words.rounds < FEWEST_ROUNDS:
        parser.error(f"fewer than {FEWEST_ROUNDS} rounds say nothing")
    folder = words.source / "tests/bench"
    if not (folder / f"{words.chapter}.cpp").exists():
        parser.error(f"chapter {words.chapter} has no benchmarks")
    try:
        program = build(words.source.resolve(), words.chapter)
        surroundings = Surroundings()
        times, left_out = measure(program, folder / f"{words.chapter}.py", words.rounds)
        busy = surroundings.busy()
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return failure.status
    except KeyboardInterrupt:
        return 130
    print_table(times, left_out, words.rounds, busy)
    return 0


if __name__ == "__main__":
    sys.exit(main())
