from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("owners", "0001_owners_households_channels"),
    ]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="next_digest_at",
            field=models.DateTimeField(blank=True, db_index=True, null=True),
        ),
    ]
