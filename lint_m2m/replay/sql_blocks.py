"""Procedural blocks: PostgreSQL's ``DO $$ … $$``, Oracle's ``BEGIN … END;``, MariaDB's ``BEGIN NOT ATOMIC … END``.

The statements inside are read one by one, and what depends on a condition, a loop or an exception handler is marked so.
This is not an interpreter: variables are not followed, and SQL that is put together at run time is unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from lint_m2m.replay.sql_cursor import Cursor, NotReadError, words
from lint_m2m.replay.sql_lexer import Kind, mentions
from lint_m2m.replay.sql_values import Harmless, SqlEffect, Unreadable
from lint_m2m.values import replace

# Statements of the procedural languages that change no table.
_CONTROL: Final = words(
    "RAISE RETURN NULL OPEN FETCH CLOSE MOVE GET EXIT CONTINUE ASSERT PRAGMA GOTO LEAVE ITERATE SIGNAL RESIGNAL "
    "TYPE SUBTYPE CURSOR"
)

# What reads one plain statement, and a text of statements: `lint_m2m.replay.sql` passes itself in.
StatementReader = Callable[[Cursor], list[SqlEffect]]
TextReader = Callable[[str], list[SqlEffect]]


def read_block(at: Cursor, statement: StatementReader, text: TextReader) -> list[SqlEffect]:
    """The effects of the block in `at`: an optional ``DECLARE`` part, ``BEGIN``, statements, ``END``."""
    return list(_Block(at, statement, text).effects())


class _Block:
    def __init__(self, at: Cursor, statement: StatementReader, text: TextReader) -> None:
        self.at = at
        self.statement = statement
        self.text = text
        self.open: list[str] = []  # BEGIN, IF, LOOP, CASE around the statement
        self.declaring = False
        # A handler undoes what its block did, so that nothing in it is certain; after a RETURN under a condition, what
        # follows is not.
        self.uncertain = any(
            at.tokens[index].word == "EXCEPTION" and at.tokens[index + 1].word == "WHEN"
            for index in range(at.position, at.end - 1)
        )

    def effects(self) -> Iterator[SqlEffect]:
        for part in self.at.split(";"):
            if not self.control(part):
                continue
            conditional = self.uncertain or any(word != "BEGIN" for word in self.open)
            if conditional and part.word() in ("RETURN", "LEAVE"):
                self.uncertain = True
            for effect in self.plain(part):
                if isinstance(effect, Harmless):
                    continue
                yield replace(effect, conditional=True) if conditional else effect

    def control(self, at: Cursor) -> bool:
        """Step over the control structure that `at` begins with; whether a statement is left."""
        while not at.done:
            word = at.word()
            if word == "<<":  # <<label>>
                self.skip_behind(at, ">>")
            elif word == "DECLARE":
                self.declaring = True
                at.position += 1
            elif word == "BEGIN":
                self.declaring = False
                self.open.append("BEGIN")
                at.position += 1
                at.accept("NOT", "ATOMIC")
            elif self.declaring:
                return False
            elif word in ("IF", "CASE"):
                self.open.append(word)
                self.skip_behind(at, "THEN")
            elif word in ("ELSIF", "ELSEIF", "WHEN"):
                self.skip_behind(at, "THEN")
            elif word in ("ELSE", "EXCEPTION", "LOOP"):
                if word == "LOOP":
                    self.open.append("LOOP")
                at.position += 1
            elif word in ("FOR", "FOREACH", "WHILE"):
                self.open.append("LOOP")
                self.skip_behind(at, "LOOP", "DO")
            elif word == "END":
                if self.open:
                    self.open.pop()
                return False
            else:
                return True
        return False

    def skip_behind(self, at: Cursor, *words: str) -> None:
        """Behind the next of `words` that belongs to no ``CASE`` expression."""
        cases = 0
        at.position += 1
        while not at.done:
            word = at.word()
            at.position += 1
            if word == "CASE":
                cases += 1
            elif word == "END" and cases:
                cases -= 1
            elif word in words and not cases:
                return

    def plain(self, at: Cursor) -> list[SqlEffect]:
        word = at.word()
        if word in _CONTROL or at.word(1) in (":=", "="):
            return self.calls(at)
        if word == "PERFORM":
            return self.calls(at)
        if word == "SELECT" and at.find("INTO") is not None:
            return self.calls(at)  # into a variable
        if word in ("EXECUTE", "EXEC"):
            return self.dynamic(at)
        if word in ("INSERT", "REPLACE") and "LOOP" in self.open and at.find("VALUES") is not None:
            return [self.unreadable(at, "rows are inserted in a loop")]
        try:
            return self.statement(at)
        except NotReadError as error:
            return [self.unreadable(at, error.reason, open=error.open)]

    def calls(self, at: Cursor) -> list[SqlEffect]:
        """Whether a function that the same text created is called."""
        for index in range(at.position, at.end):
            body = at.context.routines.get(at.tokens[index].value.lower())
            if body is not None:
                return [self.unreadable(at, "calls a function that is made in the same text", names=body)]
        return []

    def dynamic(self, at: Cursor) -> list[SqlEffect]:
        at.position += 1
        at.accept("IMMEDIATE")
        token = at.token()
        following = at.word(1)
        if token is not None and token.kind is Kind.STRING and following in ("", "INTO", "USING"):
            return self.text(token.value)
        return [self.unreadable(at, "SQL that is put together at run time", open=True)]

    def unreadable(
        self, at: Cursor, reason: str, *, open: bool = False, names: frozenset[str] = frozenset()
    ) -> Unreadable:
        """Names are those of the whole block: what a statement gets may come from a variable or a loop."""
        return Unreadable(text=excerpt(at), names=names | words_of(self.at), reason=reason, open=open)


def words_of(at: Cursor) -> frozenset[str]:
    """Every word in the tokens, in lower case, string constants included."""
    if at.done:
        return frozenset()
    tokens = at.tokens[at.position : at.end]
    return mentions(at.source[tokens[0].start : tokens[-1].end])


def excerpt(at: Cursor, length: int = 120) -> str:
    """The statement in one line, cut where it gets long."""
    text = at.within(at.start, min(at.end, at.start + length)).plain_text()
    return text if len(text) <= length else text[: length - 1] + "…"
