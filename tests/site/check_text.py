#!/usr/bin/env python3
"""Checks that what the book's text says is true.

    python3 tests/site/check_text.py [--programs DIR] [--json]

  text      every link, anchor, image and figure of README.md, chapters/ and docs/ leads somewhere,
            and the Markdown is what GitHub and the site both render (docs/markdown.py)
  listings  a fence after `<!-- excerpt: FILE -->` stands in FILE line by line; its indentation may
            differ, and a line that is only `// ...` or `…` stands for any lines left out. C++ that
            holds `int main` must be such an excerpt: no program is shown that nothing compiles.
  output    a fence after `<!-- output: demo 01-process -->`, `<!-- output: demo 02-pipe/python -->`
            or `<!-- output: broken 01-process/zombies -->` is what DIR/01-process_demo,
            DIR/02-pipe_demo_python or DIR/01-process_broken_zombies prints, stdout and stderr in
            one pipe; with ` unordered` at the end, in any order. They run under DIR/mp_watch, which
            ends a program that waits for ever and says why. Runs of three or more digits (pids,
            inodes) and 0x... count as #; `$ command` lines at the top are left out; `…` stands for
            lines left out.
  headings  what a grader names as "where to read", `lesson("Zombies")`, is a heading of its
            chapter's README.md, and every exercise has hints: `## 1.3 join` in hints.md with ### 1, 2, 3.

One line per check; with --json an object {"name", "ok", "skipped", "detail"} per line. Exit status:
0 all true, 1 not, 2 wrong usage. Without --programs the outputs are skipped.
"""

import argparse
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
sys.dont_write_bytecode = True  # no __pycache__ in the repository

import markdown  # noqa: E402  (docs/markdown.py)

TIME_LIMIT = 10.0  # seconds for a program of the book
GRACE = 1.0  # seconds for what its orphans still print
OUTPUT_LIMIT = 1 << 20  # bytes

LEFT_OUT = ("// ...", "// …", "# ...", "# …", "...", "…")
PR_SET_CHILD_SUBREAPER = 36


def markdown_files(root):
    found = [root / "README.md", *root.glob("chapters/**/*.md"), *root.glob("docs/**/*.md")]
    return sorted(path for path in found if path.is_file())


class Fence:
    """A fenced block, and the checks that comments right before it ask for."""

    def __init__(self, line, language, body, comments):
        self.line, self.language, self.body = line, language, body
        self.asked = []  # (word, argument)
        for comment in comments:
            match = re.fullmatch(r"<!--\s*(\w+):\s*(.*?)\s*-->", comment)
            if match:
                self.asked.append((match[1], match[2]))


def fences(text):
    """The fences of a Markdown text, and the lines of checks that no fence follows."""
    check = re.compile(r"<!--\s*(excerpt|output):")
    found, stray, comments = [], [], []
    lines = text.split("\n")
    i = 0
    while i < len(lines):
        stripped = lines[i].strip()
        opening = re.match(r"( *)(`{3,}|~{3,})\s*(\S*)", lines[i])
        if opening:
            indent, mark, language = opening.groups()
            body, start = [], i
            i += 1
            while i < len(lines) and not re.match(rf" *{mark[0]}{{{len(mark)},}}\s*$", lines[i]):
                line = lines[i]
                body.append(line[len(indent):] if line.startswith(indent) else line.lstrip())
                i += 1
            found.append(Fence(start + 1, language, body, [comment for _, comment in comments]))
            comments = []
        elif re.fullmatch(r"<!--.*-->", stripped):
            comments.append((i + 1, stripped))
        elif stripped:
            stray += [entry for entry in comments if check.match(entry[1])]
            comments = []
        i += 1
    stray += [entry for entry in comments if check.match(entry[1])]
    return found, [line for line, _ in stray]


def chunks(lines):
    """The runs of lines between the lines that stand for what is left out."""
    runs = [[]]
    for line in lines:
        if line.strip() in LEFT_OUT:
            runs.append([])
        else:
            runs[-1].append(line.rstrip())
    for run in runs:
        while run and not run[0]:
            run.pop(0)
        while run and not run[-1]:
            run.pop()
    return [run for run in runs if run]


def occurs(lines, whole):
    """Whether the chunks of `lines` stand in `whole` one after another; and else the first line
    from which on they do not."""
    furthest = 0
    runs = chunks(lines)
    shown = [line for run in runs for line in run]
    margin = min((len(line) - len(line.lstrip()) for line in shown if line), default=0)
    runs = [[line[margin:] for line in run] for run in runs]
    for shift in sorted({len(line) - len(line.lstrip()) for line in whole}):
        moved = [line[shift:].rstrip() if not line[:shift].strip() else None for line in whole]
        at, done = 0, 0
        for run in runs:
            best = 0
            for start in range(at, len(moved)):
                count = 0
                while (count < len(run) and start + count < len(moved)
                       and run[count] == moved[start + count]):
                    count += 1
                best = max(best, count)
                if count == len(run):
                    at = start + count
                    break
            else:
                furthest = max(furthest, done + best)
                break
            done += len(run)
        else:
            return None
    return shown[furthest]


def check_listings(path, root):
    """What is wrong with the listings of a Markdown file: sentences that begin with a line."""
    found, stray = fences(path.read_text(encoding="utf-8"))
    problems = [f"{line}: no fence follows this comment" for line in stray]
    for fence in found:
        words = [word for word, _ in fence.asked]
        for word, argument in fence.asked:
            if word not in ("excerpt", "output"):
                problems.append(f"{fence.line}: there is no check '{word}:'")
            if word != "excerpt":
                continue
            source = root / argument
            if not source.is_file():
                problems.append(f"{fence.line}: there is no file '{argument}'")
            elif not chunks(fence.body):
                problems.append(f"{fence.line}: the excerpt of {argument} is empty")
            else:
                line = occurs(fence.body, source.read_text(encoding="utf-8").split("\n"))
                if line is not None:
                    problems.append(f"{fence.line}: not so in {argument}, from '{line.strip()}' on")
        if fence.language in ("cpp", "c++", "c") and "excerpt" not in words and re.search(
                r"\bint\s+main\s*\(", "\n".join(fence.body)):
            problems.append(f"{fence.line}: a whole program that is no excerpt of a file: nothing "
                            "compiles it")
    return problems


# --- Outputs -------------------------------------------------------------------------------


def end_children():
    """Kills and reaps all children of this process, and theirs as they become ours."""
    while True:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue  # it has ended meanwhile
            if int(stat.rpartition(")")[2].split()[1]) == os.getpid():
                try:
                    os.kill(int(entry.name), signal.SIGKILL)
                except ProcessLookupError:
                    pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def run(program):
    """What a program prints, stdout and stderr merged; and a sentence if it does not end."""
    program = program.resolve()
    watch = program.parent / "mp_watch"
    command = [str(watch), str(program)] if os.access(watch, os.X_OK) else [str(program)]
    # Orphans become children of this process instead of init's, so that none gets away.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    printed = bytearray()
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, cwd=folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                   start_new_session=True)

        def collect():
            while len(printed) < OUTPUT_LIMIT:
                data = os.read(process.stdout.fileno(), 65536)
                if not data:
                    return
                printed.extend(data)

        reader = threading.Thread(target=collect, daemon=True)
        reader.start()
        trouble = None
        try:
            process.wait(TIME_LIMIT)
            reader.join(GRACE)  # an orphan may hold the pipe for ever
        except subprocess.TimeoutExpired:
            trouble = f"it did not end within {TIME_LIMIT:g} s"
            process.kill()
            process.wait()
        end_children()
        reader.join(GRACE)
        process.stdout.close()
    return printed.decode("utf-8", "replace"), trouble


def normal(lines):
    """Lines without what differs from run to run."""
    lines = [re.sub(r"0x[0-9a-fA-F]+|\d{3,}", "#", line).rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def compare(shown, printed, unordered):
    """None if the text shows what was printed; otherwise the first difference."""
    while shown and shown[0].startswith("$ "):
        shown = shown[1:]
    expected, seen = normal(shown), normal(printed)
    if unordered:
        expected, seen = sorted(expected), sorted(seen)
    elif any(line.strip() in LEFT_OUT for line in expected):
        # The beginning and the end are as shown, too, unless they are left out.
        opening = expected[0].strip() not in LEFT_OUT
        ending = expected[-1].strip() not in LEFT_OUT
        guard = ["\1"], ["\2"]
        line = occurs(guard[0] * opening + expected + guard[1] * ending,
                      guard[0] + seen + guard[1])
        return line and f"the text shows '{line}', which the program does not print there"
    for number in range(max(len(expected), len(seen))):
        left = repr(expected[number]) if number < len(expected) else "nothing more"
        right = repr(seen[number]) if number < len(seen) else "nothing more"
        if left != right:
            return f"line {number + 1}: the text shows {left}, the program prints {right}"
    return None


def program_of(argument):
    """'broken 01-process/zombies unordered': ('01-process_broken_zombies', True), or None."""
    match = re.fullmatch(r"(demo|broken) (\d\d-[\w-]+)(?:/([\w-]+))?( unordered)?", argument)
    if not match or (match[1] == "broken" and not match[3]):
        return None
    kind, chapter, name, unordered = match.groups()
    return "_".join(filter(None, (chapter, kind, name))), unordered is not None


def check_output(fence, argument, programs):
    """(ok, skipped, detail) of one output."""
    asked = program_of(argument)
    if not asked:
        return False, False, (f"'{argument}' is neither 'demo NN-name', 'demo NN-name/program' nor "
                              "'broken NN-name/program'")
    if programs is None:
        return True, True, "no --programs"
    name, unordered = asked
    if not os.access(programs / name, os.X_OK):
        return False, False, f"there is no program {name}"
    printed, trouble = run(programs / name)
    if trouble and any(line.startswith("watch: ") for line in fence.body) and not os.access(
            "/proc/self/syscall", os.R_OK):
        return True, True, "where system calls cannot be seen, mp_watch ends nothing"
    difference = trouble or compare(fence.body, printed.split("\n"), unordered)
    return difference is None, False, difference or ""


def check_headings(grader):
    """The problems of one grader's references to the text: its lessons and its hints."""
    chapter, problems = grader.parent.name, []
    source = grader.read_text(encoding="utf-8")
    lessons = [(chapter, m) for m in re.findall(r'\blesson\("((?:[^"\\\\]|\\\\.)*)"\)', source)]
    lessons += re.findall(r'\blesson_in\("([^"]*)",\s*"((?:[^"\\\\]|\\\\.)*)"\)', source)
    chapters = grader.parents[2] / "chapters"
    for where, heading in sorted(set(lessons)):
        text = (chapters / where / "README.md").read_text(encoding="utf-8")
        heading = heading.replace('\\"', '"')
        if f"\n## {heading}\n" not in text and f"\n### {heading}\n" not in text:
            problems.append(f"chapters/{where}/README.md has no heading \"{heading}\"")
    if not lessons:
        problems.append("no test says where to read")
    stem = re.sub(r"_(test|explored)\.cpp$", "", grader.name)
    hints = (chapters / chapter / "hints.md").read_text(encoding="utf-8")
    section = re.search(rf"^## \d+\.\d+ {stem}\n(.*?)(?=^## |\Z)", hints, re.M | re.S)
    if not section or re.findall(r"^### (\d)$", section[1], re.M) != ["1", "2", "3"]:
        problems.append(f"chapters/{chapter}/hints.md has no three hints for {stem}")
    return problems


def results(root, programs):
    """Every check of the repository's text: (name, ok, skipped, detail)."""
    for path in markdown_files(root):
        relative = path.relative_to(root).as_posix()
        page = markdown.Page(path, root)
        page.render()
        problems = [f"{name}:{line}: {what}" for name, line, what in page.problems]
        yield f"text {relative}", not problems, False, "\n".join(problems)
        found, _ = fences(path.read_text(encoding="utf-8"))
        problems = check_listings(path, root)
        if found or problems:
            yield (f"listings {relative}", not problems, False,
                   "\n".join(f"{relative}:{problem}" for problem in problems))
        for fence in found:
            for word, argument in fence.asked:
                if word == "output":
                    ok, skipped, detail = check_output(fence, argument, programs)
                    where = f"{relative}:{fence.line}: " if detail and not ok else ""
                    yield f"output {relative}: {argument}", ok, skipped, where + detail
    graders = [path for kind in ("test", "explored")
               for path in root.glob(f"tests/[0-9][0-9]-*/*_{kind}.cpp")]
    for grader in sorted(graders):
        problems = check_headings(grader)
        yield (f"headings {grader.relative_to(root).as_posix()}", not problems, False,
               "\n".join(problems))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=Path, help="the folder of the demos and broken programs")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (for tests)")
    arguments = parser.parse_args()
    if arguments.programs and not arguments.programs.is_dir():
        parser.error(f"{arguments.programs} is no folder")
    started = time.monotonic()
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, ok, skipped, detail in results(arguments.root.resolve(), arguments.programs):
        word = "skipped" if skipped else "passed" if ok else "failed"
        counts[word] += 1
        if arguments.json:
            print(json.dumps({"name": name, "ok": ok, "skipped": skipped, "detail": detail}),
                  flush=True)
        elif word != "passed":
            print(f"{word}  {name}" + "".join(f"\n        {line}" for line in detail.splitlines()),
                  flush=True)
    if not arguments.json:
        skips = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        print(f"{counts['passed']} passed, {counts['failed']} failed{skips} "
              f"({time.monotonic() - started:.1f} s)")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
