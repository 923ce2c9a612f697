#!/usr/bin/env python3
"""Draws terminal screens as an SVG: what a program wrote, with its colours.

    tmux capture-pane -e -p | python3 docs/terminal_svg.py "What is to be seen" > docs/figures/x.svg

Screens are separated by a line that holds only a form feed; each is drawn as a window of its own.
Understands what ./learn prints: SGR 0, 1, 2, 31 to 33 and 39.
"""

import html
import re
import sys

CELL = 7.6  # width of a character, in pixels, at 12.6 px
LINE = 18
COLOURS = {"31": "red", "32": "green", "33": "yellow", "1": "bold", "2": "dim"}
STYLE = """text { font: 13px ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace;
           fill: #d6dde6; white-space: pre; }
    .window { fill: #14181f; stroke: #39424e; }
    .bar { fill: #2a313b; }
    .dot { fill: #566170; }
    .red { fill: #ff7b72; } .green { fill: #5fd38a; } .yellow { fill: #e3b341; }
    .bold { font-weight: 700; } .dim { fill: #8b98a8; }
    .paper { fill: #0d1015; }"""


def spans(line):
    """The line as pieces (text, classes), in order."""
    classes = set()
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        code = re.fullmatch(r"\x1b\[([0-9;]*)m", part)
        if not code:
            if part:
                yield part, sorted(classes)
            continue
        for number in (code[1] or "0").split(";"):
            if number in ("0", ""):
                classes.clear()
            elif number == "39":
                classes -= {"red", "green", "yellow"}
            elif number in COLOURS:
                classes.add(COLOURS[number])


def draw_line(line, x, y):
    column, pieces = 0, []
    for text, classes in spans(line):
        if text.strip():
            lead = len(text) - len(text.lstrip(" "))
            words = text.strip(" ")
            name = f' class="{" ".join(classes)}"' if classes else ""
            pieces.append(f'<tspan x="{x + (column + lead) * CELL:.1f}"{name} '
                          f'textLength="{len(words) * CELL:.1f}">{html.escape(words)}</tspan>')
        column += len(text)
    return f'  <text y="{y}">{"".join(pieces)}</text>' if pieces else ""


def main():
    screens = [s.strip("\n").split("\n") for s in sys.stdin.read().split("\f\n")]
    width, y, body = 760, 12, []
    for screen in screens:
        height = 34 + LINE * len(screen) + 10
        body.append(f'  <rect class="window" x="8" y="{y}" width="{width - 16}" height="{height}" rx="8"/>')
        body.append(f'  <rect class="bar" x="8.5" y="{y + .5}" width="{width - 17}" height="22" rx="8"/>')
        body += [f'  <circle class="dot" cx="{24 + 16 * i}" cy="{y + 11.5}" r="4.5"/>' for i in range(3)]
        body += [draw_line(line, 24, y + 44 + LINE * i) for i, line in enumerate(screen)]
        y += height + 12
    title = html.escape(sys.argv[1] if len(sys.argv) > 1 else "A terminal")
    print(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" '
          f'height="{y}" role="img" data-theme="fixed">\n  <title>{title}</title>\n'
          f"  <style>\n    {STYLE}\n  </style>\n"
          f'  <rect class="paper" width="100%" height="100%" rx="8"/>')
    print("\n".join(line for line in body if line))
    print("</svg>")


if __name__ == "__main__":
    main()
