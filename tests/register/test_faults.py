"""A fault is written down; who pays, the evidence, the repair and the claim follow."""

import io
import json
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from django.test import Client

from assets import claims, documents, evidence, faults, holdings, labels, metering
from assets.care_words import IssueStatus
from assets.choices import CoverageKind, DocumentKind, OperationalStatus, PriceKind
from assets.cover_words import Cause, ClaimState, OrderState, Remedy, Standing
from assets.coverage import Kind
from assets.models import Claim, CostEntry, Issue, WorkOrder
from assets.undos import UNDOS
from notifications import ties
from notifications.models import Journey, JourneyTie
from owners import undoing
from tests import factories
from tests.api.conftest import app_of

NOW = datetime(2026, 11, 9, 13, 0, tzinfo=UTC)
DAY = date(2026, 11, 9)


def undo(cast: factories.Cast, change: Any) -> None:
    undoing.put_back(change=change, owner=cast.ana, ways=UNDOS, now=NOW)


def bought(cast: factories.Cast, **values: Any) -> None:
    """Ana's recorder came from Volt in Germany, eleven months ago."""
    said = {
        "seller": "Volt",
        "order_no": "A-17",
        "ordered_on": date(2025, 12, 1),
        "delivered_on": date(2025, 12, 10),
        "jurisdiction": "DE",
        "currency": "EUR",
    }
    lines = [(PriceKind.GROSS, Decimal(349), "")]
    holdings.acquire(asset=cast.dvr, values={**said, **values}, lines=lines, now=NOW)


def broken(cast: factories.Cast, **values: Any) -> Issue:
    said = {"title": "It does not record", "noticed_on": DAY, **values}
    return faults.report(asset=cast.dvr, values=said, owner=cast.ana, now=NOW)[0]


def claimed(cast: factories.Cast, issue: Issue, **values: Any) -> Claim:
    said = {"kind": CoverageKind.LEGAL_GUARANTEE, "obligor": "Volt", "issue": issue, **values}
    return claims.make(asset=cast.dvr, values=said, owner=cast.ana, now=NOW)[0]


def test_a_fault_says_who_pays_from_what_is_written_down(cast: factories.Cast) -> None:
    bought(cast)
    policy = {"kind": CoverageKind.INSURANCE, "obligor": "Safe", "excess": 150, "currency": "EUR"}
    holdings.cover(asset=cast.dvr, values=policy | {"ends_on": date(2027, 1, 1)}, now=NOW)
    issue = broken(cast)
    first, second = faults.payers_for(issue)
    assert (first.kind, first.obligor, first.standing) == (Kind.LEGAL, "Volt", Standing.PAYS)
    assert first.deadline == date(2027, 12, 9)
    assert "477" in first.source
    assert (second.kind, second.standing) == (Kind.INSURANCE, Standing.MAYBE)
    change = faults.change(issue=issue, values={"cause": Cause.ACCIDENT}, owner=cast.ana, now=NOW)
    assert [one.kind for one in faults.payers_for(issue)] == [Kind.INSURANCE, Kind.LEGAL]
    undo(cast, change)
    issue.refresh_from_db()
    assert issue.cause == Cause.UNKNOWN


def test_a_guarantee_ends_with_what_the_meter_showed_on_that_day(cast: factories.Cast) -> None:
    meter = metering.add(asset=cast.dvr, values={"name": "Hours", "unit": "h"}, now=NOW)
    metering.read(meter=meter, value=Decimal(900), read_on=date(2026, 10, 1), now=NOW)
    metering.read(meter=meter, value=Decimal(1200), read_on=DAY, now=NOW)
    said = {"kind": CoverageKind.COMMERCIAL_GUARANTEE, "meter_limit": 1000, "meter_unit": "h"}
    holdings.cover(asset=cast.dvr, values=said | {"ends_on": date(2028, 1, 1)}, now=NOW)
    (early,) = faults.payers(asset=cast.dvr, on=date(2026, 10, 2))
    (late,) = faults.payers(asset=cast.dvr, on=DAY)
    assert (early.standing, late.standing) == (Standing.PAYS, Standing.NO)


def test_what_does_not_work_is_out_of_order_until_it_is_undone(cast: factories.Cast) -> None:
    said = {"title": "Dead", "cause": Cause.DEFECT, "part": "disk", "is_out_of_order": True}
    issue, change = faults.report(asset=cast.dvr, values=said, owner=cast.ana, now=NOW)
    cast.dvr.refresh_from_db()
    assert cast.dvr.operational_status == OperationalStatus.OUT_OF_ORDER
    assert (issue.cause, issue.part, Issue.objects.count()) == (Cause.DEFECT, "disk", 1)
    undo(cast, change)
    cast.dvr.refresh_from_db()
    assert cast.dvr.operational_status == OperationalStatus.IN_SERVICE
    assert not Issue.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [({"title": "  "}, "title"), ({"noticed_on": date(2026, 11, 10)}, "noticed_on")],
)
def test_a_fault_that_says_nothing_or_is_to_come_is_refused(
    cast: factories.Cast, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(holdings.HoldingError) as refused:
        broken(cast, **values)
    assert refused.value.field == field


def test_a_repair_takes_its_fault_along_and_back(cast: factories.Cast) -> None:
    issue = broken(cast)
    order, _made = faults.order(
        asset=cast.dvr, values={"title": "New disk", "issue": issue}, owner=cast.ana, now=NOW
    )
    change = faults.change_order(
        order=order, values={"state": OrderState.IN_PROGRESS}, owner=cast.ana, now=NOW
    )
    issue.refresh_from_db()
    assert issue.status == IssueStatus.IN_PROGRESS
    undo(cast, change)
    issue.refresh_from_db()
    assert issue.status == IssueStatus.OPEN
    assert WorkOrder.objects.get().state == OrderState.PLANNED


def test_what_was_paid_on_a_claim_counts_as_a_cost_less_once(cast: factories.Cast) -> None:
    claim = claimed(cast, broken(cast), claimed=Decimal(120), currency="EUR")

    def move(state: ClaimState, **said: Any) -> Any:
        return claims.move(claim=claim, state=state, values=said, owner=cast.ana, now=NOW)

    move(ClaimState.SUBMITTED)
    assert claim.filed_on == DAY
    paid = move(ClaimState.PAID, amount=Decimal(100), currency="EUR", remedy=Remedy.REFUNDED)
    assert [cost.amount for cost in CostEntry.objects.all()] == [Decimal(-100)]
    claims.change(claim=claim, values={"amount": Decimal(110)}, owner=cast.ana, now=NOW)
    assert [cost.amount for cost in CostEntry.objects.all()] == [Decimal(-110)]
    move(ClaimState.SUBMITTED)  # contested: it is open again, and nothing is paid
    assert not CostEntry.objects.exists()
    undo(cast, paid)
    claim.refresh_from_db()
    assert (claim.state, claim.cost) == (ClaimState.SUBMITTED, None)


def test_a_removed_claim_comes_back_with_its_money(cast: factories.Cast) -> None:
    claim = claimed(cast, broken(cast))
    claims.move(claim=claim, state=ClaimState.SUBMITTED, values={}, owner=cast.ana, now=NOW)
    said = {"amount": Decimal(30), "currency": "EUR"}
    claims.move(claim=claim, state=ClaimState.PAID, values=said, owner=cast.ana, now=NOW)
    change = claims.remove(claim=claim, owner=cast.ana, now=NOW)
    assert not (Claim.objects.exists())
    assert not (CostEntry.objects.exists())
    undo(cast, change)
    assert Claim.objects.get().cost == CostEntry.objects.get()


def test_a_claim_goes_only_where_it_can(cast: factories.Cast) -> None:
    for start in ClaimState:
        for end in set(ClaimState) - claims.NEXT[start]:
            claim = Claim(asset=cast.dvr, household=cast.household, state=start)
            with pytest.raises(claims.StateError):
                claims.move(claim=claim, state=end, values={}, owner=cast.ana, now=NOW)


def test_a_repair_under_the_law_lengthens_the_guarantee(cast: factories.Cast) -> None:
    bought(cast, ordered_on=date(2026, 8, 3), delivered_on=date(2026, 8, 5))
    claim = claimed(cast, broken(cast))
    assert faults.payers(asset=cast.dvr, on=DAY)[0].deadline == date(2028, 8, 4)
    for state, said in (
        (ClaimState.SUBMITTED, {}),
        (ClaimState.PAID, {"remedy": Remedy.REPAIRED}),
    ):
        claims.move(claim=claim, state=state, values=said, owner=cast.ana, now=NOW)
    (payer,) = faults.payers(asset=cast.dvr, on=DAY)
    assert payer.deadline == date(2029, 8, 4)
    assert "2024/1799" in str([dict(reason.values) for reason in payer.reasons])


def test_another_households_rows_cannot_be_named(cast: factories.Cast) -> None:
    theirs = factories.AssetFactory.create()
    issue = Issue.objects.create(
        asset=theirs, household=theirs.household, title="x", noticed_on=DAY
    )
    with pytest.raises(holdings.HoldingError):
        claimed(cast, issue)
    with pytest.raises(holdings.HoldingError):
        faults.order(asset=cast.dvr, values={"title": "x", "issue": issue}, owner=cast.ana, now=NOW)


def test_the_evidence_holds_every_paper_with_its_hash(cast: factories.Cast) -> None:
    bought(cast)
    issue = broken(cast, note="No light, other socket tried")
    for name, kind in (
        ("../bill.txt", DocumentKind.RECEIPT),
        ("bill.txt", DocumentKind.RECEIPT),
        ("manual.txt", DocumentKind.MANUAL),
    ):
        made = documents.add(
            household=cast.household, asset=cast.dvr, owner=cast.ana, name=name,
            content=f"{name} 349 EUR".encode(), now=NOW,
        )  # fmt: skip
        made.kind = kind
        made.save()
    pieces = {piece.label: piece.is_there for piece in evidence.contents(issue)}
    assert pieces["Receipt or invoice"]
    assert not pieces["A photo of it"]
    with zipfile.ZipFile(io.BytesIO(evidence.pack(issue))) as pack:
        names = set(pack.namelist())
        manifest = json.loads(pack.read("manifest.json"))
        assert pack.read("evidence.pdf").startswith(b"%PDF")
        for file in manifest["files"]:
            assert sha256(pack.read(file["name"])).hexdigest() == file["sha256"]
    assert {file["name"] for file in manifest["files"]} == names - {"manifest.json"}
    assert len([name for name in names if name.startswith("receipt/")]) == 2
    assert not any(".." in name or "manual" in name for name in names)


def test_the_evidence_tells_nobody_of_another_cover(cast: factories.Cast) -> None:
    said = {"kind": CoverageKind.INSURANCE, "obligor": "Safe", "reference": "P-1"}
    holdings.cover(asset=cast.dvr, values=said, now=NOW)
    shown = labels.facts_of(cast.dvr, has_covers=False)
    assert "Safe P-1" in [value for _label, value in labels.facts_of(cast.dvr)]
    assert "Safe P-1" not in [value for _label, value in shown]
    assert evidence.paper(broken(cast)).startswith(b"%PDF")


def test_the_pages_lead_from_a_fault_to_a_paid_claim(cast: factories.Cast, client: Client) -> None:
    bought(cast)
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    here = f"/assets/{cast.dvr.uuid}"
    assert "Something is wrong" in client.get(f"{here}/").content.decode()
    said = {"title": "No picture", "cause": "unknown", "severity": "normal"}
    made = client.post(f"{here}/fault/", said | {"noticed_on": "2026-11-01"})
    issue = Issue.objects.get()
    assert made["Location"] == f"/faults/{issue.uuid}/"
    shown = client.get(made["Location"]).content.decode()
    assert "Legal guarantee: Volt" in shown
    assert "BGB" in shown
    begun = client.get(f"{here}/claims/add/?fault={issue.uuid}&payer=0").content.decode()
    assert 'value="Volt"' in begun
    client.post(
        f"{here}/claims/add/?fault={issue.uuid}",
        {"kind": "legal_guarantee", "obligor": "Volt", "issue": issue.uuid},
    )
    claim = Claim.objects.get()
    client.post(f"/claims/{claim.uuid}/submitted/", {"state": "submitted", "on": "2026-11-02"})
    paid = {"state": "paid", "on": "2026-11-05", "remedy": "refunded"}
    money = {"amount": "349", "currency": "EUR"}
    client.post(f"/claims/{claim.uuid}/paid/", paid | money)
    claim.refresh_from_db()
    assert (claim.state, claim.cost and claim.cost.amount) == (ClaimState.PAID, Decimal(-349))
    assert client.get(f"/claims/{claim.uuid}/").status_code == 200
    assert client.get(f"{here}/faults/").status_code == 200
    assert client.get(f"/faults/{issue.uuid}/evidence.pdf").content.startswith(b"%PDF")


def test_a_matter_that_is_started_from_a_fault_is_about_it(
    cast: factories.Cast, client: Client
) -> None:
    issue = broken(cast)
    client.force_login(cast.ana, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(f"/journeys/start/?asset={cast.dvr.uuid}&fault={issue.uuid}")
    assert "It does not record" in page.content.decode()
    key = page.context["form"].initial["key"]
    said = {"text": "It does not record", "asset": cast.dvr.uuid, "fault": issue.uuid, "key": key}
    client.post("/journeys/start/", said)
    tie = JourneyTie.objects.get()
    assert tie.issue == issue
    made = factories.JourneyFactory.create(
        uuid=tie.journey, household=cast.household, asset=cast.dvr
    )
    other = factories.JourneyFactory.create(household=cast.household, asset=cast.dvr)
    assert list(ties.of_fault(issue, cast.ana)) == [made]
    assert list(ties.to_tie(issue, cast.ana)) == [other]
    client.post(f"/faults/{issue.uuid}/matters/", {"journey": other.uuid})
    assert set(ties.of_fault(issue, cast.ana)) == {made, other}
    assert client.get(f"/faults/{issue.uuid}/").status_code == 200
    theirs = factories.JourneyFactory.create()
    refused = client.post(f"/faults/{issue.uuid}/matters/", {"journey": theirs.uuid})
    assert refused.status_code == 400
    assert Journey.objects.count() == 3


def test_apps_ask_who_pays_and_claim(cast: factories.Cast) -> None:
    bought(cast)
    app = app_of(cast.ana)
    asked = app.get(f"/api/v1/assets/{cast.dvr.uuid}/who-pays/?on=2026-01-10").json()
    assert asked["payers"][0]["reasons"][0]["code"] == "presumed"
    said = {"asset": str(cast.dvr.uuid), "title": "Dead", "noticed_on": "2026-11-02"}
    fault = app.post("/api/v1/faults/", said, format="json").json()
    (payer,) = app.get(f"/api/v1/faults/{fault['id']}/who-pays/").json()["payers"]
    assert (payer["obligor"], payer["standing"]) == ("Volt", "pays")
    pack = app.get(f"/api/v1/faults/{fault['id']}/evidence.zip")
    assert zipfile.is_zipfile(io.BytesIO(pack.content))
    claim = app.post(
        "/api/v1/claims/",
        {"asset": str(cast.dvr.uuid), "kind": payer["kind"], "issue": fault["id"]}
        | {"claimed": {"amount": "49.00", "currency": "EUR"}},
        format="json",
    ).json()
    assert claim["claimed"] == {"amount": "49", "currency": "EUR"}
    steps = f"/api/v1/claims/{claim['id']}/steps/"
    early = app.post(steps, {"state": "paid"}, format="json")
    assert (early.status_code, early.json()["code"]) == (409, "not_from_here")
    sent = app.post(steps, {"state": "submitted", "on": "2026-11-03"}, format="json").json()
    assert (sent["state"], sent["filed_on"]) == ("submitted", "2026-11-03")
    order = app.post(
        "/api/v1/work-orders/",
        {"asset": str(cast.dvr.uuid), "title": "New disk", "issue": fault["id"]}
        | {"quoted": {"amount": "80", "currency": "EUR"}},
        format="json",
    ).json()
    changed = app.patch(f"/api/v1/work-orders/{order['id']}/", {"state": "booked"}, format="json")
    assert (changed.json()["state"], changed.json()["quoted"]["amount"]) == ("booked", "80")


def test_a_claim_shows_what_the_other_side_says_and_takes_the_owners_word(
    cast: factories.Cast,
) -> None:
    claim = claimed(cast, broken(cast))
    claim.told = {
        "at": NOW.isoformat(),
        "by": "Volt",
        "status": "rejected",
        "next_step": "Write",
        "differs": {"state": "refused", "amount": "5", "currency": "USD"},
    }
    claim.save()
    client = Client()
    client.force_login(cast.ana)
    page = client.get(f"/claims/{claim.uuid}/").content.decode()
    assert "Volt says something else" in page
    app = app_of(cast.ana)
    told = app.get(f"/api/v1/claims/{claim.uuid}/").json()["told"]
    assert told["differs"]["state"] == "refused"
    client.post(f"/claims/{claim.uuid}/settle/", {"theirs": "1"})
    claim.refresh_from_db()
    assert (claim.state, claim.amount) == (ClaimState.REFUSED, Decimal(5))
    assert "says something else" not in client.get(f"/claims/{claim.uuid}/").content.decode()
