"""Commands that say where a secret is kept, in place of the secret."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.support.program import Place


def test_secrets_are_named_by_place_and_typed_places_are_refused(place: "Place") -> None:
    place.json("tenant", "create", "Loja")
    kept, another = "file:kiwify_secret", "aws:trackai/production/kiwify_secret"
    connect = ("gateway", "connect", "Loja", "kiwify")
    made = place.json(*connect, "--secret-from", kept)
    changed = place.json(
        "gateway", "secret", "Loja", made["connection_id"], "--secret-from", another
    )
    pixel = place.json(
        *("destination", "connect", "Loja", "meta", "--pixel", "123", "--offline"),
        *("--token-from", "file:meta_capi_token"),
    )
    typed = place.run(*connect, "--secret", another)
    nowhere = place.run(*connect, "--secret-from", "somewhere")

    assert (made["secret_set"], changed["secret_set"]) == (True, True)
    assert pixel["destination_id"]
    assert (typed.returncode, "Only operators' commands" in typed.stderr) == (1, True)
    assert (nowhere.returncode, "aws:NAME" in nowhere.stderr) == (2, True)
