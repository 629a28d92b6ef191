"""A mail as it was sent, made harmless: in the child process only.

Nothing in it may load, run, send or lead anywhere by itself. Pictures that came with it
are shown from inside the page; what would be fetched from elsewhere is left out and
counted. A link says where it really leads, and leads there only if the sender is proved.
"""

import base64
import email
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import lxml.html  # type: ignore[import-untyped]  # lxml has no types
import nh3
from lxml import etree

from assets import sniffing
from suppliers.adapters import headers, markup, mime

MAX_HTML = 100_000  # characters shown as a page; the sanitiser's time grows with the square
MAX_DEPTH = 150
MAX_NODES = 20_000
MAX_TEXT = 200_000
MAX_PICTURE = 1024 * 1024
MAX_PICTURES = 3 * 1024 * 1024  # bytes of all pictures in one page
MAX_PIXELS = 24_000_000
MAX_LINKS = 200
PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF", "image/webp": "WEBP"}
DATA = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/=]+\Z")
TAGS = {
    "a", "abbr", "address", "article", "b", "blockquote", "br", "caption", "center", "code", "dd",
    "del", "div", "dl", "dt", "em", "figcaption", "figure", "footer", "h1", "h2", "h3", "h4",
    "h5", "h6", "header", "hr", "i", "img", "ins", "li", "main", "mark", "ol", "p", "pre", "s",
    "section", "small", "span", "strong", "sub", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "tr", "u", "ul",
}  # fmt: skip
GONE = {"script", "style", "title", "template", "noscript", "object", "iframe", "svg", "math",
        "select", "textarea", "button", "form", "audio", "video", "canvas"}  # fmt: skip
ATTRIBUTES = {
    "a": {"href", "title"}, "img": {"src", "alt"}, "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"}, "ol": {"start"},
}  # fmt: skip
SPAN_MOST = 50
HIDDEN = re.compile(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden|opacity\s{0,5}:\s{0,5}0(?:\.0+)?\s{0,5}(?:;|$)|"
    r"(?:^|;)\s{0,5}(?:max-)?(?:width|height)\s{0,5}:\s{0,5}[01](?:px)?\s{0,5}(?:;|!|$)",
    re.IGNORECASE,
)
# Parameters that say who clicked, and nothing about where it leads.
TRACKING = re.compile(
    r"(?:utm_\w+|fbclid|gclid|dclid|msclkid|yclid|igshid|mc_[ce]id|_hs(?:enc|mi)|mkt_tok|vero_\w+|"
    r"oly_\w+|wickedid|rb_clickid|s_cid|trk_\w+|elq\w*|ck_subscriber_id|dm_i|bsft_\w+|_ke|spm)\Z",
    re.IGNORECASE,
)
LOOKS_LIKE_HOST = re.compile(
    r"\s*(?:https?://)?([\w-]{1,63}(?:\.[\w-]{1,63}){1,8})(?:[/?#]\S*)?\s*\Z"
)


@dataclass(slots=True)
class Page:
    """What became of a mail's page on its way to be shown."""

    is_proved: bool
    pictures: dict[str, str] = field(default_factory=dict)  # Content-ID -> data address
    trackers: int = 0
    left_out: int = 0
    misleading: int = 0
    links: int = 0

    def made(self, html: str) -> str:
        """Return the page, or nothing for one that passes a limit."""
        if not html.strip() or len(html) > MAX_HTML:
            return ""
        try:
            parser = lxml.html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True)
            root = lxml.html.document_fromstring(html.replace("\x00", ""), parser=parser)
        except (etree.ParserError, etree.XMLSyntaxError, ValueError):
            return ""
        if _is_too_much(root):
            return ""
        for node in list(root.iter()):
            if isinstance(node.tag, str):
                self._node(node)
        text = lxml.html.tostring(root, encoding="unicode")
        # Whatever the walk above missed ends here: it decides what may be in a page at all.
        return nh3.clean(
            text,
            tags=TAGS,
            clean_content_tags=GONE,
            attributes=ATTRIBUTES,
            attribute_filter=_attribute,
            strip_comments=True,
            link_rel="noopener noreferrer nofollow",
            set_tag_attribute_values={"a": {"target": "_blank"}},
            url_schemes={"http", "https", "mailto", "tel", "data"},
        )

    def _node(self, node: Any) -> None:
        style = str(node.get("style", ""))[:2000]
        if node.tag == "img":
            self._picture(node, style)
        elif node.get("hidden") is not None or (style and HIDDEN.search(style)):
            self._hide(node)
        elif node.tag == "a" and node.get("href"):
            self._link(node)
        elif node.get("background") or "url(" in style.lower():
            self.left_out += 1

    def _hide(self, node: Any) -> None:
        """Take away what nobody was meant to see, as a page without styles would show it."""
        self.trackers += sum(1 for _ in node.iter("img"))
        if node.tag not in {"html", "body"} and node.getparent() is not None:
            node.drop_tree()

    def _picture(self, node: Any, style: str) -> None:
        if node.getparent() is None:
            return
        source = str(node.get("src", "")).strip()
        cid = source[4:].strip().strip("<>") if source[:4].lower() == "cid:" else ""
        shown = self.pictures.get(cid, "") if cid else ""
        is_tiny = any(str(node.get(side, "")).strip() in {"0", "1", "0px", "1px"}
                      for side in ("width", "height"))  # fmt: skip
        if is_tiny or HIDDEN.search(style):
            self.trackers += 1
            node.drop_tree()
        elif shown:
            node.attrib.clear()
            node.set("src", shown)
        else:
            self.left_out += 1
            # The words for the picture stay where it was.
            words = " ".join(str(node.get("alt", "")).split())[:200]
            node.tail = f"{words} {node.tail or ''}" if words else node.tail
            node.drop_tree()

    def _link(self, node: Any) -> None:
        href = str(node.get("href")).strip()[:4000]
        words = " ".join(node.text_content().split())[:300]
        target, host = self._target(href)
        node.attrib.clear()
        self.links += 1
        if not host:
            return
        named = LOOKS_LIKE_HOST.match(words)
        seen = named[1].lower().removeprefix("www.") if named else ""
        if seen and "." in seen and seen != host.removeprefix("www."):
            self.misleading += 1
        if seen != host.removeprefix("www."):
            note = etree.SubElement(node, "small")
            note.text = f" [{host}]"
        if self.is_proved and self.links <= MAX_LINKS:
            node.set("href", target)

    def _target(self, href: str) -> tuple[str, str]:
        """Return where a link leads without who clicked, and the host in plain letters."""
        try:
            parts = urlsplit(href)
            if parts.scheme == "mailto":
                return href, parts.path.partition("?")[0][:254]
            if parts.scheme == "tel":
                return href, parts.path[:30]
            host = (parts.hostname or "").encode("idna").decode()
            if parts.scheme not in {"http", "https"} or not host or parts.username:
                return "", ""
            kept = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
        except (ValueError, UnicodeError):
            return "", ""
        clean = [(name, value) for name, value in kept if not TRACKING.match(name)]
        if len(clean) == len(kept):
            return href, host
        self.trackers += 1
        return urlunsplit(parts._replace(query=urlencode(clean))), host


def _is_too_much(root: Any) -> bool:
    depth = nodes = 0
    for event, _node in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        nodes += event == "start"
        if depth > MAX_DEPTH or nodes > MAX_NODES:
            return True
    return False


def _attribute(tag: str, name: str, value: str) -> str | None:
    if tag == "img" and name == "src":
        return value if DATA.match(value) else None
    if tag == "a" and name == "href":
        return None if value.lower().lstrip().startswith("data:") else value
    if name in {"colspan", "rowspan", "start"}:
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 6 else 1
        return str(min(number, SPAN_MOST if name != "start" else 99_999))
    return value


# --- the parts ---------------------------------------------------------------------------


@dataclass(slots=True)
class Part:
    """One leaf of the message that is not its text."""

    name: str
    declared: str
    content: bytes
    cid: str = ""


def task(data: dict[str, Any]) -> dict[str, Any]:
    """Answer a request: a mail as it may be shown."""
    raw = base64.b64decode(data["raw"])
    return shown(raw, is_proved=bool(data["is_proved"]))


def attachment_task(data: dict[str, Any]) -> dict[str, Any] | None:
    """Answer a request: the bytes of one attachment, or nothing."""
    found = _read(base64.b64decode(data["raw"]))[2]
    number = int(data["number"])
    if not 0 < number <= len(found):
        return None
    part = found[number - 1]
    return {
        "name": part.name,
        "type": sniffing.media_type(part.content),
        "content": base64.b64encode(part.content).decode(),
    }


def shown(raw: bytes, *, is_proved: bool) -> dict[str, Any]:
    """Return what of a mail may be shown, as plain JSON values. Raises mime.LimitError."""
    plain, pages, parts = _read(raw)
    head = headers.read(raw)
    page = Page(is_proved=is_proved)
    html = "\n".join(pages)
    used = _pictures(parts, html, page)
    made = page.made(html)
    text = "\n".join(plain).strip() or markup.visible(html)[0]
    return {
        "subject": head.subject,
        "from": headers.decoded(head.get("from"))[:500],
        "to": headers.decoded(head.get("to"))[:500],
        "date": head.date.isoformat() if head.date else "",
        "html": made,
        "is_left_out": bool(html.strip()) and not made,
        "text": text[:MAX_TEXT],
        "trackers": page.trackers,
        "left_out": page.left_out,
        "misleading": page.misleading,
        "attachments": [
            {
                "number": number,
                "name": part.name,
                "type": sniffing.media_type(part.content),
                "declared": part.declared,
                "size": len(part.content),
            }
            for number, part in enumerate(parts, 1)
            if number not in used
        ],
    }


def _read(raw: bytes) -> tuple[list[str], list[str], list[Part]]:
    mime.check(raw)
    plain: list[str] = []
    pages: list[str] = []
    parts: list[Part] = []
    for part in _leaves(email.message_from_bytes(raw, policy=policy.compat32), 0):
        kind = part.get_content_type()
        way = str(part.get("Content-Disposition", ""))[:40].lower()
        is_text = kind in {"text/plain", "text/html"} and "attachment" not in way
        if is_text and not (kind == "text/plain" and mime.filename(part)):
            (plain if kind == "text/plain" else pages).append(mime.text_of(part))
            continue
        if kind == "message/rfc822":
            inner = part.get_payload()
            first = inner[0] if isinstance(inner, list) and inner else None
            content = first.as_bytes() if isinstance(first, Message) else b""
            parts.append(Part(name="message.eml", declared=kind, content=content))
            continue
        cid = str(part.get("Content-ID", "")).strip().strip("<>")[:200]
        name = mime.filename(part)
        parts.append(Part(name=name, declared=kind[:100], content=mime.bytes_of(part), cid=cid))
    return plain, pages, parts


def _leaves(part: Message, depth: int) -> Iterator[Message]:
    is_attached_mail = part.get_content_type() == "message/rfc822" and depth > 0
    if is_attached_mail or not part.is_multipart():
        yield part
    elif depth < mime.MAX_DEPTH:
        for child in part.get_payload():
            if isinstance(child, Message):
                yield from _leaves(child, depth + 1)


def _pictures(parts: list[Part], html: str, page: Page) -> set[int]:
    """Put the pictures that the page names into it; return the numbers of those parts."""
    used, room = set(), MAX_PICTURES
    for number, part in enumerate(parts, 1):
        if not part.cid or f"cid:{part.cid}".lower() not in html.lower():
            continue
        kind = sniffing.media_type(part.content)
        if kind in PICTURES and len(part.content) <= min(MAX_PICTURE, room) and _is_small(part):
            room -= len(part.content)
            used.add(number)
            data = base64.b64encode(part.content).decode()
            page.pictures[part.cid] = f"data:{kind};base64,{data}"
    return used


def _is_small(part: Part) -> bool:
    """Say whether a picture has few enough points to be drawn; only its head is read."""
    from PIL import Image  # noqa: PLC0415 - few mails need it

    try:
        with Image.open(io.BytesIO(part.content), formats=list(PICTURES.values())) as picture:
            return bool(picture.width * picture.height <= MAX_PIXELS)
    except (OSError, ValueError, Image.DecompressionBombError):
        return False
