"""The contract as people read it: the parts of the pages, and the whole as Markdown."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from suppliers import catalogue
from suppliers.catalogue import shapes
from suppliers.catalogue.inbound import EventType

SNIPPETS = {
    "Python": ("send.py", "python send.py event.json"),
    "JavaScript": ("send.mjs", "node send.mjs event.json"),
    "Shell": ("send.sh", "sh send.sh event.json"),
}
FOLDER = Path(__file__).parent / "snippets"
FORMS = (
    ("application/cloudevents+json", "One CloudEvent 1.0, structured; at most 256 KiB."),
    ("application/cloudevents-batch+json", "An array of 1 to 1,000 of them; at most 4 MiB."),
    ("application/json with ce-* headers", "One CloudEvent in binary mode: the body is `data`."),
    (
        "application/json without",
        'A Standard Webhooks body {"type", "timestamp", "data"}; its id is the `webhook-id`.',
    ),
)
ANSWERS = (
    (
        "202",
        (
            "Stored for good, also a repeat and an unknown type. For each event in its order: its "
            "`id` and a `status`, which is `accepted`, `duplicate`, `unknown_type` or `rejected`."
        ),
    ),
    ("400", "Not JSON, or no event in it is valid: a problem with a `code` and a JSON pointer."),
    ("401", "The signature is missing, wrong or stale; it says which of the three."),
    ("404", "No supplier has this code."),
    ("413, 415", "Too large; a form that is not spoken here."),
    ("429", "Over the rate; wait for `Retry-After` seconds."),
    ("503", "Nothing was kept; send it again after `Retry-After` seconds."),
)
RULES = (
    (
        "`id` and `source` name an event for ever. Send it again with the same two as often as you "
        "like: it counts once. Another body under the same id is not taken; the first is kept."
    ),
    (
        "`time` is when it happened, and orders what you say; the order of arrival does not "
        "matter. Appointments are ordered by `sequence` and `dtstamp`, things with a revision by "
        "`entity`."
    ),
    (
        "Whatever is answered by 202 is kept. Where its content breaks the contract, your "
        "delivery log shows it with a JSON pointer, and you get `steward.event.rejected`."
    ),
    (
        "Times are RFC 3339 with an offset, money is an object with a decimal in a string. Fields "
        "that are not described are taken and mean nothing; schemas only gain fields."
    ),
    (
        "The owner is the `owner_ref` of a mandate. Ask `mandates/{owner_ref}/reach/` what may be "
        "said when, and `verdict/` what one event would come to before you send it."
    ),
)
CALLS = (
    ("GET /api/supplier/v1/catalogue/", "Every type, with its schema and an example."),
    ("GET /api/supplier/v1/events/{id}/?source=", "What became of one of your events."),
    ("POST /api/supplier/v1/verdict/", "What an event would come to now; it is not stored."),
    (
        "GET /api/supplier/v1/mandates/{owner_ref}/reach/",
        (
            "What may be said when and how, by topic: `moment`, `channel`, `quiet` hours; where an"
            " amount or a time decides, `depends_on` names it; `otherwise` is what holds without."
        ),
    ),
    ("GET /api/supplier/v1/mandates/", "Your live mandates; `?after=` goes on from one."),
    ("GET /api/supplier/v1/mandates/{owner_ref}/", "What it allows, and what you may know."),
    ("GET /api/supplier/v1/mandates/{owner_ref}/terms/", "Your copy of what was agreed."),
    ("GET /api/supplier/v1/mandates/{owner_ref}/receipts/", "Your copies of the consent."),
    ("GET /api/supplier/v1/terms/", "The agreements owners can offer, with their hashes."),
    ("POST /api/supplier/v1/invitations/", "Accept an invitation: `{token}` of its link."),
    ("POST /api/supplier/v1/ping/", "Try your key."),
    ("GET /api/supplier/v1/visits/", "Your visits from today on, each with the steps it can take."),
    (
        "POST /api/supplier/v1/visits/{id}/",
        "One `step`: `on_my_way` (with `minutes`), `arrived`, `done`, `no_show`.",
    ),
    ("GET /api/supplier/v1/requests/?done=", "What owners asked and nobody took in hand."),
    (
        "POST /api/supplier/v1/requests/{id}/",
        "Answer by `text`, by the number of a `window`, or by `decline`; with none it is noted.",
    ),
    (
        "GET /api/supplier/v1/log/?way=&q=&state=&outcome=&since=&until=&before=",
        (
            "What you sent (`way=in`) or got (`out`), the newest first. `q` is an id, the "
            "beginning of a type or an owner_ref; `since` and `until` are days. `next` is the "
            "`before` of the next page."
        ),
    ),
    ("GET /api/supplier/v1/log/{id}/", "One event you got, every try, and what you answered."),
    ("POST /api/supplier/v1/log/{id}/replay/", "Get it once more, under the same id."),
    (
        "GET /api/supplier/v1/scorecard/",
        "Counts of the last 90 days, each with its `trend`; shares from five cases on.",
    ),
    (
        "GET /api/supplier/v1/scorecard/{figure}/",
        "What a figure was counted from, the newest 200 cases.",
    ),
    (
        "GET, PATCH /api/supplier/v1/profile/",
        "How you are known, what is proved; `technical_contact` and `webhook_url` change.",
    ),
    ("GET, POST /api/supplier/v1/keys/", "Your keys; a new one is shown once."),
    ("DELETE /api/supplier/v1/keys/{id}/", "Close a key."),
    (
        "GET, POST /api/supplier/v1/secrets/",
        "What verifies your events. POST rotates, with a day of overlap, or adds a `public_key`.",
    ),
    ("DELETE /api/supplier/v1/secrets/{id}/", "End a secret or public key at once."),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field as a line of a table."""

    name: str
    need: str
    form: str
    meaning: str


def form_of(shape: Mapping[str, Any]) -> str:
    """Return in a few words what a field looks like."""
    if "enum" in shape:
        return " | ".join(shape["enum"])
    if "anyOf" in shape:
        return " or ".join(dict.fromkeys(form_of(one) for one in shape["anyOf"]))
    kind = shape.get("type", "anything")
    if kind == "object":
        needed = shape.get("required", ())
        inner = ", ".join(
            name if name in needed else f"{name}?" for name in shape.get("properties", {})
        )
        return f"{{{inner}}}"
    if kind == "array":
        return f"list of {form_of(shape['items'])}"
    if isinstance(kind, list):
        return " or ".join(kind)
    if shape.get("pattern") == shapes.DAY_OR_INSTANT:
        return "date or time"
    words = {"string": "text", "integer": "whole number", "boolean": "true or false"}
    return "time" if shape.get("format") == "date-time" else words.get(kind, kind)


def common_fields() -> list[Field]:
    """Return the fields that every type may have."""
    return [
        Field(
            name=name,
            need="required" if name == "owner" else "",
            form=form_of(shape),
            meaning=_meaning(shape),
        )
        for name, shape in shapes.COMMON.items()
    ]


def fields_of(found: EventType) -> list[Field]:
    """Return a type's own fields."""
    lines = []
    for name in found.fields:
        shape = shapes.of(found.family, name)
        need = "required" if name in found.required else ""
        if name in found.either:
            need = f"this or {' or '.join(other for other in found.either if other != name)}"
        lines.append(Field(name=name, need=need, form=form_of(shape), meaning=_meaning(shape)))
    return lines


def _meaning(shape: Mapping[str, Any]) -> str:
    return str(shape.get("description", ""))


def example_of(name: str) -> str:
    """Return a whole event of a type, as it is sent."""
    return json.dumps(catalogue.cloudevent(name), indent=2, ensure_ascii=False)


def program(file: str) -> Path:
    """Return where a program is kept; Python's is no module of this project."""
    return FOLDER / (f"{file}.txt" if file.endswith(".py") else file)


def snippets() -> list[dict[str, str]]:
    """Return the programs that sign and send one event."""
    return [
        {
            "language": language,
            "file": file,
            "command": command,
            "text": program(file).read_text(encoding="utf-8"),
        }
        for language, (file, command) in SNIPPETS.items()
    ]


def markdown() -> str:
    """Return the whole manual as one Markdown document."""
    parts = [
        "# Events: what suppliers send, and what they get",
        (
            "Written by `manage.py event_docs` from `suppliers/catalogue`; change it there. "
            "A running Steward shows the same at `/docs/events/`."
        ),
        "## Sending",
        (
            "`POST /webhooks/{supplier_code}/`, signed as Standard Webhooks says: headers "
            "`webhook-id`, `webhook-timestamp` and `webhook-signature` (`v1,` and the HMAC-SHA256 "
            "of `id.timestamp.` and the exact bytes of the body, or `v1a,` with Ed25519)."
        ),
        _table(("Content-Type", "Body"), ((f"`{form}`", text) for form, text in FORMS)),
        _table(("Answer", "Meaning"), ANSWERS),
        *(f"- {rule}" for rule in RULES),
        "## Programs that sign and send",
        *(
            f"### {one['language']}\n\n`STEWARD_URL=… STEWARD_SECRET=whsec_… {one['command']}`\n\n"
            f"```{one['file'].rpartition('.')[2]}\n{one['text'].rstrip()}\n```"
            for one in snippets()
        ),
        "## Asking",
        "With `Authorization: Bearer` and a key of yours:",
        _table(("Call", "Answer"), ((f"`{call}`", text) for call, text in CALLS)),
        "## The common part of `data`",
        _fields(common_fields()),
        "## What you send",
    ]
    for family, types in catalogue.families().items():
        parts.append(f"### {catalogue.FAMILIES[family]}")
        for found in types:
            parts.append(f"#### {found.name}\n\n{found.summary}")
            if own := fields_of(found):
                parts.append(_fields(own))
            data = json.dumps(found.example, indent=2, ensure_ascii=False)
            parts.append(f"```json\n{data}\n```")
    parts += [
        "## What you get",
        (
            "CloudEvents, signed `v1a` with the key of `/.well-known/steward-keys.json`, and `v1` "
            "with your endpoint's secret. Without an endpoint you get a mail instead, and the "
            "owner's own words as an SMS where only a number of yours is known."
        ),
        (
            "- Your endpoint gets its events one after the other, in the order in which they were "
            "written, at most fifty a second. Answer with 2xx within twenty seconds; of your "
            "answer 1 KiB is kept, and only you see it, in your delivery log.\n"
            "- Any other answer, a redirect too, is tried again after 5 s, 5 min, 30 min, 2 h, "
            "5 h, 10 h, 14 h, 20 h and 24 h under the same `webhook-id`; `Retry-After` is obeyed "
            "for the whole endpoint. What follows a failing event waits behind it for its first "
            "three tries, and after that only what is of the same mandate: an answer never "
            "overtakes an earlier one of the same owner. Once you answer again, all that waits "
            "is due at once.\n"
            "- 410, or five days without a good answer, switches the endpoint off: what waits goes "
            "by mail, and you are told.\n"
            "- An event may arrive twice when your answer was lost: its `id` says so."
        ),
        _table(
            ("Type", "Meaning", "Without an endpoint", ""),
            (
                (
                    f"`{sent.name}`",
                    sent.summary,
                    sent.without,
                    "" if sent.is_sent else "not sent by this version",
                )
                for sent in catalogue.OUTBOUND.values()
            ),
        ),
    ]
    return _joined(parts)


def _joined(parts: Iterable[str]) -> str:
    """Join paragraphs by a blank line, the points of one list without."""
    text = ""
    for part in parts:
        is_next_point = part.startswith("- ") and text.rpartition("\n")[2].startswith("- ")
        text += part if not text else ("\n" if is_next_point else "\n\n") + part
    return text + "\n"


def _fields(fields: Iterable[Field]) -> str:
    rows = ((f"`{one.name}`", one.need, one.form, one.meaning) for one in fields)
    return _table(("Field", "", "Form", "Meaning"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )
