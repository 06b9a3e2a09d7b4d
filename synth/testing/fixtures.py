"""Fixtures that pytest offers wherever synth is installed; they add nothing else to a session.

    def test_the_portal_takes_a_good_file(synth_return):
        assert portal.upload(synth_return.files["episode"]).accepted

    @pytest.mark.parametrize("synth_spoilt_return", ["CLA053", "CRCS-024"], indirect=True)
    def test_the_portal_finds(synth_spoilt_return):
        assert not synth_spoilt_return.missed(portal.upload(synth_spoilt_return.folder).findings)

Every test gets files of its own; what was made once in a session is remembered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from synth.testing import small_return, spoilt_return

if TYPE_CHECKING:
    from collections.abc import Callable

    from synth.testing.returns import ReturnFiles, SpoiltFiles

__all__ = ["make_synth_return", "make_synth_spoilt_return", "synth_return", "synth_spoilt_return"]


@pytest.fixture(scope="session")
def make_synth_return(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., ReturnFiles]:
    """Return what makes valid returns: `make_synth_return(year=2019, authority="Powys")`.

    Arguments are those of synth.testing.small_return; each call writes into a new folder.
    """

    def make(**options: Any) -> ReturnFiles:  # noqa: ANN401  as small_return takes them
        return small_return(tmp_path_factory.mktemp("synth_return"), **options)

    return make


@pytest.fixture(scope="session")
def make_synth_spoilt_return(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., SpoiltFiles]:
    """Return what makes spoilt returns: `make_synth_spoilt_return(rules=["CLA053"])`.

    Arguments are those of synth.testing.spoilt_return; each call writes into a new folder.
    """

    def make(**options: Any) -> SpoiltFiles:  # noqa: ANN401  as spoilt_return takes them
        return spoilt_return(tmp_path_factory.mktemp("synth_spoilt_return"), **options)

    return make


@pytest.fixture
def synth_return(request: pytest.FixtureRequest, make_synth_return: Callable[..., ReturnFiles]) -> ReturnFiles:
    """Both census returns of one small Welsh authority, wholly synthetic and valid: folder, files by form, frames.

    Indirect parameters: a year, the name of an authority, or a dict of arguments of synth.testing.small_return.
    """
    return make_synth_return(**_options(request, "authority"))


@pytest.fixture
def synth_spoilt_return(
    request: pytest.FixtureRequest, make_synth_spoilt_return: Callable[..., SpoiltFiles]
) -> SpoiltFiles:
    """Return the same files with known mistakes: answers, what a checker must find, what it missed.

    Indirect parameters: a year, the id of a rule to be broken, or a dict of arguments of synth.testing.spoilt_return.
    """
    return make_synth_spoilt_return(**_options(request, "rules"))


def _options(request: pytest.FixtureRequest, text: str) -> dict[str, Any]:
    """Return the arguments a test gives a fixture: a dict of them, a year, or the one called `text`."""
    given = getattr(request, "param", {})
    if isinstance(given, dict):
        return given
    return {"year" if isinstance(given, int) else text: given}
