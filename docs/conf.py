"""How the documentation site is built: `sphinx-build -W -n docs site`, offline."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from synth import __version__

project = "synth"
release = version = __version__
language = "en-GB"

extensions = ["myst_parser", "made"]
exclude_patterns = ["made"]
myst_enable_extensions = ["deflist"]
# Anchors as code hosts make them, so that a link works in both places.
myst_heading_anchors = 4
nitpicky = True
# What is shown is typed: `--year` stays two hyphens, quotes stay straight.
smartquotes = False

html_theme = "pydata_sphinx_theme"
html_title = "synth"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "collapse_navigation": True,
    "show_prev_next": True,
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
# Pages without neighbours in their section keep the width of the others.
html_sidebars = {"index": [], "tutorial": [], "changelog": [], "contributing": [], "security": [], "releasing": []}
