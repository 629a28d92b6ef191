"""Keep for whom care was called, and that notices were given."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0010_say_notices"),
        ("notifications", "0020_tie_matters_to_faults"),
        ("owners", "0013_wish_by_condition_and_channel"),
        ("suppliers", "0025_owe_words_of_reach"),
    ]

    operations = [
        migrations.AddField(
            model_name="carecall",
            name="assignee",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.CreateModel(
            name="NoticeCall",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("due_on", models.DateField(null=True)),
                ("quiet_until", models.DateField(null=True)),
                ("is_over", models.BooleanField(default=False)),
                ("called_at", models.DateTimeField()),
                ("is_late", models.BooleanField(default=False)),
                (
                    "closing",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="notifications.decision",
                    ),
                ),
                (
                    "contact",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="suppliers.contact",
                    ),
                ),
                (
                    "household",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="owners.household",
                    ),
                ),
                (
                    "notice",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="assets.notice",
                    ),
                ),
                (
                    "quieting",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="notifications.decision",
                    ),
                ),
            ],
            options={"abstract": False},
        ),
    ]
