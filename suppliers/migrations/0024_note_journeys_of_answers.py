"""Answers from before a journey had a column of its own: their data named it."""

from django.db import migrations

NOTE = """
    UPDATE suppliers_outboundevent SET journey = (data->>'journey')::uuid
    WHERE journey IS NULL
        AND data->>'journey' ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
"""


class Migration(migrations.Migration):
    dependencies = [("suppliers", "0023_keep_order_at_endpoints")]

    operations = [migrations.RunSQL(NOTE, migrations.RunSQL.noop)]
