"""Django's settings of the floor: a database and one address, nothing else."""

import os

from config.settings import database

ROOT_URLCONF = "tests.bench.floor"
ALLOWED_HOSTS = ["*"]
SECRET_KEY = "the floor signs nothing"
DATABASES = {"default": database(os.environ["DATABASE_URL"])}
MIDDLEWARE: list[str] = []
USE_TZ = True
