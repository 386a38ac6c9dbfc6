"""The JSON form of docs/json.md: the same keys in the same order, UTF-8, the same bytes for the same input."""

from __future__ import annotations

import json
import re
from typing import Final

from lint_m2m import __version__
from lint_m2m.finding import Finding, Related, Report, Sequence, SequenceStep
from lint_m2m.reports.options import RenderOptions

SCHEMA: Final = 1

# JSON allows anything raw but C0 controls; see `_as_escape`.
_UNUSUAL: Final = re.compile("[^\n -~]")


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
    return document_text(document)


def document_text(document: object) -> str:
    """JSON as people and programs can read it, the keys in the order given."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _UNUSUAL.sub(lambda sign: _as_escape(sign.group()), text) + "\n"


def _as_escape(sign: str) -> str:
    """As an escape what terminals and UTF-8 do not take well: controls, direction marks, what is invisible or no
    character, lone surrogates (from file names and string literals). Everything else as it is.
    """
    if sign.isprintable():
        return sign
    if "\ud800" <= sign <= "\udfff":
        return f"\\\\u{ord(sign):04x}"  # half a character is none in JSON either: it is shown
    return json.dumps(sign)[1:-1] if sign != "\x7f" else "\\u007f"


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
