"""What can be found by words, and the queue of what is to be found by other words."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.expressions import RawSQL
from django.utils import translation

from assets import folding
from assets.choices import FindableKind
from owners import bulk
from owners.models import Household, Owner

# In one order, so that two writers of the same rows wait instead of locking each other out;
# what did not change is not written again, which spares the index.
NOTE = """
    INSERT INTO assets_findable AS f (household_id, kind, object, title, detail, at, terms)
    SELECT * FROM json_to_recordset(%s::json) AS d(household_id bigint, kind text, object uuid,
        title text, detail text, at timestamptz, terms tsvector)
    ORDER BY 1, 2, 3
    ON CONFLICT (household_id, kind, object) DO UPDATE
    SET title = excluded.title, detail = excluded.detail, at = excluded.at,
        terms = excluded.terms
    WHERE (f.title, f.detail, f.at, f.terms)
        IS DISTINCT FROM (excluded.title, excluded.detail, excluded.at, excluded.terms)
"""


AWAIT = """
    INSERT INTO assets_awaitedwords (household_id, kind, object)
    SELECT * FROM json_to_recordset(%s::json) AS d(household_id bigint, kind text, object uuid)
"""
TAKE = """
    DELETE FROM assets_awaitedwords WHERE id IN (
        SELECT id FROM assets_awaitedwords ORDER BY id LIMIT %s)
    RETURNING kind, object
"""
TURN = "SELECT pg_try_advisory_xact_lock(%s)"
TURN_OF_WORDS = 7_043_101  # our number among the database's advisory locks


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """By which words one thing is found, and how it is shown when it was."""

    household_id: int
    kind: FindableKind
    uuid: uuid.UUID
    title: str
    at: datetime
    detail: str = ""
    texts: Sequence[str] = ()
    most: int = folding.MOST  # different words


def in_every_language(label: object) -> list[str]:
    """Return a word of ours as each reader may write it."""
    found = []
    for language, _name in settings.LANGUAGES:
        with translation.override(language):
            found.append(str(label))
    return list(dict.fromkeys(found))


def _is_true(query: str) -> RawSQL:
    """Return whether a row's words make a `folding.tsquery` true; the query is a parameter."""
    sql = '"assets_findable"."terms" @@ %s::tsquery'
    return RawSQL(sql, [query], output_field=models.BooleanField())  # noqa: S611


class FindableQuerySet(models.QuerySet["Findable"]):
    """Reads and writes of what can be found by words."""

    def for_owner(self, owner: Owner) -> FindableQuerySet:
        """Return what can be found in `owner`'s households."""
        return self.filter(household__memberships__owner=owner)

    def said(self, query: str) -> FindableQuerySet:
        """Return the rows in which a `folding.tsquery` is true."""
        return self.filter(_is_true(query))

    def note(self, wordings: Iterable[Wording]) -> None:
        """Let these be found by these words from now on, and no others."""
        last = {(row.household_id, row.kind, row.uuid): row for row in wordings}
        if not last:
            return
        rows = [
            {
                "household_id": row.household_id,
                "kind": row.kind,
                "object": row.uuid,
                "title": row.title[:200],
                "detail": row.detail[:200],
                "at": row.at,
                "terms": folding.lexemes(
                    row.household_id, title=row.title, texts=row.texts, most=row.most
                ),
            }
            for row in last.values()
        ]
        bulk.write(NOTE, [bulk.dumps(rows)])

    def forget(
        self, *, households: Iterable[int], kind: FindableKind, uuids: Iterable[uuid.UUID]
    ) -> None:
        """Let these of these households be found no more."""
        mine = self.filter(household__in=set(households), kind=kind)
        mine.filter(object__in=list(uuids)).delete()


class Findable(models.Model):
    """One thing that can be found by words.

    Written in the transaction that writes the thing, or soon after (`AwaitedWords`).
    `terms` are words folded by us, each with its household (see `folding.lexemes`).
    """

    household = models.ForeignKey(Household, models.CASCADE, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=FindableKind)
    object = models.UUIDField()
    title = models.CharField(max_length=200)
    detail = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    terms = SearchVectorField()

    objects = FindableQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["household", "kind", "object"], name="findable_once"),
        ]
        indexes = [
            GinIndex(fields=["terms"], condition=~models.Q(kind="contact"), name="findable_terms"),
            # The newest rows are read until enough say a word that stands everywhere. What
            # was said has no other index: its many words would cost every message that
            # arrives more than they save the one who asks, who has only one household's.
            models.Index(
                fields=["household", "-at"],
                condition=~models.Q(kind="contact"),
                name="findable_things",
            ),
            models.Index(
                fields=["household", "-at"],
                condition=models.Q(kind="contact"),
                name="findable_said",
            ),
        ]

    def __str__(self) -> str:
        return self.title


class AwaitedWordsQuerySet(models.QuerySet["AwaitedWords"]):
    """The queue of what is to be found by other words than before."""

    def put(self, things: Iterable[tuple[int, FindableKind, uuid.UUID | str]]) -> None:
        """Have these things (household, kind, public id) noted soon; in their transaction."""
        rows = [
            {"household_id": household, "kind": kind.value, "object": name}
            for household, kind, name in things
        ]
        if rows:
            bulk.write(AWAIT, [bulk.dumps(rows)])

    def take(self, limit: int) -> dict[str, set[uuid.UUID]]:
        """Take the oldest off the queue, by kind, within the caller's transaction.

        One process at a time: with two, the one that read a thing earlier could write it
        later, and what changed in between would never be found. Nothing while another works.
        """
        found: dict[str, set[uuid.UUID]] = {}
        if bulk.read(TURN, [TURN_OF_WORDS])[0][0]:
            for kind, name in bulk.read(TAKE, [limit]):
                found.setdefault(kind, set()).add(name)
        return found


class AwaitedWords(models.Model):
    """A thing whose words changed since they were noted in `Findable`; the row is the queue.

    Whoever asks can wait a moment for what was just said; the road to the card cannot wait
    for the folding of its words. Written in the transaction that writes the thing; the same
    thing may stand here twice.
    """

    # Its writer holds the household's row or has just read it, and a row left over names
    # nothing: no check at every commit.
    household = models.ForeignKey(
        Household, models.CASCADE, related_name="+", db_index=False, db_constraint=False
    )
    kind = models.CharField(max_length=8, choices=FindableKind)
    object = models.UUIDField()

    objects = AwaitedWordsQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.kind} {self.object}"
