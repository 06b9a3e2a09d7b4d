"""Nothing leaves the machine: with every way into a network blocked, each command does its work."""

import socket

import pytest
from click.testing import CliRunner

from synth.cli import main
from synth.files import FILES

CONNECTING = ("connect", "connect_ex", "sendto", "sendmsg")
NAMING = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "create_connection", "getnameinfo")


class ReachedOutError(Exception):
    """Raised where something asks for the network; no library takes it for a network that is down."""


@pytest.fixture(scope="module")
def asked():
    """Block connections and names for the module; gives what was asked for, so that nobody can swallow the error."""
    found = []

    def blocked(name):
        def reach_out(*given, **_named):
            found.append((name, given[-1:]))
            raise ReachedOutError(name)

        return reach_out

    with pytest.MonkeyPatch.context() as patch:
        for name in CONNECTING:
            patch.setattr(socket.socket, name, blocked(name))
        for name in NAMING:
            patch.setattr(socket, name, blocked(name))
        yield found


@pytest.fixture(scope="module")
def year(asked, tmp_path_factory):
    """A year of a small authority as `synth generate` writes it."""
    out = tmp_path_factory.mktemp("cut_off")
    run("generate", "--authorities", "Merthyr Tydfil", "--year", 2023, "--out", out, "--format", "parquet")
    assert not asked
    return out / "2023"


def run(*words, code=0):
    result = CliRunner().invoke(main, [str(word) for word in words], catch_exceptions=False)
    assert result.exit_code == code, result.output
    return result.stdout


def test_the_block_holds(asked):
    for ask in (
        lambda: socket.create_connection(("127.0.0.1", 9), 1),
        lambda: socket.getaddrinfo("localhost", 80),
        lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"", ("127.0.0.1", 9)),
        lambda: socket.socket().connect(("127.0.0.1", 9)),
    ):
        with pytest.raises(ReachedOutError):
            ask()
    import urllib.request

    # What other libraries call ends in the same places.
    with pytest.raises(ReachedOutError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open("http://127.0.0.1:9/", timeout=1)
    assert len(asked) == 5
    asked.clear()


COMMANDS = {
    "validate": ("validate", "{year}"),
    "fidelity": ("fidelity", "{year}", "--min-inside", 0),
    "report": ("report", "{year}"),
    "tables": ("tables", "{year}", "--out", "{out}/tables"),
    "spoil": ("spoil", "{year}", "--out", "{out}/spoilt"),
    "show": ("show", "--random", 2, "--from", "{year}"),
    "convert": ("convert", "{year}", "--format", "sqlite", "--out", "{out}/converted"),
    "doctor": ("doctor", "--out", "{out}"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_no_command_asks_for_the_network(asked, year, words, tmp_path):
    assert run(*(str(word).format(year=year, out=tmp_path) for word in words))
    assert asked == []


def test_what_was_made_is_whole(year):
    assert {*FILES.values(), "parquet"} <= {path.name for path in year.iterdir()}
