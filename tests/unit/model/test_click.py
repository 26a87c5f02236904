import pytest

from trackai.model.click import fbclid_of

FBCLID = "IwAR2F4-dbP0l7Mn1IawQQGCINEz7PYXQvwjNwB_qa2ofrHyiLjcbCRxTDMgk"


@pytest.mark.parametrize(
    ("expected", "fbc"),
    [
        (FBCLID, f"fb.1.1700000000000.{FBCLID}"),
        (FBCLID, f"fb.1.1700000000000.{FBCLID}.AQICAQMC"),
        (FBCLID, f"fb.1.1700000000000.{FBCLID}.Bg"),
        (f"{FBCLID}.x", f"fb.2.1700000000000.{FBCLID}.x"),
        (None, "fb.1.1700000000000."),
        (None, "fb.1.1700000000000"),
        (None, "xx.1.1700000000000.a"),
        (None, ""),
        (None, None),
    ],
)
def test_click_id_inside_fbc_is_read_without_what_metas_builder_appends(
    expected: str | None, fbc: str | None
) -> None:
    assert expected == fbclid_of(fbc)
