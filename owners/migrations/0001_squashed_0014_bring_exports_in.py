# Every step so far at once, for a new database. One that has some of them takes the others one
# by one: their files stay until no such database is left.
import datetime
import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    replaces = [('owners', '0001_owners_households_channels'), ('owners', '0002_membership_next_digest'), ('owners', '0003_prove_channels_and_repeat_writes'), ('owners', '0004_count_new_cards'), ('owners', '0005_trust_and_wishes'), ('owners', '0006_note_what_was_digested'), ('owners', '0007_say_words_anew'), ('owners', '0008_note_weekly_lines'), ('owners', '0009_keep_headers_of_answers'), ('owners', '0010_forget_answers_of_requests'), ('owners', '0011_add_push_calls_and_chat'), ('owners', '0012_choose_how_the_digest_comes'), ('owners', '0013_wish_by_condition_and_channel'), ('owners', '0014_bring_exports_in')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='AccessEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(unique=True)),
                ('at', models.DateTimeField()),
                ('kind', models.CharField(max_length=30)),
                ('actor_id', models.BigIntegerField(null=True)),
                ('subject_id', models.BigIntegerField(db_index=True, null=True)),
                ('household_id', models.BigIntegerField(db_index=True, null=True)),
                ('what', models.JSONField(default=dict)),
                ('salt', models.BinaryField(max_length=16)),
                ('content_hash', models.BinaryField(max_length=32)),
                ('chain_hash', models.BinaryField(max_length=32)),
                ('erased_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='AccessHead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.BigIntegerField(default=0)),
                ('chain_hash', models.BinaryField(max_length=32)),
            ],
        ),
        migrations.CreateModel(
            name='Owner',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('email', models.EmailField(max_length=254, unique=True)),
                ('name', models.CharField(blank=True, max_length=120)),
                ('zone', models.CharField(default='UTC', max_length=64)),
                ('device_zone', models.CharField(blank=True, db_default='', default='', max_length=64)),
                ('language', models.CharField(default='en', max_length=12)),
                ('is_active', models.BooleanField(default=True)),
                ('is_staff', models.BooleanField(default=False)),
                ('joined_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
            ],
            options={
                'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='owner_email_any_case')],
            },
        ),
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('scope', models.CharField(choices=[('read', 'Read'), ('act', 'Read and act')], default='read', max_length=4)),
                ('token_hash', models.BinaryField(max_length=32, unique=True)),
                ('hint', models.CharField(max_length=8)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Channel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(choices=[('feed', 'Feed'), ('email', 'E-mail'), ('sms', 'SMS'), ('push', 'Push'), ('voice', 'Call'), ('chat', 'Chat')], max_length=8)),
                ('sealed_address', models.BinaryField()),
                ('address_index', models.BinaryField(max_length=32)),
                ('hint', models.CharField(blank=True, max_length=40)),
                ('verified_at', models.DateTimeField(blank=True, null=True)),
                ('failed_at', models.DateTimeField(blank=True, null=True)),
                ('failure', models.CharField(blank=True, max_length=200)),
                ('is_bare', models.BooleanField(db_default=False, default=False)),
                ('chosen_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='channels', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'address_index'], name='channel_lookup')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'kind', 'address_index'), name='channel_address_once')],
            },
        ),
        migrations.CreateModel(
            name='ChannelCode',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('sealed_code', models.BinaryField()),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('queued_at', models.DateTimeField(null=True)),
                ('used_at', models.DateTimeField(null=True)),
                ('channel', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='owners.channel')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('queued_at', None), ('used_at', None)), fields=['id'], name='channelcode_waiting')],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('state', models.CharField(choices=[('waiting', 'Being made'), ('ready', 'Ready'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('done', models.PositiveSmallIntegerField(default=0)),
                ('total', models.PositiveSmallIntegerField(default=1)),
                ('size', models.BigIntegerField(default=0)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ready_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(null=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('claims', models.PositiveSmallIntegerField(default=0)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exports', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('state', 'waiting')), fields=('owner',), name='export_one_at_a_time')],
            },
        ),
        migrations.CreateModel(
            name='ExportPart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('name', models.CharField(max_length=200)),
                ('sealed', models.BinaryField()),
                ('rows', models.PositiveIntegerField(db_default=0, default=0)),
                ('digest', models.BinaryField(max_length=32, null=True)),
                ('export', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='owners.export')),
            ],
        ),
        migrations.CreateModel(
            name='Household',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('zone', models.CharField(default='UTC', max_length=64)),
                ('country', models.CharField(blank=True, max_length=2)),
                ('currency', models.CharField(default='EUR', max_length=3)),
                ('survey_cap', models.PositiveSmallIntegerField(default=2)),
                ('intake_alias', models.CharField(max_length=40, null=True, unique=True)),
                ('needs_you_count', models.PositiveIntegerField(default=0)),
                ('needs_words', models.BooleanField(db_default=False, default=False)),
                ('is_demo', models.BooleanField(default=False)),
                ('raw_days', models.PositiveSmallIntegerField(default=90)),
                ('purged_at', models.DateTimeField(blank=True, db_index=True, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'indexes': [models.Index(models.F('id'), condition=models.Q(('needs_words', True)), name='household_needs_words')],
            },
        ),
        migrations.CreateModel(
            name='Deletion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('asked_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(db_index=True)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('household', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='deletion', to='owners.household')),
            ],
            options={
                'constraints': [models.UniqueConstraint(condition=models.Q(('household', None)), fields=('owner',), name='deletion_one_account')],
            },
        ),
        migrations.CreateModel(
            name='Change',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('kind', models.CharField(max_length=30)),
                ('subject', models.UUIDField(null=True)),
                ('label', models.CharField(max_length=200)),
                ('before', models.JSONField(default=dict)),
                ('after', models.JSONField(default=dict)),
                ('is_removal', models.BooleanField(default=False)),
                ('changed_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('undone_at', models.DateTimeField(null=True)),
                ('owner', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('household', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='owners.household')),
            ],
            options={
                'indexes': [models.Index(fields=['household', '-changed_at'], name='change_by_time'), models.Index(fields=['owner', '-id'], name='change_latest')],
            },
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('sealed_address', models.BinaryField()),
                ('address_index', models.BinaryField(max_length=32)),
                ('hint', models.CharField(max_length=40)),
                ('rank', models.CharField(choices=[('viewer', 'Viewer'), ('helper', 'Helper'), ('member', 'Member'), ('admin', 'Admin')], default='member', max_length=8)),
                ('token_hash', models.BinaryField(max_length=32, unique=True)),
                ('sealed_token', models.BinaryField()),
                ('language', models.CharField(default='en', max_length=12)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('expires_at', models.DateTimeField()),
                ('queued_at', models.DateTimeField(null=True)),
                ('accepted_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='owners.household')),
                ('invited_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('queued_at', None)), fields=['id'], name='invitation_waiting')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('accepted_at', None), ('revoked_at', None)), fields=('household', 'address_index'), name='invitation_one_open')],
            },
        ),
        migrations.CreateModel(
            name='Membership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rank', models.CharField(choices=[('viewer', 'Viewer'), ('helper', 'Helper'), ('member', 'Member'), ('admin', 'Admin')], default='member', max_length=8)),
                ('prefers', models.CharField(choices=[('feed', 'Feed'), ('email', 'E-mail'), ('sms', 'SMS'), ('push', 'Push'), ('voice', 'Call'), ('chat', 'Chat')], default='email', max_length=8)),
                ('quiet_from', models.TimeField(blank=True, default=datetime.time(22, 0), null=True)),
                ('quiet_until', models.TimeField(blank=True, default=datetime.time(8, 0), null=True)),
                ('has_quiet_exceptions', models.BooleanField(default=True)),
                ('digest_at', models.TimeField(default=datetime.time(18, 0))),
                ('digest_weekday', models.PositiveSmallIntegerField(default=6)),
                ('has_digest_mail', models.BooleanField(db_default=True, default=True)),
                ('is_digest_weekly', models.BooleanField(db_default=False, default=False)),
                ('has_digest_changes', models.BooleanField(db_default=False, default=False)),
                ('wakers', django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), blank=True, default=list, size=None)),
                ('unmailed', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('arriving', 'Someone is arriving'), ('changed', 'A time, place or price changed'), ('failed', 'Something failed'), ('money', 'Money is due'), ('question', 'A question to me'), ('progress', 'Progress'), ('care', 'Care is due'), ('offer', 'An offer'), ('feedback', 'A request for feedback'), ('legal', 'A legal letter')], max_length=10), blank=True, default=list, size=None)),
                ('holiday_from', models.DateField(blank=True, null=True)),
                ('holiday_until', models.DateField(blank=True, null=True)),
                ('looked_at', models.DateTimeField(blank=True, null=True)),
                ('next_digest_at', models.DateTimeField(blank=True, db_index=True, null=True)),
                ('digested_until', models.DateTimeField(blank=True, null=True)),
                ('weekly_until', models.DateTimeField(blank=True, null=True)),
                ('new_count', models.PositiveIntegerField(default=0)),
                ('intake_number', models.CharField(blank=True, max_length=20, null=True, unique=True)),
                ('cover', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('household', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='owners.household')),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('household', 'owner'), name='membership_once'), models.CheckConstraint(condition=models.Q(('digest_weekday__lte', 6)), name='membership_weekday'), models.CheckConstraint(condition=models.Q(models.Q(('holiday_from', None), ('holiday_until', None)), models.Q(('holiday_from__isnull', False), ('holiday_until__gte', models.F('holiday_from')), ('holiday_until__isnull', False)), _connector='OR'), name='membership_holiday_has_both_ends')],
            },
        ),
        migrations.CreateModel(
            name='ChannelWish',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('feed', 'Feed'), ('email', 'E-mail'), ('sms', 'SMS'), ('push', 'Push'), ('voice', 'Call'), ('chat', 'Chat')], max_length=8)),
                ('has_own_quiet', models.BooleanField(default=False)),
                ('quiet_from', models.TimeField(blank=True, null=True)),
                ('quiet_until', models.TimeField(blank=True, null=True)),
                ('cap', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='channel_wishes', to='owners.membership')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('membership', 'kind'), name='channelwish_once'), models.CheckConstraint(condition=models.Q(models.Q(('quiet_from', None), ('quiet_until', None)), models.Q(('has_own_quiet', True), ('quiet_from__isnull', False), ('quiet_until__isnull', False)), _connector='OR'), name='channelwish_quiet_has_both_ends')],
            },
        ),
        migrations.CreateModel(
            name='ReachRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('topic', models.CharField(choices=[('arriving', 'Someone is arriving'), ('changed', 'A time, place or price changed'), ('failed', 'Something failed'), ('money', 'Money is due'), ('question', 'A question to me'), ('progress', 'Progress'), ('care', 'Care is due'), ('offer', 'An offer'), ('feedback', 'A request for feedback'), ('legal', 'A legal letter')], max_length=10)),
                ('moment', models.CharField(choices=[('now', 'Now'), ('today', 'Today'), ('week', 'This week'), ('never', 'Never')], max_length=5)),
                ('channel', models.CharField(blank=True, choices=[('feed', 'Feed'), ('email', 'E-mail'), ('sms', 'SMS'), ('push', 'Push'), ('voice', 'Call'), ('chat', 'Chat')], max_length=8)),
                ('scope', models.CharField(blank=True, choices=[('supplier', 'Supplier'), ('asset', 'Asset'), ('journey', 'Journey')], default='', max_length=8)),
                ('subject', models.UUIDField(blank=True, null=True)),
                ('over', models.DecimalField(blank=True, decimal_places=2, max_digits=12, null=True)),
                ('within_hours', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('membership', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reach_rules', to='owners.membership')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('membership', 'topic', 'scope', 'subject'), name='reachrule_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(models.Q(('scope', ''), ('subject', None)), models.Q(models.Q(('scope', ''), _negated=True), ('subject__isnull', False)), _connector='OR'), name='reachrule_scope_has_subject')],
            },
        ),
        migrations.CreateModel(
            name='RequestKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=255)),
                ('request_hash', models.BinaryField(max_length=32)),
                ('status', models.PositiveSmallIntegerField()),
                ('sealed_answer', models.BinaryField(null=True)),
                ('headers', models.JSONField(default=dict)),
                ('used_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('sealed_answer__isnull', False)), fields=['used_at'], name='requestkey_answered')],
                'constraints': [models.UniqueConstraint(fields=('owner', 'key'), name='requestkey_once')],
            },
        ),
        migrations.CreateModel(
            name='Restore',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=200)),
                ('size', models.BigIntegerField()),
                ('state', models.CharField(choices=[('looked_at', 'Looked at'), ('waiting', 'Being brought in'), ('done', 'Brought in'), ('failed', 'Failed')], default='looked_at', max_length=9)),
                ('plan', models.JSONField(default=dict)),
                ('made', models.JSONField(default=dict)),
                ('code', models.CharField(blank=True, max_length=40)),
                ('detail', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('ended_at', models.DateTimeField(null=True)),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('lease_until', models.DateTimeField(null=True)),
                ('claims', models.PositiveSmallIntegerField(default=0)),
                ('owner', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='restores', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['owner', '-created_at'], name='restore_of_owner'), models.Index(condition=models.Q(('state', 'waiting')), fields=['id'], name='restore_waiting')],
            },
        ),
        migrations.CreateModel(
            name='RestorePart',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('sealed', models.BinaryField()),
                ('restore', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='owners.restore')),
            ],
        ),
    ]
