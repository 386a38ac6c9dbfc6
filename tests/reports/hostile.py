"""A report in which every text that comes from a project is an attack on some format."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lint_m2m.finding import Certainty, Report
from tests.reports.examples import KEEP_TABLE, THROUGH_ADDED, report

CONTROLS = "\x1b[31m\x07\x9b2J\x00\x7f\r\n\t\x0b\x85\u2028\u2029"
UNICODE = "\u202e\u2066\u200b\ufeff\ud800\udfff\ufffe\uffff\U000e0041图\U0010ffff"
GITHUB = "\n::error::a%0A::add-mask::b\n##[error]c\n::stop-commands::d,line=1:e"
MARKUP = "[bold red]x[/bold red] [/] [link=https://evil.example]y[/link]"
XML = "]]>&lt;<!-- --><![CDATA[ </failure><script>alert(1)</script> \"'&amp;&#0; <img src=x onerror=alert(1)>"
MARKDOWN = (
    "``` `` ` </details> [click](https://evil.example) ![x](https://evil.example/x.png) <https://evil.example> "
    "https://evil.example www.evil.example @everyone #1 | a | **b** _c_ $d$ ~~e~~ \\\n# heading\n\n---\n- item\n> q"
)
BRACES = "{0} {name} %s ${{ github.token }} $(id) `id`"
ALL = (CONTROLS, UNICODE, GITHUB, MARKUP, XML, MARKDOWN, BRACES)


def hostile_report(root: Path, text: str) -> Report:
    """A report with `text` in every place where a text from a project may stand."""
    step = replace(KEEP_TABLE.steps[0], title=text, path=f"a/{text}.py", code=f"x = 1\n{text}\n```\n")
    sequence = replace(KEEP_TABLE, title=text, why=text, steps=(step, replace(step, path=None)), caveats=(text,))
    location = THROUGH_ADDED.location
    finding = replace(
        THROUGH_ADDED,
        message=f"`AlterField` of `{text}`",
        certainty=Certainty.LIKELY,
        reason=text,
        label=text,
        location=location._replace(path=f"a/{text}.py"),
        app_label=text,
        migration=text,
        field=text,
        runtime_error=text,
        related=(replace(THROUGH_ADDED.related[0], message=text, location=location._replace(path=text)),),
        notes=(text,),
        sequences=(replace(sequence, verify=text), replace(sequence, recommended=False)),
    )
    return report(root, finding, THROUGH_ADDED)
