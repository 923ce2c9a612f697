"""Figures: one SVG for GitHub and for the site.

An SVG is an <img> on GitHub, where its own `@media (prefers-color-scheme: dark)` follows the
reader's theme. On the site it becomes part of the page, so that it follows the site's switch,
the class `dark-mode` on <html>. For that
  - the root carries viewBox, width, height and role="img"; its first child is <title>;
  - there is one <style>; its `svg { --name: colour; }` and the same inside the dark media query
    are the palette (PALETTE below); all other rules are plain, `selector { ... }`;
  - colours appear in <style> only, as var(--name); the first shape is an opaque
    <rect class="paper">, because GitHub's theme and the system's may differ;
  - no script, foreignObject, image, link, font or animation.
A root with data-theme="fixed" keeps its own colours everywhere (a picture of a terminal).
Every id and class gets the figure's prefix, every selector the figure's id in front, so that
figures on one page cannot collide with each other or with the theme.
"""

import html
import re
import xml.etree.ElementTree as ElementTree

PALETTE = ("paper ink muted line blue blue-fill green green-fill red red-fill "
           "amber amber-fill").split()

FORBIDDEN = ("script", "foreignObject", "image", "a", "animate", "animateTransform",
             "animateMotion", "set", "iframe", "link")
PAINTS = ("fill", "stroke", "stop-color", "flood-color", "color")


def style_rules(css):
    """The rules of a figure's style: (dark, selector, declarations); ValueError if not plain."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.S)
    rules = []
    at = re.compile(r"\s*(?:@media\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*\{"
                    r"(?P<dark>(?:[^{}]*\{[^{}]*\})*)\s*\}"
                    r"|(?P<selector>[^{}@]+)\{(?P<body>[^{}]*)\})")
    position = 0
    while css[position:].strip():
        match = at.match(css, position)
        if not match:
            raise ValueError(f"cannot read the style from '{css[position:].strip()[:30]}' on")
        if match["selector"]:
            rules.append((False, match["selector"].strip(), match["body"].strip()))
        else:
            for selector, body in re.findall(r"([^{}]+)\{([^{}]*)\}", match["dark"]):
                rules.append((True, selector.strip(), body.strip()))
        position = match.end()
    return rules


def check_svg(source):
    """What breaks the rules for figures (top of this file): a list of (line, text)."""

    def line_of(text):
        at = source.find(text)
        return source.count("\n", 0, at) + 1 if at >= 0 else 1

    try:
        root = ElementTree.fromstring(source)
    except ElementTree.ParseError as error:
        return [(error.position[0], f"not well-formed XML: {error}")]
    found = []
    svg = "{http://www.w3.org/2000/svg}"
    if root.tag != svg + "svg":
        return [(1, 'the root is not <svg xmlns="http://www.w3.org/2000/svg">')]
    for name in ("viewBox", "width", "height"):
        if name not in root.attrib:
            found.append((1, f"the root has no {name}"))
    if not len(root) or root[0].tag != svg + "title" or not (root[0].text or "").strip():
        found.append((1, "the first child is not a <title> that says what is seen"))
    if "id" in root.attrib:
        found.append((1, "the root has an id; the site gives it one"))
    if re.search(r"<[^<>]*=\s*'", source):
        found.append((1, "attributes are written with double quotes"))
    fixed = root.get("data-theme") == "fixed"
    styles = list(root.iter(svg + "style"))
    if len(styles) > 1 or (not styles and not fixed):
        found.append((1, "there is not exactly one <style>"))
    try:
        rules = style_rules("".join(styles[0].itertext())) if styles else []
    except ValueError as error:
        return found + [(line_of("<style"), str(error))]
    ids = {node.get("id") for node in root.iter() if node.get("id")}
    for node in root.iter():
        name = node.tag.replace(svg, "")
        if name in FORBIDDEN or name.startswith("{"):
            found.append((line_of("<" + name), f"<{name}> does not belong in a figure"))
        for key, value in node.attrib.items():
            quoted = f'{key}="{value}"'
            if key.startswith("on") or (key == "style" and not fixed):
                found.append((line_of(quoted), f"attribute {key}= does not belong in a figure"))
            if key in PAINTS and not fixed and value not in ("none", "inherit", "currentColor") \
                    and not value.startswith("url("):
                found.append((line_of(quoted),
                              f"{quoted}: colours belong in <style>, as var(--name)"))
            for target in re.findall(r"url\(#([^)]*)\)", value) + (
                    [value[1:]] if key.endswith("href") else []):
                if target not in ids:
                    found.append((line_of(quoted), f"{quoted}: the figure has no such id"))
    if fixed:
        return found
    for dark in (False, True):
        names = {name for is_dark, selector, body in rules if is_dark == dark and selector == "svg"
                 for name in re.findall(r"--([\w-]+)\s*:", body)}
        missing = [name for name in PALETTE if name not in names]
        if missing:
            which = "dark" if dark else "light"
            found.append((line_of("<style"), f"the {which} palette lacks --{', --'.join(missing)}"))
    for _, selector, body in rules:
        if selector == "svg" and "--" in body:
            used = []
        else:
            used = re.findall(r"(?:%s)\s*:\s*([^;]+)" % "|".join(PAINTS), body)
        for value in used:
            if not re.match(r"(var\(--[\w-]+\)|none|inherit|currentColor|url\(#)", value.strip()):
                found.append((line_of(selector),
                              f"{selector}: '{value.strip()}' is not of the palette"))
        for name in re.findall(r"var\(--([\w-]+)\)", body):
            if name not in PALETTE:
                found.append((line_of(f"--{name}"), f"--{name} is not of the palette"))
    shapes = [node for node in root if node.tag.replace(svg, "") not in
              ("title", "desc", "style", "defs", "marker")]
    if not shapes or "paper" not in shapes[0].get("class", "").split():
        found.append((1, 'the first shape is not the background, <rect class="paper" .../>'))
    return found


def inline_svg(source, prefix, alt):
    """The figure as part of a page, and what is wrong with it."""
    problems = check_svg(source)
    if problems:
        return "", problems

    def rewrite_style(match):
        out = []
        for dark, selector, body in style_rules(match[1]):
            parts = []
            for part in selector.split(","):
                part = re.sub(r"([.#])([A-Za-z_])", rf"\1{prefix}-\2", part.strip())
                scoped = re.sub(r"^svg\b", f"#{prefix}", part)
                scoped = scoped if scoped != part else f"#{prefix} {part}"
                parts.append(f"html.dark-mode {scoped}" if dark else scoped)
            body = re.sub(r"url\(#", f"url(#{prefix}-", body)
            out.append(f"{','.join(parts)}{{{body}}}")
        return "<style>" + " ".join(out) + "</style>"

    text = re.sub(r"<\?xml.*?\?>|<!--.*?-->|<!DOCTYPE[^>]*>", "", source, flags=re.S).strip()
    text = re.sub(r'(\sid=")', rf"\1{prefix}-", text)
    text = re.sub(r'(\s(?:xlink:)?href="#)', rf"\1{prefix}-", text)
    text = re.sub(r"url\(#", f"url(#{prefix}-", text)
    text = re.sub(r'\sclass="([^"]*)"', lambda match: ' class="' + " ".join(
        f"{prefix}-{name}" for name in match[1].split()) + '"', text)
    style = re.search(r"<style[^>]*>(.*?)</style>", source, flags=re.S)
    if style:
        text = re.sub(r"<style[^>]*>.*?</style>", lambda _: rewrite_style(style), text, flags=re.S)
    text = re.sub(r"<title>.*?</title>", "", text, count=1, flags=re.S)  # or it pops up on hover
    label = html.escape(alt, quote=True)
    return re.sub(r"<svg\b", f'<svg id="{prefix}" aria-label="{label}"', text, count=1), []
