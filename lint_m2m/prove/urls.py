"""Database URLs: ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require``, ``mysql://…``, ``sqlite``.

The database that a URL names is connected to in order to create a scratch one, and never written to. What is printed
of a URL is `Database.label`: no user, no password, no option.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from lint_m2m.errors import UsageError
from lint_m2m.values import declare, frozen

SCHEMES: Final[Mapping[str, str]] = {
    "postgresql": "postgresql",
    "postgres": "postgresql",
    "mysql": "mysql",
    "mariadb": "mysql",
}
_ENGINES: Final = {"postgresql": "django.db.backends.postgresql", "mysql": "django.db.backends.mysql"}
# What goes to the driver as it is (libpq's parameters, mysqlclient's and PyMySQL's).
_OPTIONS: Final = {
    "postgresql": frozenset({"connect_timeout", "host", "service", "sslcert", "sslkey", "sslmode", "sslrootcert"}),
    "mysql": frozenset({"charset", "unix_socket"}),
}
_FORM: Final = "`postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, `mysql://…` or `sqlite`"


@frozen
class Database:
    """A server, or SQLite. `settings` are Django's for the database of the URL; they hold the password."""

    vendor: str
    label: str
    settings: Mapping[str, object] = declare(default_factory=dict, repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must not be in any output."""
        password = self.settings.get("PASSWORD")
        return (password,) if isinstance(password, str) and password else ()


SQLITE: Final = Database(
    vendor="sqlite", label="sqlite", settings={"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
)


def parse_url(url: str) -> Database:
    """The database that a URL names. UsageError for what is none; the URL itself is not repeated in it."""
    if url in ("sqlite", "sqlite:", "sqlite://", "sqlite:///:memory:"):
        return SQLITE
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UsageError(f"`--database` takes {_FORM}; the port of this one is no number") from None
    vendor = SCHEMES.get(parts.scheme)
    if parts.scheme == "sqlite":
        raise UsageError("`--database sqlite` takes no file: a proof runs in a database of its own, in memory")
    if vendor is None:
        raise UsageError(f"`--database` takes {_FORM}")
    options = _options(parts, vendor)
    host = unquote(parts.hostname or str(options.pop("host", "")))
    name = unquote(parts.path.lstrip("/"))
    if vendor == "postgresql" and not name and "service" not in options:
        name = "postgres"
    port_text = f":{port}" if port else ""
    return Database(
        vendor=vendor,
        label=f"{vendor}://{host or 'localhost'}{port_text}",
        settings={
            "ENGINE": _ENGINES[vendor],
            "NAME": name,
            "HOST": host,
            "PORT": port or "",
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "OPTIONS": options,
        },
    )


def _options(parts: SplitResult, vendor: str) -> dict[str, object]:
    given = dict(parse_qsl(parts.query, keep_blank_values=True))
    unknown = sorted(given.keys() - _OPTIONS[vendor])
    if unknown:
        known = ", ".join(f"`{name}`" for name in sorted(_OPTIONS[vendor]))
        raise UsageError(f"`--database` knows no option `{unknown[0]}` for {vendor}; it knows {known}")
    return {
        name: int(value) if name == "connect_timeout" and value.isdecimal() else value for name, value in given.items()
    }
