import datetime as dt

import polars as pl
import pytest

from synth import worked
from synth.errors import InputError
from synth.guidance import load
from synth.show.folder import latest_folder, pick
from synth.show.timeline import timelines
from synth.show.words import aged, date_of, first_name, label, moved, placed, shown, span


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("year") / "2023"
    place.mkdir()
    worked.write_good(place, 2023)
    return place


def told(folder, child):
    """One child's text with line breaks and indents closed up."""
    (text,) = timelines(folder, [child])
    return " ".join(text.split())


def spoil(folder, tmp_path, name, **values):
    """A copy of a folder in which some columns of one file hold other text."""
    place = tmp_path / "spoilt"
    place.mkdir()
    for file in folder.iterdir():
        frame = pl.read_csv(file, infer_schema=False)
        if file.name == name:
            frame = frame.with_columns(pl.lit(text).alias(column) for column, text in values.items())
        frame.write_csv(place / file.name)
    return place


class TestOneLife:
    def test_reads_as_a_life_from_the_first_day_to_the_last(self, folder):
        (text,) = timelines(folder, ["C002"])
        name = first_name("C002", "1")
        title, rule, *rest = text.splitlines()
        assert title.startswith(f"C002  {name} ")
        assert title.endswith("(a name made up for reading, in no file)")
        assert rule == "-" * 100
        assert rest == [
            "Boy, born 2 Mar 2022, 12 months old on 31 Mar 2023; White (WHTE); Cardiff (552)",
            "Home CF14 2AB; no pupil number",
            "",
            "  10 May 2022  9 weeks    Came into care, 9 weeks old, by agreement (V2); abuse or neglect (N1);",
            "                          placed with relatives or friends, inside the authority (F1, CF11 9LJ)",
            "  12 Jul 2022  3 months   Interim care order (C1), same placement",
            "   1 Nov 2022  4 months   Moved to foster carers of the authority, outside it (F5, NP20 4UR)",
            "  31 Mar 2023             Still there, 12 months old, looked after for 10 months",
            "",
            "  Support     plan in place for three months on 31 Mar 2023; looked after; not on the register",
            "  Need        abuse or neglect (N1)",
            "  Disability  none",
            "  Health      health checks, immunised; no: autism; not for this age: dental check, mental health",
            "              problem, substance misuse, offending",
            "  Parents     domestic abuse",
            "  Language    Not applicable (80)",
        ]

    @pytest.mark.parametrize(
        ("child", "words"),
        [
            ("C001", "(F2, CF11 9LJ); under a full care order (C2); abuse or neglect (N1) (carried over)"),
            ("C001", "Still there, aged 8, looked after since before 2 May 2019"),
            ("C003", "20 Dec 2022 Went home to parents or relatives (E4), aged 13, looked after for 3 months"),
            ("C003", "Came into care again, aged 13, by agreement (V2)"),
            ("C004", "Adopted, consent dispensed with (E12), aged 2, looked after for 23 months"),
            (
                "C004",
                "Adoption in care 3 Mar 2021, decision 20 Dec 2021, match 20 May 2022, placed 10 Jun 2022",
            ),
            ("C005", "2 adopters; female couple (FF); married couple, same gender (L12); not the foster"),
            ("C006", "Series of short breaks (V1) with foster carers of the authority, inside it (F2, CF11"),
            ("C006", "the child's disability or illness (N2); breaks this year: 9 (carried over)"),
            ("C006", "Series goes on, aged 9 Support"),
            ("C007", "Turned 18 and stays with the foster carers (E10), a day short of 18, looked after for 3"),
            ("C007", "Care leaver care ceased 9 Dec 2022, a day short of 18; home: with former foster carers"),
            ("C007", "pathway plan and personal adviser"),
            ("C008", "No home postcode; no pupil number; unaccompanied asylum-seeking child until 20 Jan 2023"),
            ("C009", "on remand (J1); unacceptable behaviour (N6); placed in a secure unit, outside Wales (H22"),
            ("C012", "Away from placement: whereabouts unknown (M3) 17 May 2022 10 months Back with agency"),
            ("C012", "on the register since 12 Oct 2022 for sexual abuse"),
            ("C013", "11 Jan 2023 11 weeks Interim care order (C1), moved to foster carers of the authority"),
            ("C013", "Support Not in the care and support return."),
            ("P010", "Moved home to parents (P1, LD1 5LG)"),
            ("C021", "Care Not in the looked-after return."),
            ("C023", "Disability memory and sense of danger"),
            ("C014", "not known: mental health problem"),
        ],
    )
    def test_says(self, folder, child, words):
        assert words in told(folder, child)

    @pytest.mark.parametrize("child", ["C004", "C005"])
    def test_says_nothing_of_the_first_day_when_it_is_known(self, folder, child):
        assert "since before" not in told(folder, child)

    def test_of_a_whole_year_return_gives_the_plan_too(self, tmp_path):
        worked.write_good(tmp_path, 2024)
        assert "plan since 15 Mar 2022" not in told(tmp_path, "C007")
        assert "active on 31 Mar 2024" in told(tmp_path, "C001")
        assert "closed 20 Feb 2024: adopted (RC1); not looked after" in told(tmp_path, "C004")

    def test_needs_only_one_return(self, tmp_path):
        worked.write_good(tmp_path, 2023, returns=("crcs",))
        assert "Not in the looked-after return." in told(tmp_path, "C001")


class TestManyLives:
    @pytest.mark.parametrize("year", [2017, 2023, 2024])
    def test_all_fit_a_hundred_columns(self, tmp_path, year):
        worked.write_good(tmp_path, year)
        everyone = pick(tmp_path, 1000, 0, looked_after=False)
        lines = [line for text in timelines(tmp_path, everyone) for line in text.splitlines()]
        assert max(len(line) for line in lines) == 100
        assert not any("\N{NO-BREAK SPACE}" in line for line in lines)

    def test_stand_in_the_order_asked_for(self, folder):
        texts = timelines(folder, ["P010", "C001", "P010"])
        assert [text[:4] for text in texts] == ["P010", "C001", "P010"]

    def test_an_identifier_of_two_authorities_gives_two_texts(self, folder, tmp_path):
        place = spoil(folder, tmp_path, "synthetic_crcs.csv", LOCAL_AUTHORITY_CODE="524")
        texts = timelines(place, ["C001"])
        assert ["Powys (524)" in text for text in texts] == [True, False]


class TestBadFiles:
    def test_differences_between_the_returns_are_said(self, folder, tmp_path):
        place = spoil(folder, tmp_path, "synthetic_crcs.csv", GENDER="2", DATE_OF_BIRTH="01/01/2015")
        text = told(place, "C002")
        assert "The two returns do not agree: DOB 02/03/2022 and 01/01/2015; GNDR_CD 1 and 2" in text

    def test_codes_and_dates_that_are_none_are_shown_as_found(self, folder, tmp_path):
        place = spoil(
            folder, tmp_path, "synthetic_cla_episode.csv",
            EPISODE_START_DATE="31/02/2022", PLACEMENT_TYPE_CODE="Q7", LEGAL_STATUS_CODE="",
            REASON_EPISODE_STARTED_CODE="?", CATEGORY_OF_NEED_CODE=None, EPISODE_NUMBER="one",
        )  # fmt: skip
        text = told(place, "C002")
        assert "31/02/2022 New episode, reason ?: under legal status (none), in placement type (Q7, " in text

    def test_a_birth_date_that_is_none_leaves_ages_out(self, folder, tmp_path):
        place = spoil(folder, tmp_path, "synthetic_cla_child.csv", DOB="soon")
        assert "Boy, born soon; White (WHTE)" in told(place, "C002")
        assert "Came into care by agreement (V2)" in told(place, "C002")

    def test_an_item_without_a_column_is_blank(self, folder, tmp_path):
        place = spoil(folder, tmp_path, "")
        file = place / "synthetic_crcs.csv"
        pl.read_csv(file, infer_schema=False).drop("HEALTH_DENTAL_CHECK").write_csv(file)
        assert "blank: dental check" in told(place, "C001")

    def test_without_identifiers_is_an_error(self, folder, tmp_path):
        place = spoil(folder, tmp_path, "")
        file = place / "synthetic_crcs.csv"
        pl.read_csv(file, infer_schema=False).drop("CHILD_CODE").write_csv(file)
        with pytest.raises(InputError, match=r"synthetic_crcs\.csv, line 1: no heading CHILD_CODE"):
            timelines(place, ["C001"])

    def test_an_empty_folder_is_an_error(self, tmp_path):
        with pytest.raises(InputError, match="no rows of a return"):
            timelines(tmp_path, ["C001"])

    def test_no_year_is_an_error(self, folder, tmp_path):
        place = spoil(folder, tmp_path, "synthetic_crcs.csv", YEAR_CODE="22/23")
        for name in ("child", "episode"):
            (place / f"synthetic_cla_{name}.csv").unlink()
        with pytest.raises(InputError, match="YEAR_CODE"):
            timelines(place, ["C001"])


class TestUnknownChild:
    def test_the_nearest_identifier_is_named(self, folder):
        with pytest.raises(InputError, match=r"no child 'p0242' .*did you mean P024\?.*show --random 5"):
            timelines(folder, ["C001", "p0242"])

    def test_nothing_is_named_that_is_not_near(self, folder):
        with pytest.raises(InputError) as caught:
            timelines(folder, ["Zebedee"])
        assert "did you mean" not in str(caught.value)
        assert "19 identifiers are C001, C002, C003" in str(caught.value)


class TestLatestFolder:
    def test_is_the_newest_year_with_a_return(self, tmp_path):
        for name in ("2019", "2022", "2023", "2030", "draft"):
            (tmp_path / name).mkdir()
        for name in ("2019", "2022", "draft"):
            worked.write_good(tmp_path / name, 2022)
        (tmp_path / "2023" / "notes.csv").write_text("a\n")
        assert latest_folder(tmp_path) == tmp_path / "2022"

    @pytest.mark.parametrize("place", ["", "nowhere"])
    def test_needs_one(self, tmp_path, place):
        with pytest.raises(InputError, match="synth generate"):
            latest_folder(tmp_path / place)


class TestPick:
    def test_repeats_itself_and_only_itself(self, folder):
        assert pick(folder, 5, 1, looked_after=False) == pick(folder, 5, 1, looked_after=False)
        assert pick(folder, 5, 1, looked_after=False) != pick(folder, 5, 2, looked_after=False)
        assert pick(folder, 3, 1, looked_after=False) == pick(folder, 5, 1, looked_after=False)[:3]

    def test_takes_everyone_once_when_asked_for_more(self, folder):
        assert sorted(pick(folder, 99, 0, looked_after=False)) == sorted({*pick(folder, 99, 3, looked_after=False)})
        assert len(pick(folder, 99, 0, looked_after=False)) == 19

    def test_can_keep_to_the_looked_after_return(self, folder):
        known = set(pl.read_csv(folder / "synthetic_cla_child.csv", infer_schema=False)["SYSTEM_ID"])
        assert set(pick(folder, 99, 0, looked_after=True)) == known

    def test_nobody_to_choose_from_is_an_error(self, tmp_path):
        worked.write_good(tmp_path, 2023, returns=("crcs",))
        with pytest.raises(InputError, match="no child of the CLA return"):
            pick(tmp_path, 1, 0, looked_after=True)


class TestWords:
    @pytest.mark.parametrize(
        ("start", "end", "words"),
        [
            ("01/05/2022", "01/05/2022", "0 days"),
            ("01/05/2022", "02/05/2022", "1 day"),
            ("01/05/2022", "21/05/2022", "20 days"),
            ("01/05/2022", "22/05/2022", "3 weeks"),
            ("01/05/2022", "31/07/2022", "13 weeks"),
            ("01/05/2022", "01/08/2022", "3 months"),
            ("31/01/2022", "30/12/2023", "22 months"),
            ("01/05/2022", "01/05/2024", "2 years"),
            ("01/05/2022", "01/06/2024", "2y 1m"),
            ("02/05/2022", "01/05/2022", "-1 days"),
            ("", "01/05/2022", ""),
        ],
    )
    def test_span(self, start, end, words):
        assert span(date_of(start), date_of(end)) == words

    def test_span_in_words(self):
        assert span(dt.date(2020, 1, 1), dt.date(2023, 2, 1), words=True) == "3 years 1 month"

    @pytest.mark.parametrize(
        ("on", "words"),
        [
            ("09/06/2005", "before birth"),
            ("10/06/2005", "newborn"),
            ("11/06/2005", "1 day old"),
            ("09/06/2007", "23 months old"),
            ("10/06/2007", "aged 2"),
            ("08/06/2023", "aged 17"),
            ("09/06/2023", "a day short of 18"),
            ("10/06/2023", "aged 18"),
        ],
    )
    def test_aged(self, on, words):
        assert aged(dt.date(2005, 6, 10), date_of(on)) == words

    def test_dates(self):
        assert shown(date_of("03/09/2021")).split() == ["3", "Sep", "2021"]
        assert date_of("31/02/2020") is None
        assert shown(None) == "-"

    def test_labels_are_shortened_and_keep_the_code(self):
        g = load("cla", 2023)
        assert label(g, "care_leaver_accommodation", "B1") == "with parents or relatives, suitable (B1)"
        assert label(g, "gender", "7") == "unknown code 7"
        assert label(g, "gender", "") == "not recorded"

    @pytest.mark.parametrize("year", [2017, 2024])
    def test_every_code_in_force_has_words(self, year):
        g = load("cla", year)
        for code in g.values("placement_type"):
            assert "placement type" not in placed(code, "")
            assert moved(code, "CF11 9LJ").split()[0] in {"moved", "placed", "away"}

    def test_names_are_made_up_from_the_identifier_alone(self):
        names = [first_name(f"SYN{n:07}", "12"[n % 2]) for n in range(200)]
        assert names == [first_name(f"SYN{n:07}", "12"[n % 2]) for n in range(200)]
        assert len(set(names)) > 80
        assert not {*names[::2]} & {"Carys", "Mared", "Nia"}
        assert first_name("SYN0000001", "9")
