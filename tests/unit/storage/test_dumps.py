"""What pg_dump and pg_restore are given, and what of their words is passed on."""

import pytest

from trackai.storage.dumps import first_words, login_of
from trackai.storage.wal import superuser


@pytest.mark.parametrize(
    ("url", "where", "password"),
    [
        ("postgresql://ana:s3cr%40t@db:5432/trackai", "postgresql://ana@db:5432/trackai", "s3cr@t"),
        ("postgres://db/trackai?password=x&sslmode=require", None, "x"),
        ("postgresql://o@/trackai?host=/run/a&port=5432", None, None),
        ("postgresql://a%2Fb:c@[::1]:5/d", "postgresql://a%2Fb@[::1]:5/d", "c"),
    ],
)
def test_a_password_is_in_no_argument(url: str, where: str | None, password: str | None) -> None:
    said, environment = login_of(url)

    assert where in {None, said}
    assert environment.get("PGPASSWORD") == password
    assert "password" not in said
    assert said.startswith("postgresql://")


def test_the_rest_of_an_address_stays() -> None:
    said, _ = login_of("postgresql://o@/trackai?host=/run/a b&port=5432&sslmode=verify-full")

    assert "host=/run/a+b&port=5432&sslmode=verify-full" in said


def test_the_superuser_comes_in_by_the_same_socket() -> None:
    url = "postgresql://trackai_owner@/trackai?host=/run/a&port=5432"

    assert superuser(url) == "postgresql://postgres@/trackai?host=/run/a&port=5432"


COPY = 'pg_restore: error: COPY failed for table "users": ERROR:  invalid input: "ana@x.com"'
UNIQUE = """pg_restore: while PROCESSING TOC:
pg_restore: error: could not execute query: ERROR:  duplicate key value violates constraint "k"
DETAIL:  Key (email)=(ana@x.com) already exists."""


@pytest.mark.parametrize(
    ("said", "passed_on"),
    [
        (COPY, 'pg_restore: error: COPY failed for table "users"'),
        (UNIQUE, "pg_restore: error: could not execute query: ERROR:  duplicate key value"),
        ("pg_dump: error: unrecognized option '--no-such'", "pg_dump: error: unrecognized option"),
        ("", ""),
    ],
)
def test_no_row_is_in_what_is_passed_on(said: str, passed_on: str) -> None:
    found = first_words(said)

    assert found.startswith(passed_on)
    assert "ana@x.com" not in found
