"""The standardwebhooks libraries verify what we sign, and sign what we verify."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from owners import clock
from suppliers import signing

SECRET = "whsec_" + "QUJD" * 8
KEY = "whsk_" + "ZGV2ZWxvcG1lbnQtb25seS1zaWduaW5nLWtleS0zMiE="
BODY = '{"type":"owner.message.sent","data":{"body":"Grüße 👋"}}'
# Not a dependency of ours: `npm install standardwebhooks` anywhere, and name that folder.
NODE_MODULES = Path(os.environ.get("NODE_MODULES", "node_modules")).resolve()


def signed(now: datetime) -> dict[str, str]:
    """Sign as the outbox does: `v1a` beside `v1`, which is all the libraries know."""
    return signing.sign(webhook_id="msg_1", at=now, body=BODY.encode(), keys=[KEY, SECRET])


def verify(signature: str, now: datetime) -> None:
    signing.verify(
        webhook_id="msg_1",
        timestamp=str(int(now.timestamp())),
        signatures=signature,
        body=BODY.encode(),
        keys=[signing.verifier(SECRET)],
        now=now,
    )


def test_the_python_library_takes_our_signature_and_we_take_its_own() -> None:
    now = clock.now()
    webhook = Webhook(SECRET)
    assert webhook.verify(BODY, signed(now))["type"] == "owner.message.sent"
    verify(webhook.sign("msg_1", now.astimezone(UTC), BODY), now)
    with pytest.raises(signing.SignatureError):
        verify(Webhook("whsec_" + "QUJE" * 8).sign("msg_1", now.astimezone(UTC), BODY), now)


@pytest.mark.skipif(
    not (NODE_MODULES / "standardwebhooks").exists() or shutil.which("node") is None,
    reason="node, or the npm package standardwebhooks in NODE_MODULES, is not here",
)
def test_the_npm_library_takes_our_signature_and_we_take_its_own() -> None:
    now = clock.now()
    given = {
        "secret": SECRET, "headers": signed(now), "body": BODY, "id": "msg_1",
        "at": int(now.timestamp()),
    }  # fmt: skip
    node = shutil.which("node")
    assert node is not None
    done = subprocess.run(
        [node, str(Path(__file__).with_name("standard_webhooks.mjs")), json.dumps(given)],
        env={"NODE_MODULES": str(NODE_MODULES)},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    verify(done.stdout, now)
