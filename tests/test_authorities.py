import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.errors import InputError
from synth.geography.authorities import all_authorities, parse_authorities

ALL = all_authorities()
NAMED = st.tuples(st.sampled_from(ALL), st.sampled_from(["code", "ons_code", "name", "welsh_name"]))


def test_there_are_22_in_official_order():
    assert len(ALL) == 22
    codes = [authority.code for authority in ALL]
    assert codes == sorted(codes)
    assert (codes[0], codes[-1]) == ("512", "552")
    assert [authority.order for authority in ALL] == list(range(22))
    for column in ("code", "ons_code", "education_number", "name", "welsh_name"):
        assert len({getattr(authority, column) for authority in ALL}) == 22


@given(st.lists(NAMED, min_size=1, max_size=8), st.sampled_from([",", ", ", " ,  "]), st.booleans())
def test_any_names_in_any_order_give_the_official_order_without_repeats(named, comma, shout):
    text = comma.join(getattr(authority, column) for authority, column in named)
    found = parse_authorities(text.upper() if shout else text)
    assert found == tuple(sorted({authority for authority, _ in named}, key=lambda authority: authority.order))


@given(st.integers(1, 22))
def test_a_number_is_how_many(count):
    assert parse_authorities(str(count)) == ALL[:count]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Ynys Mon", "512"), ("ynys môn", "512"), ("YNYS-MÔN", "512"), ("Anglesey,", "512"), ("Caerdydd", "552"),
        ("pen y bont ar ogwr", "536"), ("Castell-nedd  Port Talbot", "534"), ("w06000015", "552"), (" 552 ", "552"),
        ("Rhondda-Cynon-Taf", "540"), ("Vale of Glamorgan", "538"), ("Isle of Anglesey", "512"),
    ],
)  # fmt: skip
def test_accents_hyphens_and_case_do_not_matter(text, code):
    if text == "Anglesey,":
        with pytest.raises(InputError, match="did you mean Isle of Anglesey"):
            parse_authorities(text)
        return
    assert [authority.code for authority in parse_authorities(text)] == [code]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Cardif", "'Cardif' is not a Welsh authority; did you mean Cardiff"),
        ("Powys,Swansee", "'Swansee' is not a Welsh authority; did you mean Swansea"),
        ("Sir Gar", "did you mean Carmarthenshire"),
        ("London", "'London' is not a Welsh authority"),
        ("0", "Wales has 22 authorities"),
        ("23", "Wales has 22 authorities"),
        ("-1", "Wales has 22 authorities"),
        ("999", "'999' is not a Welsh authority"),
        ("", "is empty"),
        (" , ", "is empty"),
        ("3,Cardiff", "'3' is not a Welsh authority"),
    ],
)
def test_what_is_no_authority_is_named_with_the_nearest(text, said):
    with pytest.raises(InputError) as error:
        parse_authorities(text)
    assert said in str(error.value)
    assert str(error.value).startswith("--authorities")
