#!/usr/bin/env python3
"""Doxygen's input filter.

    python3 docs/filter.py [--root ROOT] FILE
        what Doxygen shall read in place of FILE, on stdout; problems on stderr as
        FILE:LINE: text, and exit 1. ROOT is the repository, if not the one this file is in.

Pages: Doxygen's own Markdown differs from GitHub's, and from one Doxygen to the next: it has no
GitHub heading ids, loses `../` images and cross-page anchors without a word, breaks `<details>`,
eats the end of `a@b`. So markdown.py renders a page, and Doxygen is given finished HTML in
`@htmlonly` blocks. Left to Doxygen are the title, the place in the tree, and C++, C and Python
listings (`@code`), whose names it links to the reference.

Sources: C++ outside of the headers of the chapters is shown but not parsed, or the stub and the
reference of an exercise would both claim to define its functions.

Figures: the convention is at the top of svg.py, which fits them into a page.
"""

import html
import re
import sys
from pathlib import Path

sys.dont_write_bytecode = True  # no __pycache__ in the repository

from markdown import ROOT, Page, book_pages, page_id  # noqa: E402


def raw(text):
    """HTML that Doxygen passes on untouched: on one line, with nothing that it knows to read."""
    text = text.replace("@", "&#64;").replace("\\", "&#92;").replace("*/", "&#42;/")
    return "@htmlonly[block]" + re.sub(r"\s*\n\s*", " ", text) + "@endhtmlonly"


def table_of_contents(toc):
    if len(toc) < 3:
        return ""
    out, level = [], 1
    for depth, name, text in toc:
        while level < depth:
            out.append("<ul>")
            level += 1
        while level > depth:
            out.append("</ul>")
            level -= 1
        out.append(f'<li class="level{depth - 1}"><a href="#{name}">{text}</a></li>')
    return '<div class="toc interactive"><h3>On this page</h3>' + "".join(out) + "</ul>" * (
        level - 1) + "</div>"


def page_links(page):
    """The previous and the next page of the book."""
    pages = book_pages(page.root)
    if page.path not in pages:
        return ""
    at = pages.index(page.path)
    out = []
    for step, name, arrow in ((-1, "previous", "← "), (1, "next", " →")):
        if not 0 <= at + step < len(pages):
            out.append('<span class="none"></span>')
            continue
        other = Page(pages[at + step], page.root, links=False)
        other.render()
        target = page_id(other.relative) + ".html"
        word = f"<span>{arrow if step < 0 else ''}{name}{arrow if step > 0 else ''}</span>"
        out.append(f'<a class="{name}" rel="{name[:4]}" href="{target}">{word}'
                   f"{html.escape(other.title)}</a>")
    return f'<nav class="book">{"".join(out)}</nav>'


def doxygen_page(path, root=ROOT):
    """A Markdown file as Doxygen shall read it, and its problems."""
    page = Page(path, root)
    pieces = page.render()
    name = page_id(page.relative)
    out = [f"# {page.title} {{#{'mainpage' if name == 'index' else name}}}", ""]
    run = [table_of_contents(page.toc)]
    for piece in [*pieces, ("html", page_links(page))]:
        if piece[0] == "html":
            run.append(piece[1])
            continue
        out += [raw("\n".join(run)), "", f"@code{{{piece[1]}}}", *piece[2], "@endcode", ""]
        run = []
    out += [raw("\n".join(run)), ""]
    return "\n".join(out), page.problems


def is_contract(relative):
    """What Doxygen parses for the reference: the headers of the chapters."""
    return re.match(r"chapters/[^/]+/[^/]+\.hpp$", relative) is not None


def doxygen_contract(path, root=ROOT):
    """A contract as Doxygen shall read it: with a page, which leads to the files of the same
    exercise. That comes last, so that all lines keep their numbers."""
    chapter, stem = path.parent.name, path.stem
    kin = {"yours to write": f"chapters/{chapter}/{stem}.cpp",
           "reference": f"solutions/{chapter}/{stem}.cpp",
           "grader": f"tests/{chapter}/{stem}_test.cpp",
           "wrong answers": f"tests/mutants/{chapter}/{stem}"}
    links = ", ".join(f'<a href="source:{place}">{what}</a>' for what, place in kin.items()
                      if (root / place).exists())
    about = f"@htmlonly The contract of an exercise: {links}.@endhtmlonly"
    return path.read_text(encoding="utf-8") + documented(path, root, about if links else "")


def documented(path, root, about=""):
    """The comment that gives a file its page, without which Doxygen does not link to it."""
    return f"/** @file {path.relative_to(root).as_posix()}\n *\n * {about}\n */\n"


def main(arguments):
    root = ROOT
    if arguments[:1] == ["--root"]:
        root, arguments = Path(arguments[1]).resolve(), arguments[2:]
    if len(arguments) != 1:
        print(__doc__.split("\n\n")[1], file=sys.stderr)
        return 2
    path = Path(arguments[0]).resolve()
    sys.stdout.reconfigure(encoding="utf-8")
    if path.suffix == ".md":
        text, problems = doxygen_page(path, root)
        print(text)
        for name, line, what in problems:
            print(f"{name}:{line}: {what}", file=sys.stderr)
        return 1 if problems else 0
    if path.suffix == ".dox":
        print(path.read_text(encoding="utf-8"), end="")
    elif is_contract(path.relative_to(root).as_posix()):
        print(doxygen_contract(path, root), end="")
    else:
        print(documented(path, root))  # shown, and linked to, but nothing in it is defined
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
