"""Findings as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING

from synth import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from synth.doctor.finding import Finding

__all__ = ["to_json", "to_text"]


def to_text(findings: Sequence[Finding]) -> str:
    """Return a line for each finding under the name of its area, the next step below it; ends with the counts."""
    width = max(len(finding.subject) for finding in findings)
    lines: list[str] = []
    area = ""
    for finding in findings:
        if finding.area != area:
            area = finding.area
            lines += ([""] if lines else []) + [area]
        lines.append(f"  {finding.status:<7}  {finding.subject:<{width}}  {finding.found}")
        if finding.next:
            lines.append(f"  {'':<7}  {'':<{width}}  -> {finding.next}")
    counts = Counter(finding.status for finding in findings)
    told = f"{counts['ok']} ok, {counts['note']} to note, {counts['problem']} problems."
    last = "Nothing stands in the way." if not counts["problem"] else "Do what stands after -> and look again."
    return "\n".join([*lines, "", f"{told} {last}", ""])


def to_json(findings: Sequence[Finding]) -> str:
    """Return version, exit code and all findings as JSON in ASCII, whatever is printed to; ends with a line feed."""
    failed = any(finding.status == "problem" for finding in findings)
    told = {"synth": __version__, "exit_code": int(failed), "findings": [asdict(finding) for finding in findings]}
    return json.dumps(told, indent=2) + "\n"
