"""The API's description: committed, complete, and true."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from django.test import Client
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from tests.project.test_isolation import routes

SNAPSHOT = Path(__file__).parents[2] / "docs" / "openapi.yaml"
WRITES = ("post", "put", "patch", "delete")


def schema() -> dict[str, object]:
    made = SchemaGenerator().get_schema(request=None, public=True)
    return dict(made)


def test_a_change_of_the_api_is_a_visible_decision() -> None:
    made = OpenApiYamlRenderer().render(schema(), renderer_context={}).decode()
    assert made == SNAPSHOT.read_text(), (
        "The API changed. If it should: manage.py spectacular --file docs/openapi.yaml"
    )


def test_the_description_has_exactly_the_addresses_that_exist() -> None:
    described = set(schema()["paths"])  # type: ignore[call-overload]
    exist = {
        template
        for template, _ in routes(get_resolver().url_patterns)
        if template.startswith("/api/v1/")
    }
    assert described == exist


def test_it_is_openapi_3_1_with_problems_everywhere() -> None:
    made = yaml.safe_load(SNAPSHOT.read_text())
    assert made["openapi"].startswith("3.1")
    operations = [
        (method, operation) for item in made["paths"].values() for method, operation in item.items()
    ]
    assert len({operation["operationId"] for _, operation in operations}) == len(operations)
    for _, operation in operations:
        assert "application/problem+json" in operation["responses"]["default"]["content"]


def test_every_write_takes_a_key_that_makes_it_happen_once() -> None:
    def views(patterns: Iterable[Any]) -> list[type]:
        found: list[type] = []
        for entry in patterns:
            if hasattr(entry, "url_patterns"):
                found += views(entry.url_patterns)
            elif hasattr(entry.callback, "cls"):
                found.append(entry.callback.cls)
        return found

    from config import api  # noqa: PLC0415 - the resolver is not loaded before

    checked = [
        getattr(view, verb) for view in views(api.v1) for verb in WRITES if hasattr(view, verb)
    ]
    assert len(checked) > 15
    assert [handler for handler in checked if not getattr(handler, "is_once", False)] == []


def test_the_schema_and_a_page_to_read_are_served(db: None) -> None:
    client = Client()
    assert client.get("/api/schema/").status_code == 200
    page = client.get("/api/docs/")
    assert page.status_code == 200
    content = page.content.decode()
    assert "/api/v1/feed/" in content
    assert "<script" not in content
    assert "//" not in content.replace("http://www.w3.org", ""), "nothing from elsewhere"
