from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.engine import make_url

from storyforge_core.errors import SetupError
from storyforge_core.store.address import normalise


@pytest.mark.parametrize(
    "scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg", "postgresql+psycopg2"]
)
def test_every_form_of_the_scheme_means_the_same(scheme: str) -> None:
    url = normalise(f"{scheme}://ada:secret@db.example:6543/tales")
    assert url.psycopg == url.asyncpg == "postgresql://ada:secret@db.example:6543/tales"


def test_what_is_left_out_gets_the_usual_value() -> None:
    url = normalise("postgresql://")
    assert (url.host, url.port, url.database, url.user, url.password) == ("localhost", 5432, "storyforge", "", "")


def test_a_socket_directory_may_stand_in_the_query() -> None:
    url = normalise("postgresql://ada@/tales?host=/var/run/postgresql")
    assert (url.host, url.where) == ("/var/run/postgresql", "/var/run/postgresql")
    assert conninfo_to_dict(url.psycopg)["host"] == "/var/run/postgresql"


def test_a_socket_directory_may_stand_encoded_where_the_host_does() -> None:
    assert normalise("postgresql://ada@%2Fvar%2Frun/tales").host == "/var/run"


def test_an_ipv6_address_keeps_its_brackets_where_they_belong() -> None:
    url = normalise("postgresql://ada@[::1]:6543/tales")
    assert (url.host, url.where) == ("::1", "[::1]:6543")
    assert conninfo_to_dict(url.psycopg)["host"] == "::1"


def test_each_driver_gets_the_parameters_it_knows() -> None:
    url = normalise("postgresql://h/d?sslmode=require&channel_binding=require&connect_timeout=5")
    assert url.asyncpg == "postgresql://h:5432/d?sslmode=require"
    assert url.psycopg == "postgresql://h:5432/d?channel_binding=require&connect_timeout=5&sslmode=require"


def test_the_name_sqlalchemy_users_give_to_sslmode_is_understood() -> None:
    assert "sslmode=require" in normalise("postgresql+asyncpg://h/d?ssl=require").asyncpg


def test_the_password_is_neither_in_the_representation_nor_in_the_form_for_command_lines() -> None:
    url = normalise("postgresql://ada:s3cr%40t@h/d")
    assert url.psycopg == "postgresql://ada:s3cr%40t@h:5432/d"
    for shown in (repr(url), url.without_password, url.where):
        assert "s3cr" not in shown


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("mysql://h/d", "begins with postgresql://"),
        ("", "begins with postgresql://"),
        ("postgresql://a,b/d", "one server"),
        ("postgresql://h/d?host=a,b", "one server"),
        ("postgresql://a:1,b:2/d", "one server"),
        ("postgresql://ada:sec#ret@h:5432/d", "encoded"),
        ("postgresql://h:port/d", "encoded"),
        ("postgresql://h/d?port=x", "port is a number"),
        ("postgresql://h/d?pool_size=5", "pool_size"),
    ],
)
def test_what_is_not_understood_gets_a_sentence_without_the_password(url: str, word: str) -> None:
    with pytest.raises(SetupError, match=word) as refusal:
        normalise(url)
    assert "sec" not in str(refusal.value)


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12)


@given(user=text, password=text, database=text)
def test_any_name_and_password_reach_both_drivers_unharmed(user: str, password: str, database: str) -> None:
    written = "postgresql://{}:{}@h/{}".format(*(quote(part, safe="") for part in (user, password, database)))
    url = normalise(written)
    assert (url.user, url.password, url.database) == (user, password, database)
    told = conninfo_to_dict(url.psycopg)
    assert (told["user"], told["password"], told["dbname"]) == (user, password, database)
    assert make_url(url.psycopg).password == password
