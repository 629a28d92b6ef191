"""Every type that Steward sends to a supplier: the owner's answers, and what went wrong."""

from dataclasses import dataclass
from typing import Any

from suppliers.catalogue.inbound import OWNER

VISIT: dict[str, Any] = {
    "uid": "job-88213@skyline.example",
    "sequence": 0,
    "start": "2026-11-13T13:00:00+00:00",
    "end": "2026-11-13T17:00:00+00:00",
}
MATTER: dict[str, Any] = {
    "journey": "jrn_7k3vq9xw2mzt8a4hd5ysb6reuc",
    "refs": [{"scheme": "order", "value": "4471-88213"}],
}
# What the owner had before their eyes, and its hash over UTF-8.
SHOWN: dict[str, Any] = {
    "text": "Your quote: 49.00 USD",
    "sha256": "078e2895058f2ca976a4ce88b1b43b84d1a30317786648f7bfec6d8591ea580f",
}
TICKET: dict[str, Any] = {"refs": [{"scheme": "ticket", "value": "T-20418"}]}
ASSET: dict[str, Any] = {"asset": {"ref": "ast_h2w9yq4xk7ezv3mtc8sdr5pbnu"}}
# What may be known of it besides its name and kind follows the granted facts.
THING: dict[str, Any] = {
    "asset": {**ASSET["asset"], "name": "Living-room DVR", "kind": "electronics"}
}
TERMS: dict[str, Any] = {
    "agreementUri": "https://steward.example/terms/service-only/1/",
    "version": "1",
    "sha256": "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9",
}
NEWS: dict[str, Any] = {
    "requestId": MATTER["journey"],
    "refs": [{"scheme": "thread", "value": MATTER["journey"]}],
    "from": "2026-12-01",
    "answerBy": "2026-12-15",
}
PURPOSES: dict[str, Any] = {"state": "active", "purposes": ["service", "billing"]}
GRANT: dict[str, Any] = {
    **PURPOSES,
    "facts": {"address": "12 Elm Street, Springfield"},
    "assets": [{**ASSET["asset"], "name": "Living-room DVR", "kind": "electronics"}],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SentType:
    """One type Steward sends. `without` is how a supplier without a webhook hears of it."""

    name: str
    summary: str
    without: str
    example: dict[str, Any]
    is_sent: bool = True  # this version sends it; others are reserved by the contract

    @property
    def title(self) -> str:
        """Its name as words: `order.created` -> "Order created"."""
        return self.name.replace(".", " ").replace("_", " ").capitalize()

    @property
    def family(self) -> str:
        """What it is about: all but the last part."""
        return self.name.rpartition(".")[0]


BY_MAIL = "A mail from the mandate's alias."
BY_ITIP = (
    "A mail from the alias: an iTIP REPLY or COUNTER with readable text where the appointment "
    "came as a calendar, else the text."
)
TECHNICAL = "A mail to your technical contact."


def _sent(
    name: str, summary: str, without: str, example: dict[str, Any], *, is_sent: bool = True
) -> SentType:
    owner = {"owner": OWNER} if name.startswith("owner.") else {}
    return SentType(
        name=name,
        summary=summary,
        without=without,
        example={**owner, **example},
        is_sent=is_sent,
    )


_TYPES = (
    _sent("owner.message.sent", "The owner wrote to you.", BY_MAIL,
          {**MATTER, "body": "Please ring the upper bell."}),
    _sent("owner.appointment.accepted", "The owner says yes to the appointment.", BY_ITIP,
          {**MATTER, **VISIT}),
    _sent("owner.appointment.declined", "The owner cannot take the appointment.", BY_ITIP,
          {**MATTER, **VISIT}),
    _sent("owner.appointment.tentative", "The owner can probably take it.", BY_ITIP,
          {**MATTER, **VISIT}),
    _sent("owner.appointment.countered", "The owner proposes other times.", BY_ITIP,
          {**MATTER, **VISIT, "windows": [
              {"start": "2026-11-14T14:00:00+00:00", "end": "2026-11-14T18:00:00+00:00"}]}),
    _sent("owner.appointment.slot_selected", "The owner chose one of the times you offered.",
          BY_ITIP, {**MATTER, "requestId": "req-14", "slotId": "a"}),
    _sent("owner.appointment.requested", "The owner asks for an appointment.", BY_ITIP,
          {**MATTER, "windows": [
              {"start": "2026-11-14T14:00:00+00:00", "end": "2026-11-14T18:00:00+00:00"}]}),
    _sent("owner.appointment.cancelled", "The owner calls the appointment off.", BY_ITIP,
          {**MATTER, **VISIT}),
    _sent("owner.survey.answered", "The owner answered; a score is 1 to 5.", BY_MAIL,
          {**MATTER, "surveyId": "srv-2026-11", "score": 5, "text": "Quick and friendly."}),
    _sent("owner.survey.declined",
          "The owner does not open your survey's page; a score given here comes with it.",
          BY_MAIL, {**MATTER, "surveyId": "srv-2026-11", "reason": "answered_here", "score": 5}),
    _sent("owner.survey.deferred",
          "Not now: `owner_cap` over the owner's cap, `one_open` while another is open. "
          "Do not ask again before `until`.", BY_MAIL,
          {"surveyId": "srv-2026-11", "until": "2026-12-13T17:00:00+00:00",
           "reason": "owner_cap"}),
    _sent("owner.quote.accepted", "The owner takes the price you offered.", BY_MAIL,
          {**MATTER, "quoteId": "Q-310", "shown": SHOWN}),
    _sent("owner.quote.declined", "The owner does not take it.", BY_MAIL,
          {**MATTER, "quoteId": "Q-310", "shown": SHOWN}),
    _sent("owner.invoice.disputed", "The owner does not agree with a bill.", BY_MAIL,
          {**MATTER, "invoiceNumber": "INV-5520", "body": "We were told 49.00.", "shown": SHOWN}),
    _sent("owner.ticket.opened",
          "The owner reports trouble or asks: `facts` and what is known of the asset as granted, "
          "`windows` where a visit is wished. Quote `refs` and your answer joins the matter.",
          BY_MAIL,
          {"journey": MATTER["journey"],
           "refs": [{"scheme": "thread", "value": MATTER["journey"]}],
           **THING, "facts": GRANT["facts"], "body": "It stopped recording.",
           "windows": [
               {"start": "2026-11-14T14:00:00+00:00", "end": "2026-11-14T18:00:00+00:00"}],
           "zone": "America/New_York"}),
    _sent("owner.ticket.information_provided", "What you asked for.", BY_MAIL,
          {**MATTER, **TICKET, "ticketId": "T-20418", "answer": "R15-204477"}),
    _sent("owner.ticket.reopened", "It does not work yet; `tried` is what was done so far.",
          BY_MAIL, {**MATTER, **TICKET, "ticketId": "T-20418"}),
    _sent("owner.journey.closed", "It works: for the owner the matter is closed.", BY_MAIL,
          {**MATTER}),
    _sent("owner.recall.acknowledged", "The owner knows of the recall.", BY_MAIL,
          {"recallNumber": "26-114"}),
    _sent("owner.recall.remedy_chosen", "The owner chose a remedy.", BY_MAIL,
          {"recallNumber": "26-114", "remedy": "repair"}),
    _sent("owner.recall.not_owner", "The thing is not theirs any more.", BY_MAIL,
          {"recallNumber": "26-114"}),
    _sent("owner.asset.linked",
          "You serve this thing now, as `role`; without a role: it is here after all.", BY_MAIL,
          {**THING, "role": "repairer"}),
    _sent("owner.asset.unlinked", "You do not serve it any more, as `role`.", BY_MAIL,
          {**THING, "role": "repairer"}),
    _sent("owner.asset.transferred",
          "It has another owner, `from` that day. With a `requestId`, `answerBy` that day please: "
          "quote `refs` and your answer is noted beside your name.", BY_MAIL,
          {**THING, **NEWS, "body": "Since 5 November 2026 we no longer own this: Golf."}),
    _sent("owner.asset.disposed",
          "It is gone; with a `requestId` an answer is awaited, as when it has another owner.",
          BY_MAIL, {**THING}),
    _sent("owner.mandate.granted", "You may write, for these purposes.", BY_MAIL, {**GRANT}),
    _sent("owner.mandate.changed",
          "What you may write about, or know, has changed. Where the owner tells of something new, "
          "`changed` names the fact (`address`, `phone`, `name`, or `email` with the address), "
          "`from` when it holds; quote `refs` when you answer, `answerBy` that day please.",
          BY_MAIL,
          {**GRANT, **NEWS, "changed": ["address"],
           "body": "From 1 December 2026 our address is: 12 Elm Street, Springfield."}),
    _sent("owner.mandate.paused", "Write no more until you hear otherwise.", BY_MAIL,
          {**PURPOSES, "state": "paused"}),
    _sent("owner.mandate.revoked",
          "The mandate has ended; `terms` that were offered with it hold no more.", BY_MAIL,
          {"state": "ended", "purposes": [], "terms": [{**TERMS, "title": "Service only"}]}),
    _sent("owner.reach.changed",
          "What may be told when and how has changed; at most once an hour. Ask "
          "`GET /api/supplier/v1/mandates/{owner_ref}/reach/` for what it is now.", BY_MAIL, {}),
    _sent("owner.terms.proffered",
          "The owner's terms for you: answer by `terms.accepted`, `.alternative_offered` or "
          "`.rejected` with the same three fields.", BY_MAIL,
          {**TERMS, "title": "Service only", "text": "SERVICE ONLY ..."}),
    _sent("owner.terms.withdrawn", "These terms no longer hold.", BY_MAIL,
          {**TERMS, "title": "Service only"}),
    _sent("owner.data_request.created",
          "The owner asks what you hold (`kind` `access`) or to delete it (`erasure`), until "
          "`dueAt`. Answer by `data_request.fulfilled` or `.refused` with the `requestId`.",
          "A mail that names the article.",
          {"journey": MATTER["journey"],
           "refs": [{"scheme": "thread", "value": MATTER["journey"]}],
           "requestId": MATTER["journey"], "kind": "access", "article": "Art. 15 GDPR",
           "dueAt": "2026-12-13",
           "body": "Under Art. 15 GDPR, please tell us which personal data you hold about us."}),
    _sent("steward.event.rejected", "An event you sent breaks the contract; it stays in your log.",
          TECHNICAL,
          {"id": "ev-1", "source": "/suppliers/skyline", "type": "message.created",
           "code": "missing_field", "pointer": "/data/body", "detail": "This field is required."}),
    _sent("steward.event.superseded", "A later event made this one history.", TECHNICAL,
          {"id": "ev-1", "source": "/suppliers/skyline", "type": "appointment.updated"}),
    _sent("steward.endpoint.disabled", "Your endpoint failed for five days, or is gone.",
          TECHNICAL,
          {"url": "https://skyline.example/hooks", "reason": "failing",
           "at": "2026-11-18T09:00:00+00:00"}),
    _sent("steward.secret.rotated", "A signing secret was replaced.", TECHNICAL,
          {"at": "2026-11-18T09:00:00+00:00",
           "oldUntil": "2026-11-19T09:00:00+00:00"}),
    _sent("steward.ping", "A test of your endpoint.", TECHNICAL, {}),
)  # fmt: skip

TYPES: dict[str, SentType] = {found.name: found for found in _TYPES}
