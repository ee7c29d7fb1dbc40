"""Dates as tables have them: mapped when certain, refused with the reason when not."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import fuzzy_dates, spoken_dates
from app.errors import InvalidDate

CERTAIN = {
    # EDTF itself
    "1973": "1973", "1973-11": "1973-11", "1973-11-09": "1973-11-09", "1973~": "1973~", "1973?": "1973?",
    "1973%": "1973%", "197X": "197X", "197x": "197X", "19XX": "19XX",
    # about, perhaps, since
    "since 1973": "1973", "since 1973?": "1973?", "since about 1973": "1973~", "ca. 1980": "1980~", "c1973": "1973~",
    "c. 1973": "1973~", "circa 1973?": "1973%", "~1973": "1973~", "around 1980": "1980~", "um 1980": "1980~",
    "1973 (?)": "1973?", "probably 1973": "1973?", "seit 1973": "1973", "depuis 1973": "1973", "desde 1973": "1973",
    "est. 1973": "1973", "in 1973": "1973", "(1973)": "1973", "1973[1]": "1973", "1973 [note 3]": "1973",
    "1973頃": "1973~", "1973年頃": "1973~", "約1973年": "1973~", " 1973 ": "1973", "1973.0": "1973",
    # days in figures
    "31.12.1999": "1999-12-31", "1.2.1999": "1999-02-01", "31. 12. 1999": "1999-12-31", "12/31/1999": "1999-12-31",
    "31/12/1999": "1999-12-31", "31-12-1999": "1999-12-31", "04/04/1999": "1999-04-04", "1999/12/31": "1999-12-31",
    "1999.12.31": "1999-12-31", "1973. 11. 9.": "1973-11-09", "19991231": "1999-12-31", "9.XI.1973": "1973-11-09",
    "1973-11-09T00:00:00Z": "1973-11-09", "1973-11-09 00:00:00": "1973-11-09", "+1973-11-09T00:00:00Z": "1973-11-09",
    "+1973-00-00T00:00:00Z": "1973", "+1973-11-00T00:00:00Z": "1973-11", "１９７３": "1973",
    # months in figures
    "11/1973": "1973-11", "11.1973": "1973-11", "1973/11": "1973-11", "1973/5": "1973-05", "1973/1": "1973-01",
    "1973.5": "1973-05", "1973.01": "1973-01",
    # in words
    "November 1973": "1973-11", "Nov. 1973": "1973-11", "November, 1973": "1973-11", "1973 November": "1973-11",
    "9 November 1973": "1973-11-09", "November 9, 1973": "1973-11-09", "Nov. 9th, 1973": "1973-11-09",
    "9th of November 1973": "1973-11-09", "1973 November 9": "1973-11-09", "9-Nov-1973": "1973-11-09",
    "Friday, 9 November 1973": "1973-11-09", "May 1973": "1973-05", "9. März 1973": "1973-03-09",
    "9 novembre 1973": "1973-11-09", "1er janvier 1973": "1973-01-01", "14 août 1973": "1973-08-14",
    "9 de noviembre de 1973": "1973-11-09", "9 ноября 1973 г.": "1973-11-09",
    "1º de mayo de 1985": "1985-05-01", "1980 г.": "1980", "1973 AD": "1973", "1973\u200b": "1973",
    "9 października 1973": "1973-10-09", "luglio 1985": "1985-07", "5 de outubro de 1990": "1990-10-05",
    "1973年": "1973", "1973年11月": "1973-11", "1973年11月9日": "1973-11-09", "昭和48年11月9日": "1973-11-09",
    "昭和48年": "1973", "平成元年": "1989", "令和2年3月": "2020-03", "1973년 11월 9일": "1973-11-09",
    # decades
    "1970s": "197X", "the 1970s": "197X", "1970's": "197X", "1970er Jahre": "197X", "1970er": "197X",
    "années 1970": "197X", "1970年代": "197X",
}  # fmt: skip
AMBIGUOUS = "This may be"
TWO = "two years"
CENTURY = "century is missing"
OPEN = "only before or after"
REFUSED = {
    "03/04/1999": "This may be 3 April 1999 or 4 March 1999: write it as 1999-04-03 or 1999-03-04.",
    "03-04-1999": AMBIGUOUS, "2010/11": "may be a month of 2010 or the two years 2010 and 2011", "1900s": AMBIGUOUS,
    "1973.1": "may be January or October 1973",
    "1973/74": TWO, "1973-74": TWO, "1973–1995": TWO, "1973-1995": TWO, "2010/2011": TWO, "1973 or 1974": TWO,
    "signed 1973, renewed 1990": TWO, "1973, 1990": TWO, "1973 and 1974": TWO,
    "after 1973": OPEN, "before 1973": OPEN, "vor 1973": OPEN, "avant 1973": OPEN, "1973 or earlier": OPEN,
    "9.11.73": CENTURY, "09-Nov-73": CENTURY, "3 April 99": CENTURY, "'73": CENTURY, "73": CENTURY,
    "70er Jahre": CENTURY, "11/9/73": CENTURY,
    "26977": "number that a spreadsheet keeps", "20th century": "19XX", "19. Jahrhundert": "19XX",
    "31.02.1999": "February 1999 has 28 days", "2023-02-30": "February 2023 has 28 days",
    "13/13/1999": "There is no month 13", "0000": "no year 0000",
    "hello": "not a date", "9 listopad 1973": "not a date", "12th day": "not a date", "yes": "not a date",
    "19731399": "There is no month 13", "x" * 101: "too long", "1" * 60: "not a date",
}  # fmt: skip
NOTHING = ("", " ", "unknown", "n/a", "N/A", "-", "–", "?", "unbekannt", "k. A.", "不明", "desconocido", "no date")
WIDENED = {
    "spring 1973": "1973", "summer of 1973": "1973", "end of 1973": "1973", "early 1973": "1973", "Q3 1973": "1973",
    "Sommer 1973": "1973", "early 1970s": "197X", "Ende 1973": "1973",
}  # fmt: skip


@pytest.mark.parametrize(("text", "edtf"), CERTAIN.items())
def test_what_is_certain_becomes_edtf(text: str, edtf: str) -> None:
    spoken = spoken_dates.read(text)
    assert spoken.date is not None
    assert (spoken.date.text, spoken.remark) == (edtf, None)
    assert spoken.date == fuzzy_dates.parse(edtf)


@pytest.mark.parametrize(("text", "reason"), REFUSED.items())
def test_what_is_not_certain_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidDate, match=r".") as caught:
        spoken_dates.parse(text, field="established")
    assert reason in caught.value.message
    assert caught.value.field == "established"


@pytest.mark.parametrize("text", NOTHING)
def test_words_for_not_known_are_no_date_and_no_fault(text: str) -> None:
    assert spoken_dates.parse(text) is None


@pytest.mark.parametrize(("text", "edtf"), WIDENED.items())
def test_what_says_more_than_is_kept_is_widened_and_says_so(text: str, edtf: str) -> None:
    spoken = spoken_dates.read(text)
    assert spoken.date is not None and spoken.date.text == edtf
    assert spoken.remark and edtf in spoken.remark


def test_a_mark_on_a_decade_is_dropped_and_said() -> None:
    spoken = spoken_dates.read("ca. 1970s")
    assert spoken.date is not None and spoken.date.text == "197X"
    assert spoken.remark is not None


@given(
    st.dates(date(1000, 1, 1), date(2999, 12, 31)),
    st.sampled_from(["%d.%m.%Y", "%Y/%m/%d", "%d %B %Y", "%B %d, %Y", "%d-%b-%Y", "%Y年%m月%d日", "%Y%m%d"]),
)
def test_every_day_comes_back_from_the_forms_that_are_certain(day: date, form: str) -> None:
    found = spoken_dates.parse(day.strftime(form))
    assert found is not None and found.text == day.isoformat()


@given(st.text(max_size=40))
def test_any_text_is_a_date_or_refused_in_a_sentence(text: str) -> None:
    try:
        spoken_dates.parse(text)
    except InvalidDate as error:
        assert error.message.endswith(".")
