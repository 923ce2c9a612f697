#!/usr/bin/env python3
"""Builds the site: the chapters as a book, the contracts as its reference.

    python3 docs/build_site.py --output build/site

Prints the path of the site's first page. Exit status: 0; 1 if a page, a figure or a link is wrong
or Doxygen has a warning (nothing is built then that looks finished); 2 wrong usage; 3 if Doxygen,
Graphviz or doxygen-awesome-css is missing. DOXYGEN_AWESOME_CSS=DIR says where the latter is.
"""

import argparse
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ElementTree
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True  # no __pycache__ in the repository

import filter as doxygen_filter  # noqa: E402  (docs/filter.py)
import markdown as pages  # noqa: E402  (docs/markdown.py)

ROOT = pages.ROOT

THEME_PLACES = (
    "/usr/share/doxygen-awesome-css",  # Debian, Ubuntu
    "/usr/share/doxygen-awesome",
    "/usr/share/javascript/doxygen-awesome-css",
    "/usr/local/share/doxygen-awesome-css",
    "/opt/homebrew/share/doxygen-awesome-css",
)
THEME_STYLES = ("doxygen-awesome.css", "doxygen-awesome-sidebar-only.css",
                "doxygen-awesome-sidebar-only-darkmode-toggle.css")
THEME_SCRIPTS = {  # file: what starts it
    "doxygen-awesome-darkmode-toggle.js": "DoxygenAwesomeDarkModeToggle.init()",
    "doxygen-awesome-fragment-copy-button.js": "DoxygenAwesomeFragmentCopyButton.init()",
    "doxygen-awesome-paragraph-link.js": "DoxygenAwesomeParagraphLink.init()",
    "doxygen-awesome-interactive-toc.js": "DoxygenAwesomeInteractiveToc.init()",
}


class Missing(Exception):
    """The machine lacks something; the text says what, in one sentence."""


def find_theme():
    places = [os.environ["DOXYGEN_AWESOME_CSS"]] if "DOXYGEN_AWESOME_CSS" in os.environ \
        else THEME_PLACES
    for place in places:
        if all((Path(place) / name).is_file() for name in (*THEME_STYLES, *THEME_SCRIPTS)):
            return Path(place)
    raise Missing("The theme doxygen-awesome-css is missing (looked in " + ", ".join(places) +
                  "): install the package doxygen-awesome-css (Debian, Ubuntu), or set "
                  "DOXYGEN_AWESOME_CSS to the folder that holds doxygen-awesome.css.")


def find_tools():
    if not shutil.which("doxygen"):
        raise Missing("doxygen is missing: install the package doxygen.")
    if not shutil.which("dot"):
        raise Missing("dot is missing: install the package graphviz.")
    version = subprocess.run(["doxygen", "--version"], capture_output=True, text=True,
                             check=True).stdout
    return tuple(int(part) for part in re.findall(r"\d+", version)[:3])


def sources(root):
    """What the site shows beside its pages: contracts, stubs, demos, references, graders."""
    found = []
    for pattern in ("chapters/*/*.hpp", "chapters/*/*.cpp", "chapters/*/broken/*.cpp",
                    "solutions/*/*.cpp", "tests/[0-9][0-9]-*/*.[ch]pp", "tests/support/*.[ch]pp"):
        found += sorted(root.glob(pattern))
    return found + [HERE / "namespaces.dox"]


def title_of(root):
    """The book's name and the line under it, from the title of README.md."""
    page = pages.Page(root / "README.md", root, links=False)
    page.render()
    name, _, brief = re.sub(r"\s+[—–-]\s+|:\s+", "\0", page.title, count=1).partition("\0")
    return name, brief


def doxyfile(root, work, output, theme, version):
    """Writes what Doxygen needs into `work`; gives the path of its configuration."""

    def quoted(paths):
        return " ".join(f'"{path}"' for path in paths)

    subprocess.run(["doxygen", "-w", "html", "header.html", "footer.html", "style.css"], cwd=work,
                   check=True, capture_output=True)
    subprocess.run(["doxygen", "-l", "layout.xml"], cwd=work, check=True, capture_output=True)
    scripts = "\n".join(f'<script src="$relpath^{name}"></script>' for name in THEME_SCRIPTS)
    header = (work / "header.html").read_text(encoding="utf-8")
    start = "; ".join(THEME_SCRIPTS.values())
    header = header.replace("</head>", f"{scripts}\n<script>{start};</script>\n</head>")
    (work / "header.html").write_text(header, encoding="utf-8")
    layout = (work / "layout.xml").read_text(encoding="utf-8")
    layout = re.sub(r'(<tab type="(?:modules|topics|concepts|examples)" visible=")yes', r"\1no",
                    layout)
    (work / "layout.xml").write_text(layout, encoding="utf-8")
    name, brief = title_of(root)
    values = {
        "PROJECT_NAME": name, "PROJECT_BRIEF": brief, "ROOT": root, "WORK": work, "HTML": output,
        "INPUT": " \\\n    ".join(f'"{path}"' for path in pages.site_pages(root) + sources(root)),
        "FILTER": f"'{sys.executable}' -S '{HERE / 'filter.py'}' --root '{root}'",
        "LAYOUT": work / "layout.xml", "WARNINGS": work / "warnings", "TAGS": work / "tags.xml",
        "HEADER": work / "header.html",
        "STYLES": quoted([*(theme / name for name in THEME_STYLES), HERE / "custom.css"]),
        "SCRIPTS": quoted(theme / name for name in THEME_SCRIPTS),
    }
    text = re.sub(r"@([A-Z_]+)@", lambda match: str(values[match[1]]),
                  (HERE / "Doxyfile.in").read_text(encoding="utf-8"))
    if version >= (1, 9, 5):
        text += "HTML_COLORSTYLE = LIGHT\n"  # the theme has its own dark mode
    if version >= (1, 11, 0):
        text += "HTML_COPY_CLIPBOARD = NO\n"  # so has it its own copy button
    if version >= (1, 13, 0):
        text += "PAGE_OUTLINE_PANEL = NO\n"
    path = work / "Doxyfile"
    path.write_text(text, encoding="utf-8")
    return path


def run_doxygen(work, configuration):
    """Every line Doxygen says. QUIET is on, so that each is a warning or an error."""
    done = subprocess.run(["doxygen", str(configuration)], cwd=work, stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          errors="replace", check=False)
    log = work / "warnings"
    said = done.stderr + (log.read_text(encoding="utf-8", errors="replace") if log.exists() else "")
    if done.returncode != 0 and not said.strip():
        said = f"doxygen ended with status {done.returncode}"
    return [line for line in said.splitlines() if line.strip()]


class Shown:
    """Where the site shows the files of the repository, and the names of the reference."""

    def __init__(self, root, output, tags):
        self.root, self.output = root, output
        self.files, self.names = {}, {}
        for compound in ElementTree.parse(tags).getroot():
            kind, page = compound.get("kind"), compound.findtext("filename")
            if page and not page.endswith(".html"):
                page += ".html"
            if kind in ("file", "dir"):
                where = compound.findtext("path", "") + (compound.findtext("name") if kind == "file"
                                                         else "")
                where = os.path.relpath(os.path.join(root, where), root)
                self.files[where] = page
                continue
            name = compound.findtext("name")
            if kind in ("class", "struct", "namespace"):
                self.names[name] = page
            for member in compound.iter("member"):
                place = f"{member.findtext('anchorfile')}#{member.findtext('anchor')}"
                if kind in ("class", "struct", "namespace"):
                    self.names.setdefault(f"{name}::{member.findtext('name')}", place)

    def place(self, relative, fragment):
        """Where a link to a file or folder leads; what Doxygen does not show is copied."""
        page = self.files.get(relative)
        path = self.root / relative
        if page and path.is_file():
            source = page.replace(".html", "_source.html")
            if fragment:
                return f"{source}#l{int(fragment[1:].split('-')[0]):05}"
            return page if doxygen_filter.is_contract(relative) else source
        if page:
            return page
        copy = self.output / "files" / (relative if path.suffix in (".png", ".jpg", ".gif")
                                        else relative + ".txt")
        copy.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            copy.write_text("".join(f"{entry.relative_to(self.root).as_posix()}\n" for entry in
                                    sorted(path.rglob("*")) if entry.is_file()), encoding="utf-8")
        else:
            shutil.copyfile(path, copy)
        return urllib.parse.quote(copy.relative_to(self.output).as_posix())


def finish_page(text, shown):
    """What can only be done when Doxygen is through: links to files and names, the contents list
    in the place where the theme expects it."""
    text = re.sub(r'(href|src)="source:([^"#]*)(?:#([^"]*))?"', lambda match:
                  f'{match[1]}="{shown.place(html.unescape(match[2]), match[3])}"', text)
    # STRIP_FROM_INC_PATH says what to leave out here, but chapters/ in it makes 1.9.4 confuse the
    # files of chapters/ and solutions/ that have one name.
    text = re.sub(r'(<code>#include &quot;(?:<a [^>]*>)?)chapters/', r"\1", text)
    toc = re.search(r'<div class="toc interactive">.*?</div>', text, re.S)
    if toc:
        text = text.replace(toc[0], "", 1)
        text = text.replace('<div class="textblock">', toc[0] + '<div class="textblock">', 1)

    def name(match):
        place = shown.names.get(match[1])
        return f'<a class="el" href="{place}">{match[0]}</a>' if place else match[0]

    return "".join(part if part.startswith(("<a ", "<h")) else
                   re.sub(r"<code>(mp::[\w:~]+)(?:\(\))?</code>", name, part)
                   for part in re.split(r"(<a .*?</a>|<h\d.*?</h\d>)", text, flags=re.S))


def dead_links(output):
    """Every href and src of the finished site that leads nowhere in it."""
    texts = {path.name: path.read_text(encoding="utf-8", errors="replace")
             for path in output.glob("*.html")}
    ids = {name: set(re.findall(r'\b(?:id|name)="([^"]+)"', text)) for name, text in texts.items()}
    found = []
    for name, text in sorted(texts.items()):
        for url in re.findall(r'<(?:a|img|link|script|object|iframe)\b[^>]*?'
                              r'\b(?:href|src|data)="([^"]*)"', text):
            url = html.unescape(url)
            if re.match(r"(https?:|mailto:|javascript:|data:)", url) or url in ("", "#"):
                continue
            file, _, fragment = url.partition("#")
            file = urllib.parse.unquote(file) or name
            if not (output / file).exists():
                found.append(f"{name}: leads to {url}, which the site does not have")
            elif fragment and file in ids and urllib.parse.unquote(fragment) not in ids[file]:
                found.append(f"{name}: leads to {url}, which has no such place")
    return found


def build(root, output):
    version = find_tools()
    theme = find_theme()
    problems = []
    if not (root / "README.md").exists():
        problems.append("README.md:1: the first page of the site is missing")
    for path in pages.site_pages(root):
        problems += [f"{name}:{line}: {what}"
                     for name, line, what in doxygen_filter.doxygen_page(path, root)[1]]
    if problems:
        return problems
    output.parent.mkdir(parents=True, exist_ok=True)
    # Built beside its place and moved there when it is right: never half a site.
    with tempfile.TemporaryDirectory(prefix=".site-", dir=output.parent) as folder:
        work = Path(folder)
        fresh = work / "html"
        problems = [line.replace(f"{root}/", "") for line in
                    run_doxygen(work, doxyfile(root, work, fresh, theme, version))]
        if problems:
            return problems
        shown = Shown(root, fresh, work / "tags.xml")
        for page in fresh.glob("*.html"):
            page.write_text(finish_page(page.read_text(encoding="utf-8"), shown), encoding="utf-8")
        problems = dead_links(fresh)
        if problems:
            return problems
        (fresh / ".doxygen-site").write_text("made by docs/build_site.py\n", encoding="utf-8")
        if output.exists():
            if any(output.iterdir()) and not (output / ".doxygen-site").exists():
                return [f"{output} exists and is not a site that this program made"]
            shutil.rmtree(output)
        fresh.rename(output)
    return []


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "site",
                        help="the site's folder (default: build/site)")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (for tests)")
    arguments = parser.parse_args()
    output = arguments.output.resolve()
    try:
        problems = build(arguments.root.resolve(), output)
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 3
    except OSError as error:
        print(f"The site cannot be written: {error}", file=sys.stderr)
        return 3
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 1
    print(output / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
