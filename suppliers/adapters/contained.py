"""What runs in a killable child: everything that parses a stranger's mail or page."""

from suppliers import sandbox


def visible(html: str) -> str:
    """Return the words of an HTML page that a reader sees; nothing when it is hostile."""
    try:
        return str(sandbox.run("visible", {"html": html}))
    except sandbox.RefusedError:
        return ""
