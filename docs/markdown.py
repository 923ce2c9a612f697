"""The Markdown of the book, rendered by GitHub's rules.

What this dialect has: `#` headings, paragraphs, nested lists, fences with a known language,
tables, quotes and `> [!NOTE]` alerts, `<details>`, rules, comments; in a line: code, emphasis,
links, images, a few HTML tags. What it has not (setext headings, indented code, reference links,
footnotes) is reported and not guessed at, and so is every link, anchor or image that leads
nowhere. filter.py makes the site's pages of it; tests/site/check_text.py checks all Markdown of
the repository with it.

Links to files that are no page become `href="source:PATH"`; build_site.py puts in the place
where Doxygen shows that file, which is known only after the fact.
"""

import functools
import html
import os
import re
from pathlib import Path

from svg import inline_svg

ROOT = Path(__file__).resolve().parent.parent

# Fences. Doxygen colours and links the first three kinds; the others are shown as they are.
LISTINGS = {"cpp": ".cpp", "c": ".c", "python": ".py"}
PLAIN = {"", "text", "console", "sh", "bash", "cmake", "json", "diff", "asm", "yaml", "ini"}

ALERTS = {"NOTE": "Note", "TIP": "Tip", "IMPORTANT": "Important", "WARNING": "Warning",
          "CAUTION": "Caution"}


# --- The pages of the book -----------------------------------------------------------------


def book_pages(root=ROOT):
    """The pages that prev/next leads through: README.md, then the chapters in order."""
    chapters = sorted(root.glob("chapters/[0-9][0-9]-*/README.md"))
    return [path for path in [root / "README.md", *chapters] if path.exists()]


def site_pages(root=ROOT):
    """Every Markdown file that is a page of the site, in the order of the site."""
    return book_pages(root) + sorted(root.glob("docs/*.md"))


def page_id(relative):
    """Doxygen's name of a page: chapters/01-process/README.md is chapter_01_process."""
    if relative == "README.md":
        return "index"
    name = re.sub(r"^chapters/(.*)/README\.md$", r"chapter-\1", relative)
    return re.sub(r"\W", "_", re.sub(r"\.md$", "", name))


# --- Lines in a block: code, emphasis, links -----------------------------------------------

INLINE = re.compile(
    r"(?P<code>(?<!`)(?P<tick>`+)(?!`)(?P<codetext>.+?)(?<!`)(?P=tick)(?!`))"
    r"|(?P<escape>\\(?P<escaped>[!-/:-@\[-`{-~]))"
    r"|(?P<comment><!--.*?-->)"
    r"|(?P<auto><(?P<autourl>https?://[^\s<>]+)>)"
    r"|(?P<tag></?(?:kbd|br|sub|sup|em|strong|b|i|p|div|span|a|img|code)\b[^<>]*>)"
    r"|(?P<link>(?P<bang>!?)\[(?P<label>(?:`[^`]*`|\\.|!\[[^\]]*\]\([^()\s]*\)|[^\[\]\\`]"
    r"|\[(?:`[^`]*`|[^\[\]`])*\])*)\]\(\s*(?P<url><[^<>]*>|[^\s()]*(?:\([^\s()]*\)[^\s()]*)*)"
    r"(?:\s+\"(?P<title>[^\"]*)\")?\s*\))"
    r"|(?P<reference>\[\^[^\]\s]+\]|\[[^\[\]]+\]\[[^\[\]]*\])"
    r"|(?P<bare>(?<![\w/])https?://[^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*[^\s<>().,:;!?'\"*_])",
    re.S)

EMPHASIS = [
    (re.compile(r"\*\*(?=[^\s*])(.+?)(?<=\S)\*\*", re.S), r"<strong>\1</strong>"),
    (re.compile(r"(?<!\w)__(?=\S)(.+?)(?<=\S)__(?!\w)", re.S), r"<strong>\1</strong>"),
    (re.compile(r"\*(?=[^\s*])(.+?)(?<=[^\s*])\*", re.S), r"<em>\1</em>"),
    (re.compile(r"(?<!\w)_(?=[^\s_])(.+?)(?<=[^\s_])_(?!\w)", re.S), r"<em>\1</em>"),
    (re.compile(r"~~(?=\S)(.+?)(?<=\S)~~", re.S), r"<del>\1</del>"),
]


def escape(text):
    """Text as HTML; entities that are written as such (&nbsp;) stay."""
    text = re.sub(r"&(?!#?\w+;)", "&amp;", text)
    return text.replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def plain(rendered):
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).strip()


def slug(text):
    """GitHub's id of a heading whose plain text is `text`."""
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def code_span(text):
    text = text.replace("\n", " ")
    if text.startswith(" ") and text.endswith(" ") and text.strip():
        text = text[1:-1]
    return "<code>" + html.escape(text) + "</code>"


@functools.lru_cache(maxsize=None)
def ids_of(path, root):
    """The ids of a Markdown file: what a link to FILE#id may name."""
    page = Page(path, root, links=False)
    page.render()
    return frozenset(page.ids)


class Page:
    """One Markdown file, rendered. `problems` holds (path, line, text)."""

    def __init__(self, path, root=ROOT, links=True):
        self.path = Path(path).resolve()
        self.root = Path(root).resolve()
        self.links = links  # False: collect the ids only
        self.titled = self.path in site_pages(self.root)  # other Markdown may have its own shape
        self.relative = self.path.relative_to(self.root).as_posix()
        self.text = self.path.read_text(encoding="utf-8")
        self.problems = []
        self.ids = []
        self.toc = []  # (level, id, html)
        self.title = None
        self.figures = 0
        self.depth = 0  # of lists, quotes: headings inside are no sections
        self.details = []  # lines of the <details> that are open

    def problem(self, line, text):
        entry = (self.relative, line, text)
        if self.links and entry not in self.problems:
            self.problems.append(entry)

    # --- Links and images ---

    def target(self, line, url):
        """Where a link of this page leads on the site; None where it leads nowhere."""
        url = url.strip("<>")
        if re.match(r"(https?://|mailto:)", url):
            return url
        if not self.links:
            return "#"
        if re.match(r"[a-zA-Z][\w+.-]*:", url) or url.startswith("/"):
            self.problem(line, f"link to '{url}': neither http(s) nor a relative path")
            return None
        name, _, fragment = url.partition("#")
        path = Path(os.path.normpath(self.path.parent / name)) if name else self.path
        if self.root not in [path, *path.parents]:
            self.problem(line, f"link to '{url}' leaves the repository")
            return None
        if not path.exists():
            self.problem(line, f"link to '{url}': no such file")
            return None
        relative = path.relative_to(self.root).as_posix()
        if path.is_dir():
            if fragment:
                self.problem(line, f"link to '{url}': a folder has no '#{fragment}'")
            if path / "README.md" in book_pages(self.root):
                return page_id((path / "README.md").relative_to(self.root).as_posix()) + ".html"
            return f"source:{relative}"
        if path.suffix == ".md":
            if fragment and fragment not in ids_of(path, self.root):
                self.problem(line, f"link to '{url}': {relative} has no heading '#{fragment}'")
            if path == self.path:
                return "#" + fragment
            if path in site_pages(self.root):
                return page_id(relative) + ".html" + ("#" + fragment if fragment else "")
            return f"source:{relative}"
        if fragment:
            lines = re.fullmatch(r"L(\d+)(?:-L(\d+))?", fragment)
            total = len(path.read_bytes().splitlines())
            if not lines or int(lines[2] or lines[1]) > total:
                self.problem(line, f"link to '{url}': {relative} has no '#{fragment}'")
                return None
        return f"source:{relative}" + (f"#{fragment}" if fragment else "")

    def image(self, line, alt, url, attributes=""):
        if not alt.strip():
            self.problem(line, f"image '{url}' has no text that says what is seen")
        if re.match(r"https?://", url):
            return html.escape(alt)  # the site needs no network
        if not self.links:
            return ""
        target = self.target(line, url)
        if target is None:
            return ""
        path = Path(os.path.normpath(self.path.parent / url))
        if path.suffix == ".svg":
            self.figures += 1
            prefix = f"fig{self.figures}-{slug(path.stem)}"
            figure, problems = inline_svg(path.read_text(encoding="utf-8"), prefix, alt)
            relative = path.relative_to(self.root).as_posix()
            self.problems += [(relative, *entry) for entry in problems]
            return figure
        return f'<img src="{target}" alt="{html.escape(alt)}"{attributes}>'

    def tag(self, line, text):
        """An HTML tag inside of a line."""
        name = re.match(r"</?(\w+)", text)[1]
        given = dict(re.findall(r'([\w-]+)="([^"]*)"', text))
        if name == "img":
            sizes = "".join(f' {key}="{given[key]}"' for key in ("width", "height") if key in given)
            return self.image(line, given.get("alt", ""), given.get("src", ""), sizes)
        if name == "a" and not text.startswith("</"):
            mark = given.get("id") or given.get("name")
            if mark:
                self.ids.append(mark)
                return f'<a id="{html.escape(mark)}">'
            target = self.target(line, given.get("href", "")) or ""
            return f'<a href="{html.escape(target)}">'
        return text

    def inline(self, text, line):
        """The HTML of the text of a paragraph, a cell, a heading."""
        kept = []

        def keep(rendered):
            kept.append(rendered)
            return f"\0{len(kept) - 1}\0"

        def piece(match):
            at = line + text.count("\n", 0, match.start())
            if match["code"]:
                return keep(code_span(match["codetext"]))
            if match["escape"]:
                return keep(html.escape(match["escaped"]))
            if match["comment"]:
                return ""
            if match["auto"] or match["bare"]:
                url = html.escape(match["autourl"] or match["bare"])
                return keep(f'<a href="{url}">{url}</a>')
            if match["tag"]:
                return keep(self.tag(at, match["tag"]))
            if match["reference"]:
                self.problem(at, f"'{match['reference']}': footnotes and reference links are not "
                                 "rendered by the site; write [text](target)")
                return match["reference"]
            if match["bang"]:
                return keep(self.image(at, match["label"], match["url"]))
            label = self.inline(match["label"], at)
            target = self.target(at, match["url"])
            title = f' title="{html.escape(match["title"])}"' if match["title"] else ""
            if target is None:
                return keep(label)
            return keep(f'<a href="{html.escape(target)}"{title}>{label}</a>')

        result = escape(INLINE.sub(piece, text))
        for pattern, replacement in EMPHASIS:
            result = pattern.sub(replacement, result)
        result = re.sub(r"(?: {2,}|\\)\n", "<br>\n", result)
        while "\0" in result:
            result = re.sub("\0(\\d+)\0", lambda match: kept[int(match[1])], result)
        return result

    # --- Blocks. Each method takes numbered lines and gives pieces: ("html", text) or
    # --- ("code", extension, text).

    def render(self):
        """The pieces of the whole page, without its title."""
        lines = list(enumerate(self.text.split("\n"), 1))
        pieces = self.blocks(lines)
        for line in self.details:
            self.problem(line, "<details> is never closed")
        if self.titled and self.title is None:
            self.problem(1, "the page has no '# title'")
            self.title = self.relative  # for the pages that lead to it
        return pieces

    def blocks(self, lines):
        pieces = []
        i = 0
        while i < len(lines):
            number, line = lines[i]
            if not line.strip():
                i += 1
                continue
            for start, method in BLOCKS:
                if start.match(line):
                    taken = method(self, lines, i, pieces)
                    if taken:
                        i += taken
                        break
            else:
                i += self.paragraph(lines, i, pieces)
        return pieces

    def comment(self, lines, i, pieces):
        for count, (_, line) in enumerate(lines[i:], 1):
            if "-->" in line:
                rest = line.split("-->", 1)[1]
                if rest.strip():
                    self.problem(lines[i][0], "text follows a comment on its line")
                return count
        self.problem(lines[i][0], "a comment is never closed")
        return len(lines) - i

    def fence(self, lines, i, pieces):
        number, line = lines[i]
        indent, mark, info = re.match(r"( *)(`{3,}|~{3,})\s*(.*)$", line).groups()
        end = re.compile(rf" {{0,3}}{mark[0]}{{{len(mark)},}}\s*$")
        body = []
        for count, (_, inner) in enumerate(lines[i + 1:], 2):
            if end.match(inner):
                break
            body.append(inner[len(indent):] if inner.startswith(indent) else inner.lstrip())
        else:
            self.problem(number, "a fence is never closed")
            count = len(lines) - i
        language = info.split()[0] if info.split() else ""
        if language not in LISTINGS and language not in PLAIN:
            self.problem(number, f"the site does not know the language '{language}'")
        if language in LISTINGS and body:
            pieces.append(("code", LISTINGS[language], body))
        else:
            pieces.append(("html", listing(body, language)))
        return count

    def heading(self, lines, i, pieces):
        number, line = lines[i]
        marks, text = re.match(r" {0,3}(#{1,6})\s+(.*?)(?:\s+#+)?\s*$", line).groups()
        rendered = self.inline(text, number)
        name = base = slug(plain(rendered))
        repeat = 0
        while name in self.ids:
            repeat += 1
            name = f"{base}-{repeat}"
        self.ids.append(name)
        level = len(marks)
        if level == 1 and self.titled:
            if self.title is not None:
                self.problem(number, "a second '# title'; sections begin with '##'")
            elif pieces or self.depth:
                self.problem(number, "the title is not the first thing of the page")
            if re.search(r"[@\\<>&#%`{}*]", text):
                # Doxygen writes it into the tree, the search and the window's title, each of
                # which knows other markup.
                self.problem(number, "the title of a page is plain text, without @\\<>&#%`{}*")
            self.title = self.title or plain(rendered)
            pieces.append(("html", f'<a class="anchor" id="{name}"></a>'))
            return 1
        if level <= 3 and not self.depth and not self.details:
            self.toc.append((level, name, re.sub(r"</?a\b[^>]*>", "", rendered)))
        pieces.append(("html", f'<h{level} class="doxsection"><a class="anchor" id="{name}"></a>'
                               f"{rendered}</h{level}>"))
        return 1

    def rule(self, lines, i, pieces):
        pieces.append(("html", "<hr>"))
        return 1

    def quote(self, lines, i, pieces):
        inner = []
        for number, line in lines[i:]:
            match = re.match(r" {0,3}> ?(.*)$", line)
            if not match:
                break
            inner.append((number, match[1]))
        alert = re.fullmatch(r"\[!(\w+)\]\s*", inner[0][1])
        if alert and alert[1] not in ALERTS:
            self.problem(inner[0][0], f"there is no alert [!{alert[1]}]")
        kind = alert and ALERTS.get(alert[1])
        self.depth += 1
        if kind:
            pieces.append(("html", f'<div class="alert {kind.lower()}">'
                                   f'<p class="alert-title">{kind}</p>'))
            pieces += self.blocks(inner[1:])
            pieces.append(("html", "</div>"))
        else:
            pieces.append(("html", "<blockquote>"))
            pieces += self.blocks(inner)
            pieces.append(("html", "</blockquote>"))
        self.depth -= 1
        return len(inner)

    ITEM = re.compile(r"( {0,3})([-*+]|\d{1,9}[.)])( {1,4}(?=\S)|\s*$)")

    def list(self, lines, i, pieces):
        kind = self.ITEM.match(lines[i][1])[2]
        ordered = kind[0].isdigit()
        items, loose, blank = [], False, False
        j = i
        while j < len(lines):
            number, line = lines[j]
            start = self.ITEM.match(line)
            if items and not line.strip():
                blank = True
                items[-1].append((number, ""))
            elif items and line.startswith(" " * width):
                if blank and len(line) - len(line.lstrip()) == width:
                    loose = True
                items[-1].append((number, line[width:]))
                blank = False
            elif start and start[2][-1] == kind[-1]:
                loose = loose or (bool(items) and blank)
                width = len(start[0]) if start[3].strip("\n") else len(start[1] + start[2]) + 1
                items.append([(number, line[width:])])
                blank = False
            elif items and not blank and not any(begin.match(line) for begin, _ in BLOCKS):
                items[-1].append((number, line.lstrip()))  # a paragraph goes on unindented
            else:
                break
            j += 1
        first = int(kind[:-1]) if ordered else 1
        opening = f'<ol start="{first}">' if first != 1 else "<ol>"
        pieces.append(("html", opening if ordered else "<ul>"))
        self.depth += 1
        for item in items:
            task = re.match(r"\[([ xX])\] ", item[0][1])
            box = ""
            if task:
                item[0] = (item[0][0], item[0][1][4:])
                checked = " checked" if task[1] != " " else ""
                box = f'<input type="checkbox" disabled{checked}> '
            inner = self.blocks(item)
            if not loose:  # in a tight list, paragraphs are bare text
                inner = [("html", re.sub(r"^<p>(.*)</p>$", r"\1", piece[1], flags=re.S))
                         if piece[0] == "html" and piece[1].startswith("<p>") else piece
                         for piece in inner]
            pieces += [("html", "<li>" + box), *inner, ("html", "</li>")]
        self.depth -= 1
        pieces.append(("html", "</ol>" if ordered else "</ul>"))
        while items[-1] and not items[-1][-1][1]:  # trailing blank lines count all the same
            items[-1].pop()
        return j - i

    def table(self, lines, i, pieces):
        if i + 1 >= len(lines) or not re.match(r" {0,3}\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$",
                                               lines[i + 1][1]) or "|" not in lines[i + 1][1]:
            return 0

        def cells(line):
            line = line.strip()
            line = line[1:] if line.startswith("|") else line
            line = re.sub(r"(?<!\\)\|$", "", line)
            return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)]

        aligns = []
        for cell in cells(lines[i + 1][1]):
            side = {(True, True): "center", (False, True): "right"}.get(
                (cell.startswith(":"), cell.endswith(":")), "")
            aligns.append(f' style="text-align:{side}"' if side else "")

        def row(number, line, tag):
            found = cells(line)
            if len(found) != len(aligns):
                self.problem(number, f"the row has {len(found)} cells, the table {len(aligns)}")
            return "<tr>" + "".join(
                f"<{tag}{align}>{self.inline(cell, number)}</{tag}>"
                for cell, align in zip(found, aligns)) + "</tr>"

        out = ['<div class="table-wide"><table class="markdownTable">', row(*lines[i], "th")]
        count = 2
        for number, line in lines[i + 2:]:
            if not line.strip() or "|" not in line:
                break
            out.append(row(number, line, "td"))
            count += 1
        pieces.append(("html", "".join(out) + "</table></div>"))
        return count

    def fold(self, lines, i, pieces):
        """<details>, <summary> and </details>, on one line or on several."""
        number, line = lines[i]
        rest = line.strip()
        while rest:
            match = re.match(r"<details(?: open)?>|</details>|<summary>(.*?)</summary>", rest)
            if not match:
                self.problem(number, "only <details> and <summary>...</summary> may stand on such "
                                     "a line; the text comes after a blank line")
                break
            if match[0].startswith("<summary>"):
                pieces.append(("html", f"<summary>{self.inline(match[1], number)}</summary>"))
                if i + 1 < len(lines) and lines[i + 1][1].strip():
                    self.problem(number, "a blank line must follow </summary>, or GitHub does not "
                                         "read what follows as Markdown")
            else:
                pieces.append(("html", match[0]))
                if match[0] == "</details>":
                    if not self.details:
                        self.problem(number, "</details> without <details>")
                    else:
                        self.details.pop()
                else:
                    self.details.append(number)
            rest = rest[match.end():].lstrip()
        return 1

    def html_block(self, lines, i, pieces):
        """<p ...> and <div ...> around Markdown, line by line."""
        count = 0
        text = []
        for _, line in lines[i:]:
            if not line.strip():
                break
            text.append(line)
            count += 1
        pieces.append(("html", self.inline("\n".join(text), lines[i][0])))
        return count

    def unsupported(self, lines, i, pieces):
        number, line = lines[i]
        if re.match(r" {4,}\S", line):
            self.problem(number, "indented by four or more: a code block for GitHub; use a fence, "
                                 "or indent as deep as the list item's text")
        else:
            self.problem(number, f"'{line.strip()[:40]}': not rendered by the site")
        return 1

    def paragraph(self, lines, i, pieces):
        text = []
        for number, line in lines[i:]:
            if not line.strip():
                break
            if text and re.match(r" {0,3}(=+|-+)\s*$", line):
                self.problem(number, "a heading underlined with = or -; write '## heading'")
            if text and any(begin.match(line) and method is not Page.table and
                            method is not Page.unsupported for begin, method in BLOCKS):
                ordered = re.match(r" {0,3}(\d+)[.)]", line)
                if not ordered or ordered[1] == "1":
                    break
            text.append(line.lstrip())
        joined = "\n".join(text)
        number = lines[i][0]
        rendered = self.inline(joined.rstrip(), number)
        caption = re.fullmatch(r"<em>((?:(?!</?em>).)*)</em>", rendered, re.S)
        if re.fullmatch(r"!\[[^\]]*\]\([^()]*\)", joined.strip()):
            pieces.append(("html", f"<figure>{rendered}</figure>"))
        elif caption and pieces and pieces[-1][1].endswith("</figure>"):
            figure = pieces.pop()[1][:-len("</figure>")]
            pieces.append(("html", f"{figure}<figcaption>{caption[1]}</figcaption></figure>"))
        else:
            pieces.append(("html", f"<p>{rendered}</p>"))
        return len(text)


# The first whose pattern matches and which takes at least one line has the block.
BLOCKS = [
    (re.compile(r"\s*<!--"), Page.comment),
    (re.compile(r" {0,3}(```|~~~)"), Page.fence),
    (re.compile(r" {0,3}#{1,6}\s"), Page.heading),
    (re.compile(r" {0,3}([-*_])( *\1){2,}\s*$"), Page.rule),
    (re.compile(r" {0,3}>"), Page.quote),
    (Page.ITEM, Page.list),
    (re.compile(r"\s*</?(details|summary)\b"), Page.fold),
    (re.compile(r" {0,3}</?(p|div|picture|img)\b"), Page.html_block),
    (re.compile(r" {4,}\S|\[\^?[^\]]+\]:\s|\s*<(table|source|script|style|ul|ol|h\d)\b"),
     Page.unsupported),
    (re.compile(r".*\|"), Page.table),
]


def listing(body, language):
    """Lines that Doxygen has no colours for, in the markup that it uses for those it has."""
    lines = []
    for line in body:
        line = html.escape(line)
        if language in ("console", "sh", "bash"):
            line = re.sub(r"^([$#]) ", r'<span class="prompt">\1</span> ', line)
        if language == "diff" and line[:1] in "+-":
            line = f'<span class="{"added" if line[0] == "+" else "removed"}">{line}</span>'
        lines.append(f'<div class="line">{line}</div>')
    return '<div class="fragment">' + "".join(lines) + "</div>"
