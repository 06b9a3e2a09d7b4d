"""What stands beside a year's forms: checked by the tools it is written for, and shown to fail where it should."""

import hashlib
import json
import re
import shutil
import string
import subprocess
import sys
import warnings
from dataclasses import replace

import polars as pl
import pytest

from synth.errors import InputError
from synth.files import FILES, check_place
from synth.geography.authorities import parse_authorities
from synth.guidance import load
from synth.main_job import generate_panel
from synth.metadata import beside, patterns, writing
from synth.metadata.catalogue import year_record
from synth.metadata.origin import Subject, sources_of, written_as
from synth.metadata.sdv import sdv_metadata
from synth.reading import read_any
from synth.returns.identifiers import _ALPHABET
from synth.rules import pupil_number
from synth.tables import POSTCODE
from synth.validate import validate

BESIDE = {
    "datapackage.json", "metadata/dcat.jsonld", "metadata/dictionary.csv", "metadata/dictionary.html",
    "metadata/dictionary.xlsx", "metadata/sdv.json",
}  # fmt: skip
pytestmark = pytest.mark.filterwarnings("ignore:.*(ConjunctiveGraph|Dataset).*:DeprecationWarning")
YEARS = (2023, 2024)
"""The second is collected over the whole year."""
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix spdx: <http://spdx.org/rdf/terms#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .

[] a sh:NodeShape ; sh:targetClass dcat:Dataset ;
  sh:property [ sh:path dct:title ; sh:minCount 2 ; sh:maxCount 2 ; sh:uniqueLang true ; sh:languageIn ("en" "cy") ] ;
  sh:property [ sh:path dct:description ; sh:minCount 2 ; sh:uniqueLang true ; sh:languageIn ("en" "cy") ] ;
  sh:property [ sh:path dcat:distribution ; sh:minCount 1 ; sh:class dcat:Distribution ] ;
  sh:property [ sh:path dct:temporal ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dct:PeriodOfTime ] ;
  sh:property [ sh:path dct:spatial ; sh:minCount 1 ; sh:class dct:Location ] ;
  sh:property [ sh:path dct:creator ; sh:minCount 1 ; sh:maxCount 1 ; sh:class foaf:Agent ] ;
  sh:property [ sh:path dct:license ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ;
  sh:property [ sh:path dcat:theme ; sh:minCount 1 ; sh:nodeKind sh:IRI ] .
[] a sh:NodeShape ; sh:targetClass dcat:Distribution ;
  sh:property [ sh:path dcat:accessURL ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ;
  sh:property [ sh:path dct:title ; sh:minCount 1 ] ;
  sh:property [ sh:path dct:license ; sh:minCount 1 ; sh:maxCount 1 ] ;
  sh:property [ sh:path dcat:mediaType ; sh:maxCount 1 ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ;
  sh:property [ sh:path dcat:byteSize ; sh:maxCount 1 ; sh:datatype xsd:nonNegativeInteger ] ;
  sh:property [ sh:path spdx:checksum ; sh:maxCount 1 ; sh:class spdx:Checksum ] .
[] a sh:NodeShape ; sh:targetClass spdx:Checksum ;
  sh:property [ sh:path spdx:algorithm ; sh:minCount 1 ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ;
  sh:property [ sh:path spdx:checksumValue ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:hexBinary ] .
[] a sh:NodeShape ; sh:targetClass dct:PeriodOfTime ;
  sh:property [ sh:path dcat:startDate ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:date ] ;
  sh:property [ sh:path dcat:endDate ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:date ] .
"""
"""What DCAT-AP makes mandatory of a dataset and its distributions, and of what it recommends what is known here."""


@pytest.fixture(scope="module")
def made(profile, tmp_path_factory):
    """Two years of two authorities, written with what describes them."""
    out = tmp_path_factory.mktemp("metadata")
    authorities = parse_authorities("Merthyr Tydfil,Torfaen")
    written = generate_panel(profile, authorities, YEARS, seed=3, out=out, beside=beside(profile))
    return {one.made.year: one for one in written}


@pytest.fixture(scope="module", params=YEARS)
def year(made, request):
    return made[request.param]


def told(folder, name):
    return json.loads((folder / name).read_text("utf-8"))


def text(folder, name):
    return pl.read_csv(folder / name, infer_schema=False)


# -- what is written --------------------------------------------------------------------------------------------


def test_everything_is_there_and_in_the_manifest(year):
    listed = told(year.folder, "manifest.json")["beside"]
    assert set(listed) == BESIDE
    for name, entry in listed.items():
        assert entry == {"sha256": hashlib.sha256((year.folder / name).read_bytes()).hexdigest()}


def test_the_same_files_give_the_same_bytes(year, profile, tmp_path):
    for name in FILES.values():
        shutil.copy(year.folder / name, tmp_path)
    for remembered in (writing._of_year, writing.entries):
        remembered.cache_clear()
    beside(profile)(year.made, tmp_path)
    for name in BESIDE:
        assert (tmp_path / name).read_bytes() == (year.folder / name).read_bytes(), name


def test_the_folder_is_read_and_replaced_as_before(year, tmp_path):
    found = read_any([year.folder])
    assert (found.year, found.notes) == (year.made.year, ())
    assert validate([year.folder]).ok
    check_place(year.folder.parent, year.folder)
    copy = shutil.copytree(year.folder, tmp_path / "2023")
    (copy / "metadata/thesis.docx").write_text("mine")
    with pytest.raises(InputError, match=r"did not write \(metadata/thesis.docx\)"):
        check_place(tmp_path, copy)


def test_it_loads_no_table_library():
    """Else the main job could no longer be split into two processes."""
    words = "import sys, synth.metadata; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


def test_patterns_are_the_validators():
    assert f"^{patterns.POSTCODE}$" == POSTCODE
    for sign in string.ascii_letters + string.digits:
        for upn in (f"{sign}66000110971{sign}", f"P6600011097{sign}5", f"P66000110971{sign}"):
            assert bool(re.fullmatch(patterns.UPN, upn)) == bool(re.fullmatch(pupil_number.UPN[1:-1], upn)), upn
        assert bool(re.fullmatch(patterns.CHILD, f"SYN00000{sign}0")) == (ord(sign) in _ALPHABET)


def subject(year):
    return Subject(year.year, year.collection, year.world, year.authorities)


def looked_at(written):
    """Tell of the files of the forms as they stand on disk."""
    forms = written.made.forms
    return {
        form: written_as(len(forms[form][next(iter(forms[form]))]), (written.folder / name).read_bytes())
        for form, name in FILES.items()
    }


def test_sources_are_named_only_where_they_are_known(made, profile):
    assert len(sources_of(profile)) > 50
    assert sources_of(replace(profile, inputs={})) == ()
    record = year_record(subject(made[2023].made), looked_at(made[2023]), ())
    assert (record["isBasedOn"], record["dct:source"]) == ([], [])


# -- Data Package -----------------------------------------------------------------------------------------------


def checked(folder):
    """Return what Frictionless says of a package, having found its descriptor sound."""
    frictionless = pytest.importorskip("frictionless")
    report = frictionless.Package(str(folder / "datapackage.json")).validate()
    assert not report.errors
    return report


def test_frictionless_finds_the_package_valid(year):
    report = checked(year.folder)
    assert report.valid, report.to_summary()
    assert len(report.tasks) == len(FILES)


WRONG = [
    ("episode", "LEGAL_STATUS_CODE", "X9", "constraint-error"),
    ("episode", "LEGAL_STATUS_CODE", "", "constraint-error"),
    ("episode", "YEAR_CODE", "202122", "constraint-error"),
    ("episode", "PLACEMENT_POSTCODE", "NOWHERE", "constraint-error"),
    ("episode", "EPISODE_START_DATE", "2022-04-01", "type-error"),
    ("episode", "SYSTEM_ID", "SYN0000000", "foreign-key"),
    ("care_leaver", "SYSTEM_ID", "SYN0000000", "foreign-key"),
    ("child", "UPN", "P66000", "constraint-error"),
    ("crcs", "HOME_POSTCODE", "CF99 9ZZ", "foreign-key"),
    ("crcs", "CHILD_CODE", "12345", "constraint-error"),
]


def test_frictionless_finds_what_is_wrong(made, tmp_path):
    folder = shutil.copytree(made[2023].folder, tmp_path / "2023")
    rows = {form: (folder / name).read_text("utf-8").splitlines() for form, name in FILES.items()}
    for n, (form, item, value, _) in enumerate(WRONG, start=1):
        cells = rows[form][n].split(",")
        cells[rows[form][0].split(",").index(item)] = value
        rows[form][n] = ",".join(cells)
    rows["adoption"].append(rows["adoption"][1])
    for form, lines in rows.items():
        (folder / FILES[form]).write_text("\n".join([*lines, ""]), "utf-8", newline="\n")
    report = checked(folder)
    found = {
        (task.place, error.type, getattr(error, "row_number", 0)) for task in report.tasks for error in task.errors
    }
    for n, (form, _, _, error) in enumerate(WRONG, start=1):
        # Rows are numbered as lines of the file.
        assert (FILES[form], error, n + 1) in found
        assert (FILES[form], "hash-count", 0) in found
    assert (FILES["adoption"], "primary-key", len(rows["adoption"])) in found
    assert (FILES["adoption"], "row-count", 0) in found


def test_fields_are_the_items_and_keys_hold(year):
    package = told(year.folder, "datapackage.json")
    assert [resource["path"] for resource in package["resources"]] == list(FILES.values())
    for resource in package["resources"]:
        frame, schema = text(year.folder, resource["path"]), resource["schema"]
        assert [field["name"] for field in schema["fields"]] == frame.columns
        assert resource["rows"] == frame.height
        assert all(field["title"] and field["title@cy"] for field in schema["fields"])
        for keys in schema.get("uniqueKeys", []):
            filled = frame.select(keys).drop_nulls()
            assert filled.height > 0
            assert filled.is_unique().all()
    assert sum("foreignKeys" in resource["schema"] for resource in package["resources"]) == 5


def test_codes_have_their_meaning_beside_them(year):
    package = told(year.folder, "datapackage.json")
    fields = {f["name"]: f for resource in package["resources"] for f in resource["schema"]["fields"]}
    legal = fields["LEGAL_STATUS_CODE"]
    assert {"value": "C2", "label": "Full care order (s31 Children Act 1989)"} in legal["categories"]
    assert [category["value"] for category in legal["categories"]] == legal["constraints"]["enum"]
    assert legal["title@cy"] == "Statws cyfreithiol"
    assert "EPISODE_END_DATE is filled" in fields["REASON_EPISODE_FINISHED_CODE"]["description"]
    assert "Asked from age 10 on 31 March, otherwise 80." in fields["YOUTH_OFFENDING"]["description"]
    assert ("PLAN_START_DATE" in fields) == (year.made.year == 2024)


def test_a_projection_is_called_one(made, profile, tmp_path):
    year = made[2024].made
    object.__setattr__(projected := type(year)(2025, year.authorities, year.forms), "world", 6)
    for name in FILES.values():
        shutil.copy(made[2024].folder / name, tmp_path)
    beside(profile)(projected, tmp_path)
    package = told(tmp_path, "datapackage.json")
    assert package["projection"].startswith("Projection: no guidance of this year was seen")
    assert package["name"] == "synthetic-childrens-social-care-2025-world-7"
    assert package["title"].endswith("Year to 31 March 2025, world 7")


# -- SDV --------------------------------------------------------------------------------------------------------


def test_the_metadata_for_sdv_is_what_its_specification_says(year):
    metadata = told(year.folder, "metadata/sdv.json")
    assert set(metadata) == {"tables", "relationships", "METADATA_SPEC_VERSION"}
    assert metadata["METADATA_SPEC_VERSION"] == "V2"
    with_more = {"datetime": {"datetime_format"}, "id": {"regex_format"}, "postcode": {"pii"}}
    frames = {name: text(year.folder, f"{name}.csv") for name in metadata["tables"]}
    assert set(frames) == {name.removesuffix(".csv") for form, name in FILES.items() if form != "postcodes"}
    for name, table in metadata["tables"].items():
        assert list(table["columns"]) == frames[name].columns
        for item, column in table["columns"].items():
            assert column["sdtype"] in {"categorical", "numerical", *with_more}
            assert set(column) == {"sdtype"} | with_more.get(column["sdtype"], set())
            values = frames[name][item].drop_nulls()
            if column["sdtype"] == "datetime":
                assert values.str.to_date(column["datetime_format"]).is_not_null().all()
            if column["sdtype"] == "id":
                assert values.str.contains(f"^{column['regex_format']}$").all()
        if key := table.get("primary_key"):
            assert frames[name][key].is_not_null().all()
            assert frames[name][key].is_unique().all()
    assert len(metadata["relationships"]) == 3
    for one in metadata["relationships"]:
        parent, child = frames[one["parent_table_name"]], frames[one["child_table_name"]]
        assert metadata["tables"][one["parent_table_name"]]["primary_key"] == one["parent_primary_key"]
        assert child[one["child_foreign_key"]].is_in(parent[one["parent_primary_key"]].implode()).all()


def test_sdv_itself_finds_that_metadata_and_files_agree(year):
    metadata = pytest.importorskip("sdv.metadata", reason="needs SDV")
    from sdv.io.local import CSVHandler

    found = metadata.Metadata.load_from_json(str(year.folder / "metadata/sdv.json"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found.validate()
        found.validate_data(CSVHandler().read(str(year.folder)))


def test_days_in_parquet_files_have_no_format():
    tables = sdv_metadata(2023, "census_date", parquet=True)["tables"].values()
    columns = [column for table in tables for column in table["columns"].values()]
    days = [column for column in columns if column["sdtype"] == "datetime"]
    items = [
        item for name in ("cla", "crcs") for form in load(name, 2023).forms for item in load(name, 2023).items(form)
    ]
    assert days == [{"sdtype": "datetime"}] * sum(item.type == "date" for item in items)


# -- the catalogue record ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graph(made):
    rdflib = pytest.importorskip("rdflib")
    place = (made[2023].folder / "metadata/dcat.jsonld").as_uri()
    return rdflib.Graph().parse(made[2023].folder / "metadata/dcat.jsonld", format="json-ld", publicID=place)


def asked(graph, query):
    names = {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/", "s": "https://schema.org/",
             "spdx": "http://spdx.org/rdf/terms#"}  # fmt: skip
    return [tuple(str(cell) for cell in row) for row in graph.query(query, initNs=names)]


def test_the_record_describes_every_file(graph, made):
    found = asked(
        graph,
        """SELECT ?url ?size ?sum WHERE { ?d a dcat:Dataset, s:Dataset ; dcat:distribution ?f ; s:distribution ?f .
        ?f dcat:accessURL ?url ; dcat:byteSize ?size ; spdx:checksum/spdx:checksumValue ?sum ; s:sha256 ?sha ;
        dcat:mediaType <https://www.iana.org/assignments/media-types/text/csv> . FILTER(str(?sha) = str(?sum)) }""",
    )
    folder = made[2023].folder
    contents = {(folder / name).as_uri(): (folder / name).read_bytes() for name in FILES.values()}
    assert sorted(found) == sorted(
        (url, str(len(content)), hashlib.sha256(content).hexdigest()) for url, content in contents.items()
    )


def test_the_record_says_what_when_where_and_whence(graph, profile):
    assert asked(graph, "SELECT (lang(?t) as ?l) ?t WHERE { ?d a dcat:Dataset ; dct:title ?t } ORDER BY ?l") == [
        ("cy", "Cofnodion gofal cymdeithasol plant synthetig, Blwyddyn hyd 31 Mawrth 2023"),
        ("en", "Synthetic children's social care records, Year to 31 March 2023"),
    ]
    span = "SELECT ?a ?b WHERE { ?d dct:temporal ?t . ?t dcat:startDate ?a ; dcat:endDate ?b }"
    assert asked(graph, span) == [("2022-04-01", "2023-03-31")]
    assert asked(graph, "SELECT ?c ?n WHERE { ?d dct:spatial ?p . ?p s:identifier ?c ; s:name ?n } ORDER BY ?c ?n") == [
        ("W06000020", "Torfaen"), ("W06000020", "Torfaen"), ("W06000024", "Merthyr Tudful"),
        ("W06000024", "Merthyr Tydfil"),
    ]  # fmt: skip
    sources = asked(graph, "SELECT DISTINCT ?s WHERE { ?d dct:source ?s ; s:isBasedOn ?s . ?s s:name ?n }")
    assert len(sources) == len({source.address or source.title for source in sources_of(profile)})
    makers = asked(graph, "SELECT ?n ?k WHERE { ?d dct:creator ?a ; s:creator ?a . ?a s:name ?n ; a ?k }")
    assert {name for name, _ in makers} == {"synth"}
    assert "https://schema.org/SoftwareApplication" in {kind for _, kind in makers}


def test_the_record_has_the_shape_of_dcat_ap(graph):
    pyshacl = pytest.importorskip("pyshacl")
    assert pyshacl.validate(graph, shacl_graph=SHAPES, shacl_graph_format="turtle")[0]
    for lost in ("http://purl.org/dc/terms/title", "http://www.w3.org/ns/dcat#accessURL"):
        poorer = type(graph)()
        for triple in graph:
            if str(triple[1]) != lost:
                poorer.add(triple)
        assert not pyshacl.validate(poorer, shacl_graph=SHAPES, shacl_graph_format="turtle")[0], lost


def test_all_of_wales_is_one_place(made):
    wales = subject(made[2023].made)._replace(authorities=tuple(parse_authorities("22")))
    (place,) = year_record(wales, looked_at(made[2023]), ())["spatialCoverage"]
    assert (place["identifier"], place["name"][1]["@value"]) == ("W92000004", "Cymru")
