from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("owners", "0011_add_push_calls_and_chat")]

    operations = [
        migrations.AddField(
            model_name="membership",
            name="has_digest_mail",
            field=models.BooleanField(db_default=True, default=True),
        ),
    ]
