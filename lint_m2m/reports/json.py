"""The JSON form of docs/json.md: the same keys in the same order, UTF-8, the same bytes for the same input."""

from __future__ import annotations

import json
import re
from typing import Final

from lint_m2m import __version__
from lint_m2m.finding import Finding, Related, Report, Sequence, SequenceStep
from lint_m2m.reports.options import RenderOptions

SCHEMA: Final = 1

# JSON allows these raw, terminals and UTF-8 do not take them well: DEL and C1 controls, direction marks and other
# invisible signs, line separators, lone surrogates (from file names and string literals).
_INVISIBLE: Final = re.compile(
    "[\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb]"
)


def render(report: Report, options: RenderOptions) -> str:
    """The whole report as one document."""
    summary = report.summary
    document = {
        "schema": SCHEMA,
        "tool": {"name": "lint-m2m", "version": __version__},
        "summary": {
            "apps": summary.apps,
            "migrations": summary.migrations,
            "unread": summary.unread,
            "error": summary.error,
            "warning": summary.warning,
            "info": summary.info,
        },
        "findings": [finding_as_json(finding) for finding in report.findings],
    }
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _INVISIBLE.sub(lambda match: f"\\u{ord(match.group()):04x}", text) + "\n"


def finding_as_json(finding: Finding) -> dict[str, object]:
    """One element of ``findings``."""
    span = finding.location.span
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "certainty": finding.certainty.value,
        "message": finding.message,
        "path": finding.location.path,
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
        "app_label": finding.app_label,
        "migration": finding.migration,
        "operation": finding.operation,
        "field": finding.field,
        "runtime_error": finding.runtime_error,
        "related": [_related(related) for related in finding.related],
        "notes": list(finding.notes),
        "fingerprint": finding.fingerprint,
        "sequences": [sequence_as_json(sequence) for sequence in finding.sequences],
    }


def _related(related: Related) -> dict[str, object]:
    location = related.location
    return {
        "path": location.path,
        "line": location.span.line,
        "column": location.span.column,
        "message": related.message,
    }


def sequence_as_json(sequence: Sequence) -> dict[str, object]:
    """One element of ``sequences``."""
    return {
        "id": sequence.id,
        "title": sequence.title,
        "why": sequence.why,
        "downtime": sequence.downtime.value,
        "applicability": sequence.applicability.value,
        "recommended": sequence.recommended,
        "steps": [_step(step) for step in sequence.steps],
        "caveats": list(sequence.caveats),
        "verify": sequence.verify,
    }


def _step(step: SequenceStep) -> dict[str, object]:
    return {
        "title": step.title,
        "path": step.path,
        "language": step.language,
        "code": step.code,
        "deploy_before_next": step.deploy_before_next,
    }
