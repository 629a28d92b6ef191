"""Reads HTML: the words a reader sees, the links, and schema.org mark-up as it stands there.

Runs in the child process only. The mark-up of real mails is often broken (trailing
commas, comments in scripts, lists where one thing is meant): what can be read is read,
and the rest is left to the text. What it means is `schema_org`'s to say.
"""

import json
import re
from collections.abc import Iterator
from html import unescape
from itertools import islice
from typing import Any

import lxml.html  # type: ignore[import-untyped]  # lxml has no types
from lxml import etree

MAX_HTML = 100_000  # characters; nothing beyond is read
MAX_ITEMS = 50
MAX_DEPTH = 12
MAX_VALUE = 2_000
MAX_PIECES = 200  # pieces of text in one property
BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "td",
        "th",
        "tr",
        "ul",
    ]
)
UNSEEN = frozenset(
    [
        "script",
        "style",
        "head",
        "title",
        "template",
        "noscript",
        "svg",
        "object",
        "iframe",
        "meta",
        "link",
    ]
)
HIDDEN = re.compile(
    r"display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0(?![.\d])|"
    r"opacity\s{0,3}:\s{0,3}0(?![.\d])|max-height\s{0,3}:\s{0,3}0(?![.\d])|mso-hide",
    re.IGNORECASE,
)
# A string, a comment, a comma before a closing bracket, or any other character of JSON.
PIECE = re.compile(
    r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|(?P<comment>//[^\n]*|/\*.*?(?:\*/|\Z))'
    r"|(?P<comma>,(?=[\s,]{0,50}[}\]]))|.",
    re.DOTALL,
)
LD_SCRIPT = re.compile(r"<script[^>]{0,200}application/ld\+json[^>]{0,200}>", re.IGNORECASE)
SCRIPT_END = re.compile(r"</script", re.IGNORECASE)


def task(data: dict[str, Any]) -> str:
    """Answer a request of `contained.visible`."""
    return visible(data["html"])[0]


def visible(html: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the words that are seen, and each link with the words near it."""
    root = _tree(html)
    if root is None:
        return "", ()
    parts: list[str] = []
    links: list[tuple[str, str]] = []
    skipped: list[Any] = []
    for event, node in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in {"comment", "pi"}:
            if not skipped:
                parts.append(node.tail or "")
            continue
        if event == "start":
            if skipped or _is_hidden(node):
                skipped.append(node)
                continue
            if node.tag in BLOCKS:
                parts.append("\n")
            parts.append(_one_line(node.text))
            continue
        if skipped:
            skipped.pop()
        elif node.tag == "a" and str(node.get("href", "")).lower().startswith("http"):
            links.append((str(node.get("href"))[:500], "".join(parts[-12:])[-160:]))
        if node.tag in BLOCKS and not skipped:
            parts.append("\n")
        if not skipped:
            parts.append(_one_line(node.tail))
    text = re.sub(r"[ \t\u200b\u200c\u00ad\ufeff\u034f]+", " ", "".join(parts))
    lines = (line.strip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line), tuple(links[:200])


def _one_line(text: str | None) -> str:
    return (text or "").replace("\n", " ").replace("\r", " ")


def _tree(html: str) -> Any:
    try:
        parser = lxml.html.HTMLParser(no_network=True, remove_comments=False)
        return lxml.html.document_fromstring(html[:MAX_HTML].replace("\x00", ""), parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return None  # an empty page


def _is_hidden(node: Any) -> bool:
    if node.tag in UNSEEN or node.get("hidden") is not None:
        return True
    return HIDDEN.search(str(node.get("style", ""))[:2000]) is not None


# --- schema.org --------------------------------------------------------------------------


def items(html: str) -> list[dict[str, Any]]:
    """Return the schema.org things in a page, as they are written there."""
    html = html[:MAX_HTML]
    found: list[Any] = []
    end = 0
    for match in LD_SCRIPT.finditer(html):
        if match.start() < end:
            continue  # inside the one before
        closing = SCRIPT_END.search(html, match.end())
        if closing is None or len(found) >= MAX_ITEMS:
            break
        end = closing.start()
        found += _loads(html[match.end() : end])
    if "itemscope" in html.lower():
        found += _microdata(_tree(html))
    return list(_flat(found))[:MAX_ITEMS]


def _microdata(root: Any) -> list[dict[str, Any]]:
    """Return the outermost items of a page's microdata (WHATWG HTML, 5).

    extruct 0.18 reads the same, and takes a second to load an RDF library.
    """
    tops: list[dict[str, Any]] = []
    open_items: list[tuple[Any, dict[str, Any]]] = []
    for event, node in etree.iterwalk(root, events=("start", "end")) if root is not None else ():
        if event == "end":
            if open_items and open_items[-1][0] is node:
                open_items.pop()
            continue
        names = str(node.get("itemprop", "")).split()[:5]
        value: Any
        if node.get("itemscope") is not None:
            value = {"@type": str(node.get("itemtype", "")).split()[:5]}
            if not open_items or not names:
                tops.append(value)
        elif names and open_items:
            value = _property(node)
        else:
            continue
        if open_items and len(open_items) <= MAX_DEPTH:
            for name in names:
                _put(open_items[-1][1], name, value)
        if isinstance(value, dict):
            open_items.append((node, value))
    return tops[:MAX_ITEMS]


def _put(item: dict[str, Any], name: str, value: Any) -> None:
    if name not in item:
        item[name] = value
    elif isinstance(item[name], list):
        item[name].append(value)
    else:
        item[name] = [item[name], value]


def _property(node: Any) -> str:
    """Return the value of an element that is a property."""
    for name in ("content", "datetime", "href", "src", "value"):
        found = node.get(name)
        if found is not None and (name != "value" or node.tag in ("data", "meter")):
            return str(found).strip()[:MAX_VALUE]
    words = "".join(islice((str(part) for part in node.itertext()), MAX_PIECES))
    return " ".join(words.split())[:MAX_VALUE]


def _loads(script: str) -> list[Any]:
    """Return the values in a script; what usually breaks one does not spoil it.

    Comments, CDATA, trailing commas, escaped quotes, and a list that is not closed: then
    each whole object in it counts.
    """
    plain = script.replace("<!--", "").replace("-->", "").replace("<![CDATA[", "")
    plain = plain.replace("]]>", "").strip().strip(";")
    for attempt in (plain, _repaired(plain), _repaired(unescape(plain))):
        try:
            return [json.loads(attempt, strict=False)]
        except (ValueError, RecursionError):
            continue
    return _whole_objects(_repaired(plain))


def _repaired(script: str) -> str:
    """Return JSON without comments and trailing commas; strings stay as they are."""
    return "".join(
        "" if match["comment"] or match["comma"] else match[0] for match in PIECE.finditer(script)
    )


def _whole_objects(script: str) -> list[Any]:
    """Return each outermost object that can be read by itself, in one pass."""
    found: list[str] = []
    depth = start = 0
    is_text = is_escaped = False
    for place, char in enumerate(script):
        if is_text:
            is_text = is_escaped or char != '"'
            is_escaped = char == "\\" and not is_escaped
        elif char == '"':
            is_text = True
        elif char == "{":
            start = place if depth == 0 else start
            depth += 1
        elif char == "}" and depth:
            depth -= 1
            if depth == 0 and len(found) < MAX_ITEMS:
                found.append(script[start : place + 1])
    values = []
    for piece in found:
        try:
            values.append(json.loads(piece, strict=False))
        except (ValueError, RecursionError):
            continue  # this one stays words
    return values


def _flat(values: list[Any], depth: int = 0) -> Iterator[dict[str, Any]]:
    for value in values:
        if isinstance(value, list) and depth < MAX_DEPTH:
            yield from _flat(value, depth + 1)
        elif isinstance(value, dict):
            if isinstance(value.get("@graph"), list) and depth < MAX_DEPTH:
                yield from _flat(value["@graph"], depth + 1)
            else:
                yield value
