"""The address of a database as owners write it, and as each driver wants it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from storyforge_core.errors import SetupError

_SCHEMES = frozenset({"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"})
_SHARED = frozenset({"sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "sslnegotiation", "target_session_attrs"})
"""Parameters that both drivers understand in the same way; asyncpg sends those it does not know to the server."""
_LIBPQ_ONLY = frozenset(
    {
        "application_name",
        "channel_binding",
        "connect_timeout",
        "fallback_application_name",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "tcp_user_timeout",
    }
)
_PLACE = frozenset({"host", "port", "user", "password", "dbname", "database"})
_OTHER_NAMES = MappingProxyType({"ssl": "sslmode", "database": "dbname"})
_PORT = 5432
_EXAMPLE = "postgresql://user:password@host:5432/storyforge"


@dataclass(frozen=True, slots=True)
class DatabaseUrl:
    """One database of one server."""

    host: str
    """A name, an IP address, or the directory of a socket."""
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    options: Mapping[str, str]
    """How to connect, such as `sslmode`."""

    @property
    def asyncpg(self) -> str:
        """For asyncpg, and through it for SQLAlchemy; it carries the password."""
        return self._url(self.password, {name: self.options[name] for name in self.options.keys() & _SHARED})

    @property
    def psycopg(self) -> str:
        """For psycopg, libpq and its tools; it carries the password."""
        return self._url(self.password, self.options)

    @property
    def without_password(self) -> str:
        """For command lines, which everybody on the machine can read."""
        return self._url("", self.options)

    @property
    def where(self) -> str:
        """The place as people may read it."""
        return self.host if self.host.startswith("/") else self._place()

    def renamed(self, database: str) -> "DatabaseUrl":
        """Another database of the same server."""
        return replace(self, database=database)

    def _url(self, password: str, options: Mapping[str, str]) -> str:
        secret = f":{_quote(password)}" if password else ""
        who = f"{_quote(self.user)}{secret}@" if self.user else ""
        place, query = self._place(), dict(options)
        if self.host.startswith("/"):
            place, query = "", {**options, "host": self.host, "port": str(self.port)}
        pairs = "&".join(f"{name}={_quote(value)}" for name, value in sorted(query.items()))
        return f"postgresql://{who}{place}/{_quote(self.database)}{'?' if pairs else ''}{pairs}"

    def _place(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else _quote(self.host)
        return f"{host}:{self.port}"


def normalise(url: str) -> DatabaseUrl:
    """Understand any `postgresql://` address.

    Raises:
        SetupError: it can't be understood; the sentence names what is wrong, never the password.
    """
    try:
        parts = urlsplit(url.strip())
        port, host = parts.port, parts.hostname
        told = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise SetupError(_needed("it names one server, and signs such as @ : / in a password are encoded")) from None
    options = {_OTHER_NAMES.get(name, name): value for name, value in told.items()}
    host = options.pop("host", "") or unquote(host or "") or "localhost"
    if "," in host:
        raise SetupError(_needed("it names one server; several hosts are not supported"))
    _check_words(parts.scheme, options)
    return DatabaseUrl(
        host=host,
        port=int(options.pop("port", "") or port or _PORT),
        user=options.pop("user", "") or unquote(parts.username or ""),
        password=options.pop("password", "") or unquote(parts.password or ""),
        database=options.pop("dbname", "") or unquote(parts.path.lstrip("/")) or "storyforge",
        options=MappingProxyType(options),
    )


def _check_words(scheme: str, options: Mapping[str, str]) -> None:
    if scheme not in _SCHEMES:
        raise SetupError(_needed("it begins with postgresql://"))
    if not options.get("port", "0").isdigit():
        raise SetupError(_needed("its port is a number"))
    if unknown := sorted(options.keys() - _SHARED - _LIBPQ_ONLY - _PLACE):
        raise SetupError(f"DATABASE_URL has the unknown parameter {unknown[0]}; leave it out.")


def _needed(what: str) -> str:
    return f"DATABASE_URL is understood when {what}, such as {_EXAMPLE}."


def _quote(text: str) -> str:
    return quote(text, safe="")
