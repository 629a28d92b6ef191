import uuid

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

# What changed, noted once for each statement. Only triggers see every writer: bulk upserts,
# cascades and the admin. Two transactions that note the same object wait for each other; the
# later one leaves its own number, which no reader has passed while it ran.
NOTE = """
CREATE FUNCTION notifications_note_{kind}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO notifications_change AS known
            (household_id, kind, object, version, is_deleted, xact, changed_at)
        SELECT household_id, '{kind}', uuid, 1, is_gone, pg_current_xact_id()::text::bigint, now()
        FROM (
            SELECT n.household_id, n.uuid, {is_gone} AS is_gone
            FROM fresh n JOIN stale o USING (id) WHERE n IS DISTINCT FROM o
            UNION ALL
            SELECT o.household_id, o.uuid, true
            FROM fresh n JOIN stale o USING (id) WHERE n.household_id <> o.household_id
        ) found
        ON CONFLICT (object, kind, household_id) DO UPDATE SET
            version = known.version + 1, is_deleted = EXCLUDED.is_deleted,
            xact = EXCLUDED.xact, changed_at = EXCLUDED.changed_at;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO notifications_change AS known
            (household_id, kind, object, version, is_deleted, xact, changed_at)
        SELECT household_id, '{kind}', uuid, 1, {is_gone},
               pg_current_xact_id()::text::bigint, now()
        FROM fresh n
        ON CONFLICT (object, kind, household_id) DO UPDATE SET
            version = known.version + 1, is_deleted = EXCLUDED.is_deleted,
            xact = EXCLUDED.xact, changed_at = EXCLUDED.changed_at;
    ELSE
        INSERT INTO notifications_change AS known
            (household_id, kind, object, version, is_deleted, xact, changed_at)
        SELECT household_id, '{kind}', uuid, 1, true, pg_current_xact_id()::text::bigint, now()
        FROM stale
        ON CONFLICT (object, kind, household_id) DO UPDATE SET
            version = known.version + 1, is_deleted = true,
            xact = EXCLUDED.xact, changed_at = EXCLUDED.changed_at;
    END IF;
    RETURN NULL;
END $$;
"""
FUNCTIONS = """
-- A household sees a supplier through a mandate or a role; without either it is gone for it.
CREATE FUNCTION notifications_note_suppliers(pairs jsonb) RETURNS void LANGUAGE sql AS $$
    INSERT INTO notifications_change AS known
        (household_id, kind, object, version, is_deleted, xact, changed_at)
    SELECT d.household, 'supplier', s.uuid, 1,
           NOT EXISTS (SELECT 1 FROM suppliers_mandate m
                       WHERE m.supplier_id = s.id AND m.household_id = d.household)
           AND NOT EXISTS (SELECT 1 FROM suppliers_role r
                           WHERE r.supplier_id = s.id AND r.household_id = d.household),
           pg_current_xact_id()::text::bigint, now()
    FROM (SELECT DISTINCT p.household, p.supplier
          FROM jsonb_to_recordset(pairs) AS p(household bigint, supplier bigint)) d
    JOIN suppliers_supplier s ON s.id = d.supplier
    WHERE d.household IS NOT NULL
    ON CONFLICT (object, kind, household_id) DO UPDATE SET
        version = known.version + 1, is_deleted = EXCLUDED.is_deleted,
        xact = EXCLUDED.xact, changed_at = EXCLUDED.changed_at;
    -- What nobody in particular says of a supplier is seen by all who have it.
    INSERT INTO notifications_change AS known
        (household_id, kind, object, version, is_deleted, xact, changed_at)
    SELECT DISTINCT NULL::bigint, 'supplier', s.uuid, 1, false,
           pg_current_xact_id()::text::bigint, now()
    FROM jsonb_to_recordset(pairs) AS p(household bigint, supplier bigint)
    JOIN suppliers_supplier s ON s.id = p.supplier
    WHERE p.household IS NULL
    ON CONFLICT (object, kind, household_id) DO UPDATE SET
        version = known.version + 1, xact = EXCLUDED.xact, changed_at = EXCLUDED.changed_at;
$$;

CREATE FUNCTION notifications_note_supplier() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        PERFORM notifications_note_suppliers(jsonb_agg(jsonb_build_object(
            'household', household_id, 'supplier', supplier_id))) FROM fresh HAVING count(*) > 0;
    END IF;
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        PERFORM notifications_note_suppliers(jsonb_agg(jsonb_build_object(
            'household', household_id, 'supplier', supplier_id))) FROM stale HAVING count(*) > 0;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION notifications_note_supplier_itself() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM notifications_note_suppliers(jsonb_agg(jsonb_build_object('supplier', n.id)))
    FROM fresh n JOIN stale o USING (id)
    WHERE (n.name, n.is_active, n.verified_at) IS DISTINCT FROM (o.name, o.is_active, o.verified_at)
    HAVING count(*) > 0;
    RETURN NULL;
END $$;

CREATE FUNCTION notifications_forget_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM notifications_change WHERE household_id IN (SELECT id FROM stale);
    RETURN NULL;
END $$;
"""
OBJECTS = {
    "notifications_journey": "journey",
    "notifications_card": "card",
    "notifications_appointment": "appointment",
    "assets_asset": "asset",
}
ABOUT_SUPPLIERS = (
    "suppliers_mandate",
    "suppliers_role",
    "suppliers_supplierdomain",
    "suppliers_suppliernumber",
)
SEEN = {
    "INSERT": "NEW TABLE AS fresh",
    "UPDATE": "NEW TABLE AS fresh OLD TABLE AS stale",
    "DELETE": "OLD TABLE AS stale",
}


def trigger(table: str, verb: str, call: str) -> str:
    return (
        f"CREATE TRIGGER note_{verb.lower()} AFTER {verb} ON {table} REFERENCING {SEEN[verb]} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {call};"
    )


NOTES = [
    NOTE.format(kind=kind, is_gone="n.is_emptied" if kind == "journey" else "false")
    for kind in OBJECTS.values()
]
TRIGGERS = [
    *(
        trigger(table, verb, f"notifications_note_{kind}()")
        for table, kind in OBJECTS.items()
        for verb in SEEN
    ),
    *(
        trigger(table, verb, "notifications_note_supplier()")
        for table in ABOUT_SUPPLIERS
        for verb in SEEN
    ),
    trigger("suppliers_supplier", "UPDATE", "notifications_note_supplier_itself()"),
    trigger("owners_household", "DELETE", "notifications_forget_changes()"),
]
UNDO = [
    *(
        f"DROP TRIGGER note_{verb.lower()} ON {table};"
        for table in (*OBJECTS, *ABOUT_SUPPLIERS)
        for verb in SEEN
    ),
    "DROP TRIGGER note_update ON suppliers_supplier;",
    "DROP TRIGGER note_delete ON owners_household;",
    *(f"DROP FUNCTION notifications_note_{kind};" for kind in OBJECTS.values()),
    "DROP FUNCTION notifications_note_supplier, notifications_note_supplier_itself, "
    "notifications_note_suppliers, notifications_forget_changes;",
]
# What is there already counts as changed now.
BACKFILL = [
    *(
        "INSERT INTO notifications_change"
        " (household_id, kind, object, version, is_deleted, xact, changed_at)"
        f" SELECT household_id, '{kind}', uuid, 1, {'is_emptied' if kind == 'journey' else 'false'},"
        f" pg_current_xact_id()::text::bigint, now() FROM {table};"
        for table, kind in OBJECTS.items()
    ),
    *(
        "SELECT notifications_note_suppliers(jsonb_agg(jsonb_build_object("
        f"'household', household_id, 'supplier', supplier_id))) FROM {table} HAVING count(*) > 0;"
        for table in ABOUT_SUPPLIERS
    ),
]


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0001_assets_and_identifiers"),
        ("notifications", "0004_delivery_claim"),
        ("owners", "0004_count_new_cards"),
        ("suppliers", "0004_free_the_suppliers_row"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="PushDevice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("sealed_subscription", models.BinaryField()),
                ("endpoint_index", models.BinaryField(max_length=32, unique=True)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="push_devices",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CalendarFeed",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ("sealed_token", models.BinaryField()),
                ("token_index", models.BinaryField(max_length=32, unique=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("read_at", models.DateTimeField(null=True)),
                ("revoked_at", models.DateTimeField(null=True)),
                (
                    "asset",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="assets.asset",
                    ),
                ),
                (
                    "household",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="owners.household",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calendar_feeds",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["household"], name="calendarfeed_by_household")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("revoked_at", None)),
                        fields=("owner", "household", "asset"),
                        name="calendarfeed_one_live",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Change",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(max_length=12)),
                ("object", models.UUIDField()),
                ("version", models.PositiveIntegerField()),
                ("is_deleted", models.BooleanField()),
                ("xact", models.BigIntegerField()),
                ("changed_at", models.DateTimeField()),
                (
                    "household",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="owners.household",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["household", "xact", "id"], name="change_in_order")
                ],
            },
        ),
        # By itself, because one made with its table would come after what follows.
        migrations.AddConstraint(
            model_name="change",
            constraint=models.UniqueConstraint(
                fields=("object", "kind", "household"), name="change_once", nulls_distinct=False
            ),
        ),
        migrations.RunSQL([*NOTES, FUNCTIONS, *TRIGGERS, *BACKFILL], UNDO),
    ]
