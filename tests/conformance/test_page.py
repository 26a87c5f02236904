from tests.conformance.page import PAGE, render


def test_the_page_says_what_the_tables_say() -> None:
    assert render() == PAGE.read_text(), "run python -m tests.conformance.page"
