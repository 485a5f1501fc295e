"""Settings: what is read from where, what is refused and how, and that `.env.example` tells the truth."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from storyforge_core.errors import SetupError
from storyforge_core.settings import Settings, checkout, load_settings, misspelt

EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINE = re.compile(r"^# ([A-Z0-9_]+)=", re.MULTILINE)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def write_env(home: Path, text: str) -> Path:
    (home / ".env").write_text(text, "utf-8")
    return home


def refusal(home: Path, text: str) -> str:
    with pytest.raises(SetupError) as caught:
        load_settings(write_env(home, text))
    return str(caught.value)


def address(settings: Settings) -> str:
    assert settings.database_url is not None
    return settings.database_url.get_secret_value()


def test_the_example_names_every_setting_in_the_order_of_the_class() -> None:
    assert LINE.findall(EXAMPLE.read_text("utf-8")) == [name.upper() for name in Settings.model_fields]


def test_uncommenting_the_whole_example_changes_nothing(tmp_path: Path) -> None:
    untouched = load_settings(tmp_path)
    uncommented = LINE.sub(r"\1=", EXAMPLE.read_text("utf-8"))
    assert load_settings(write_env(tmp_path, uncommented)) == untouched


def test_the_example_says_something_about_every_setting() -> None:
    paragraphs = EXAMPLE.read_text("utf-8").split("\n\n")
    for paragraph in (text for text in paragraphs if LINE.search(text)):
        assert not LINE.match(paragraph), f"no comment before {paragraph!r}"


def test_the_environment_counts_more_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCENE_CHOICES", "5")
    settings = load_settings(write_env(tmp_path, "SCENE_CHOICES=4\nSCENE_WORDS=300\n"))
    assert (settings.scene_choices, settings.scene_words) == (5, 300)


def test_an_empty_value_is_no_value(tmp_path: Path) -> None:
    assert load_settings(write_env(tmp_path, "DATABASE_URL=\nAPP_PORT=\n")) == load_settings(tmp_path)


def test_made_in_code_nothing_around_it_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SCENE_CHOICES", "5")
    assert Settings(data_dir=tmp_path).scene_choices == 3


def test_settings_cannot_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError):
        load_settings(tmp_path).scene_words = 5


def test_in_a_checkout_data_lies_beside_the_code(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.data_dir == tmp_path / "data"
    assert settings.pictures_dir == tmp_path / "data" / "pictures"


def test_paths_are_relative_to_the_settings_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    settings = load_settings(write_env(tmp_path, "DATA_DIR=kept\nEXPORTS_DIR=/srv/exports\nPICTURES_DIR=~/seen\n"))
    assert settings.data_dir == tmp_path / "kept"
    assert settings.exports_dir == Path("/srv/exports")
    assert settings.pictures_dir == Path.home() / "seen"
    assert settings.workflow_dir == tmp_path / "kept" / "workflows"


@pytest.mark.skipif("sys.platform != 'linux'", reason="the place differs between systems")
def test_without_a_checkout_data_goes_to_the_users_own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert load_settings(None).data_dir == tmp_path / "share" / "storyforge"


def test_without_a_checkout_the_file_of_the_current_directory_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_env(tmp_path, "SCENE_WORDS=99\n"))
    assert load_settings(None).scene_words == 99


def test_the_launcher_tells_where_the_checkout_is() -> None:
    assert checkout({"STORYFORGE_HOME": "/opt/storyforge"}) == Path("/opt/storyforge")
    assert checkout({}) is None


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg", "postgresql+psycopg"])
def test_every_form_of_a_postgresql_address_is_taken(tmp_path: Path, scheme: str) -> None:
    settings = load_settings(write_env(tmp_path, f"DATABASE_URL={scheme}://ann:pw@db:5433/tales?sslmode=require\n"))
    assert address(settings) == "postgresql://ann:pw@db:5433/tales?sslmode=require"


def test_a_socket_directory_is_a_postgresql_address_too(tmp_path: Path) -> None:
    settings = load_settings(write_env(tmp_path, "DATABASE_URL=postgresql:///tales?host=/run/postgresql\n"))
    assert address(settings) == "postgresql:///tales?host=/run/postgresql"


def test_the_database_password_is_never_shown(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url=SecretStr("postgres://ann:open-sesame@db/tales"))
    assert "open-sesame" not in f"{settings} {settings!r} {settings.model_dump()}"


@pytest.mark.parametrize(
    "value", ["mysql://ann:open-sesame@db/tales", "open-sesame", "postgres://ann:open-sesame@db:x/t"]
)
def test_a_wrong_database_address_is_refused_without_showing_it(tmp_path: Path, value: str) -> None:
    sentence = refusal(tmp_path, f"DATABASE_URL={value}\n")
    assert sentence.startswith("DATABASE_URL is set, but has to be an address")
    assert "open-sesame" not in sentence


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("192.168.1.20", "http://192.168.1.20:11434"),
        ("gpu.local:8000", "http://gpu.local:8000"),
        ("0.0.0.0", "http://127.0.0.1:11434"),  # noqa: S104  # text, not a place to listen
        ("0.0.0.0:8000", "http://127.0.0.1:8000"),
        ("[::]:11434", "http://[::1]:11434"),
        (":8000", "http://127.0.0.1:8000"),
        ("https://models.example.org/", "https://models.example.org"),
        ("https://ann:pw@models.example.org/ollama/", "https://ann:pw@models.example.org/ollama"),
    ],
)
def test_the_ollama_address_is_read_as_ollama_reads_it(tmp_path: Path, given: str, meant: str) -> None:
    assert load_settings(write_env(tmp_path, f"OLLAMA_HOST={given}\n")).ollama_host == meant


@pytest.mark.parametrize("given", ["ftp://gpu.local", "gpu.local:port", "http://[::1"])
def test_a_wrong_ollama_address_is_refused(tmp_path: Path, given: str) -> None:
    assert refusal(tmp_path, f"OLLAMA_HOST={given}\n").startswith(f"OLLAMA_HOST is '{given}', but has to be an address")


@pytest.mark.parametrize(("given", "meant"), [("300", "300s"), ("-1", "-1s"), ("1h30m", "1h30m"), ("0", "0s")])
def test_seconds_without_a_unit_get_one(tmp_path: Path, given: str, meant: str) -> None:
    assert load_settings(write_env(tmp_path, f"OLLAMA_KEEP_ALIVE={given}\n")).ollama_keep_alive == meant


@pytest.mark.parametrize("given", ["81384788765712384,7", " 7, 81384788765712384", "81384788765712384 7"])
def test_servers_are_listed_with_commas_or_blanks(tmp_path: Path, given: str) -> None:
    settings = load_settings(write_env(tmp_path, f"BLOCKED_GUILDS={given}\n"))
    assert settings.blocked_guilds == {7, 81384788765712384}


def test_a_server_is_listed_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="BLOCKED_GUILDS is 'Friends', but has to be ids"):
        load_settings(write_env(tmp_path, "BLOCKED_GUILDS=Friends\n"))


def test_people_who_may_invite_are_listed_with_commas_or_blanks(tmp_path: Path) -> None:
    settings = load_settings(write_env(tmp_path, "MATRIX_ALLOWED_USERS=@ann:a.org, @*:b.org\n"))
    assert settings.matrix_allowed_users == ("@ann:a.org", "@*:b.org")


def test_a_matrix_account_is_named_by_its_whole_id(tmp_path: Path) -> None:
    sentence = refusal(tmp_path, "MATRIX_USER_ID=storyforge\n")
    assert sentence == "MATRIX_USER_ID is 'storyforge', but has to be a whole user id such as @storyforge:example.org."


def test_words_are_taken_in_any_case(tmp_path: Path) -> None:
    settings = load_settings(write_env(tmp_path, "LOG_LEVEL=WARNING\nVOTE_TIE=Host\n"))
    assert (settings.log_level, settings.vote_tie) == ("warning", "host")


def test_every_wrong_value_gets_a_sentence_with_its_name_its_value_and_what_is_allowed(tmp_path: Path) -> None:
    assert refusal(tmp_path, "SCENE_CHOICES=9\nVOTE_TIE=coin\nOLLAMA_TEMPERATURE=hot\n").splitlines() == [
        "OLLAMA_TEMPERATURE is 'hot', but has to be a number from 0 to 2.",
        "SCENE_CHOICES is '9', but has to be a whole number from 2 to 6.",
        "VOTE_TIE is 'coin', but has to be 'random', 'first' or 'host'.",
    ]


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"OLLAMA_MODEL=\xff\xfe\n")
    with pytest.raises(SetupError, match=r"\.env cannot be read"):
        load_settings(tmp_path)


def test_a_typing_error_in_a_name_is_pointed_out_and_other_names_are_left_alone(tmp_path: Path) -> None:
    write_env(tmp_path, "OLAMA_MODEL=x\nTZ=UTC\nSCENE_WORDS=90\n")
    assert misspelt(tmp_path) == ("OLAMA_MODEL in .env means nothing to StoryForge: is it OLLAMA_MODEL?",)


def test_each_job_has_its_model(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, ollama_model="one", planner_model="two", embedding_model="three")
    assert settings.model_for("writer") == "one"
    assert settings.model_for("planner") == "two"
    assert settings.model_for("visualizer") == "one"
    assert settings.model_for("embedder") == "three"


def test_where_nothing_is_set_each_job_has_its_usual_model(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, visualizer_model="llava")
    assert [settings.model_for(role) for role in ("planner", "writer", "visualizer", "embedder")] == [
        "phi4", "dolphin-mistral:7b", "llava", "nomic-embed-text"
    ]  # fmt: skip
    assert not settings.writer_is_set


def test_a_server_with_openai_calls_has_the_models_that_are_named_for_it(tmp_path: Path) -> None:
    given = (
        "STORYTELLER=OpenAI\nOPENAI_HOST=http://box:8080/v1/\nOPENAI_MODEL=one\nOPENAI_API_KEY=hush\nOLLAMA_MODEL=x\n"
    )
    settings = load_settings(write_env(tmp_path, f"{given}PLANNER_MODEL=two\n"))
    assert settings.openai_host == "http://box:8080/v1"
    assert [settings.model_for(role) for role in ("planner", "writer", "visualizer", "embedder")] == [
        "two", "one", "one", ""
    ]  # fmt: skip
    assert "hush" not in repr(settings)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("COMFYUI_HOST=127.0.0.1", ("http://127.0.0.1:8188",)),
        ("COMFYUI_HOST=http://pictures.lan/", ("http://pictures.lan",)),
        ("COMFYUI_HOSTS=10.0.0.5:8188, 10.0.0.6", ("http://10.0.0.5:8188", "http://10.0.0.6:8188")),
        ("COMFYUI_HOST=a:1\nCOMFYUI_HOSTS=b:2 a:1", ("http://a:1", "http://b:2")),
        ("COMFYUI_HOST=\nCOMFYUI_HOSTS=", ()),
    ],
)
def test_picture_servers_are_named_alone_or_together(tmp_path: Path, written: str, read: tuple[str, ...]) -> None:
    assert load_settings(write_env(tmp_path, f"{written}\n")).picture_hosts == read


def test_a_picture_server_that_is_no_address_is_refused(tmp_path: Path) -> None:
    assert "127.0.0.1:8188" in refusal(tmp_path, "COMFYUI_HOSTS=a:1 b:x\n")
