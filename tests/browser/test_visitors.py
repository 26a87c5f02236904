"""Leads and identity, consent, lost networks, and pages that the script must not break."""

import json
from typing import TYPE_CHECKING

import pytest
from tests.support.proxy import Line

from trackai.model.identity import email_key, external_id_key, phone_key
from trackai.sandbox.platforms import Person

if TYPE_CHECKING:
    from tests.browser.conftest import Stand

TAGGED = "?fbclid=IwAR0abc&utm_source=facebook"
# Every report was answered.
EMPTY = "Object.keys(localStorage).length === 0"
FORM = """
<form id="lead" action="/obrigado" data-trackai-lead>
  <input name="nome" value="Maria"><input type="email" name="contato">
  <input name="whatsapp"><input type="hidden" name="email" value="wrong@example.com">
  <button>Quero</button>
</form>
"""


async def _watched(stand: "Stand") -> list[str]:
    """Return a list that fills with the bodies of all reports."""
    bodies: list[str] = []
    stand.page.on("request", lambda request: bodies.append(request.post_data or ""))
    return bodies


async def test_a_lead_form_reports_who_it_is_hashed_in_the_page(stand: "Stand") -> None:
    stand.put(FORM)
    stand.put("", "/obrigado")
    bodies = await _watched(stand)
    await stand.visit(TAGGED)
    await stand.page.fill("[name=contato]", " Maria@Example.com ")
    await stand.page.fill("[name=whatsapp]", "(11) 99999-0000")
    await stand.page.click("button")
    await stand.reported("lead")

    assert await stand.identities() == {
        "email": stand.keyed(email_key("maria@example.com")),
        "phone": stand.keyed(phone_key("11 99999-0000")),
    }
    assert not [body for body in bodies if "example.com" in body.lower() or "99999" in body]
    assert stand.troubles == []


async def test_a_form_that_does_not_ask_for_it_is_not_read(stand: "Stand") -> None:
    stand.put(FORM.replace(" data-trackai-lead", ""))
    await stand.visit(TAGGED)
    await stand.page.fill("[name=contato]", "maria@example.com")
    await stand.page.click("button")
    await stand.page.wait_for_timeout(500)

    assert await stand.identities() == {}
    assert await stand.events("lead") == []


async def test_a_lead_on_one_device_finds_the_sale_on_another(stand: "Stand") -> None:
    stand.put(FORM)
    stand.put("", "/obrigado")
    await stand.visit(TAGGED)
    await stand.page.fill("[name=contato]", Person().email)
    await stand.page.click("button")
    await stand.reported("lead")
    await stand.sell("hotmart", None)

    (click,) = await stand.clicks()
    assert await stand.matches() == [("email", click["click_id"])]


# What people write -> the server must make the same of it.
PHONES = [
    "(11) 99999-0000",
    "11999990000",
    "+55 11 99999-0000",
    "+55 (011) 99999-0000",
    "005511999990000",
    "5511999990000",
    "011 99999 0000",
    "0 15 11 99999-0000",
    "11 9999-0000",
    "(11) 3333-4444",
    "551133334444",
    "+351 912 345 678",
    "+1 650 555 1212",
    "99999-0000",
    "11999",
    "",
]
EMAILS = [" Maria@Example.com ", "JOÃO@exemplo.com.br", "a+b@x.co", "maria@", "a b@x.com", "x", ""]


async def test_the_page_hashes_as_the_server_does(stand: "Stand") -> None:
    stand.put("")
    bodies = await _watched(stand)
    await stand.visit()
    expected = {}
    for number, (phone, email) in enumerate(zip(PHONES, EMAILS * 3, strict=False)):
        about = {"phone": phone, "email": email, "external_id": f" Aluno-{number} "}
        event_id = await stand.page.evaluate("(about) => trackai.track('lead', about)", about)
        keys = {
            "phone_sha256": phone_key(phone),
            "email_sha256": email_key(email),
            "external_id": external_id_key(about["external_id"]),
        }
        expected[event_id] = {name: key.hex() for name, key in keys.items() if key is not None}
    await stand.reported("lead", len(expected))

    told = {}
    seen: dict[str, str] = {}
    for body in bodies:
        report = json.loads(body or "{}")
        if report.get("event_id") in expected:
            told[report["event_id"]] = {
                name: report[name]
                for name in ("phone_sha256", "email_sha256", "external_id")
                if name in report
            }
    # A page remembers who its visitor is: what one report does not say, the one before has said.
    for event_id, said in expected.items():
        seen |= said
        assert told[event_id] == seen


async def test_identify_tells_who_a_visitor_is(stand: "Stand") -> None:
    stand.put("<script>window.trackai=[['identify',{external_id:'Aluno-7'}]]</script>")
    await stand.visit(TAGGED)
    await stand.reported("identify")

    assert await stand.identities() == {"external_id": stand.keyed(external_id_key("aluno-7"))}


async def test_a_page_that_freezes_what_the_script_would_change_is_reported_all_the_same(
    stand: "Stand",
) -> None:
    frozen = "Object.prototype Array.prototype history".split()
    script = "".join(f"Object.freeze({one});" for one in frozen)
    stand.site.pages["/"] = f"<!DOCTYPE html><script>{script}</script>{stand.tag()}"
    await stand.visit(TAGGED)
    await stand.reported("click")

    assert stand.troubles == []


async def test_the_pages_event_ids_are_the_servers(stand: "Stand") -> None:
    stand.put("")
    await stand.visit(TAGGED)
    sale = await stand.sell("kiwify", None)
    made = await stand.page.evaluate("(id) => trackai.eventId('kiwify', id)", sale.transaction)
    tracked = await stand.page.evaluate("trackai.track('lead', {event_id: 'mine-1'})")
    await stand.reported("lead")

    owed = await stand.world.rows("select event_id from deliveries where tenant_id = $1")
    assert [made] == [row["event_id"] for row in owed]
    assert tracked == "mine-1"
    assert [row["event_key"] for row in await stand.events("lead")] == ["mine-1"]


# Consent -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("consent", ["denied", "wait", "nonsense"])
async def test_without_consent_nothing_is_stored_and_nothing_sent(
    stand: "Stand", consent: str
) -> None:
    stand.put(f'{FORM}<a id="buy" href="https://pay.kiwify.com.br/x">x</a>', data_consent=consent)
    stand.put("", "/obrigado", data_consent=consent)
    sent: list[str] = []
    stand.page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
    await stand.visit(TAGGED)
    await stand.page.evaluate("trackai.track('lead', {email: 'maria@example.com'})")
    await stand.page.evaluate("trackai.identify({email: 'maria@example.com'})")
    await stand.page.fill("[name=contato]", "maria@example.com")
    await stand.page.evaluate("document.getElementById('lead').requestSubmit()")
    await stand.page.wait_for_url("**/obrigado?**")
    await stand.page.wait_for_timeout(300)  # what would be sent has begun by then
    await stand.visit(TAGGED)
    await stand.page.click("#buy")
    await stand.page.wait_for_url("https://pay.kiwify.com.br/**")
    await stand.page.wait_for_timeout(300)

    assert await stand.context.cookies() == []
    assert sent == []
    assert dict(stand.site.checkout_visits()[0][1].query) == {}
    await stand.visit(TAGGED)
    assert await stand.page.evaluate("Object.keys(localStorage)") == []


async def test_consent_given_later_brings_the_click_in_as_it_came(stand: "Stand") -> None:
    stand.put("", data_consent="wait")
    await stand.visit(TAGGED)
    await stand.page.evaluate("history.pushState({}, '', '/modulo?aba=2')")
    await stand.page.evaluate("trackai.consent('granted')")
    await stand.reported("click")
    (click,) = await stand.clicks()

    assert (click["fbclid"], click["utm_source"]) == ("IwAR0abc", "facebook")


async def test_consent_withdrawn_forgets_everything(stand: "Stand") -> None:
    stand.put("")
    await stand.visit(TAGGED)
    await stand.reported("pageview")
    await stand.page.evaluate("trackai.consent('denied')")
    await stand.page.evaluate("trackai.track('lead', {email: 'maria@example.com'})")
    await stand.page.wait_for_timeout(300)

    assert await stand.context.cookies() == []
    assert await stand.page.evaluate("Object.keys(localStorage)") == []
    assert await stand.page.evaluate("trackai.clickId()") == ""
    assert await stand.events("lead") == []


# Networks and hostile pages ----------------------------------------------------------------------


async def test_what_is_lost_on_the_way_comes_with_the_next_page(stand: "Stand") -> None:
    stand.put("")
    stand.put("", "/outra")
    await stand.visit("?utm_source=first")  # the script is in the browser's cache from here on
    await stand.reported("click")
    await stand.reported("pageview")
    await stand.page.wait_for_function(EMPTY)
    stand.edge_line.set_line(Line.REFUSES)
    await stand.visit(TAGGED)
    await stand.page.evaluate("trackai.track('lead', {event_id: 'lost'})")
    await stand.page.wait_for_timeout(300)
    before = await stand.clicks()
    stand.edge_line.set_line(Line.PASSES)
    await stand.visit(path="/outra")
    await stand.reported("lead")
    await stand.reported("click", 2)
    click_id = await stand.page.evaluate("trackai.clickId()")

    assert len(before) == 1
    assert [click_id] == [row["click_id"] for row in await stand.events("lead")]
    assert {"IwAR0abc", None} == {row["fbclid"] for row in await stand.clicks()}
    await stand.page.wait_for_function(EMPTY)


async def test_back_online_the_page_sends_by_itself(stand: "Stand") -> None:
    stand.put("")
    await stand.visit()
    await stand.reported("pageview")
    await stand.context.set_offline(offline=True)
    await stand.page.evaluate("trackai.track('lead', {event_id: 'later'})")
    await stand.page.wait_for_timeout(300)
    before = await stand.events("lead")
    await stand.context.set_offline(offline=False)
    await stand.reported("lead")

    assert before == []
    assert ["later"] == [row["event_key"] for row in await stand.events("lead")]


async def test_a_blocked_script_breaks_nothing(stand: "Stand") -> None:
    stand.put('<a id="buy" href="https://pay.kiwify.com.br/x">x</a>')
    await stand.context.route("**/t.js", lambda route: route.abort())
    await stand.page.goto(f"https://www.cafe.com.br/{TAGGED}")
    await stand.page.click("#buy")
    await stand.page.wait_for_url("https://pay.kiwify.com.br/**")
    await stand.sell("kiwify", None)

    assert await stand.matches() == [("unmatched", None)]


HOSTILE = {
    "no storage": "Object.defineProperty(window, 'localStorage', {get() { throw 1 }})",
    "full storage": "Storage.prototype.setItem = () => { throw new Error('full') };"
    "Object.defineProperty(window, 'localStorage', {value: new Proxy({}, "
    "{set() { throw new Error('full') }})})",
    "no cookies": "Object.defineProperty(Document.prototype, 'cookie', "
    "{get() { return '' }, set() {}})",
    "no digests": "Object.defineProperty(crypto, 'subtle', {value: undefined})",
    "no fetch": "window.fetch = () => Promise.reject(new Error('no'))",
    "odd prototypes": "Object.prototype.extra = 1; Array.prototype.more = () => {}",
}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_an_odd_browser_hears_no_complaint(stand: "Stand", kind: str) -> None:
    stand.put(f'{FORM}<a id="buy" href="https://pay.kiwify.com.br/x">x</a>')
    await stand.page.add_init_script(HOSTILE[kind])
    await stand.visit(TAGGED)
    await stand.page.evaluate("trackai.track('lead', {email: 'maria@example.com'})")
    await stand.page.evaluate("trackai.track()")
    await stand.page.evaluate("trackai.identify(null)")
    await stand.page.evaluate("trackai.push(['nothing'], 7, null)")
    await stand.page.click("#buy")
    await stand.page.wait_for_url("https://pay.kiwify.com.br/**")

    assert stand.troubles == []
    assert "s1" in dict(stand.site.checkout_visits()[0][1].query)
    if kind != "no fetch":
        await stand.reported("click")
