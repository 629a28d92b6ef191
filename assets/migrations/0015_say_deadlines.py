
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('assets', '0014_keep_tags_in_history'),
    ]

    operations = [
        migrations.AlterField(
            model_name='notice',
            name='kind',
            field=models.CharField(choices=[('stock', 'Running low'), ('loan', 'Due back'), ('delivery', 'To arrive'), ('register', 'To be registered'), ('hand_over', 'To be handed over'), ('parting', 'Who still knows of it'), ('schedule', 'A date proposed by a supplier'), ('return', 'To be sent back by'), ('guarantee', 'Guarantee ending'), ('cover', 'Cover ending'), ('cancel', 'Notice to be given'), ('answer', 'Answer expected')], max_length=12),
        ),
    ]
