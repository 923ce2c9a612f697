#!/usr/bin/env python3
"""mp_watch ends what will never go on, and nothing else.

    python3 tests/judge/watch_test.py build/default/programs/mp_watch
"""

import os
import pty
import re
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

WATCH = ""
LIMIT = 60  # seconds, for a machine that is busy with something else
STANDSTILL = 124
LONGER_THAN_A_STANDSTILL = 3.0
SEES_CALLS = unittest.skipUnless(os.access("/proc/self/syscall", os.R_OK),
                                 "no /proc/PID/syscall here")

# The child waits for the end of a pipe that it holds open itself, and its parent as well.
NO_END = r"""
import os
print("before", flush=True)
r, w = os.pipe()
if os.fork() == 0:
    os.read(r, 1)
    os._exit(0)
os.close(r)
os.wait()
"""

# Both send before they receive, more than the buffers hold.
BOTH_SEND = r"""
import os, socket
a, b = socket.socketpair()
if os.fork() == 0:
    a = b
a.sendall(bytes(1 << 22))
"""


def command(*words):
    return [WATCH, *words]


def python(code, *words):
    return command(sys.executable, "-c", code, *words)


def runs(*words):
    """Whether there is a process with exactly this command line."""
    wanted = "\0".join(words).encode() + b"\0"
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if entry.read_bytes() == wanted:
                return True
        except OSError:
            pass  # a process that has ended meanwhile
    return False


class Watch(unittest.TestCase):
    def run_to_end(self, words, **options):
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False, timeout=LIMIT,
                              **options)
        return done.returncode, done.stdout

    def start(self, words, **options):
        process = subprocess.Popen(words, **{"stdin": subprocess.DEVNULL,
                                             "stdout": subprocess.DEVNULL,
                                             "stderr": subprocess.DEVNULL, **options})
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def test_what_the_program_says_and_returns_is_passed_on(self):
        self.assertEqual(self.run_to_end(command("sh", "-c", "echo word; exit 7")), (7, "word\n"))
        self.assertEqual(self.run_to_end(command("sh", "-c", "kill -9 $$")), (128 + 9, ""))
        self.assertEqual(self.run_to_end(command("/no/such/program"))[0], 127)
        self.assertEqual(self.run_to_end(command())[0], 2)

    @SEES_CALLS
    def test_a_reader_without_an_end(self):
        code, said = self.run_to_end(python(NO_END))
        self.assertEqual(code, STANDSTILL, said)
        lines = re.sub(r"\d{2,}", "#", said).splitlines()
        self.assertEqual(lines[0], "before")
        self.assertRegex(lines[1], "^watch: all processes have been waiting")
        self.assertRegex(lines[2], r"pid # \(parent\) is blocked in wait4\(-1\), waiting for any "
                                   r"child: pid # \(child\), which is blocked")
        self.assertRegex(lines[3], r"pid # \(child\) is blocked in read\(\d\) on pipe:\[#\];")
        self.assertRegex(lines[4], r"the write end is still open in pid # \(parent\), fd \d, and in "
                                   r"pid # itself, fd \d")
        self.assertEqual(lines[5:], ["watch: ended them all"])

    @SEES_CALLS
    def test_two_writers(self):
        code, said = self.run_to_end(python(BOTH_SEND))
        self.assertEqual(code, STANDSTILL, said)
        self.assertEqual(said.count("the buffer is full and nobody is reading"), 2, said)
        self.assertRegex(said, r"the other end, socket:\[\d+\], is open in pid \d+ \(parent\), fd ")
        self.assertRegex(said, r"the other end, socket:\[\d+\], is open in pid \d+ \(child\), fd ")

    @SEES_CALLS
    def test_one_process_alone(self):
        code, said = self.run_to_end(python("import os; os.read(os.pipe()[0], 1)"))
        self.assertEqual(code, STANDSTILL, said)
        self.assertRegex(said, r"itself, fd \d, and nowhere else\nwatch: ended it\n$")

    def test_what_can_go_on_is_left_alone(self):
        ours, terminal = pty.openpty()
        reads = "import os; os.read(0, 1)"
        cases = {
            "sleeps": self.start(command("sh", "-c", "sleep 50; :")),
            "wakes up now and then": self.start(python(
                "import select\nwhile True: select.select([], [], [], 0.2)")),
            "has a time-out": self.start(python("import os, select\nr, w = os.pipe()\n"
                                                "select.select([r], [], [], 50)")),
            "reads a terminal": self.start(python(reads), stdin=terminal),
            "has a child that reads a terminal": self.start(
                python("import os\nif os.fork(): os.wait()\nelse: os.read(0, 1)"), stdin=terminal),
            "reads from somebody else": self.start(python(reads), stdin=subprocess.PIPE),
            "writes to somebody else": self.start(
                python("import os\nwhile True: os.write(1, bytes(4096))"), stdout=subprocess.PIPE),
        }
        time.sleep(LONGER_THAN_A_STANDSTILL)
        for name, process in cases.items():
            with self.subTest(name):
                self.assertIsNone(process.poll())
        os.close(ours)
        os.close(terminal)
        for name in ("reads from somebody else", "writes to somebody else"):
            (cases[name].stdin or cases[name].stdout).close()

    def test_control_c_ends_everything(self):
        # The child has left the group, and the terminal's signal does not reach it.
        process = self.start(command("sh", "-c", "setsid sleep 4322 & exec sleep 4323"),
                             start_new_session=True)
        while not (runs("sleep", "4322") and runs("sleep", "4323")):
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.wait(LIMIT), 128 + signal.SIGINT)
        self.assertFalse(runs("sleep", "4322") or runs("sleep", "4323"))

    def test_an_orphan_gets_a_second(self):
        self.assertEqual(self.run_to_end(command("sh", "-c", "(sleep 0.2; echo late) & exit 3")),
                         (3, "late\n"))
        self.assertEqual(self.run_to_end(command("sh", "-c", "setsid sleep 4324 & exit 3")), (3, ""))
        self.assertFalse(runs("sleep", "4324"))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    WATCH = str(Path(sys.argv.pop(1)).resolve())
    unittest.main()
