"""Everything an owner may take is in the export, nothing of anybody else; crashes cost little."""

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from assets import documents, vault
from config import privacy
from owners import exports
from owners.choices import ExportState, Rank
from owners.models import Export, ExportPart, Owner
from owners.privacy import Piece, Table, Whose
from suppliers.models import InboundEvent
from tests import factories
from tests.project.test_isolation import CANARY, world
from tests.web.conftest import played

NOW = factories.START + timedelta(days=30)
OURS = ("owners", "assets", "suppliers", "notifications")


def make(cast: factories.Cast) -> Export:
    """Ask for Ana's export and work until nothing is left to do."""
    export = exports.ask(owner=cast.ana, now=NOW)
    for _ in range(len(privacy.SECTIONS) + 1):
        exports.work(now=NOW, sections=privacy.SECTIONS)
    export.refresh_from_db()
    return export


def unpacked(export: Export) -> dict[str, bytes]:
    packed = zipfile.ZipFile(io.BytesIO(b"".join(privacy.archive(export))))
    assert packed.testzip() is None
    return {name: packed.read(name) for name in packed.namelist()}


def test_every_table_of_ours_is_exported_or_says_why_not() -> None:
    written = {
        section.rows(nobody()).model._meta.db_table
        for section in privacy.TABLES.values()
        if isinstance(section, Table)
    } | {"suppliers_inboundevent"}
    left_out = privacy.not_exported()
    ours = {
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label in OURS
    }
    django_s = {"owners_owner_groups", "owners_owner_user_permissions"}
    assert ours - written - left_out.keys() - django_s == set()
    assert not written & left_out.keys()


def nobody() -> Whose:
    return Whose(owner=Owner(pk=0), households=())


def test_an_export_holds_everything_in_the_names_of_the_api(cast: factories.Cast) -> None:
    world(cast)
    files = unpacked(make(cast))
    assets = json.loads(files["steward/assets.json"])
    names = [f"{CANARY} asset", f"{CANARY} kettle"]
    assert sorted(asset["name"] for asset in assets) == names
    assert assets[0]["id"] == str(cast.dvr.uuid)
    assert assets[0]["household"] == str(cast.household.uuid)
    assert assets[0]["keeper"] == str(cast.ana.uuid)
    channels = json.loads(files["steward/channels.json"])
    assert {"+12125550100", "ana@hart.example"} <= {row["address"] for row in channels}
    assert CANARY.encode() in files["steward/cards.json"]
    assert CANARY.encode() in files["steward/index.html"]
    everything = b"".join(files.values())
    assert b"Mallory" not in everything
    assert b"password" not in everything


def test_raw_messages_come_byte_for_byte(db: None) -> None:
    ana = played()
    export = exports.ask(owner=ana, now=NOW)
    while exports.work(now=NOW, sections=privacy.SECTIONS):
        pass
    files = unpacked(Export.objects.get(pk=export.pk))
    kept = list(InboundEvent.objects.filter(household__memberships__owner=ana))
    assert kept
    for event in kept:
        named = [name for name in files if str(event.uuid) in name]
        assert len(named) == 1
        assert files[named[0]] == event.body


def test_a_viewer_takes_only_what_is_their_own(cast: factories.Cast) -> None:
    world(cast)
    cast.membership.rank = Rank.VIEWER
    cast.membership.save()
    files = unpacked(make(cast))
    assert json.loads(files["steward/assets.json"]) == []
    assert json.loads(files["steward/owner.json"])[0]["email"] == "ana@hart.example"


def test_whoever_goes_on_after_a_crash_repeats_at_most_one_section(cast: factories.Cast) -> None:
    world(cast)
    export = exports.ask(owner=cast.ana, now=NOW)
    exports.work(now=NOW, sections=privacy.SECTIONS)
    exports.work(now=NOW, sections=privacy.SECTIONS)
    broken = dict(privacy.SECTIONS)
    third = list(broken)[2]

    def crash(of: Whose) -> object:
        yield from privacy.SECTIONS[third](of)
        raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        exports.work(now=NOW, sections={**broken, third: crash})  # type: ignore[dict-item]
    export.refresh_from_db()
    assert export.done == 2
    assert exports.work(now=NOW, sections=privacy.SECTIONS) == 0, "the lease still stands"
    later = NOW + exports.LEASE
    while exports.work(now=later, sections=privacy.SECTIONS):
        pass
    export.refresh_from_db()
    assert (export.state, export.percent) == (ExportState.READY, 100)
    names = list(ExportPart.objects.filter(export=export).values_list("name", flat=True))
    assert len(names) == len(set(names))


def test_progress_only_rises_and_ends_at_a_hundred(cast: factories.Cast) -> None:
    export = exports.ask(owner=cast.ana, now=NOW)
    seen = [export.percent]
    while exports.work(now=NOW, sections=privacy.SECTIONS):
        export.refresh_from_db()
        seen.append(export.percent)
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 100


def test_an_export_is_one_at_a_time_and_gone_after_a_week(cast: factories.Cast) -> None:
    first = exports.ask(owner=cast.ana, now=NOW)
    assert exports.ask(owner=cast.ana, now=NOW) == first
    export = make(cast)
    assert exports.find(owner=cast.ana, key=str(export.uuid), now=NOW) == export
    with pytest.raises(Export.DoesNotExist):
        exports.find(owner=cast.mallory, key=str(export.uuid), now=NOW)
    late = NOW + exports.TAKEN_WITHIN
    with pytest.raises(Export.DoesNotExist):
        exports.find(owner=cast.ana, key=str(export.uuid), now=late)
    assert exports.forget_due(now=late) == 1
    assert not ExportPart.objects.exists()


def test_what_lies_ready_is_sealed(cast: factories.Cast) -> None:
    world(cast)
    make(cast)
    assert all(CANARY.encode() not in bytes(part.sealed) for part in ExportPart.objects.all())


def test_a_section_that_outlasts_its_lease_is_written_once(
    transactional_db: None, cast: factories.Cast
) -> None:
    world(cast)
    export = exports.ask(owner=cast.ana, now=NOW)
    name, first = next(iter(privacy.SECTIONS.items()))
    taken: list[int] = []

    def other() -> None:
        taken.append(exports.work(now=NOW + exports.LEASE, sections=privacy.SECTIONS))
        connection.close()

    def slow(of: Whose) -> Iterator[Piece]:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        yield from first(of)

    exports.work(now=NOW, sections={**privacy.SECTIONS, name: slow})
    assert taken == [0]
    export.refresh_from_db()
    assert export.done == 1
    assert list(export.parts.order_by("pk").values_list("name", flat=True)) == [
        "owner.json",
        "csv/owner.csv",
        "schemas/owner.schema.json",
    ]


def test_only_the_newest_exports_are_kept(cast: factories.Cast) -> None:
    made = [make(cast) for _ in range(exports.MOST_KEPT + 1)]
    assert list(Export.objects.order_by("pk")) == made[1:]


def test_pieces_are_read_one_by_one_and_written_a_few_at_a_time(
    cast: factories.Cast, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    world(cast)
    monkeypatch.setattr(exports, "WRITTEN", 1)
    export = make(cast)
    number = export.parts.count()
    with django_assert_num_queries(number + 1):
        assert len(list(exports.pieces(export))) == number


def test_a_document_whose_bytes_are_lost_holds_up_nothing(cast: factories.Cast) -> None:
    lost = documents.add(
        household=cast.household,
        asset=None,
        owner=cast.ana,
        name="note.txt",
        content=b"The boiler hums.",
        now=NOW,
    )
    vault.forget(lost.uuid)
    export = make(cast)
    assert export.state == ExportState.READY
    files = unpacked(export)
    assert any(name.endswith("note.txt.lost.txt") for name in files)
