from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.content.email import EmailTemplate
from notify.content.letter import LetterTemplate
from notify.content.recipient_list import MOST_ROWS, RecipientList, Row, SendingRules, Template
from notify.content.sms import SmsTemplate
from notify.content.spreadsheet_limits import UnreadableSpreadsheet
from notify.content.spreadsheets import CsvText

SMS = SmsTemplate("hi ((name))")
EMAIL = EmailTemplate("Hello", "hi ((name))")
LETTER = LetterTemplate("Subject", "hi ((name))")
ADDRESS_HEADERS = "address line 1,address line 2,postcode"


def read(text: str, template: Template = SMS, **rules: object) -> RecipientList:
    return RecipientList(CsvText(text), template, SendingRules(**rules))  # type: ignore[arg-type]


def errors(text: str, template: Template = SMS, **rules: object) -> list[dict[str, str]]:
    return [row.cell_errors for row in read(text, template, **rules).rows()]


def only_row(text: str, template: Template = SMS, **rules: object) -> Row:
    (row,) = read(text, template, **rules).rows()
    return row


# -- the examples of the contract


def test_a_good_list_has_no_errors() -> None:
    report = read("phone number,name\n07900900123,Al").check()
    assert (report.has_errors, report.row_count, report.rows_with_errors) == (False, 1, 0)


def test_a_blank_recipient_is_missing() -> None:
    assert errors("phone number,name\n,B") == [{"phone number": "Missing"}]


def test_every_cell_tells_its_own_error() -> None:
    assert errors("phone number,name\n07900,") == [{"phone number": "Mobile number is too short", "name": "Missing"}]


def test_a_column_that_is_not_there_is_missing_from_the_file_and_not_from_its_rows() -> None:
    report = read("name\nx").check()
    assert report.missing_columns == ("phone number",)
    assert not report.has_recipient_columns
    assert report.has_errors
    assert report.rows_with_errors == 0


def test_a_number_abroad_needs_the_permission() -> None:
    text = "phone number,name\n+33612345678,x"
    assert errors(text) == [
        {"phone number": "This does not look like a UK mobile number – double check the mobile number you entered"}
    ]
    assert errors(text, allow_international_sms=True) == [{}]


def test_headers_alone_are_no_error() -> None:
    report = read("phone number,name").check()
    assert (report.row_count, report.has_errors) == (0, False)


def test_an_empty_file_lacks_its_columns() -> None:
    report = read("").check()
    assert (report.row_count, report.missing_columns) == (0, ("name", "phone number"))


# -- columns


@pytest.mark.parametrize("header", ["Phone_Number", "PHONE-NUMBER", " phone  number ", "phonenumber"])
def test_headers_are_matched_in_whatever_spelling(header: str) -> None:
    row = only_row(f"{header},NAME\n07900900123,Al")
    assert row.recipient == "07900900123"
    assert not row.has_error
    assert row.personalisation == {header.strip(): "07900900123", "NAME": "Al"}


def test_columns_that_the_template_does_not_want_are_kept_and_not_checked() -> None:
    row = only_row("phone number,name,notes,reference\n07900900123,Al,,ref-1")
    assert not row.has_error
    assert row.personalisation == {"phone number": "07900900123", "name": "Al"}
    assert row.recipient_and_personalisation == {
        "phone number": "07900900123",
        "name": "Al",
        "notes": None,
        "reference": "ref-1",
    }
    assert row.reference == "ref-1"


def test_of_columns_that_spell_a_name_differently_the_last_counts() -> None:
    first, second = read("phone number,Thing,THING,Thing\n07900900123,a,b,\n07900900123,,,c").rows()
    assert first.values["thing"] == "b"
    assert second.values["thing"] is None


@pytest.mark.parametrize(
    ("cells", "value"),
    [("a,b,c", ["a", "b", "c"]), ("a,b,", ["a", "b", None]), (",,c", "c"), (",b,c", ["b", "c"]), (",,", None)],
)
def test_columns_of_one_name_make_a_list(cells: str, value: object) -> None:
    first, _ = read(f"phone number,name,name,name\n07900900123,{cells}\n07900900123,x,y,z").rows()
    assert first.values["name"] == value
    assert first.cell_errors == ({"name": "Missing"} if value is None else {})


def test_a_list_shows_as_a_sentence() -> None:
    row = only_row("phone number,name,name\n07900900123,Al,Bo")
    assert SMS.render(row.values).text == "hi Al and Bo"


def test_two_columns_of_recipients_flag_the_file_and_the_last_one_counts() -> None:
    file = read("phone number,name,Phone_Number\n07900900123,Al,07900900124\n07900900123,Al,")
    report = file.check()
    assert report.duplicate_recipient_columns == ("phone number", "Phone_Number")
    assert report.has_errors
    first, second = file.rows()
    assert first.recipient == "07900900124"
    assert (second.recipient, second.cell_errors) == (None, {})


def test_columns_without_any_value_at_the_end_vanish_unless_they_say_something_new() -> None:
    file = read("phone number,name,Phone Number,other,other,\n07900900123,Al\n07900900124,Bo,,,,")
    assert file.headers == ("phone number", "name", "other")
    assert file.duplicate_recipient_columns == ()
    assert [row.values["other"] for row in file.rows()] == [None, None]


def test_a_placeholder_whose_column_has_no_value_is_missing_in_every_row() -> None:
    assert errors("phone number,name\n07900900123,\n07900900124,") == [{"name": "Missing"}] * 2


def test_a_column_with_neither_header_nor_value_is_dropped() -> None:
    file = read("phone number,,name\n07900900123,,Al\n07900900123")
    assert file.headers == ("phone number", "name")
    first, second = file.rows()
    assert (first.values["name"], first.has_error) == ("Al", False)
    assert second.cell_errors == {"name": "Missing"}


def test_cells_beyond_the_headers_are_kept_apart() -> None:
    first, second = read("phone number,name\n07900900123,Al,more,\n07900900123,Al").rows()
    assert (first.extra, second.extra) == (["more"], [])
    assert not first.has_error


def test_a_blank_line_between_others_is_a_row_that_lacks_everything() -> None:
    rows = list(read("phone number,name\n07900900123,Al\n\n07900900124,Bo\n\n,,\n").rows())
    assert [row.cell_errors for row in rows] == [{}, {"phone number": "Missing", "name": "Missing"}, {}]
    assert [row.index for row in rows] == [0, 1, 2]


def test_invisible_characters_in_cells_and_headers_go() -> None:
    row = only_row("\ufeffphone\u200b number,name\n \u00a007900900123\u200b , Al\u2060 ")
    assert (row.recipient, row.values["name"]) == ("07900900123", "Al")


def test_a_cell_of_invisible_characters_is_blank() -> None:
    assert errors("phone number,name\n07900900123,\u200b\u00a0") == [{"name": "Missing"}]


def test_too_many_columns_are_refused() -> None:
    with pytest.raises(UnreadableSpreadsheet, match=r"^The file must not have more than 1,000 columns$"):
        read(",".join(f"c{number}" for number in range(1001)))
    assert read("phone number,name" + "," * 5000 + "\n07900900123,Al" + "," * 5000).check().has_errors is False


def test_a_cell_far_to_the_right_without_a_header_is_no_column() -> None:
    row = only_row("phone number,name\n07900900123,Al" + "," * 2000 + "x")
    assert (row.recipient, row.values["name"]) == ("07900900123", "Al")
    assert len(row.extra) < 1000


# -- messages


def test_a_text_that_is_too_long_with_a_row_s_values_is_an_error_of_the_row() -> None:
    rows = list(read(f"phone number,name\n07900900123,{'x' * 915}\n07900900123,{'x' * 916}").rows())
    assert [(row.message_too_long, row.has_error) for row in rows] == [(False, False), (True, True)]


@pytest.mark.parametrize(
    ("template", "recipient"),
    [
        (SmsTemplate("((show??yes))"), "phone number,show\n07900900123,no"),
        (EmailTemplate("s", "((show??yes))"), "email address,show\na@b.uk,no"),
    ],
)
def test_a_message_of_which_nothing_is_left_is_an_error_of_the_row(template: Template, recipient: str) -> None:
    row = only_row(recipient, template)
    assert (row.message_empty, row.has_error, row.cell_errors) == (True, True, {})


# -- recipients


def test_emails_are_checked() -> None:
    text = "email address,name\nal@example.com,Al\nal@example,Al\n,Al"
    assert errors(text, EMAIL) == [
        {},
        {"email address": "Not a valid email address"},
        {"email address": "Missing"},
    ]
    assert [row.has_bad_recipient for row in read(text, EMAIL).rows()] == [False, True, False]
    assert [row.has_missing_data for row in read(text, EMAIL).rows()] == [False, False, True]


def test_landlines_need_the_permission() -> None:
    text = "phone number,name\n0117 496 0860,Al"
    assert "phone number" in errors(text)[0]
    assert errors(text, allow_landlines=True) == [{}]


def test_phone_numbers_are_left_alone_where_their_check_is_off() -> None:
    assert errors("phone number,name\nnonsense,Al\n,Al", check_phone_numbers=False) == [{}, {"phone number": "Missing"}]


def test_a_list_of_numbers_is_no_recipient_of_its_own() -> None:
    row = only_row("phone number,name,phone number\n07900900123,Al,nonsense")
    assert row.has_bad_recipient


def test_guest_lists_are_compared_in_one_form() -> None:
    text = "phone number,name\n07900900123,Al\n+44 7900 900124,Bo"
    assert read(text, guest_list=["0790 0900 123", "447900900124"]).check().allowed_to_send_to
    report = read(text, guest_list=["07900900123"]).check()
    assert not report.allowed_to_send_to
    assert report.has_errors
    assert read(text, guest_list=None).check().allowed_to_send_to
    assert not read("email address,name\nA@b.uk,x\nc@b.uk,x", EMAIL, guest_list=["a@B.uk"]).check().allowed_to_send_to
    assert read("email address,name\nA@b.uk,x", EMAIL, guest_list=["a@B.uk"]).check().allowed_to_send_to


def test_a_blank_recipient_is_on_no_guest_list() -> None:
    assert not read("phone number,name\n,Al", guest_list=["07900900123"]).check().allowed_to_send_to
    assert not read("name\nAl", guest_list=["07900900123"]).check().allowed_to_send_to


def test_letters_go_to_anyone() -> None:
    text = f"{ADDRESS_HEADERS},name\nA,B,SW1A 1AA,Al"
    assert read(text, LETTER, guest_list=["07900900123"]).check().allowed_to_send_to


# -- letters


def test_the_recipient_of_a_letter_is_its_eight_cells() -> None:
    row = only_row(f"{ADDRESS_HEADERS},name\nA,B,SW1A 1AA,Al", LETTER)
    assert row.recipient == ["A", "B", None, None, None, None, "SW1A 1AA", None]
    assert not row.has_error


def test_an_address_has_one_error_and_none_in_its_cells() -> None:
    row = only_row(f"{ADDRESS_HEADERS},name\nA,,France,Al", LETTER)
    assert (row.address_error, row.cell_errors) == ("Address must be at least 3 lines", {})
    assert row.has_error
    assert row.has_bad_recipient
    assert not row.has_missing_data


def test_a_letter_abroad_needs_the_permission() -> None:
    text = f"{ADDRESS_HEADERS},name\nA,B,France,Al"
    assert only_row(text, LETTER).address_error == "Must be a real UK postcode"
    assert only_row(text, LETTER, allow_international_letters=True).address_error is None


@pytest.mark.parametrize(
    ("header", "enough"),
    [
        (ADDRESS_HEADERS, True),
        ("address line 1,address line 2,address line 3", True),
        ("address line 1,address line 2,address line 7", True),
        ("address line 1,postcode,address line 7", False),
        ("address line 1,postcode", False),
    ],
)
def test_an_address_has_three_columns_at_least_and_none_is_missing(header: str, enough: bool) -> None:
    file = read(f"{header},name", LETTER)
    assert file.has_recipient_columns is enough
    assert file.missing_columns == ()


def test_too_much_for_a_qr_code_is_an_error_of_the_row() -> None:
    template = LetterTemplate("s", "x\n\nqr: ((link))")
    text = f"{ADDRESS_HEADERS},link\nA,B,SW1A 1AA,{'x' * 600}\nA,B,SW1A 1AA,https://example.com"
    assert [row.qr_code_too_long for row in read(text, template).rows()] == [True, False]


# -- limits and counts


def test_more_rows_than_may_be_sent_is_an_error_of_the_file() -> None:
    text = "phone number,name\n07900900123,Al\n07900900124,Bo"
    assert read(text, remaining_messages=1).check().more_rows_than_can_send
    assert not read(text, remaining_messages=2).check().has_errors


@pytest.mark.parametrize(("remaining", "too_many"), [(None, False), (1, False), (0, True), (-5, True)])
def test_texts_abroad_have_a_limit_of_their_own(remaining: int | None, too_many: bool) -> None:
    # Jersey has the country code of the UK, and an unreadable number none
    text = "phone number,name\n+33612345678,a\n07797123456,b\n07900900123,c\nx,d\n,e"
    report = read(text, allow_international_sms=True, remaining_international=remaining).check()
    assert (report.international_count, report.too_many_international) == (1, too_many)


def test_rows_beyond_the_limit_are_counted_and_not_looked_at() -> None:
    file = RecipientList([["phone number", "name"], *[["07900900123", "Al"]] * MOST_ROWS, ["x"], ["", "", "y"]], SMS)
    assert (file.row_count, file.too_many_rows) == (MOST_ROWS + 2, True)
    report = file.check()
    assert (report.rows_with_errors, report.has_errors) == (0, True)
    assert next(iter(file.rows(first=MOST_ROWS)), None) is None


def test_a_report_keeps_the_first_rows_and_counts_the_others() -> None:
    lines = [f"0790090{number:04},{'' if number % 2 else 'x'}" for number in range(100)]
    report = read("phone number,name\n" + "\n".join(lines)).check(first_rows=3, first_errors=5)
    assert [row.index for row in report.first_rows] == [0, 1, 2]
    assert [row.index for row in report.first_rows_with_errors] == [1, 3, 5, 7, 9]
    assert (report.rows_with_errors, report.rows_with_missing_data) == (50, 50)
    assert report.displayed_rows == report.first_rows_with_errors


def test_the_first_rows_are_shown_where_a_column_is_missing() -> None:
    report = read("phone number\nnonsense\n07900900123").check()
    assert report.missing_columns == ("name",)
    assert report.displayed_rows == report.first_rows


# -- as a job reads it


def test_a_job_reads_rows_in_batches_and_continues_where_it_stopped() -> None:
    file = read("phone number,name\n" + "\n".join(f"07900900123,n{number}" for number in range(10)))
    assert [[row.index for row in batch] for batch in file.batches(4)] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert [[row.values["name"] for row in batch] for batch in file.batches(4, first=7)] == [["n7", "n8", "n9"]]


def test_without_validation_no_row_has_errors() -> None:
    file = RecipientList(CsvText("phone number,name\nnonsense,"), SMS, validate=False)
    (row,) = file.rows()
    assert not row.has_error
    assert row.personalisation == {"phone number": "nonsense", "name": None}


@given(st.text(alphabet='ab07\n\r\t,;" \u200b((', max_size=200), st.sampled_from([SMS, EMAIL, LETTER]))
def test_any_text_is_a_list(text: str, template: Template) -> None:
    report = read(text, template, guest_list=["07900900123"]).check()
    assert report.row_count >= report.rows_with_errors >= len(report.first_rows_with_errors)


@given(st.lists(st.lists(st.text(alphabet='aB _,"\n\u200b', max_size=4), max_size=5), max_size=6))
def test_every_row_has_all_columns(cells: list[list[str]]) -> None:
    file = RecipientList([["phone number", "a", "A", "b"], *cells], SMS)
    for row in file.rows():
        assert set(row.recipient_and_personalisation) == set(file.headers)


@pytest.mark.parametrize("template", [SmsTemplate("((name))" * 1000), EmailTemplate("", "((name))" * 1000)])
def test_a_large_cell_that_is_named_a_thousand_times_is_an_error_of_its_row(template: Template) -> None:
    recipient = ("phone number", "07900900123") if isinstance(template, SmsTemplate) else ("email address", "a@b.uk")
    rows = [[recipient[0], "name"], [recipient[1], "x" * 100_000], [recipient[1], "Al"]]
    report = RecipientList(rows, template).check()
    assert [row.message_too_long for row in report.first_rows] == [True, isinstance(template, SmsTemplate)]
