"""The inbox grows at the end of its log index, and nobody tries to compress sealed bytes.

Going down, each event went to the front of its supplier's part and left half-full pages
behind. What is sealed looks random, so PostgreSQL's own compression only cost time.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    """An index the other way round, and the storage of a column."""

    dependencies = [("suppliers", "0006_find_rejected_bytes")]

    operations = [
        migrations.RemoveIndex(model_name="inboundevent", name="inboundevent_log"),
        migrations.AddIndex(
            model_name="inboundevent",
            index=models.Index(fields=["supplier", "id"], name="inboundevent_log"),
        ),
        migrations.RunSQL(
            "ALTER TABLE suppliers_inboundevent ALTER COLUMN payload SET STORAGE EXTERNAL",
            "ALTER TABLE suppliers_inboundevent ALTER COLUMN payload SET STORAGE EXTENDED",
        ),
    ]
