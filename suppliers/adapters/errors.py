"""What an adapter raises when the content cannot be read."""


class ContentError(Exception):
    """A field is missing or wrong; `pointer` is the JSON pointer to it (RFC 6901).

    The event is kept: the code, pointer and detail go to the supplier's delivery log.
    """

    def __init__(self, code: str, pointer: str, detail: str) -> None:
        super().__init__(f"{code} at {pointer or '/'}: {detail}")
        self.code = code
        self.pointer = pointer
        self.detail = detail
