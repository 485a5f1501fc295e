"""Every setting of the program: one frozen value, made once at start from the environment and the file `.env`."""

import difflib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, assert_never, get_args
from urllib.parse import urlsplit

from annotated_types import Ge, Le
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from storyforge_core.domain.writing import Role
from storyforge_core.errors import SetupError

_OLLAMA_PORT = 11434
_COMFYUI_PORT = 8188
_DAY = 86_400


def _wrong(needed: str) -> PydanticCustomError:
    return PydanticCustomError("setting", "{needed}", {"needed": needed})


def _postgresql_url(secret: SecretStr | None) -> SecretStr | None:
    """Bring every form of the address to `postgresql://…`: the code chooses drivers, not the owner."""
    if secret is None:
        return None
    scheme, mark, rest = secret.get_secret_value().strip().partition("://")
    if not mark or scheme.partition("+")[0] not in {"postgresql", "postgres"}:
        raise _wrong("an address such as postgresql://user:password@host:5432/storyforge")
    address = f"postgresql://{rest}"
    try:
        _ = urlsplit(address).port
    except ValueError as error:
        raise _wrong("an address in which name and password have @ written as %40, / as %2F, : as %3A") from error
    return SecretStr(address)


def _ollama_url(text: str) -> str:
    return _server_url(text, _OLLAMA_PORT)


def _comfyui_url(text: str) -> str:
    return _server_url(text, _COMFYUI_PORT) if text.strip() else ""


def _comfyui_urls(given: object) -> object:
    """Read addresses that are parted by commas or blanks."""
    if not isinstance(given, str):
        return given
    return tuple(_comfyui_url(part) for part in given.replace(",", " ").split())


def _server_url(text: str, usual_port: int) -> str:
    """Read an address as Ollama's own tools do: scheme, and then also the port, may be left out."""
    text = text.strip().rstrip("/")
    bare = "://" not in text
    try:
        parts = urlsplit(f"http://{text}" if bare else text)
        port = parts.port or (usual_port if bare else None)
    except ValueError as error:
        raise _wrong(f"an address such as http://127.0.0.1:{usual_port} or 192.168.1.20:{usual_port}") from error
    if parts.scheme not in {"http", "https"}:
        raise _wrong("an address that starts with http:// or https://")
    # To a server these mean "every interface", to a client nothing; we never listen there.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", None: "127.0.0.1"}.get(parts.hostname, parts.hostname)  # noqa: S104
    place = f"[{host}]" if host and ":" in host else host
    login, at, _ = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{login}{at}{place}{f':{port}' if port else ''}{parts.path}"


def _duration(text: str) -> str:
    """Give bare seconds their unit: Ollama refuses a text without one."""
    text = text.strip()
    if re.fullmatch(r"-?\d+", text):
        return f"{text}s"
    if not re.fullmatch(r"-?(\d+(\.\d+)?(ms|s|m|h))+", text):
        raise _wrong("a time such as 90s, 30m or 2h; -1 keeps the model loaded for good, 0 drops it at once")
    return text


def _ids(text: object) -> object:
    """Read numbers that are parted by commas or blanks."""
    if not isinstance(text, str):
        return text
    parts = text.replace(",", " ").split()
    if not all(part.isascii() and part.isdecimal() for part in parts):
        raise _wrong("ids of servers, parted by commas, such as 81384788765712384, 41771983423143937")
    return frozenset(map(int, parts))


def _names(given: object) -> object:
    """Read names that are parted by commas or blanks."""
    return tuple(given.replace(",", " ").split()) if isinstance(given, str) else given


def _matrix_user(text: str) -> str:
    """Take a Matrix user id in its whole form, the only one that says on which server the account is."""
    text = text.strip()
    if text and not re.fullmatch(r"@[^:\s]+:\S+", text):
        raise _wrong("a whole user id such as @storyforge:example.org")
    return text


def _url_of(*schemes: str) -> AfterValidator:
    """Take an address of one of these schemes, and leave its last slash out."""

    def check(text: str) -> str:
        text = text.strip().rstrip("/")
        if text and (urlsplit(text).scheme not in schemes or not urlsplit(text).hostname):
            raise _wrong(f"an address that starts with {' or '.join(f'{scheme}://' for scheme in schemes)}")
        return text

    return AfterValidator(check)


DatabaseUrl = Annotated[SecretStr | None, AfterValidator(_postgresql_url)]
OllamaUrl = Annotated[str, AfterValidator(_ollama_url)]
ComfyUrl = Annotated[str, AfterValidator(_comfyui_url)]
ComfyUrls = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_comfyui_urls)]
HttpUrl = Annotated[str, _url_of("http", "https")]
GatewayUrl = Annotated[str, _url_of("ws", "wss")]
Ids = Annotated[frozenset[int], NoDecode, BeforeValidator(_ids)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
MatrixUser = Annotated[str, AfterValidator(_matrix_user)]
Duration = Annotated[str, AfterValidator(_duration)]
_AnyCase = BeforeValidator(str.lower)


class Settings(BaseSettings):
    """What the owner has decided; `.env.example` says what each one does.

    Made from its arguments alone, so that one made in a test depends on nothing around it; `load_settings` reads.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True)

    database_url: DatabaseUrl = None
    """None: the bundled PostgreSQL. Otherwise always in the form `postgresql://…`."""
    data_dir: Path
    pictures_dir: Path = Field(default_factory=lambda known: known["data_dir"] / "pictures")
    exports_dir: Path = Field(default_factory=lambda known: known["data_dir"] / "exports")
    workflow_dir: Path = Field(default_factory=lambda known: known["data_dir"] / "workflows")

    storyteller: Annotated[Literal["auto", "ollama", "openai", "offline"], _AnyCase] = "auto"
    ollama_host: OllamaUrl = f"http://127.0.0.1:{_OLLAMA_PORT}"
    ollama_model: str = "dolphin-mistral:7b"
    """Set: for all jobs but those whose own model is set."""
    planner_model: str = "phi4"
    writer_model: str = "dolphin-mistral:7b"
    visualizer_model: str = "gemma2:9b"
    embedding_model: str = "nomic-embed-text"
    ollama_num_ctx: int = Field(default=8192, ge=4096, le=1_048_576)
    ollama_num_predict: int = Field(default=2048, ge=64, le=65_536)
    ollama_temperature: float = Field(default=0.8, ge=0, le=2)
    ollama_keep_alive: Duration = "30m"
    ollama_first_token_timeout: float = Field(default=120, ge=1, le=3600)
    """Seconds; covers loading the model and reading the prompt."""
    ollama_token_timeout: float = Field(default=30, ge=1, le=3600)
    """Seconds of silence between two tokens."""

    openai_host: HttpUrl = "http://127.0.0.1:1234/v1"
    openai_model: str = ""
    openai_api_key: SecretStr | None = None
    openai_context: int = Field(default=8192, ge=4096, le=1_048_576)
    """Tokens of prompt and answer together that the server was started with."""

    runs_at_once: int = Field(default=1, ge=1, le=64)
    scene_words: int = Field(default=220, ge=40, le=2000)
    scene_choices: int = Field(default=3, ge=2, le=6)
    planner: Annotated[Literal["on", "off"], _AnyCase] = "off"
    """Whether scenes of new stories are planned before they are told."""
    vote_deadline: int = Field(default=0, ge=0, le=30 * _DAY)
    """Seconds; 0: none."""
    vote_quorum: int = Field(default=0, ge=0, le=10_000)
    """Votes that close a ballot; 0: everybody who joined."""
    vote_tie: Annotated[Literal["random", "first", "host"], _AnyCase] = "random"
    rate_per_minute: int = Field(default=20, ge=1, le=10_000)
    room_rate_per_minute: int = Field(default=60, ge=1, le=10_000)
    retention_days: int = Field(default=30, ge=0, le=3650)
    """How long the stories of a server are kept that removed the bot; 0: for ever."""

    comfyui_host: ComfyUrl = ""
    """Empty: nobody paints."""
    comfyui_hosts: ComfyUrls = ()
    """More of them."""
    pictures: Annotated[Literal["every", "vote", "request", "off"], _AnyCase] = "every"
    picture_workflow: str = ""
    """Empty: the first that a server can do."""

    discord_token: SecretStr | None = None
    discord_guild: int | None = Field(default=None, ge=1)
    """The one server in which new commands are to be there at once; None: everywhere, within the hour."""
    blocked_guilds: Ids = frozenset()
    """Servers that the bot leaves as soon as it is invited."""
    discord_interaction_edits: Annotated[Literal["auto", "off"], _AnyCase] = "auto"
    """Whether scenes may answer the click that began them, and be edited as such besides."""
    discord_api_base: HttpUrl = ""
    discord_gateway_url: GatewayUrl = ""
    """Of a server that speaks as Discord does; empty: Discord itself."""

    matrix_homeserver: HttpUrl = ""
    """Empty: no Matrix."""
    matrix_user_id: MatrixUser = ""
    matrix_password: SecretStr | None = None
    matrix_access_token: SecretStr | None = None
    matrix_recovery_key: SecretStr | None = None
    """Opens the account's own cross-signing keys, where another program has made them."""
    matrix_allowed_users: Names = ()
    """Who may invite the bot, by patterns such as `@*:example.org`."""
    matrix_allowed_rooms: Names = ()
    """Where anybody may invite it, by room id."""
    matrix_e2ee: Annotated[Literal["off", "optional", "required"], _AnyCase] = "optional"
    matrix_stories: Annotated[Literal["threads", "room"], _AnyCase] = "threads"
    """Whether each story is a thread of its room, or the room shows one story at a time."""
    matrix_rate_limit: Annotated[Literal["auto", "none"], _AnyCase] = "auto"
    """Whether it has to be found out how much the homeserver takes, or its owner has lifted the limit."""
    matrix_polls: Annotated[Literal["on", "off"], _AnyCase] = "off"

    app_host: str = "127.0.0.1"
    app_port: int = Field(default=8080, ge=1, le=65_535)
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _AnyCase] = "info"
    log_format: Annotated[Literal["text", "json"], _AnyCase] = "text"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take the arguments only."""
        return (init_settings,)

    @property
    def picture_hosts(self) -> tuple[str, ...]:
        """All servers that paint, each once."""
        return tuple(dict.fromkeys(filter(None, (self.comfyui_host, *self.comfyui_hosts))))

    def model_for(self, role: Role) -> str:
        """Name the model that does this job: the one set for it, else the one set for all, else the usual one.

        Empty: none is set, and there is no usual one.
        """
        match role:
            case "planner":
                return self._telling_model("planner_model")
            case "writer":
                return self._telling_model("writer_model")
            case "visualizer":
                return self._telling_model("visualizer_model")
            case "embedder":
                own = "embedding_model" in self.model_fields_set
                return self.embedding_model if own or self.storyteller != "openai" else ""
            case _:
                assert_never(role)

    @property
    def writer_is_set(self) -> bool:
        """Whether the owner has said which model tells the stories."""
        return not self.model_fields_set.isdisjoint({"writer_model", "ollama_model"})

    def _telling_model(self, field: str) -> str:
        """The model of a job; one that is set for all jobs counts more than what is usual for this one."""
        if self.storyteller == "openai" and field not in self.model_fields_set:
            return self.openai_model
        named = self.model_fields_set.intersection({field, "ollama_model"})
        chosen: str = getattr(self, "ollama_model" if named == {"ollama_model"} else field)
        return chosen


def checkout(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Find the checkout the launcher runs from; None where the program was installed as a package."""
    home = environ.get("STORYFORGE_HOME")
    return Path(home) if home else None


def load_settings(home: Path | None) -> Settings:
    """Read the environment, then what it leaves open from `.env`.

    Args:
        home: the checkout. It holds `.env` and `data/`, and paths in settings are relative to it. With None
            `.env` is looked for in the current directory, and data goes where the system keeps it for a user.

    Raises:
        SetupError: one sentence for every value that cannot be used, without showing secrets.
    """
    base = home or Path.cwd()
    given = _dotenv(base)() | EnvSettingsSource(Settings)()
    given.setdefault("data_dir", "data" if home else _user_data_dir())
    for name in _PATHS & given.keys():
        given[name] = base / Path(given[name]).expanduser()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise SetupError("\n".join(_sentences(error, given))) from None


def misspelt(home: Path | None) -> tuple[str, ...]:
    """Say which names in `.env` look like a setting with a typing error, a sentence each."""
    known = Settings.model_fields.keys()
    strangers = _dotenv(home or Path.cwd()).env_vars.keys() - known
    guesses = ((name, difflib.get_close_matches(name, known, n=1, cutoff=0.8)) for name in sorted(strangers))
    return tuple(
        f"{name.upper()} in .env means nothing to StoryForge: is it {guess[0].upper()}?"
        for name, guess in guesses
        if guess
    )


_PATHS = {name for name, field in Settings.model_fields.items() if field.annotation is Path}
_SECRETS = {name for name, field in Settings.model_fields.items() if SecretStr in get_args(field.annotation)}


def _dotenv(base: Path) -> DotEnvSettingsSource:
    path = base / ".env"
    try:
        return DotEnvSettingsSource(Settings, env_file=path, dotenv_filtering="only_existing")
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path} cannot be read ({error}): save it as UTF-8 text this user may read.") from error


def _user_data_dir() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "storyforge"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "storyforge"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "storyforge"


def _sentences(error: ValidationError, given: Mapping[str, object]) -> Iterator[str]:
    problems = ((str(problem["loc"][0]), problem["msg"]) for problem in error.errors())
    # A directory that hangs on another value fails with it: only what the owner wrote can be put right.
    for name, message in (problem for problem in problems if problem[0] in given):
        shown = "is set, but" if name in _SECRETS else f"is {str(given[name])!r}, but"
        yield f"{name.upper()} {shown} has to be {_needed(name, message)}."


def _needed(name: str, message: str) -> str:
    """Name what a setting allows; pydantic's own message tells only which bound was hit."""
    field = Settings.model_fields[name]
    low = next((limit.ge for limit in field.metadata if isinstance(limit, Ge)), None)
    high = next((limit.le for limit in field.metadata if isinstance(limit, Le)), None)
    if low is None or high is None:
        return message.removeprefix("Input should be ")
    return f"{'a whole number' if field.annotation is int else 'a number'} from {low} to {high}"
