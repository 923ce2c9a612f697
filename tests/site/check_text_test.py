#!/usr/bin/env python3
"""check_text.py must report what is false: each test breaks one thing of a small true book."""

import json
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

SCRIPT = Path(__file__).with_name("check_text.py")

CHAPTER = """# 01 · Process

See [the story](#the-story), [`spawn.cpp`](../../solutions/01-process/spawn.cpp#L2) and
[the book](../../README.md#map).

<!-- excerpt: solutions/01-process/spawn.cpp -->
```cpp
int spawn() {
  // ...
  return pid;
```

<!-- output: demo 01-process -->
```text
child 4711 says hello
parent 4710 at 0x7ffd12
```

<!-- output: broken 01-process/zombies unordered -->
```text
two
one
```

## The story

Text.
"""

SPAWN = """namespace mp {
  int spawn() {
    const int pid = fork();
    return pid;
  }
}
"""


class Book(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        self.programs = self.root / "programs"
        self.write("README.md",
                   "# Book\n\n[one](chapters/01-process/README.md)\n\n## Map\n\nText.\n")
        self.write("chapters/01-process/README.md", CHAPTER)
        self.write("solutions/01-process/spawn.cpp", SPAWN)
        self.program("01-process_demo", "echo child $$ says hello\n"
                                        "echo parent 123456 at 0xabc >&2")
        self.program("01-process_broken_zombies", "echo one; echo two")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def program(self, name, script):
        # With a pid of three digits at least, or `$$` would not be one of the numbers left out.
        self.write(f"programs/{name}", f"#!/bin/sh\n{script}\n".replace("$$", "$(($$ + 1000))"))
        (self.programs / name).chmod(0o755)

    def change(self, old, new):
        self.assertIn(old, CHAPTER)
        self.write("chapters/01-process/README.md", CHAPTER.replace(old, new))

    def check(self, *options):
        done = subprocess.run([sys.executable, str(SCRIPT), "--root", str(self.root), "--json",
                               *(options or ("--programs", str(self.programs)))],
                              capture_output=True, text=True, check=False, timeout=60)
        self.assertEqual(done.stderr, "")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(done.returncode, 0 if all(entry["ok"] for entry in found) else 1)
        return found

    def reported(self, *options):
        return [(entry["name"].split()[0], entry["detail"]) for entry in self.check(*options)
                if not entry["ok"]]

    def assert_reported(self, kind, *parts):
        found = self.reported()
        self.assertEqual([name for name, _ in found], [kind], found)
        for part in parts:
            self.assertIn(part, found[0][1])

    def test_a_true_book_passes(self):
        self.assertEqual(self.reported(), [])
        self.assertEqual(len(self.check()), 5)

    def test_without_programs_the_outputs_are_skipped(self):
        found = self.check("--json")
        self.assertEqual(sum(entry["skipped"] for entry in found), 2)

    # Links

    def test_a_missing_file(self):
        self.change("README.md#map", "NOWHERE.md")
        self.assert_reported("text", "chapters/01-process/README.md:4:", "no such file")

    def test_a_missing_anchor_of_the_page(self):
        self.change("#the-story", "#the-tale")
        self.assert_reported("text", "README.md:3:", "no heading '#the-tale'")

    def test_a_missing_anchor_of_another_page(self):
        self.change("#map", "#Map")
        self.assert_reported("text", "README.md:4:", "no heading '#Map'")

    def test_a_line_beyond_the_end(self):
        self.change("#L2", "#L7")
        self.assert_reported("text", "no '#L7'")

    def test_a_link_out_of_the_repository(self):
        self.change("../../README.md#map", "../../../etc/passwd")
        self.assert_reported("text", "leaves the repository")

    def test_a_missing_image(self):
        self.change("Text.", "![A picture](figures/none.svg)")
        self.assert_reported("text", "no such file")

    def test_a_reference_link(self):
        self.change("Text.", "See [this][that].")
        self.assert_reported("text", "reference links")

    # Excerpts

    def test_a_changed_line(self):
        self.change("  return pid;", "  return -1;")
        self.assert_reported("listings", "README.md:7:", "from 'return -1;' on")

    def test_lines_that_are_not_contiguous(self):
        self.change("  // ...\n", "")
        self.assert_reported("listings", "from 'return pid;' on")

    def test_an_indentation_that_is_not_common(self):
        self.change("  return pid;", "return pid;")
        self.assert_reported("listings", "'return pid;'")

    def test_an_excerpt_of_a_missing_file(self):
        self.change("excerpt: solutions/01-process/spawn.cpp", "excerpt: solutions/spawn.cpp")
        self.assert_reported("listings", "there is no file 'solutions/spawn.cpp'")

    def test_a_comment_before_no_fence(self):
        self.change("Text.", "<!-- excerpt: README.md -->\n\nText.")
        self.assert_reported("listings", "no fence follows")

    def test_a_misspelt_check(self):
        self.change("<!-- excerpt:", "<!-- except:")
        self.assert_reported("listings", "no check 'except:'")

    def test_a_program_that_nothing_compiles(self):
        self.change("Text.", "```cpp\nint main() { return 0; }\n```")
        self.assert_reported("listings", "README.md:27:", "nothing compiles it")

    # Outputs

    def test_another_output(self):
        self.program("01-process_demo", "echo child 1234 says hello; echo parent")
        self.assert_reported("output", "README.md:14:", "line 2",
                             "the text shows 'parent # at #', the program prints 'parent'")

    def test_more_output(self):
        self.program("01-process_broken_zombies", "echo one; echo two; echo two")
        self.assert_reported("output", "the text shows nothing more")

    def test_another_order(self):
        self.change(" unordered", "")
        self.assert_reported("output", "line 1")

    def test_small_numbers_count(self):
        self.program("01-process_broken_zombies", "echo one; echo two 42")
        self.assert_reported("output", "two 42")

    def test_what_is_left_out(self):
        self.change("two\none", "one\n…\nfour")
        self.change(" unordered", "")
        self.write("chapters/01-process/README.md", CHAPTER.replace(" unordered", "").replace(
            "two\none", "$ ./learn demo 01\none\n…\nfour"))
        self.program("01-process_broken_zombies", "echo one; echo two; echo three; echo four")
        self.assertEqual(self.reported(), [])
        self.program("01-process_broken_zombies", "echo one; echo four; echo five")
        self.assert_reported("output", "not print")

    def test_a_missing_program(self):
        (self.programs / "01-process_demo").unlink()
        self.assert_reported("output", "no program 01-process_demo")

    def test_another_demo(self):
        self.change("output: demo 01-process", "output: demo 01-process/names")
        self.assert_reported("output", "no program 01-process_demo_names")
        (self.programs / "01-process_demo").rename(self.programs / "01-process_demo_names")
        self.assertEqual(self.reported(), [])

    def test_a_broken_program_without_a_name(self):
        self.change("output: broken 01-process/zombies", "output: broken 01-process")
        self.assert_reported("output", "neither")

    def test_programs_run_under_the_watch(self):
        self.program("mp_watch", '"$1"; case $1 in *_demo) echo "watch: ended it" >&2; esac')
        self.assert_reported("output", "line 3", "the program prints 'watch: ended it'")

    def test_an_unknown_kind_of_program(self):
        self.change("output: demo 01-process", "output: 01-process demo")
        self.assert_reported("output", "neither")

    def test_orphans_that_hold_the_pipe_are_killed(self):
        self.program("01-process_broken_zombies", "setsid sleep 4321 & echo one; echo two")
        started = time.monotonic()
        self.assertEqual(self.reported(), [])
        self.assertLess(time.monotonic() - started, 8)
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                self.assertNotEqual(entry.read_bytes(), b"sleep\x004321\x00")
            except OSError:
                pass  # a process that has ended meanwhile


if __name__ == "__main__":
    unittest.main()
