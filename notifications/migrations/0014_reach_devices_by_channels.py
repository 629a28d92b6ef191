import django.db.models.deletion
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
    dependencies = [
        ("owners", "0011_add_push_calls_and_chat"),
        ("notifications", "0013_give_out_passes"),
    ]

    operations = [
        migrations.AlterField(
            model_name="delivery",
            name="kind",
            field=models.CharField(choices=KINDS, max_length=8),
        ),
        # Nothing was ever sent to these; a browser that may be woken says so again by itself.
        migrations.RunSQL("DELETE FROM notifications_pushdevice", migrations.RunSQL.noop),
        migrations.RemoveField(model_name="pushdevice", name="sealed_subscription"),
        migrations.AddField(
            model_name="pushdevice",
            name="channel",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="push_device",
                to="owners.channel",
            ),
        ),
        migrations.AddField(
            model_name="pushdevice",
            name="service",
            field=models.CharField(
                choices=[("web", "Browser"), ("fcm", "Android app"), ("apns", "iPhone app")],
                default="web",
                max_length=4,
            ),
        ),
    ]
