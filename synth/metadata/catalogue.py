"""The catalogue record: a dataset in the words of schema.org and of DCAT, as JSON-LD, in English and Welsh.

It needs nothing from the network to be read: the vocabularies are named in it. Files are named relative to where the
record stands, one folder below them.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import TYPE_CHECKING, Any

from synth import __version__
from synth.files import FILES
from synth.geography.authorities import all_authorities
from synth.guidance import load
from synth.metadata.described import described
from synth.metadata.origin import LICENCE, PROGRAM, Source, Subject, Written, keywords, title_of
from synth.metadata.words import Text, said
from synth.published import WALES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from synth.geography.authorities import Authority

__all__ = ["worlds_record", "year_record"]

_CONTEXT = {
    "@vocab": "https://schema.org/",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "spdx": "http://spdx.org/rdf/terms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_AREAS = "http://statistics.data.gov.uk/id/statistical-geography/"
_TYPES = "https://www.iana.org/assignments/media-types/"
_LANGUAGES = "http://publications.europa.eu/resource/authority/language/"
_THEME = "http://publications.europa.eu/resource/authority/data-theme/SOCI"
_SHA256 = "spdx:checksumAlgorithm_sha256"
_MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def year_record(
    subject: Subject, written: Mapping[str, Written], sources: Sequence[Source], banner: str = "banner"
) -> dict[str, Any]:
    """Describe a year: a distribution for each file, with size and checksum as `written` tells them.

    `banner` is the key of the words that say what stands behind the files.
    """
    digest = hashlib.sha256("".join(file.sha256 for file in written.values()).encode()).hexdigest()
    distributions = [
        _file(f"../{FILES[form.form]}", form.title, written[form.form])
        for form in described(subject.year, subject.collection)
    ]
    title = title_of((subject.year,), subject.world)
    page = "dictionary.html"
    return _record(digest, title, (subject.year,), subject.authorities, sources, distributions, page, banner)


def worlds_record(
    command: str,
    years: Sequence[int],
    worlds: int,
    codes: Sequence[str],
    form: str,
    sources: Sequence[Source],
    banner: str = "banner",
) -> dict[str, Any]:
    """Describe a dataset of many worlds, made by a command: one distribution, the folder, whose files are `form`.

    What size its files have and how each is known again, its manifests tell. `banner` is as in `year_record`.
    """
    title = title_of(years, worlds=worlds)
    distribution = _place("../", title, _MEDIA[form])
    authorities = [area for area in all_authorities() if area.code in codes]
    digest = hashlib.sha256(f"{__version__} {command}".encode()).hexdigest()
    page = f"{years[-1]}/dictionary.html"
    return _record(digest, title, years, authorities, sources, [distribution], page, banner)


def _record(
    digest: str,
    title: Text,
    years: Sequence[int],
    authorities: Sequence[Authority],
    sources: Sequence[Source],
    distributions: Sequence[dict[str, Any]],
    dictionary: str,
    banner: str,
) -> dict[str, Any]:
    first, last = load("cla", years[0]).first_day.isoformat(), load("cla", years[-1]).last_day.isoformat()
    description = Text(*(f"{behind} {words}" for behind, words in zip(said(banner), said("is_text"), strict=True)))
    areas = _areas(authorities)
    origins = [_source(source) for source in sources]
    files = [_reference(one) for one in distributions]
    return {
        "@context": _CONTEXT,
        # The same files have the same name, wherever they were subject.
        "@id": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'urn:sha256:{digest}')}",
        "@type": ["Dataset", "dcat:Dataset"],
        "name": _languages(title),
        "dct:title": _languages(title),
        "description": _languages(description),
        "dct:description": _languages(description),
        "version": __version__,
        "inLanguage": "en",
        "dct:language": {"@id": f"{_LANGUAGES}ENG"},
        "keywords": [each for word in keywords() for each in _languages(word)],
        "dcat:keyword": [each for word in keywords() for each in _languages(word)],
        "dcat:theme": {"@id": _THEME},
        "license": LICENCE,
        "dct:license": {"@id": LICENCE},
        "creator": _PROGRAM,
        "dct:creator": _reference(_PROGRAM),
        "temporalCoverage": f"{first}/{last}",
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@type": "xsd:date", "@value": first},
            "dcat:endDate": {"@type": "xsd:date", "@value": last},
        },
        "spatialCoverage": areas,
        "dct:spatial": [_reference(area) for area in areas],
        "isBasedOn": origins,
        "dct:source": [_reference(origin) for origin in origins],
        "distribution": list(distributions),
        "dcat:distribution": files,
        "foaf:page": {"@id": dictionary, "@type": "foaf:Document"},
    }


_PROGRAM: dict[str, Any] = {
    "@id": "#synth",
    "@type": ["SoftwareApplication", "prov:SoftwareAgent", "foaf:Agent"],
    "name": PROGRAM,
    "foaf:name": PROGRAM,
    "softwareVersion": __version__,
}


def _file(path: str, title: Text, written: Written) -> dict[str, Any]:
    """Describe one file with its size and checksum."""
    return _place(path, title, _MEDIA["csv"]) | {
        "contentSize": f"{written.size} B",
        "dcat:byteSize": {"@type": "xsd:nonNegativeInteger", "@value": str(written.size)},
        "sha256": written.sha256,
        "spdx:checksum": {
            "@type": "spdx:Checksum",
            "spdx:algorithm": {"@id": _SHA256},
            "spdx:checksumValue": {"@type": "xsd:hexBinary", "@value": written.sha256},
        },
    }


def _place(path: str, title: Text, media: str) -> dict[str, Any]:
    return {
        "@id": f"#{path.removeprefix('../') or 'files'}",
        "@type": ["DataDownload", "dcat:Distribution"],
        "name": _languages(title),
        "dct:title": _languages(title),
        "contentUrl": {"@id": path},
        "dcat:accessURL": {"@id": path},
        "encodingFormat": media,
        "dcat:mediaType": {"@id": f"{_TYPES}{media}"},
        "dct:license": {"@id": LICENCE},
    }


def _areas(authorities: Sequence[Authority]) -> list[dict[str, Any]]:
    """Return Wales where all authorities are there, else each of them, by their ONS codes."""
    if len(authorities) == len(all_authorities()):
        return [_area(WALES, said("wales"))]
    return [_area(area.ons_code, Text(area.name, area.welsh_name)) for area in authorities]


def _area(code: str, name: Text) -> dict[str, Any]:
    return {
        "@id": f"{_AREAS}{code}",
        "@type": ["Place", "dct:Location"],
        "name": _languages(name),
        "identifier": code,
        "dct:identifier": code,
    }


def _source(source: Source) -> dict[str, Any]:
    """Describe a source of published figures; one that has no address is known here only."""
    address = source.address or f"#source-{hashlib.sha256(source.title.encode()).hexdigest()[:12]}"
    return {"@id": address, "@type": "CreativeWork", "name": source.title}


def _reference(node: Mapping[str, Any]) -> dict[str, Any]:
    return {"@id": node["@id"]}


def _languages(text: Text) -> list[dict[str, str]]:
    return [{"@language": "en", "@value": text.en}, {"@language": "cy", "@value": text.cy}]
