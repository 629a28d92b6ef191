"""Who a mail is really from: our server's verdict, read with its reason. Pure.

The verdict is an Authentication-Results field (RFC 8601) by a server we trust, or one that
`proving` wrote. The identity is the domain in From; a proof for another domain proves
nothing about it.
"""

import re
from collections.abc import Mapping

from suppliers.adapters.headers import Head
from suppliers.choices import Authentication
from suppliers.contacts import Proof

COMMENT = re.compile(r"\([^()]{0,500}\)")
RESULT = re.compile(
    r"(?P<method>[a-z0-9-]{1,20})\s{0,5}=\s{0,5}(?P<verdict>[a-z]{1,12})", re.IGNORECASE
)
PROPERTY = re.compile(
    r"(?P<name>header\.d|header\.i|header\.from|smtp\.mailfrom)\s{0,5}=\s{0,5}\"?(?P<value>[^\s;\"]{1,320})",
    re.IGNORECASE,
)
INSTANCE = re.compile(r"(?:^|;)\s{0,20}i\s{0,5}=\s{0,5}(\d{1,3})\b")
SEALER = re.compile(r"(?:^|;)\s{0,20}d\s{0,5}=\s{0,5}([\w.-]{1,253})")
ADDRESS = re.compile(r"[^\s<>,;\"()]{1,64}@[\w.-]{1,253}")
MAX_SIGNERS = 5


def is_by(value: str, server: str) -> bool:
    """Say whether an Authentication-Results field is by this server."""
    name = COMMENT.sub("", value).partition(";")[0].split()
    return bool(name and server) and name[0].lower() == server.lower()


def senders(head: Head) -> set[str]:
    """Return the domains in every From: two of them prove nothing."""
    fields = head.all("from")
    if len(fields) == 1 and head.sender:
        found = {head.sender}
    else:
        found = {match for value in fields for match in ADDRESS.findall(value)}
    return {address.rpartition("@")[2].lower().rstrip(".") for address in found}


def judge(head: Head, *, results: str, forwarders: Mapping[str, str]) -> Proof:
    """Return what `results` says of who sent it; `results` is empty when nobody checked.

    What a forwarder broke on the way counts as proved when the forwarder's own seal holds
    (ARC), it is one of `forwarders` (domain -> name), and it had found the mail proved.
    """
    domains = senders(head)
    if len(domains) != 1:
        return Proof(detail="two_senders" if domains else "no_sender")
    domain = domains.pop()
    if not results:
        return Proof(domain=domain, detail="unchecked")
    found = judged(results, domain=domain)
    if found.verdict != Authentication.PASS and _passed(results, "arc"):
        forwarder = _forwarder(head, domain, forwarders)
        if forwarder:
            return Proof(
                verdict=Authentication.PASS, method="arc", domain=domain, forwarder=forwarder
            )
    return found


def judged(results: str, *, domain: str) -> Proof:
    """Return the verdict of an Authentication-Results field for mail From `domain`.

    DMARC decides where it is; else a DKIM signature or an envelope of the same domain.
    """
    dmarc = passed = failed = ""
    signers: list[str] = []
    is_open = False
    for part in COMMENT.sub("", results).split(";")[1:]:
        match = RESULT.search(part)
        if match is None:
            continue
        method, verdict = match["method"].lower(), match["verdict"].lower()
        named = [item["value"].lower().rpartition("@")[2] for item in PROPERTY.finditer(part)]
        is_theirs = any(aligned(value, domain) for value in named)
        is_open = is_open or verdict == "temperror"
        if method == "dmarc" and (is_theirs or not named):
            dmarc = dmarc or verdict
        elif method in {"dkim", "spf"}:
            if verdict == "pass" and is_theirs:
                passed = passed or method
            elif verdict == "pass" and method == "dkim":
                signers += [value for value in named if value not in signers]
            elif verdict in {"fail", "permerror"}:
                failed = failed or method
    proof = Proof(domain=domain, signers=tuple(signers[:MAX_SIGNERS]))
    if dmarc == "pass":
        return proof.with_(verdict=Authentication.PASS, method="dmarc")
    if dmarc in {"fail", "permerror"}:
        return proof.with_(verdict=Authentication.FAIL, method="dmarc")
    if passed:
        return proof.with_(verdict=Authentication.PASS, method=passed)
    if failed:
        return proof.with_(verdict=Authentication.FAIL, method=failed)
    return proof.with_(detail="lookup_failed" if is_open else "unsigned")


def aligned(proved: str, domain: str) -> bool:
    """Say whether a proof for one domain speaks for the other (relaxed alignment)."""
    proved, domain = proved.rstrip("."), domain.rstrip(".")
    if not proved or "." not in proved:
        return False
    return proved == domain or domain.endswith(f".{proved}") or proved.endswith(f".{domain}")


def _passed(results: str, method: str) -> bool:
    return any(
        match["method"].lower() == method and match["verdict"].lower() == "pass"
        for part in COMMENT.sub("", results).split(";")[1:]
        if (match := RESULT.search(part)) is not None
    )


def _forwarder(head: Head, domain: str, forwarders: Mapping[str, str]) -> str:
    """Return who sealed the mail last, if it is one we believe and it found the mail proved."""
    seals = {_instance(value): value for value in head.all("arc-seal")}
    checks = {_instance(value): value for value in head.all("arc-authentication-results")}
    last = max(seals, default=0)
    sealer = SEALER.search(seals.get(last, ""))
    if not last or sealer is None or last not in checks:
        return ""
    name = forwarders.get(sealer[1].lower().rstrip("."), "")
    # After the instance the field reads like an Authentication-Results of the sealer's.
    found = judged(checks[last].partition(";")[2], domain=domain)
    return name if name and found.verdict == Authentication.PASS else ""


def _instance(value: str) -> int:
    match = INSTANCE.search(value)
    return int(match[1]) if match else 0
