"""Settings, all of them from the environment; see docs/operations.md for each name."""

import os
import shutil
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from config import embedded, env, logs

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("STEWARD_DATA", str(BASE_DIR / ".steward")))

DEBUG = env.flag("STEWARD_DEBUG")
IS_PRODUCTION = env.flag("STEWARD_PRODUCTION")
DEV_KEY = "development-only-" + "x" * 50
SECRET_KEY = env.text("SECRET_KEY", DEV_KEY)
SECRET_KEY_FALLBACKS = env.words("SECRET_KEY_FALLBACKS")
DEV_FIELD_KEY = "c3Rld2FyZC1kZXZlbG9wbWVudC1maWVsZC1rZXktMzI="
FIELD_KEYS = env.words("FIELD_KEYS", (DEV_FIELD_KEY,))  # 32 bytes in base64, the newest first
INDEX_KEY = env.text("INDEX_KEY", FIELD_KEYS[-1])
DEV_HOSTS = {"localhost", "127.0.0.1", "[::1]", "testserver"}
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", tuple(sorted(DEV_HOSTS)))
SITE_URL = env.text("SITE_URL", "http://localhost:8000").rstrip("/")
MAIL_DOMAIN = env.text("MAIL_DOMAIN", "mail.localhost")  # where the aliases live

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "notifications.apps.NotificationsConfig",
    "suppliers.apps.SuppliersConfig",
    "assets.apps.AssetsConfig",
    "owners.apps.OwnersConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "pgtrigger",
    "pghistory",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.headless",
    "django_cotton",
    "django_htmx",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
]

MIDDLEWARE = [
    "config.logs.RequestId",
    "assets.uploads.limited",
    "django.middleware.security.SecurityMiddleware",
    "suppliers.lane.lane",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "owners.sessions.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "owners.activity.SessionActivity",
    "owners.unsent.Unsent",
    "django_htmx.middleware.HtmxMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "config.context.installation",
            ],
        },
    },
]


def database(url: str, engine: str = "django.db.backends.postgresql") -> dict[str, object]:
    """Return Django's settings for `postgresql://user:password@host:port/name?options`."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": engine,
        "NAME": unquote(parts.path.lstrip("/")) or "steward",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "")),
        "CONN_MAX_AGE": env.number("DATABASE_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **options},
    }


IS_TEST_RUN = "PYTEST_VERSION" in os.environ
EMBEDDED_HOME = embedded.folder_of_test_run(DATA_DIR) if IS_TEST_RUN else DATA_DIR
DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
if DATABASE_URL:
    DATABASES = {"default": database(DATABASE_URL)}
else:
    # Our own server, which the first connection starts. Redis comes with it.
    EMBEDDED = embedded.place(EMBEDDED_HOME)
    DATABASES = {"default": database(EMBEDDED.database_url, engine="config.postgres")}
    if not REDIS_URL and embedded.redis_binary():
        REDIS_URL = EMBEDDED.redis_url
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "owners.Owner"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_SIGNUP_REDIRECT_URL = "/welcome/"
OPERATOR_CONTACT = env.text("OPERATOR_CONTACT")  # an e-mail address or a sentence

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("it", "Italiano")]
LOCALE_PATHS = [BASE_DIR / "config" / "locale"]
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if IS_PRODUCTION else None  # else served as they lie
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]

# --- Sign-in and the API for apps ---
ACCOUNT_ADAPTER = "owners.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_SIGNUP_FORM_CLASS = "owners.forms.SignUpForm"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_UNIQUE_EMAIL = True
ACCOUNT_MAX_EMAIL_ADDRESSES = 3
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 600
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_LOGIN_BY_CODE_ENABLED = True
ACCOUNT_LOGIN_BY_CODE_TIMEOUT = 180
ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS = 3
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True  # no token in an address
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if SITE_URL.startswith("https:") else "http"
# Proxies that may say who the client is; none means the address of the connection.
ALLAUTH_TRUSTED_PROXY_COUNT = env.number("TRUSTED_PROXIES", 0)
# The operator's admin opens only to somebody with a passkey or a code app.
ADMIN_ASKS_SECOND_FACTOR = env.flag("ADMIN_ASKS_SECOND_FACTOR", default=IS_PRODUCTION)
MFA_ADAPTER = "owners.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["webauthn", "totp", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {"add_webauthn": "owners.passkeys.AddPasskeyForm"}
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_PRODUCTION
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = "Steward"
USERSESSIONS_TRACK_ACTIVITY = True
HEADLESS_CLIENTS = ("app",)  # the web pages sign in by forms
HEADLESS_TOKEN_STRATEGY = "owners.adapters.SessionTokens"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "owners.api.signing_in.SessionToken",
        "owners.api.signing_in.Bearer",
        "owners.api.signing_in.Session",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "owners.api.signing_in.WithinScope",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["owners.api.parsing.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "owners.api.problems.handle",
    "NUM_PROXIES": ALLAUTH_TRUSTED_PROXY_COUNT,
    "COERCE_DECIMAL_TO_STRING": True,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Steward for owners",
    "DESCRIPTION": "What an owner sees and does, for apps. Sign in at `/_allauth/app/v1/`.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVERS": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "PREPROCESSING_HOOKS": ["config.api.only_v1"],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.describe_problems_and_keys",
    ],
    "ENUM_NAME_OVERRIDES": {
        "BadgeLevel": "notifications.api.shapes.BADGE_LEVELS",
        "ChannelKind": "owners.choices.ChannelKind",
        "AssetKind": "assets.choices.AssetKind",
        "DocumentKind": "assets.choices.DocumentKind",
        "RoleKind": "suppliers.choices.RoleKind",
        "ContactKind": "suppliers.choices.ContactKind",
        "ContactOutcome": "suppliers.choices.Outcome",
        "Medium": "suppliers.choices.Medium",
        "MandateState": "suppliers.choices.MandateState",
        "ChosenMandateState": "suppliers.api_v1.CHOSEN_STATES",
        "ProvableChannelKind": "owners.api.v1.PROVABLE_KINDS",
        "UnsubscriptionState": "suppliers.api_held.STATES",
        "ProposalState": "suppliers.choices.ProposalState",
        "TransferState": "assets.passing_words.TransferState",
        "TransferReason": "assets.transfers.REASON_CHOICES",
        "WayCheckState": "suppliers.api_ways.STATES",
        "PassScope": "notifications.api.passes.SCOPES",
        "PassWay": "notifications.choices.PassWay",
        "JourneyState": "notifications.choices.JourneyState",
        "AppointmentState": "notifications.choices.AppointmentState",
        "SurveyState": "notifications.choices.SurveyState",
        "DeliveryState": "notifications.choices.DeliveryState",
        "Rank": "owners.choices.Rank",
        "TokenScope": "owners.choices.TokenScope",
        "ExportState": "owners.choices.ExportState",
        "Answer": "notifications.feed.ANSWERS",
        "AssetTemplate": "assets.api.templates.SHIPPED",
        "CallableMedium": "notifications.api.contacts.LOGGED",
        "ChangedKind": "notifications.api.changes.KINDS",
        "CoverageKind": "assets.choices.CoverageKind",
        "CoverageState": "assets.choices.CoverageState",
        "ClaimState": "assets.cover_words.ClaimState",
        "WorkOrderState": "assets.cover_words.OrderState",
        "ContractKind": "assets.cover_words.ContractKind",
        "PriceKind": "assets.choices.PriceKind",
        "EndReason": "assets.choices.EndReason",
        "LeavingAs": "assets.choices.LeavingAs",
        "CostCategory": "assets.choices.CostCategory",
        "CustomFieldType": "assets.choices.FieldType",
        "Condition": "assets.choices.Condition",
        "Source": "assets.choices.Source",
        "CareStatus": "assets.care_words.CareStatus",
        "IssueStatus": "assets.care_words.IssueStatus",
        "WorkKind": "assets.care_words.WorkKind",
        "MeterKind": "assets.care_words.MeterKind",
        "Severity": "assets.care_words.Severity",
        "Custody": "assets.choices.Custody",
        "DeliveryPurpose": "notifications.choices.DeliveryPurpose",
        "Direction": "suppliers.choices.Direction",
        "FactState": "notifications.choices.FactState",
        "FieldType": "notifications.api.shapes.FIELD_TYPES",
        "HitKind": "notifications.api.search.KINDS",
        "IdentifierScheme": "assets.choices.IdentifierScheme",
        "Level": "owners.choices.Level",
        "Lifecycle": "assets.choices.Lifecycle",
        "Moment": "owners.choices.Moment",
        "OperationalStatus": "assets.choices.OperationalStatus",
        "ParticularKind": "suppliers.api_mandates.PARTICULARS",
        "PromiseState": "notifications.choices.PromiseState",
        "Purpose": "suppliers.choices.Purpose",
        "QuietKind": "owners.api.reach.QUIETS",
        "ReachPreset": "owners.api.reach.PRESET_NAMES",
        "ReachScope": "owners.choices.Scope",
        "Section": "notifications.choices.Section",
        "SentState": "suppliers.models.OutboundState.CHOICES",
        "SigningVersion": "suppliers.api_mandates.VERSIONS",
        "SpokenLevel": "notifications.api.reach.LEVELS",
        "Topic": "owners.choices.Topic",
        "Turn": "notifications.choices.Turn",
        "UndoKind": "config.undo_api.KINDS",
    },
    "COMPONENT_SPLIT_REQUEST": True,
}

# --- Processes and operation ---
LOGGING = logs.logging_settings(env.text("LOG_LEVEL", "INFO"))
# The words in photos and scans: read where Tesseract is installed; `off` where it is not wanted.
# Bytes of an export that is brought in through the web; `manage.py bring_in` takes any.
RESTORE_MOST = env.number("RESTORE_MOST_MB", 1024, least=26) * 1024 * 1024
OCR_PROGRAM = env.text("OCR_PROGRAM", shutil.which("tesseract") or "").replace("off", "")
OCR_LANGUAGES = env.text("OCR_LANGUAGES")  # such as eng+deu; without it, those that are installed
METRICS_TOKEN = env.text("METRICS_TOKEN")
STEWARD_OUTBOX = env.text(
    "STEWARD_OUTBOX"
)  # "local" keeps every message in a page instead of sending it


def broker(url: str) -> str:
    """Return Celery's name for a Redis; without one, wake-ups go nowhere and nothing is lost."""
    if url.startswith("unix://"):
        return "redis+socket://" + url.removeprefix("unix://").partition("?")[0]
    return url or "memory://"


# A task says only that there is work; which work, rows say. So a lost task costs seconds.
CELERY_BROKER_URL = broker(REDIS_URL)
CELERY_TASK_ACKS_LATE = True  # with the next: a task whose process was killed runs again
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_TIME_LIMIT = 120  # below the visibility timeout, else a slow task would run twice
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_TASK_STORE_ERRORS_EVEN_IF_IGNORED = False
CELERY_TASK_DEFAULT_QUEUE = "normal"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_ETA_TASK_LIMIT = 100
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 240_000  # KiB
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,  # the default looks for lost tasks every 100 s or so
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,  # the default waits for ever on a half-open connection
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "health_check_interval": 25,
}
CELERY_TIMEZONE = "UTC"
# Fixed ticks only; every wall-clock time is a column that the sweep compares with now.
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "notifications.tasks.sweep", "schedule": 10.0, "options": {"expires": 10}},
    "privacy": {"task": "config.tasks.keep_privacy", "schedule": 10.0, "options": {"expires": 10}},
    "imports": {"task": "assets.tasks.bring_in", "schedule": 10.0, "options": {"expires": 10}},
    "papers": {"task": "assets.tasks.read_papers", "schedule": 60.0, "options": {"expires": 60}},
    "recalls": {
        "task": "suppliers.tasks.watch_recalls",
        "schedule": 600.0,
        "options": {"expires": 600},
    },
}
# What else a drain without Redis looks for: functions of `now` that return how much they did.
CHORES = (
    "config.privacy.work_due",
    "config.restoring.work_due",
    "assets.importing.work",
    "assets.documents.read_waiting",
    "suppliers.recall_watch.work",
)

if REDIS_URL:
    CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": env.text("CACHE_URL", REDIS_URL),
            "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 2},
        }
    }
else:
    CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

SESSION_ENGINE = "owners.sessions"  # in the database: sessions outlive a lost Redis
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
IS_HTTPS = SITE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
if IS_PRODUCTION:
    # The browser then refuses such a cookie from a sub-domain or without TLS.
    SESSION_COOKIE_NAME = "__Host-session"
    CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_TRUSTED_ORIGINS = [SITE_URL] if IS_HTTPS else []
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # probes speak plain HTTP
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_PRODUCTION
if env.flag("TRUST_PROXY_SCHEME"):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION  # nothing to collect before the first look
MEDIA_ROOT = DATA_DIR / "media"

# --- Delivery: e-mail, SMS, leases ---
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", f"Steward <steward@{MAIL_DOMAIN}>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
EMAIL_BACKEND = env.text(
    "EMAIL_BACKEND",
    "notifications.transports.local.EmailBackend"
    if STEWARD_OUTBOX == "local"
    else "django.core.mail.backends.smtp.EmailBackend",
)
EMAIL_HOST = env.text("EMAIL_HOST", "localhost")
EMAIL_PORT = env.number("EMAIL_PORT", 25)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 20, least=1)  # seconds
TWILIO_API_URL = env.text("TWILIO_API_URL", "https://api.twilio.com").rstrip("/")
TWILIO_ACCOUNT_SID = env.text("TWILIO_ACCOUNT_SID")
TWILIO_FROM = env.text("TWILIO_FROM")  # a number, or the SID of a messaging service
TWILIO_VOICE_FROM = env.text("TWILIO_VOICE_FROM", TWILIO_FROM)  # a number
TWILIO_CALL_URL = f"{SITE_URL}/webhooks/telephony/twilio/call/"
TWILIO_STATUS_URL = f"{SITE_URL}/webhooks/telephony/twilio/status/"
# 32 bytes in base64url; without it the key is made of INDEX_KEY, which never changes either.
VAPID_PRIVATE_KEY = env.text("VAPID_PRIVATE_KEY")
VAPID_SUBJECT = env.text("VAPID_SUBJECT", f"mailto:postmaster@{MAIL_DOMAIN}")
FCM_ACCOUNT = env.text("FCM_ACCOUNT")  # the service account's JSON
FCM_URL = env.text("FCM_URL", "https://fcm.googleapis.com").rstrip("/")
APNS_KEY = env.text("APNS_KEY")  # the .p8 file's text
APNS_KEY_ID = env.text("APNS_KEY_ID")
APNS_TEAM_ID = env.text("APNS_TEAM_ID")
APNS_TOPIC = env.text("APNS_TOPIC")  # the app's bundle id
APNS_URL = env.text("APNS_URL", "https://api.push.apple.com").rstrip("/")
PUSH_TIMEOUT = env.number("PUSH_TIMEOUT", 10, least=1)  # seconds
CHAT_TIMEOUT = env.number("CHAT_TIMEOUT", 20, least=1)  # seconds, then the child is ended
# Networks that owners' own push and chat servers may stand in although they are not public.
REACH_ALLOWED_NETWORKS = env.words("REACH_ALLOWED_NETWORKS")
SMS_TIMEOUT = env.number("SMS_TIMEOUT", 10, least=1)  # seconds
INBOX_LEASE_S = env.number("INBOX_LEASE_S", 120, least=1)  # a killed worker's batch waits so long
DELIVERY_LEASE_S = env.number("DELIVERY_LEASE_S", 60, least=1)
DELIVERY_DOUBT_S = env.number("DELIVERY_DOUBT_S", 60, least=1)  # a receipt is awaited this long

# --- Suppliers: what comes in and what goes out ---
# Off behind a pooler that hands out connections by transaction and knows no prepared statements.
DATABASE_PREPARES = env.flag("DATABASE_PREPARES", default=True)
SUPPLIER_RATE = env.number("SUPPLIER_RATE", 200)  # requests a second of one supplier; 0: no limit
SUPPLIER_BURST = env.number("SUPPLIER_BURST", 2000, least=1)
SENDER_CACHE_S = 1.0  # how long a process keeps a supplier's secrets
DEV_SIGNING_KEY = "whsk_" + "ZGV2ZWxvcG1lbnQtb25seS1zaWduaW5nLWtleS0zMiE="
STEWARD_SIGNING_KEYS = env.words("STEWARD_SIGNING_KEYS", (DEV_SIGNING_KEY,))  # the newest first
# Networks outbound webhooks may reach although they are not public, such as 10.1.0.0/16.
OUTBOX_ALLOWED_NETWORKS = env.words("OUTBOX_ALLOWED_NETWORKS")
OUTBOX_TIMEOUT = env.number("OUTBOX_TIMEOUT", 20, least=1)  # seconds, for a whole request
# Seconds after which the events of a killed process are taken by another.
OUTBOX_LEASE_S = env.number("OUTBOX_LEASE_S", 300, least=1)
OUTBOX_RATE = env.number("OUTBOX_RATE", 50)  # events a second to one endpoint; 0: no limit

# --- Lists of recalls; none is asked unless it is named here: nhtsa, cpsc, safety-gate ---
RECALL_SOURCES = env.words("RECALL_SOURCES")
RECALL_TIMEOUT = env.number("RECALL_TIMEOUT", 60, least=1)  # seconds, for a whole request
RECALL_MOST_BYTES = env.number("RECALL_MOST_BYTES", 64 * 2**20, least=1)  # of one answer
# Other addresses of lists, such as cpsc=https://mirror.example; and networks they may be in.
RECALL_BASES = dict(pair.partition("=")[::2] for pair in env.words("RECALL_BASES"))
RECALL_ALLOWED_NETWORKS = env.words("RECALL_ALLOWED_NETWORKS")

# --- Mail and telephony in; an entrance without a secret is closed ---
MAIL_AUTHSERV_ID = env.text("MAIL_AUTHSERV_ID", MAIL_DOMAIN)  # our mail server in its verdicts
MAIL_WEBHOOK_SECRET = env.text("MAIL_WEBHOOK_SECRET")  # whsec_…, shared with our mail server
MAIL_CHECKS_SENDERS = env.flag("MAIL_CHECKS_SENDERS")  # DKIM and DMARC by DNS, without a verdict
MAIL_RESOLVERS = env.words("MAIL_RESOLVERS")  # whom it asks, as 127.0.0.1:53; else the system's
# Whose seal (ARC) is believed on mail that they sent on, and what they are called.
MAIL_FORWARDERS = env.words(
    "MAIL_FORWARDERS",
    ("google.com=Gmail", "microsoft.com=Outlook", "messagingengine.com=Fastmail"),
)
# Where `manage.py mail_server` listens: lmtp+unix:///path, lmtp://127.0.0.1:2424, smtp://0.0.0.0:25
MAIL_LISTEN = env.words("MAIL_LISTEN")
MAIL_RELAYS = env.words("MAIL_RELAYS")  # networks of our own mail servers: their verdicts count
# Providers that take our mail and post it to /webhooks/mail/NAME/; docs/mail.md has their names.
MAIL_PROVIDERS = env.words("MAIL_PROVIDERS")
# The provider's own name in its verdicts on senders; without it none of them is believed.
MAIL_PROVIDER_AUTHSERV_ID = env.text("MAIL_PROVIDER_AUTHSERV_ID")
ANYMAIL: dict[str, str | list[str]] = {
    name: value
    for name in (
        "BREVO_API_KEY", "MAILERSEND_API_TOKEN", "MAILERSEND_INBOUND_SECRET",
        "MAILERSEND_SIGNING_SECRET", "MAILGUN_API_KEY", "MAILGUN_API_URL",
        "MAILGUN_SENDER_DOMAIN", "MAILGUN_WEBHOOK_SIGNING_KEY", "MAILJET_API_KEY",
        "MAILJET_SECRET_KEY", "MAILTRAP_API_TOKEN", "MAILTRAP_INBOUND_SECRET",
        "MAILTRAP_TRACKING_SECRET",
        "MANDRILL_API_KEY", "MANDRILL_WEBHOOK_KEY", "MANDRILL_WEBHOOK_URL", "POSTAL_API_KEY",
        "POSTAL_API_URL", "POSTAL_WEBHOOK_KEY", "POSTMARK_SERVER_TOKEN", "RESEND_API_KEY",
        "RESEND_INBOUND_SECRET", "RESEND_SIGNING_SECRET", "SENDGRID_API_KEY",
        "SPARKPOST_API_KEY", "SPARKPOST_API_URL",
    )
    if (value := env.text(name))
}  # fmt: skip
ANYMAIL["WEBHOOK_SECRET"] = env.words("ANYMAIL_WEBHOOK_SECRET")  # user:password; two to rotate
# Providers that tell what became of our mail at /webhooks/mail/NAME/tracking/.
MAIL_TRACKING = env.words("MAIL_TRACKING")
MAIL_CONNECTIONS = env.number("MAIL_CONNECTIONS", 40, least=4)  # at a time, to the mail server
MAIL_TLS_CERTIFICATE = env.text("MAIL_TLS_CERTIFICATE")  # a file; with it STARTTLS is offered
MAIL_TLS_KEY = env.text("MAIL_TLS_KEY")
MAIL_TLS_REQUIRED = env.flag("MAIL_TLS_REQUIRED")
# Whether callers of a member's number hear a greeting and may leave a message; off where the
# provider forwards calls itself. Without words of one's own they are the member's language's.
TELEPHONY_ANSWERS = env.flag("TELEPHONY_ANSWERS", default=True)
TELEPHONY_GREETING = env.text("TELEPHONY_GREETING")
TWILIO_AUTH_TOKENS = env.words("TWILIO_AUTH_TOKENS")  # the newest first; two while they rotate
