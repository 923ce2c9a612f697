#!/usr/bin/env python3
"""docs/build_site.py on small books: what must survive the way to HTML, what must be refused."""

import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "docs" / "build_site.py"

LISTING = r"""// @param \n "quotes" `ticks` /* a comment */ <vector> &amp; #1 %s
int f(int* p) {

    return *p;  // 100% -- --- @endhtmlonly
}"""

PAGE = f"""# 01 · Process: a copy of everything

Write to someone@example.org, a@b; \\@param, #include, %s, `a@b`, `mp::spawn()`,
_exit. <!-- unseen --> See [`spawn.hpp`](spawn.hpp),
[its answer](../../solutions/01-process/spawn.cpp#L2),
[`code` in a link](#what-fork2-copies), [next](../02-pipe/README.md#the-end-1), [folder](broken/).

## What `fork(2)` copies

```cpp
{LISTING}
```

![Two boxes](figures/boxes.svg)

*A caption.*

![The same boxes](figures/boxes.svg)

> [!WARNING]
> Mind **this**.

| call | does |
|---|---:|
| `a \\| b` | 1 |

1. One

   ```console
   $ ./learn   "x"
   ```
2. Two

<details><summary>Why `fork`?</summary>

Because **so**.

```python
print("@n \\n")
```

</details>
"""

SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 90 40" width="90" height="40"
     role="img">
  <title>Boxes</title>
  <style>
    svg { PALETTE }
    @media (prefers-color-scheme: dark) { svg { PALETTE } }
    .paper, #one rect { fill: var(--paper); }
  </style>
  <rect class="paper" width="100%" height="100%"/>
  <marker id="tip"><path d="M0 0"/></marker>
  <g id="one"><path marker-end="url(#tip)" d="M0 0"/></g>
</svg>
""".replace("PALETTE", " ".join(
    f"--{name}: #123;" for name in
    "paper ink muted line blue blue-fill green green-fill red red-fill amber amber-fill".split()))

CONTRACT = """#pragma once
namespace mp {
/// Starts a child.
/// @param what  what it does.
/// @return its pid.
int spawn(int what);
}  // namespace mp
"""


def text_of(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup)).replace("\xa0", " ")


class Site(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name) / "book"
        self.output = Path(folder.name) / "site"
        self.write("README.md", "# Book: a small one\n\n[One](chapters/01-process/README.md)\n")
        self.write("chapters/01-process/README.md", PAGE)
        self.write("chapters/01-process/figures/boxes.svg", SVG)
        self.write("chapters/01-process/spawn.hpp", CONTRACT)
        self.write("chapters/01-process/spawn.cpp", "int spawn(int) { return 1; }\n")
        self.write("chapters/01-process/broken/zombies.cpp", "int main() { return 0; }\n")
        self.write("solutions/01-process/spawn.cpp", "// one\nint spawn(int) { return 2; }\n")
        self.write("chapters/02-pipe/README.md",
                   "# 02 · Pipe\n\n## The end\n\nText.\n\n## The end\n")
        self.write("docs/more.md", "# More\n\nText.\n")

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def build(self, **environment):
        return subprocess.run([sys.executable, str(BUILD), "--root", str(self.root), "--output",
                               str(self.output)], capture_output=True, text=True, check=False,
                              timeout=120, env={**os.environ, **environment})

    def refused(self, *parts):
        done = self.build()
        self.assertEqual(done.returncode, 1, done)
        self.assertFalse(self.output.exists())
        self.assertEqual(done.stdout, "")
        for part in parts:
            self.assertIn(part, done.stderr)

    def page(self, name):
        return (self.output / name).read_text(encoding="utf-8")

    def test_what_survives(self):
        done = self.build()
        if done.returncode == 3:
            self.skipTest(done.stderr.strip())
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout.strip(), str(self.output / "index.html"))
        page = self.page("chapter_01_process.html")
        text = text_of(page)
        self.assertIn("Write to someone@example.org, a@b; @param, #include, %s, a@b, mp::spawn(), "
                      "_exit. See", " ".join(text.split()))
        self.assertNotIn("unseen", page)
        # Links: to sources by their place, to headings by GitHub's ids.
        self.assertIn('<a href="spawn_8hpp.html"><code>spawn.hpp</code></a>', page)
        self.assertRegex(page, r'href="solutions[^"]*spawn_8cpp_source\.html#l00002"')
        self.assertIn('<a href="#what-fork2-copies"><code>code</code> in a link</a>', page)
        self.assertIn('id="what-fork2-copies"', page)
        self.assertIn('href="chapter_02_pipe.html#the-end-1"', page)
        self.assertRegex(
            page, r'<a class="el" href="namespacemp[^"]*#[^"]*"><code>mp::spawn\(\)</code>')
        # Listings, character by character.
        listings = [[text_of(line).rstrip() for line in re.findall(
            r'<div class="line">(.*?)</div>', re.match(
                r'(?:<div class="line">.*?</div>\s*)*', part, re.S)[0])]
                    for part in page.split('<div class="fragment">')[1:]]
        self.assertEqual(listings, [LISTING.split("\n"), ['$ ./learn   "x"'],
                                    ['print("@n \\n")']])
        # Figures: twice the same, and nothing of theirs the same.
        self.assertEqual(page.count("<svg id="), 2)
        for name in ("fig1-boxes", "fig2-boxes"):
            self.assertIn(f'marker-end="url(#{name}-tip)"', page)
            self.assertIn(f'id="{name}-tip"', page)
            self.assertIn(f"html.dark-mode #{name}{{", page)
            self.assertIn(f"#{name} .{name}-paper,#{name} #{name}-one rect{{", page)
        self.assertNotIn("prefers-color-scheme",
                         re.sub(r"<script.*?</script>", "", page, flags=re.S))
        self.assertIn("<figcaption>A caption.</figcaption>", page)
        # Blocks.
        self.assertRegex(page, r'class="alert warning">\s*<p class="alert-title">Warning</p>\s*'
                               r"<p>Mind <strong>this</strong>\.</p>")
        self.assertIn("<code>a | b</code>", page)
        self.assertRegex(page, r"<details>\s*<summary>Why <code>fork</code>\?</summary>\s*"
                               r"<p>Because <strong>so</strong>")
        # The order of the book.
        self.assertRegex(page, r'class="previous" rel="prev" href="index.html"')
        self.assertRegex(page, r'class="next" rel="next" href="chapter_02_pipe.html"')
        tree = self.page("navtreedata.js")
        places = [tree.index(f'"{name}.html"') for name in
                  ("chapter_01_process", "chapter_02_pipe", "docs_more")]
        self.assertEqual(places, sorted(places))
        # No network.
        for path in self.output.glob("*.html"):
            self.assertNotRegex(path.read_text(encoding="utf-8"),
                                r'<(?:script|link|img|iframe)\b[^>]*(?:src|href)="(?:https?:)?//')

    def test_refused_pages(self):
        for text, parts in (
                ("[x](none.md)", ["README.md:3: link to 'none.md': no such file"]),
                ("a\n[x](../02-pipe/README.md#tail)", ["README.md:4:", "no heading '#tail'"]),
                ("![x](figures/none.svg)", ["no such file"]),
                ("![](figures/boxes.svg)", ["no text that says what is seen"]),
                ("Head\n----", ["README.md:4: a heading underlined"]),
                ("```rust\n```", ["does not know the language 'rust'"]),
                ("```cpp\nint x;", ["a fence is never closed"]),
                ("    indented", ["indented by four"]),
                ("<details><summary>x</summary>\ntext\n</details>", ["a blank line must follow"]),
                ("<details>\n\ntext", ["<details> is never closed"]),
                ("| a | b |\n|---|---|\n| 1 |", ["README.md:5: the row has 1 cells"]),
                ("> [!HINT]\n> x", ["no alert [!HINT]"]),
                ("# Twice", ["a second '# title'"])):
            with self.subTest(text=text):
                self.write("chapters/01-process/README.md", f"# Title\n\n{text}\n")
                done = self.build()
                if done.returncode == 3:
                    self.skipTest(done.stderr.strip())
                self.refused(*parts)

    def test_refused_figures(self):
        for old, new, part in (
                ('class="paper" width', 'fill="#fff" width', "colours belong in <style>"),
                ("--ink: #123;", "", "palette lacks --ink"),
                ("fill: var(--paper)", "fill: white", "'white' is not of the palette"),
                ("<title>Boxes</title>", "", "not a <title>"),
                ("</svg>", "", "not well-formed"),
                ("url(#tip)", "url(#top)", "no such id"),
                ("</svg>", "<script/></svg>", "<script> does not belong"),
                (' viewBox="0 0 90 40"', "", "no viewBox")):
            with self.subTest(part=part):
                self.assertIn(old, SVG)
                self.write("chapters/01-process/figures/boxes.svg", SVG.replace(old, new))
                done = self.build()
                if done.returncode == 3:
                    self.skipTest(done.stderr.strip())
                self.refused("chapters/01-process/figures/boxes.svg:", part)

    def test_a_warning_of_doxygen_is_an_error(self):
        self.write("chapters/01-process/spawn.hpp", CONTRACT.replace("@param what", "@param whom"))
        done = self.build()
        if done.returncode == 3:
            self.skipTest(done.stderr.strip())
        self.refused("chapters/01-process/spawn.hpp:4: warning:", "whom")

    def test_what_is_missing_is_said(self):
        for name in ("doxygen", "dot"):
            with tempfile.TemporaryDirectory() as folder:
                for tool in {"doxygen", "dot"} - {name}:
                    if shutil.which(tool):
                        os.symlink(shutil.which(tool), Path(folder) / tool)
                done = self.build(PATH=folder)
            self.assertEqual(done.returncode, 3)
            self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertIn("is missing: install the package", done.stderr)
        done = self.build(DOXYGEN_AWESOME_CSS="/nowhere")
        if shutil.which("doxygen") and shutil.which("dot"):
            self.assertEqual(done.returncode, 3)
            self.assertIn("doxygen-awesome-css", done.stderr)

    def test_a_folder_that_is_no_site_is_left_alone(self):
        self.output.mkdir()
        (self.output / "mine").write_text("x", encoding="utf-8")
        done = self.build()
        if done.returncode == 3:
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 1)
        self.assertTrue((self.output / "mine").exists())


if __name__ == "__main__":
    unittest.main()
