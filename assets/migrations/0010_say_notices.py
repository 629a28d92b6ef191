"""Keep what the things say of themselves, and who repairs a fault."""

import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("assets", "0009_bring_in_files"),
        ("owners", "0013_wish_by_condition_and_channel"),
    ]

    operations = [
        migrations.AddField(
            model_name="issue",
            name="provider",
            field=models.CharField(blank=True, db_default="", default="", max_length=120),
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("stock", "Running low"),
                            ("loan", "Due back"),
                            ("delivery", "To arrive"),
                            ("register", "To be registered"),
                            ("hand_over", "To be handed over"),
                            ("parting", "Who still knows of it"),
                            ("schedule", "A date proposed by a supplier"),
                        ],
                        max_length=12,
                    ),
                ),
                ("subject", models.UUIDField()),
                ("what", models.CharField(blank=True, max_length=200)),
                ("due_on", models.DateField(blank=True, null=True)),
                ("data", models.JSONField(blank=True, default=dict)),
                ("raised_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("speaks_at", models.DateTimeField(blank=True, null=True)),
                ("dismissed_at", models.DateTimeField(blank=True, null=True)),
                ("settled_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asset",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="assets.asset",
                    ),
                ),
                (
                    "household",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="notices",
                        to="owners.household",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["household", "due_on"], name="notice_by_need"),
                    models.Index(fields=["subject", "kind"], name="notice_of_subject"),
                    models.Index(
                        condition=models.Q(("settled_at", None), ("speaks_at__isnull", False)),
                        fields=["speaks_at"],
                        name="notice_speaking",
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("settled_at", None)),
                        fields=("kind", "subject"),
                        name="notice_once_at_a_time",
                    )
                ],
            },
        ),
    ]
