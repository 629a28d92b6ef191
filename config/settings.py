"""Settings, all of them from the environment; see docs/operations.md for each name."""

from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from config import env

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
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", ("localhost", "127.0.0.1", "[::1]", "testserver"))
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
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
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
            ],
        },
    },
]


def database(url: str) -> dict[str, object]:
    """Return Django's settings for `postgresql://user:password@host:port/name?options`."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    host = options.pop("host", "") or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "steward",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(parts.port or options.pop("port", "")),
        "CONN_MAX_AGE": env.number("DATABASE_MAX_AGE", 600),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **options},
    }


DATABASE_URL = env.text("DATABASE_URL")
REDIS_URL = env.text("REDIS_URL")
DATABASES = {"default": database(DATABASE_URL)}
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

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
