"""Wholly synthetic records for the Welsh children's social care returns: no real child stands behind any row.

From Python, a year is made in memory, and everything else asked of it:

>>> import synth
>>> year = synth.generate(2023, "Merthyr Tydfil")
>>> year.episode.height
360
>>> year.validate().exit_code
0

`generate_panel` gives several years of the same children, `load` and `load_panel` read back what was written, and
`check` holds anyone's files against the guidance; `synth.testing` has small returns for tests. Nothing heavy is
imported before one of these is asked for.
"""

__version__ = "0.1.0"

# A name type checkers know; importing it from typing would take longer than all else here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from synth import errors, testing
    from synth.api.making import generate, generate_panel
    from synth.api.panel import Panel
    from synth.api.reading import check, load, load_panel
    from synth.api.year import Year
    from synth.errors import InputError, OutputError, ProfileError, SynthError
else:
    # No name here is that of a module of the package, which would take its place once it is imported.
    _HOMES = {
        "Panel": "api.panel",
        "Year": "api.year",
        "check": "api.reading",
        "generate": "api.making",
        "generate_panel": "api.making",
        "load": "api.reading",
        "load_panel": "api.reading",
        "InputError": "errors",
        "OutputError": "errors",
        "ProfileError": "errors",
        "SynthError": "errors",
    }
    _MODULES = ("errors", "testing")

    def __getattr__(name):  # noqa: ANN001, ANN202  type checkers see the names themselves
        """Import what is asked for when it is asked for."""
        import importlib  # noqa: PLC0415

        if name in _MODULES:
            return importlib.import_module(f"synth.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module 'synth' has no attribute {name!r}")
        found = globals()[name] = getattr(importlib.import_module(f"synth.{_HOMES[name]}"), name)
        return found

    def __dir__():  # noqa: ANN202
        return sorted({*globals(), *_MODULES, *_HOMES})


__all__ = [
    "InputError",
    "OutputError",
    "Panel",
    "ProfileError",
    "SynthError",
    "Year",
    "check",
    "errors",
    "generate",
    "generate_panel",
    "load",
    "load_panel",
    "testing",
]
