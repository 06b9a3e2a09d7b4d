"""Rules explained: what each says and why, with an example that passes and one that fails."""

from synth.explain.examples import Example, example
from synth.explain.pages import explained, listed, pages, to_json

__all__ = ["Example", "example", "explained", "listed", "pages", "to_json"]
