"""Note from what use of a meter a day follows."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("assets", "0012_read_pictures")]

    operations = [
        migrations.AddField(
            model_name="caretask",
            name="use",
            field=models.DecimalField(blank=True, decimal_places=3, max_digits=18, null=True),
        ),
        migrations.AddField(
            model_name="caretask",
            name="use_unit",
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
