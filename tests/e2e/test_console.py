"""The console in a real browser, on the running product."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.e2e.conftest import Product
from tests.e2e.test_callbacks import make_callback, notify
from tests.e2e.test_letters import ADDRESS, READY_SECONDS
from tests.letters.pdfs import a_pdf
from tests.servers.receiver import Receiver

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SECONDS = 20
VALUES = {"name": "Amala", "date": "Monday", "parking": "yes"}
WIDE = (1400, 900)
NARROW = (375, 760)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed (on Debian: apt install chromium)")

expect.set_options(timeout=SECONDS * 1000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        yield browser
        browser.close()


class Console:
    """A window on the console; the test fails if the page complains, or asks another server for anything."""

    def __init__(self, browser: Browser, product: Product, size: tuple[int, int]) -> None:
        self.product = product
        self.base = str(product.demo["api_url"])
        self.context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", base_url=self.base
        )
        self.context.set_default_timeout(SECONDS * 1000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console", lambda line: self.complaints.append(line.text) if line.type in ("error", "warning") else None
        )
        self.page.on(
            "request",
            lambda request: None if request.url.startswith(self.base) else self.foreign.append(request.url),
        )

    def open(self, path: str = "") -> Page:
        self.page.goto(f"/console{path}")
        return self.page

    def row(self, text: str) -> Locator:
        return self.page.locator("#rows .row", has_text=text)

    def close(self) -> None:
        self.context.close()
        assert not self.complaints
        assert not self.foreign


@pytest.fixture
def console(browser: Browser, product: Product) -> Iterator[Console]:
    window = Console(browser, product, WIDE)
    yield window
    window.close()


@pytest.fixture
def phone(browser: Browser, product: Product) -> Iterator[Console]:
    window = Console(browser, product, NARROW)
    yield window
    window.close()


def send_text(product: Product, number: str = "07900900123", **values: str) -> str:
    sent = product.client().send_sms_notification(number, product.demo["templates"]["sms"], {**VALUES, **values})
    return str(sent["id"])


def send_email(product: Product, address: str, **values: str) -> str:
    sent = product.client().send_email_notification(
        address,
        product.demo["templates"]["email"],
        {**VALUES, **values},
        reference="console test",
        one_click_unsubscribe_url="https://example.com/unsubscribe",
    )
    return str(sent["id"])


def change(product: Product, query: LiteralString, *values: str) -> None:
    """Change what is in the product's database."""
    environment = json.loads((product.folder / "run" / "environment.json").read_text())
    with psycopg.connect(environment["SQLALCHEMY_DATABASE_URI"]) as connection:
        connection.execute(query, values)


def test_messages_appear_by_themselves_and_are_seen_to_the_end(console: Console) -> None:
    page = console.open()
    expect(page.locator("#list-end")).not_to_be_empty()
    id_ = send_email(console.product, "appears@example.com")
    row = console.row("appears@example.com")
    expect(row).to_contain_text("Your appointment on Monday")
    expect(row).to_have_class(re.compile("unread"))
    expect(page).to_have_title(re.compile(r"^\(\d+\+?\) Messages"))

    row.click()
    expect(page).to_have_url(f"{console.base}/console/messages/{id_}")
    expect(row).not_to_have_class(re.compile("unread"))
    expect(page.locator("#message h2")).to_have_text("Your appointment on Monday")
    email = page.frame_locator("#message iframe")
    expect(email.get_by_role("heading", name="Your appointment")).to_be_visible()

    timeline = page.locator(".timeline")
    expect(timeline.locator("li.done .step")).to_have_text(
        ["Accepted", "Given to the sandbox", "Receipt of the sandbox", "Delivered"]
    )
    expect(page.locator("#message .how")).to_contain_text("delivered")

    page.get_by_role("tab", name="Plain text").click()
    expect(page.get_by_role("tabpanel", name="Plain text")).to_contain_text("We look forward to seeing you on Monday.")
    page.get_by_role("tab", name="Source").click()
    source = page.get_by_role("tabpanel", name="Source")
    expect(source).to_contain_text("List-Unsubscribe: <https://example.com/unsubscribe>")
    expect(source).to_contain_text("Content-Type: text/html")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download .eml").click()
    assert b"To: appears@example.com" in Path(download.value.path()).read_bytes()
    page.get_by_role("tab", name="API").click()
    shown = json.loads(page.locator(".panel-api code").inner_text())
    assert (shown["id"], shown["status"]) == (id_, "delivered")


def test_how_an_email_looks_on_a_phone_and_in_the_dark(console: Console) -> None:
    page = console.open(f"/messages/{send_email(console.product, 'looks@example.com')}")
    email = page.frame_locator("#message iframe")
    body = email.locator("body")
    expect(body).to_have_css("background-color", "rgb(255, 255, 255)")
    page.get_by_label("Dark").check()
    expect(body).to_have_css("background-color", "rgb(22, 24, 26)")
    page.get_by_label("Phone").check()
    expect(page.locator("#message iframe")).to_have_css("width", "375px")


def test_an_email_can_do_nothing_to_the_console(console: Console) -> None:
    id_ = send_email(console.product, "evil@example.com")
    console.product.wait_for(id_, "delivered")
    attack = (
        "<script>document.body.textContent = 'script ran'</script>"
        "<img src='/nothing' onerror=\"document.body.textContent = 'handler ran'\">"
        "<form action='/console/send'><button>Submit it</button></form><p>The end</p></body>"
    )
    change(
        console.product,
        "UPDATE sandbox_messages SET html = replace(html, '</body>', %s) WHERE notification_id = %s",
        attack,
        id_,
    )
    page = console.open(f"/messages/{id_}")
    email = page.frame_locator("#message iframe")
    expect(email.get_by_text("The end")).to_be_visible()
    email.get_by_role("button", name="Submit it").click()
    expect(email.get_by_text("The end")).to_be_visible()
    expect(email.locator("body")).not_to_contain_text("ran")
    # the browser says that it refused each of them; it says nothing else
    assert len(console.complaints) >= 2
    assert all(re.search("sandbox|Content Security Policy|404", complaint) for complaint in console.complaints)
    console.complaints.clear()


def test_what_a_text_message_costs(console: Console) -> None:
    id_ = send_text(console.product, name="Siân ŵyn [€5]…", date="日" + " x" * 40)
    page = console.open(f"/messages/{id_}")
    panel = page.locator(".panel-sms")
    expect(panel.locator("h3")).to_have_text("3 fragments")
    expect(panel.locator(".bubble .break")).to_have_count(2)
    expect(panel.locator(".bubble mark.extension")).to_have_text(["[€", "]"])
    expect(panel.locator(".bubble mark.unicode")).to_have_text(["â", "ŵ", "日"])
    expect(panel.locator(".bubble mark.replaced")).to_have_text(["..."])
    expect(panel.locator(".costly dt")).to_contain_text(["Counts as two", "Unicode", "Replaced"])
    expect(panel.locator("meter")).to_have_count(3)


def test_search_keys_and_tabs_need_no_mouse(console: Console) -> None:
    first = send_text(console.product, "07911222333", name="First")
    second = send_text(console.product, "07911222444", name="Second")
    page = console.open()
    expect(console.row("Second")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("07911 222")
    expect(page.locator("#rows .row")).to_have_count(2)
    page.keyboard.press("Enter")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(second))
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(first))
    expect(page.locator("#message h2")).to_contain_text("07911222333")
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile(second))
    page.keyboard.press("2")
    expect(page.get_by_role("tab", name="Details")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".facts").first).to_contain_text(second)
    page.keyboard.press("/")
    page.keyboard.press("Escape")
    expect(page.locator("#search")).to_have_value("")
    expect(console.row("07911222333")).to_be_visible()
    page.locator("#search").blur()
    page.keyboard.press("Escape")
    expect(page).to_have_url(f"{console.base}/console")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type(first)
    expect(page.locator("#rows .row")).to_have_count(1)
    page.keyboard.press("Control+a")
    page.keyboard.type("nobody at all")
    expect(page.locator("#list-end")).to_have_text("Nothing is like that.")


def test_what_arrives_does_not_move_what_is_read(console: Console) -> None:
    for number in range(12):
        send_text(console.product, f"079009001{number:02}")
    page = console.open()
    expect(console.row("07900900100")).to_be_attached()
    row = console.row("07900900105")
    row.scroll_into_view_if_needed()
    page.locator("#scroll").evaluate("element => { element.scrollTop = 300; }")
    row.locator(".subject").evaluate("element => getSelection().selectAllChildren(element)")
    top = "element => element.getBoundingClientRect().top"
    before = row.evaluate(top)
    send_text(console.product, "07900900555")
    expect(page.locator("#newer")).to_have_text("↑ 1 new")
    assert row.evaluate(top) == pytest.approx(before, abs=1)
    assert page.evaluate("getSelection().toString()").startswith("Hello Amala")
    change(
        console.product,
        "UPDATE notifications SET notification_status = 'returned-letter' WHERE normalised_to = '447900900105'",
    )
    expect(row).to_contain_text("returned-letter")
    assert page.evaluate("getSelection().toString()").startswith("Hello Amala")
    page.locator("#newer").click()
    expect(console.row("07900900555")).to_be_in_viewport()
    expect(page.locator("#newer")).to_be_hidden()
    page.locator("#read-all").click()
    expect(page.locator("#rows .unread")).to_have_count(0)


def test_sending_from_the_console_and_seeing_the_rates(console: Console) -> None:
    page = console.open("/send")
    expect(page.get_by_label("Template")).to_contain_text("Appointment (text message)")
    page.get_by_label("Phone number").fill("07911777666")
    page.get_by_label("name").fill("It's me")
    terminal = page.locator(".code", has_text="In a terminal")
    expect(terminal).to_contain_text('"phone_number": "07911777666"')
    expect(terminal).to_contain_text("It'\\''s me")
    page.get_by_role("button", name="Send", exact=True).click()
    page.get_by_role("link", name="Open it").click()
    expect(page.locator("#message h2")).to_contain_text("07911777666")
    expect(page.locator(".bubble")).to_contain_text("Hello It's me")

    page.keyboard.press("s")
    page.get_by_label("Phone number").fill("079")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".result")).to_contain_text("ValidationError: phone_number Not enough digits")
    console.complaints.remove("Failed to load resource: the server responded with a status of 400 (Bad Request)")

    page.get_by_role("link", name="Now").click()
    accepted = page.locator(".card.accepted")
    expect(accepted.locator(".line")).to_have_attribute("d", re.compile(r"^M0\.0,"))
    expect(accepted.locator("svg")).to_have_attribute("aria-label", re.compile("Accepted: .* a second now"))
    expect(accepted.locator("figcaption")).not_to_contain_text(re.compile("peak 0$"))
    expect(page.locator(".providers")).to_contain_text("Sandbox text message100%")
    expect(page.get_by_text(re.compile("Nothing waits in"))).to_be_visible()


def test_a_letter_is_seen_as_the_printer_gets_it(console: Console) -> None:
    client, letter = console.product.client(), console.product.demo["templates"]["letter"]
    id_ = client.send_letter_notification(letter, {**VALUES, **ADDRESS})["id"]
    console.product.wait_for(id_, "received", seconds=READY_SECONDS)
    page = console.open(f"/messages/{id_}")
    picture = page.get_by_role("img", name="Page 1 of 1")
    # the paper has its place before the picture is there
    box = picture.bounding_box()
    assert box is not None
    assert box["width"] > 400
    assert box["height"] / box["width"] == pytest.approx(297 / 210, abs=0.01)
    expect(picture).to_have_js_property("complete", value=True)
    assert picture.evaluate("image => image.naturalWidth") > 800
    expect(page).to_have_title(re.compile("Your appointment on Monday – notify console$"))
    page.keyboard.press("Escape")
    expect(page).to_have_title(re.compile("Messages – notify console$"))


def test_why_a_letter_failed_is_on_its_page(console: Console) -> None:
    client = console.product.client()
    broken = client.send_precompiled_letter_notification("broken", io.BytesIO(b"no PDF"))["id"]
    homeless = client.send_precompiled_letter_notification("no address", io.BytesIO(a_pdf(1, ())))["id"]
    for id_, says in ((broken, "Notify cannot read this PDF."), (homeless, "You need to add a recipient address.")):
        console.product.wait_for(id_, "validation-failed", seconds=READY_SECONDS)
        page = console.open(f"/messages/{id_}")
        expect(page.locator("#panel-letter .notice")).to_contain_text(says)
        expect(page.get_by_role("link", name="Download PDF")).to_be_visible()
    expect(page.get_by_role("img", name="Page 1 of 1")).to_be_visible()


def test_on_a_phone_the_list_gives_way_to_the_message(phone: Console) -> None:
    send_email(phone.product, "small@example.com")
    page = phone.open()
    phone.row("small@example.com").click()
    expect(page.locator(".list")).to_be_hidden()
    email = page.frame_locator("#message iframe")
    expect(email.get_by_role("heading", name="Your appointment")).to_be_visible()
    page.get_by_role("tab", name="Timeline").click()
    expect(page.locator(".timeline .step").last).to_have_text("Delivered")
    page.get_by_role("button", name="Back to the list").click()
    expect(phone.row("small@example.com")).to_be_visible()
    for path in ("", "/now", "/send", "/jobs", "/alerts"):
        phone.open(path)
        page.wait_for_selector("main > section:not([hidden])")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]


def test_nothing_on_it_shuts_anybody_out(browser: Browser, product: Product) -> None:
    """The rules of WCAG 2.2 AA that a program can check, by axe-core; those of colours in the dark as well."""
    quickly = {"iframes": False, "resultTypes": ["violations"]}
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"], **quickly}
    letter = product.client().send_letter_notification(product.demo["templates"]["letter"], {**VALUES, **ADDRESS})["id"]
    product.wait_for(letter, "received", seconds=READY_SECONDS)
    some_rows = {"exclude": [["#rows > li:nth-child(n+4)"]]}
    paths = {
        f"/messages/{send_email(product, 'access@example.com')}": "#message h2",
        f"/messages/{send_text(product, name='ŵ€…日')}": "#message h2",
        f"/messages/{letter}": ".pages img",
        "/now": ".card",
        "/send": ".send-form",
        "/jobs": "#jobs h1",
        "/alerts": "#alerts h1",
    }
    # the checker is a separate script, which the policy of the page would refuse
    context = browser.new_context(color_scheme="light", bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    for path, ready in paths.items():
        page.goto(f"{product.demo['api_url']}/console{path}")
        page.locator(ready).first.wait_for()
        found = Axe().run(page, some_rows, rules)
        assert found.violations_count == 0, found.generate_report()
        page.emulate_media(color_scheme="dark")
        found = Axe().run(page, some_rows, {"runOnly": ["color-contrast"], **quickly})
        assert found.violations_count == 0, found.generate_report()
        page.emulate_media(color_scheme="light")
    context.close()


def test_a_callback_is_sent_again_by_a_button(console: Console) -> None:
    product = console.product
    service = ["--service", product.demo["service_id"], "--type", "delivery_status"]
    with Receiver() as receiver:
        make_callback(product, "delivery_status", f"{receiver.url}/status")
        try:
            id_ = send_text(product)
            receiver.wait_for(1, "/status", seconds=SECONDS)
            page = console.open(f"/messages/{id_}")
            button = page.get_by_role("button", name="Send the callback again")
            button.click()
            expect(page.locator(".again [role=status]")).to_have_text("Sent again")
            first, second = receiver.wait_for(2, "/status", seconds=SECONDS)
            assert first.headers["webhook-id"] == second.headers["webhook-id"]
        finally:
            notify(product.folder, "delete-callback", *service)
