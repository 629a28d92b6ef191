"""Accessibility, judged by axe-core."""

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

# What is well is not sent back: it is most of what axe finds, and nobody reads it.
JUDGE = """
    async options => {
        const found = await axe.run(document, {resultTypes: ["violations"], ...options});
        return found.violations.map(
            one => [one.id, ...one.nodes.slice(0, 5).map(node => node.html)].join("\\n"));
    }
"""


def violations(page: Page, **options: Any) -> list[str]:
    """Return the rules that the page breaks now, and where; `options` are those of `axe.run`."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    return [str(rule) for rule in page.evaluate(JUDGE, options)]
