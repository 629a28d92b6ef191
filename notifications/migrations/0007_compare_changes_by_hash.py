from django.db import migrations

KINDS = ("journey", "card", "appointment", "asset")

# A function keeps the plan it made for its first rows, often one. Comparing a lot of a
# thousand rows with their former selves in two nested loops took ten times as long as
# writing them.
FORWARD = [
    f"ALTER FUNCTION notifications_note_{kind}() SET enable_nestloop = off" for kind in KINDS
]
BACK = [f"ALTER FUNCTION notifications_note_{kind}() RESET enable_nestloop" for kind in KINDS]


class Migration(migrations.Migration):
    dependencies = [("notifications", "0006_look_up_keys_by_value")]

    operations = [migrations.RunSQL(FORWARD, BACK)]
