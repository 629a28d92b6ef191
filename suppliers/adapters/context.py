"""What an adapter must know besides the payload, as a value."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from suppliers.choices import Authentication


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The household's habits and what the entrance learned.

    `zone` is an IANA name, `country` ISO 3166, `currency` ISO 4217, `language` BCP 47.
    `recipient` is the address or number it was sent to; `day_first` says how 11/12 is
    read; `supplier_domains` are those of the supplier whose alias was written to.
    """

    received_at: datetime
    zone: str = "UTC"
    country: str = ""
    currency: str = ""
    language: str = "en"
    authentication: Authentication = Authentication.NONE
    recipient: str = ""
    day_first: bool = True
    supplier_domains: tuple[str, ...] = ()
    return_path: str | None = None  # the envelope's sender; empty for a machine's own mail
    proof: dict[str, Any] | None = None  # of the sender of a mail, as `contacts.Proof` has it
    caller: dict[str, Any] | None = None  # of a number, as `contacts.Caller` has it
    is_greeted: bool = False  # our greeting took the call: nobody else answered it

    @property
    def tzinfo(self) -> ZoneInfo:
        """The household's time zone."""
        return ZoneInfo(self.zone)

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values, for the child process that reads mail."""
        data = asdict(self)
        data["received_at"] = self.received_at.isoformat()
        data["authentication"] = self.authentication.value
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Return the context that `to_json` wrote."""
        return cls(
            **{
                **data,
                "received_at": datetime.fromisoformat(data["received_at"]),
                "authentication": Authentication(data["authentication"]),
                "supplier_domains": tuple(data["supplier_domains"]),
            }
        )
