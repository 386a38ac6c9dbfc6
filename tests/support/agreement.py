"""Does lint-m2m say what real Django does? The comparison, for fixtures and for random histories alike.

`disagreements` takes the report of one project and the judge's outcome of the same project on the same database, and
lists every point where they part:

- the first exception: the operation, the type and the text; a predicted one that does not come;
- a field that loses its rows for good, without a finding that says so at the operation to blame; a certain claim of a
  loss that does not happen there;
- a table, a column, a unique set or a primary key of a many-to-many that differs at the end (or a link table without a
  model) without a finding on that field at the operation where it began, or the finding without the difference.

Every place where less is demanded than that has its reason beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lint_m2m.finding import Certainty, Finding, Report
from lint_m2m.rules.loss import PAIR_WINDOW
from lint_m2m.rules.mtm204_relation_replaced import alike
from tests.judge import Drift, FieldKey, Loss, Outcome, Place

# Exceptions whose text names rows, which only the database knows: their type is compared, not their text.
ROW_ERRORS = ("IntegrityError",)
LOSS_CODES = ("MTM201", "MTM202", "MTM204")
# The kinds of drift that each code speaks of.
DRIFT_CODES = {
    "missing-table": "MTM301",
    "missing-column": "MTM302",
    "unique-undeclared": "MTM303",
    "unique-missing": "MTM303",
    "unique-misnamed": "MTM303",
    "pk-type": "MTM304",
    "orphan-table": "MTM305",
}
# PostgreSQL adds the place in the statement to what it says of a query.
_POSITION = " LINE 1: "
CLAIMS = ("predicted, ", "a loss is claimed ", "drift is claimed ")


def disagreements(report: Report, outcome: Outcome, *, claims_only: bool = False) -> list[str]:
    """Every point where `report` and `outcome` part, in words; empty when they agree.

    `claims_only` is for projects that cannot be read whole: what is not claimed is not missed there.
    """
    case = _Case(report, outcome)
    found = [*case.exceptions(), *case.losses(), *case.drifts()]
    return [text for text in found if text.startswith(CLAIMS)] if claims_only else found


def disagreements_apart(report: Report, outcome: Outcome) -> list[str]:
    """The same where each migration runs in a process of its own (`judge.run` with `fresh_process`), for histories that
    delete a `through` model too early: whether Django can render the state before each of them."""
    raised = outcome.raised
    unrenderable = raised is not None and raised.phase == "render"
    findings = [finding for finding in report.findings if finding.code == "MTM105" or _alone(finding)]
    # One cause, one finding: the migration may be one that fails in any case.
    failing = [_place(finding)._replace(operation=None) for finding in report.findings if finding.runtime_error]
    if raised is not None and unrenderable and not findings and raised.place not in failing:
        return [f"raises while the state is rendered, without a finding: {raised}"]
    # What comes after the first exception has not run, and nothing after the end.
    stop = outcome.plan[-1:] if raised is None else outcome.plan[outcome.plan.index(raised.place[:2]) :]
    return [
        f"predicted, but every state can be rendered: {_told(finding)}"
        for finding in findings
        if finding.runtime_error is None and (finding.app_label, finding.migration) not in stop and not unrenderable
    ]


@dataclass(frozen=True, slots=True)
class _Case:
    report: Report
    outcome: Outcome

    # Exceptions

    def exceptions(self) -> Iterator[str]:
        predicted = [finding for finding in self.report.findings if finding.runtime_error is not None]
        certain = [finding for finding in predicted if finding.certainty is Certainty.CERTAIN]
        raised = self.outcome.raised
        if raised is None:
            for finding in certain:
                yield f"predicted, but nothing raises: {_told(finding)}"
            return
        for finding in certain:
            if self._order(_place(finding)) < self._order(raised.place):
                yield f"predicted, but it ran: {_told(finding)}"
        if raised.phase == "render":
            # Django renders the state of the whole migration before its first operation: which one is to blame is not
            # to be had from it.
            if not any(finding.code == "MTM105" for finding in self.report.findings):
                yield f"raises while the state is rendered, without a finding: {raised.place}: {raised}"
            return
        here = [finding for finding in predicted if _place(finding) == raised.place]
        if not here and raised.phase == "code" and self._table_reported(str(raised)):
            # What code reads cannot be told for certain; that the first query fails is what those findings say.
            return
        if not here:
            yield f"raises without a finding: {raised.place}: {raised}"
        elif raised.type in ROW_ERRORS:
            if not any(str(finding.runtime_error).startswith(raised.type) for finding in here):
                yield f"raises {raised} at {raised.place}, predicted: {[finding.runtime_error for finding in here]}"
        elif not any(_exception(finding) == str(raised).partition(_POSITION)[0] for finding in here):
            yield f"raises {raised} at {raised.place}, predicted: {[finding.runtime_error for finding in here]}"

    def _table_reported(self, exception: str) -> bool:
        """Whether the exception is about a table of which a finding says that it does not exist."""
        missing = [drift.table for drift in self.outcome.drift_at_end if drift.kind == "missing-table"]
        return any(
            finding.code in ("MTM106", "MTM301") and f"`{table}`" in finding.message
            for finding in self.report.findings
            for table in missing
            if table in exception
        )

    # Losses

    def losses(self) -> Iterator[str]:
        for loss in self.outcome.losses:
            if self._demanded(loss) and not any(self._explains(finding, loss) for finding in self.report.findings):
                yield f"loses {'values' if loss.how == 'retyped' else 'rows'} without a finding: {loss}"
        # One that is healed later, or in what did not run any more, is none.
        real = [loss for loss in self.outcome.losses if loss.healed is None]
        for finding in self.report.findings:
            if finding.code not in LOSS_CODES or finding.certainty is not Certainty.CERTAIN:
                continue
            if self.outcome.raised is not None and self._order(_place(finding)) >= self._order(self._end):
                continue  # it did not run
            if not any(_accuses(finding, loss) for loss in real):
                yield f"a loss is claimed that does not happen: {_told(finding)}"

    def _demanded(self, loss: Loss) -> bool:
        if loss.healed is not None or loss.how == "data":
            return False
        # The field went within the time that it takes to make such a change: somebody may have wanted the loss.
        if loss.ended is not None:
            return False
        # What would have healed it may be in what did not run.
        if loss.open_end or self._failed_soon_after(loss.place):
            return False
        # One cause, one finding: an operation that fails is not also reported for what would follow from it.
        if self.outcome.raised is not None and loss.place.top == self.outcome.raised.place.top:
            return False
        # A change of type is told from two fields that have nothing to do with each other by their names.
        return loss.how != "retyped" or self._names_alike(loss)

    def _failed_soon_after(self, place: Place) -> bool:
        """Whether the migration that failed is one of those in which the loss could have been healed."""
        if self.outcome.raised is None or self.outcome.raised.place.app_label != place.app_label:
            return False
        own = [name for app_label, name in self.outcome.plan if app_label == place.app_label]
        return own.index(self.outcome.raised.place.migration) - own.index(place.migration) <= PAIR_WINDOW

    def _explains(self, finding: Finding, loss: Loss) -> bool:
        """Whether the finding says that these rows are lost."""
        if _accuses(finding, loss):
            return True
        if _field(finding) != loss.field:
            return False
        match loss.how:
            case "unreadable":
                # The table or column that the field looks at does not exist, or its through model does not. Where a
                # later operation fails because of that, one finding says both.
                return finding.code in ("MTM105", "MTM106", "MTM301", "MTM302")
            case "stranded":
                # The rows are in a table that no model has.
                return finding.code == "MTM305"
            case "gone":
                # Dropped under the field: MTM301 points at what took its table away; MTM105 says that its model is
                # gone, there or where that is noticed. Where it is made anew in the state alone, MTM301 points there.
                return finding.code == "MTM105" or (
                    finding.code == "MTM301" and self._order(_place(finding).top) >= self._order(loss.place.top)
                )
            case _:
                return False

    def _names_alike(self, loss: Loss) -> bool:
        assert loss.removed is not None
        step = next(step for step in self.outcome.steps if step.place == loss.removed.top)
        gone = {key.name for key, _ in step.before} - {key.name for key, _ in step.after}
        return any(alike(loss.field.name, name) for name in gone)

    # Drift

    def drifts(self) -> Iterator[str]:
        # What is different when the run fails may be put right in what did not run.
        if self.outcome.raised is not None:
            return
        there = [drift for drift in self.outcome.drift_at_end if drift.kind in DRIFT_CODES]
        for drift in there:
            for field in drift.fields or (None,):
                if self._wanted(drift, field) and not any(
                    _names(finding, drift, field) for finding in self.report.findings
                ):
                    yield f"{DRIFT_CODES[drift.kind]} is missing for {field or drift.table}: {drift}"
        for finding in self.report.findings:
            if finding.code not in DRIFT_CODES.values() or finding.certainty is not Certainty.CERTAIN:
                continue
            if finding.code == "MTM304" and self.outcome.vendor == "sqlite":
                continue  # it has one integer type: nothing to measure
            if not any(_names(finding, drift, field) for drift in there for field in drift.fields or (None,)):
                yield f"drift is claimed that is not there: {_told(finding)}"

    def _wanted(self, drift: Drift, field: FieldKey | None) -> bool:
        """Whether there has to be a finding for this drift as seen by this field."""
        codes = {finding.code for finding in self.report.findings if field is None or _field(finding) == field}
        match drift.kind:
            case "orphan-table":
                # Copied, and only left to be dropped later; or the finding on the loss says where the rows are.
                return not self._copied(drift.table) and not self._said_elsewhere(drift.table)
            case "missing-table":
                return field is not None
            case "missing-column":
                # A field of a class with columns of its own.
                return field is not None and "MTM205" not in codes
            case "pk-type":
                # What automatic keys are is a setting: the judge makes one up for projects of nothing but migrations.
                return False
            case _:
                # The columns of the set are not there: that says it all.
                return field is not None and not codes & {"MTM205", "MTM301", "MTM302"}

    def _copied(self, table: str) -> bool:
        """Whether the links that the orphaned table held when last used were visible elsewhere afterwards."""
        used = [
            (index, view.pairs)
            for index, step in enumerate(self.outcome.steps)
            for _, view in step.before
            if view.table == table and view.pairs
        ]
        if not used:
            return False
        last, pairs = used[-1]
        return any(
            view.table != table and view.pairs is not None and pairs <= view.pairs
            for step in self.outcome.steps[last:]
            for _, view in step.after
        )

    def _said_elsewhere(self, table: str) -> bool:
        """Whether the finding on the loss names the table, or one on a field that used it says it looks at nothing."""
        users = {key for step in self.outcome.steps for key, view in step.before if view.table == table}
        return any(
            (finding.code == "MTM105" and _field(finding) in users)
            or (finding.code in (*LOSS_CODES, "MTM301") and any(f"`{table}`" in text for text in _texts(finding)))
            for finding in self.report.findings
        )

    # Order

    @property
    def _end(self) -> Place:
        assert self.outcome.raised is not None
        return self.outcome.raised.place

    def _order(self, place: Place) -> tuple[int, tuple[tuple[int, str], ...]]:
        """A key that sorts places as they run."""
        rank = {key: index for index, key in enumerate(self.outcome.plan)}
        steps = () if place.operation is None else tuple(_part(part) for part in place.operation.split("."))
        return rank.get((place.app_label, place.migration), len(rank)), steps


def _part(part: str) -> tuple[int, str]:
    return (int(part), "") if part.isdigit() else (-1, part)


def _accuses(finding: Finding, loss: Loss) -> bool:
    """Whether the finding claims this loss: of this field, at the operation to blame."""
    if finding.code == "MTM204":
        return loss.how == "retyped" and _place(finding) == loss.removed
    if _field(finding) != loss.field:
        return False
    match finding.code:
        case "MTM201":
            if loss.how == "gone":  # the same migration deletes the old model first; the switch is what is wrong
                return _place(finding)._replace(operation=None) == loss.place._replace(operation=None)
            return loss.how == "stranded" and _place(finding) == loss.place
        case "MTM202":
            return loss.how in ("recreated", "replaced", "gone") and _place(finding) == loss.place
        case _:
            return False


def _names(finding: Finding, drift: Drift, field: FieldKey | None) -> bool:
    """Whether the finding speaks of this drift as seen by this field (``None``: of a table that no field sees)."""
    if finding.code != DRIFT_CODES[drift.kind]:
        return False
    if drift.kind == "orphan-table":
        return f"`{drift.table}`" in finding.message
    if _field(finding) != field or _place(finding).top != drift.began.top:
        return False
    match drift.kind:
        case "missing-table":
            return f"`{drift.table}`" in finding.message
        case "missing-column":
            return f"`{drift.detail}`" in finding.message
        case "unique-undeclared":
            return "does not declare" in finding.message
        case "unique-missing":
            return "has no " in finding.message
        case "unique-misnamed":
            return "declares the constraint" in finding.message
        case _:
            return True


def _alone(finding: Finding) -> bool:
    """Whether it says, beside a loss, that no `migrate` works once its migration has run alone."""
    words = "has run alone, the next `migrate` raises"
    return finding.code == "MTM202" and any(words in note for note in finding.notes)


def _texts(finding: Finding) -> tuple[str, ...]:
    return (finding.message, *finding.notes)


def _place(finding: Finding) -> Place:
    assert finding.app_label is not None
    assert finding.migration is not None
    return Place(finding.app_label, finding.migration, finding.operation)


def _exception(finding: Finding) -> str:
    """The exception as the judge writes it: it has a name for the database, the finding a placeholder."""
    return str(finding.runtime_error).replace("<database>", "DATABASE")


def _field(finding: Finding) -> FieldKey | None:
    return None if finding.field is None else FieldKey(*finding.field.split(".", 2))


def _told(finding: Finding) -> str:
    where = f"{finding.app_label}.{finding.migration}[{finding.operation}]"
    return f"{finding.code} at {where}: {finding.runtime_error or finding.message}"
