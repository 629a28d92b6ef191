from django.db import migrations, models

KINDS = [
    ("feed", "Feed"),
    ("email", "E-mail"),
    ("sms", "SMS"),
    ("push", "Push"),
    ("voice", "Call"),
    ("chat", "Chat"),
]


class Migration(migrations.Migration):
    dependencies = [("owners", "0010_forget_answers_of_requests")]

    operations = [
        migrations.AddField(
            model_name="channel",
            name="is_bare",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AlterField(
            model_name="channel",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=8),
        ),
        migrations.AlterField(
            model_name="membership",
            name="prefers",
            field=models.CharField(choices=KINDS, default="email", max_length=8),
        ),
        migrations.AlterField(
            model_name="reachrule",
            name="channel",
            field=models.CharField(blank=True, choices=KINDS, max_length=8),
        ),
    ]
