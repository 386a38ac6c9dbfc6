"""Walking over the tokens of one statement: what the grammars in `sql_schema`, `sql_rows` and `sql_blocks` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NoReturn

from lint_m2m.migration import Maybe
from lint_m2m.replay.sql_lexer import Kind, Token, fold, is_placeholder
from lint_m2m.values import NamedTuple, declare, slotted


def words(text: str) -> frozenset[str]:
    """A set of keywords, written as a text."""
    return frozenset(text.split())


class NotReadError(Exception):
    """A statement, or a part of it, that no grammar here reads. Never leaves `read_sql`: it becomes `Unreadable`.

    `open`: the statement may touch tables that it does not name.
    """

    def __init__(self, reason: str, *, open: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.open = open


class Name(NamedTuple):
    """A qualified name, folded."""

    schema: str | None
    name: str


class Rows(NamedTuple):
    """What a query reads: all its tables, those the rows come from first, and those of which every row is in it.

    `columns` are the names of its own columns, in order; ``None`` when they cannot be told (``SELECT *``).
    `qualified` are the tables named with a schema, which may be another one than that of Django's tables.
    """

    tables: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    columns: tuple[str, ...] | None = None
    qualified: frozenset[str] = frozenset()


@slotted()
class Context:
    """What reading a statement needs beside its tokens.

    `query` reads a query (``SELECT``, ``VALUES``, ``TABLE``, a parenthesised one) with the common table expressions in
    scope and the name of the table that the rows go into. `routines` are the functions that the same text created, with
    every word in their body.
    """

    vendor: Maybe[str]
    query: Callable[[str, Mapping[str, Rows], str | None], Rows]
    routines: dict[str, frozenset[str]] = declare(default_factory=dict)


PARAMETER_NAME: Final = "lint_m2m_parameter"


class Cursor:
    """A position in a slice of tokens."""

    __slots__ = ("context", "end", "position", "source", "start", "tokens")

    def __init__(
        self, tokens: Sequence[Token], source: str, context: Context, start: int = 0, end: int | None = None
    ) -> None:
        self.tokens = tokens
        self.source = source
        self.context = context
        self.start = self.position = start
        self.end = len(tokens) if end is None else end

    @property
    def done(self) -> bool:
        return self.position >= self.end

    def word(self, ahead: int = 0) -> str:
        """The keyword or punctuation `ahead` tokens further; empty at the end and for everything else."""
        index = self.position + ahead
        return self.tokens[index].word if index < self.end else ""

    def token(self, ahead: int = 0) -> Token | None:
        index = self.position + ahead
        return self.tokens[index] if index < self.end else None

    def fail(self, reason: str, *, open: bool = False) -> NoReturn:
        raise NotReadError(reason, open=open)

    def accept(self, *words: str) -> bool:
        """Step over `words` if exactly these follow."""
        for ahead, word in enumerate(words):
            if self.word(ahead) != word:
                return False
        self.position += len(words)
        return True

    def accept_any(self, *words: str) -> str:
        """Step over one token if it is one of `words`; which, or empty."""
        word = self.word()
        if word and word in words:
            self.position += 1
            return word
        return ""

    def expect(self, *words: str) -> None:
        if not self.accept(*words):
            self.fail(f"expected {' '.join(words)}")

    def finish(self) -> None:
        """Nothing may be left."""
        if not self.done:
            token = self.tokens[self.position]
            self.fail(f"did not expect {self.source[token.start : token.end][:40]!r}")

    def is_name(self, ahead: int = 0) -> bool:
        token = self.token(ahead)
        return token is not None and token.kind in (Kind.WORD, Kind.QUOTED)

    def is_placeholder(self) -> bool:
        """Whether the name that begins here is put in at run time, as a whole or in part."""
        token, following = self.token(), self.token(1)
        if token is None:
            return False
        if token.kind is Kind.PARAMETER or token.word == "?":
            return True
        glued = following is not None and following.start == token.end
        if token.word == "%" and glued and following is not None:
            return following.value.startswith("s")  # %s_old
        if token.kind is Kind.WORD:
            return glued and following is not None and following.kind is Kind.PARAMETER  # old_%s
        return token.kind is Kind.QUOTED and is_placeholder(token.value)

    def name_part(self) -> str:
        """One identifier, folded."""
        token = self.token()
        if token is None:
            self.fail("a name is missing")
        if self.is_placeholder():
            self.fail("a name is a placeholder", open=True)
        if token.kind not in (Kind.WORD, Kind.QUOTED):
            self.fail("expected a name")
        self.position += 1
        quoted = token.kind is Kind.QUOTED
        return fold(token.value, quoted=quoted, vendor=self.context.vendor)

    def name(self) -> Name:
        """A name with up to three qualifiers, of which the nearest is the schema (MySQL: the database)."""
        parts = [self.name_part()]
        while self.word() == "." and self.word(1) != "*" and len(parts) < 4:
            self.position += 1
            parts.append(self.name_part())
        return Name(parts[-2] if len(parts) > 1 else None, parts[-1])

    def group(self) -> Cursor:
        """What is inside the parentheses that open here; steps behind them."""
        if self.word() != "(":
            self.fail("expected a parenthesis")
        inside = self.position + 1
        self.skip()
        return self.within(inside, self.position - 1)

    def within(self, start: int, end: int) -> Cursor:
        return Cursor(self.tokens, self.source, self.context, start, end)

    def rest(self) -> Cursor:
        return self.within(self.position, self.end)

    def skip(self) -> None:
        """Step over one token, or over everything in the parentheses that open here."""
        if self.word() != "(":
            self.position += 1
            return
        depth = 0
        for index in range(self.position, self.end):
            word = self.tokens[index].word
            if word == "(":
                depth += 1
            elif word == ")":
                depth -= 1
                if depth == 0:
                    self.position = index + 1
                    return
        self.fail("a parenthesis is not closed")

    def top_level(self) -> Iterator[int]:
        """The positions from here to the end that are not inside parentheses, the parentheses themselves included."""
        depth = 0
        for index in range(self.position, self.end):
            word = self.tokens[index].word
            if word == ")":
                depth -= 1
            if depth == 0:
                yield index
            if word == "(":
                depth += 1

    def find(self, *words: str) -> int | None:
        """Where the first of `words` stands outside parentheses."""
        return next((index for index in self.top_level() if self.tokens[index].word in words), None)

    def split(self, separator: str = ",") -> Iterator[Cursor]:
        """The parts between separators outside parentheses."""
        start = self.position
        for index in self.top_level():
            if self.tokens[index].word == separator:
                yield self.within(start, index)
                start = index + 1
        yield self.within(start, self.end)

    def names(self) -> tuple[str, ...]:
        """A list of bare column names, to the end."""
        result = []
        for part in self.split():
            result.append(part.name_part())
            part.finish()
        return tuple(result)

    def text(self) -> str:
        """The SQL from here to the end without comments, with an identifier in the place of every placeholder."""
        pieces: list[str] = []
        previous = -1
        for index in range(self.position, self.end):
            token = self.tokens[index]
            if token.start != previous and pieces:
                pieces.append(" ")
            previous = token.end
            if token.kind is Kind.PARAMETER:
                pieces.append(PARAMETER_NAME)  # glued to a name it is a part of it: `{app}_book`
            elif token.word == "%%":
                pieces.append("%")
            else:
                pieces.append(self.source[token.start : token.end])
        return "".join(pieces)

    def plain_text(self) -> str:
        """The SQL from here to the end as it is written, white space collapsed."""
        if self.done:
            return ""
        text = self.source[self.tokens[self.position].start : self.tokens[self.end - 1].end]
        return " ".join(text.split())
