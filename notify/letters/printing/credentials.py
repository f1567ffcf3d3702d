"""The credentials for the print provider, and their stores (contract: letters 10)."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any, Final, Protocol, Self

from notify.infra.aws import CredentialsError, RequestSigner
from notify.infra.container import Container
from notify.infra.json_values import InvalidJSONError, dump_json, parse_json
from notify.infra.outbound import Outbound, OutboundError
from notify.letters.printing.base import PrinterError, RetryablePrinterError
from notify.letters.settings import PrinterSettings

FOLDER: Final = "/notify/api/"
USERNAME: Final = "dvla_username"
PASSWORD: Final = "dvla_password"  # noqa: S105 - its name
API_KEY: Final = "dvla_api_key"
WAIT_SECONDS: Final = 60.0


class ParameterStore(Protocol):
    """Stores secret values by name."""

    can_write: bool

    def read(self, name: str) -> str:
        """A value. Raises `RetryablePrinterError`, `PrinterError`."""
        ...

    def write(self, name: str, value: str) -> None:
        """Replace a value, which must exist. Raises what `read` raises."""
        ...


class FixedParameters:
    """Values from the settings, which are renewed by hand."""

    can_write = False

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def read(self, name: str) -> str:
        """A value of the settings."""
        return self._values[name]

    def write(self, name: str, value: str) -> None:
        """Raises `PrinterError`: settings cannot be written."""
        raise PrinterError("the printer's credentials are in the settings, which are not written")


class SystemsManager:
    """The parameter store of AWS Systems Manager; values are encrypted there (`SecureString`)."""

    can_write = True

    def __init__(self, outbound: Outbound, *, region: str, url: str = "") -> None:
        self._outbound = outbound
        self._url = (url or f"https://ssm.{region}.amazonaws.com").rstrip("/") + "/"
        self._signer = RequestSigner("ssm", region)

    def read(self, name: str) -> str:
        """A value, decrypted."""
        answer = self._ask("GetParameter", {"Name": FOLDER + name, "WithDecryption": True})
        return str(answer["Parameter"]["Value"])

    def write(self, name: str, value: str) -> None:
        """Overwrite a value. Without a type in the request, the store refuses a new name."""
        self.read(name)
        self._ask("PutParameter", {"Name": FOLDER + name, "Value": value, "Type": "SecureString", "Overwrite": True})

    def _ask(self, action: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._outbound.run(self._call(action, dump_json(body))).result(WAIT_SECONDS)

    async def _call(self, action: str, body: bytes) -> dict[str, Any]:
        given = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"AmazonSSM.{action}"}
        try:
            headers = await self._signer.sign("POST", self._url, body, given)
            answer = await self._outbound.request("POST", self._url, data=body, headers=headers)
            found: dict[str, Any] = parse_json(answer.body)
        except (CredentialsError, OutboundError, InvalidJSONError) as error:
            raise RetryablePrinterError(f"parameter store: {type(error).__name__}") from None
        if answer.status == 200:
            return found
        # only the error's type: its message may quote the value
        kind = str(found.get("__type", "")).rpartition("#")[2] or str(answer.status)
        retryable = answer.status >= 500 or "Throttling" in kind or "Expired" in kind
        raise (RetryablePrinterError if retryable else PrinterError)(f"parameter store: {kind}")


class PrinterCredentials:
    """User, password and key for the print provider. Each is read once and cached until it is refused."""

    def __init__(self, store: ParameterStore) -> None:
        self._store = store
        self._known: dict[str, str] = {}
        self._lock = Lock()

    @classmethod
    def build(cls, container: Container) -> Self:
        """The instance of this process: from the settings if they have a user, else from AWS."""
        settings = container.parts.settings
        printer = settings.part(PrinterSettings)
        if printer.dvla_username:
            values = {USERNAME: printer.dvla_username, PASSWORD: printer.dvla_password, API_KEY: printer.dvla_api_key}
            return cls(FixedParameters(values))
        return cls(SystemsManager(container.get(Outbound), region=settings.aws_region, url=printer.ssm_url))

    @property
    def can_be_renewed(self) -> bool:
        """Whether the store accepts new values."""
        return self._store.can_write

    def get(self, name: str) -> str:
        """A value. Raises `PrinterError`."""
        with self._lock:
            if name not in self._known:
                self._known[name] = self._store.read(name)
            return self._known[name]

    def forget(self, name: str) -> None:
        """Read a value again next time: it was refused, or another process may have renewed it."""
        with self._lock:
            self._known.pop(name, None)

    def set(self, name: str, value: str) -> None:
        """Replace a value in the store and in the cache. Raises `PrinterError`."""
        self._store.write(name, value)
        with self._lock:
            self._known[name] = value
