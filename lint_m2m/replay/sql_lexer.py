"""SQL text to tokens and statements, for all of Django's databases, without a parser behind it.

This is what has to work on any text: statements are told apart even when one of them makes no sense to anybody, and
callers learn which identifiers occur before a parser is imported. Linear in the text; the only thing that is raised is
TooLongError.

Where the databases' lexical rules differ, `vendor` decides, except that dollar quoting and backticks, which mean
something else nowhere, always count: the text may be for another database than the configured one. For UNKNOWN the
widest rules apply (brackets where they can only be an identifier, ``#`` comments that cannot be an operator).
Backslashes in strings are the exception, because both readings can make sense: see `ambiguous`.

Sources: PostgreSQL documentation 4.1 "Lexical Structure", MySQL reference manual 9.1 to 9.7 "Language Structure",
SQLite "SQL As Understood By SQLite" (keywords and comments), Oracle SQL reference "Literals", "Database Object Names".
"""

from __future__ import annotations

import enum
import re
from functools import lru_cache
from typing import Final

from lint_m2m.migration import UNKNOWN, Maybe
from lint_m2m.values import NamedTuple

VENDORS: Final = ("postgresql", "mysql", "sqlite", "oracle")


# A text with more tokens than this is data, or an attack: 0.4 s.
MAX_TOKENS: Final = 150_000


class TooLongError(Exception):
    """The text has more than MAX_TOKENS tokens."""


class Kind(enum.Enum):
    WORD = "word"  # keyword or bare identifier
    QUOTED = "quoted"  # an identifier in its database's quotes
    STRING = "string"
    NUMBER = "number"
    PARAMETER = "parameter"  # %s, %(name)s, $1, {}: something is put in here at run time
    OTHER = "other"  # punctuation and operators


# Global names are found several times as fast as members of an enum.
_WORD: Final = Kind.WORD
_STRING: Final = Kind.STRING
_OTHER: Final = Kind.OTHER
_QUOTED: Final = Kind.QUOTED
_NUMBER: Final = Kind.NUMBER
_PARAMETER: Final = Kind.PARAMETER


class Token(NamedTuple):
    """`word` is the upper-cased text of a WORD, the text of an OTHER, and empty for the rest, so that keywords and
    punctuation are recognised with one comparison. `value` is the content of a string or an identifier."""

    kind: Kind
    word: str
    value: str
    start: int
    end: int


class Statement(NamedTuple):
    """The tokens of one statement, without the separator, and the text that they are offsets into."""

    tokens: tuple[Token, ...]
    source: str


class Lexed(NamedTuple):
    """`complete` is false when a string, identifier or comment was never closed."""

    tokens: list[Token]
    complete: bool


_PLACEHOLDER: Final = re.compile(r"%s|%\(\w*\)s|%I|\{[^{}]*\}")

# One alternative for each kind of token; those that need more than a regular expression (nested comments, dollar
# quotes) match their opening only. Possessive quantifiers: an unterminated string must not be scanned twice.
_COMMON: Final = r"""
    (?P<space>\s++)
  | (?P<line_comment>{line_comment}[^\n]*+)
  | (?P<executable>{executable})
  | (?P<comment>/\*)
  | (?P<oracle_quote>{oracle_quote})
  | (?P<string>(?:[NnBbXx]|[Uu]&|_\w++\ ?)?'{body}')
  | (?P<escape_string>{escape_prefix}'(?:[^'\\]|\\.|'')*+')
  | (?P<identifier>(?:[Uu]&)?"{double_body}"|`(?:[^`]|``)*+`{bracket})
  | (?P<dollar>\$(?:[^\W\d]\w*+)?\$)
  | (?P<parameter>%s(?!\w)|%\(\w*\)s|\{{[^{{}}\s'"]*+\}}|\$\d++)
  | (?P<number>(?:\d[\w.]*+|\.\d[\w]*+))
  | (?P<word>[^\W\d][\w$\#]*+)
  | (?P<operator>::|:=|%%|<=>|<>|!=|<=|>=|\|\||->>|->|\#>>|\#>|@>|<@|=>|\*=|\*\*|@@|\.\.|&&|>>|<<|.)
"""
_BODY: Final = r"(?:[^{0}]|{0}{0})*+"
_BACKSLASH_BODY: Final = r"(?:[^{0}\\]|\\.|{0}{0})*+"
_NEVER: Final = r"(?!)"
_BARE: Final = r"[A-Za-z_][^\[\]\n'\"]*+"


@lru_cache(maxsize=16)
def _pattern(vendor: str | None, backslash: bool) -> re.Pattern[str]:
    line_comment = r"--"
    if vendor == "mysql":
        line_comment = r"(?:--(?=\s|\Z)|\#)"
    elif vendor is None:
        line_comment = r"(?:--|\#(?=[\s\w!-/]|\Z)(?!-))"
    body = _BACKSLASH_BODY if backslash else _BODY
    bracket = ""
    if vendor == "sqlite":
        bracket = r"|\[[^\]]*+\]"
    elif vendor is None:
        # Not an array subscript: those follow a name, a closing bracket or the word ARRAY without a blank.
        bracket = rf"|(?<![\w\])\"])\[{_BARE}\]"
    return re.compile(
        _COMMON.format(
            line_comment=line_comment,
            executable=r"/\*M?!\d*+" if vendor in ("mysql", None) else _NEVER,
            oracle_quote=r"[Nn]?[Qq]'(?P<open>\S)" if vendor in ("oracle", None) else _NEVER,
            body=body.format("'"),
            double_body=body.format('"'),
            escape_prefix=r"[Ee]" if vendor in ("postgresql", None) else _NEVER,
            bracket=bracket,
        ),
        re.VERBOSE | re.DOTALL,
    )


_CLOSING: Final = {"[": "]", "(": ")", "{": "}", "<": ">"}
# A text with more dollar-quote openings that nobody closes than this is no SQL, and each costs a search to the end.
_MAX_OPEN_DOLLARS: Final = 20
_COMMENT_EDGE: Final = re.compile(r"/\*|\*/")


def lex(text: str, vendor: Maybe[str], *, backslash: bool | None = None) -> Lexed:
    """The tokens of `text`, comments left out. Raises TooLongError.

    `backslash` says whether a backslash escapes the next character in a plain string; by default it does on MySQL only.
    """
    known = None if vendor is UNKNOWN else vendor
    scan = _pattern(known, known == "mysql" if backslash is None else backslash).match
    nested = known in ("postgresql", None)
    tokens: list[Token] = []
    complete = True
    open_dollars = 0
    executable = False
    position, size = 0, len(text)
    while position < size:
        found = scan(text, position)
        if found is None:  # cannot be: the last alternative matches any character
            break
        if len(tokens) > MAX_TOKENS:
            raise TooLongError
        kind = found.lastgroup
        start, position = position, found.end()
        match kind:
            case "space" | "line_comment":
                continue
            case "word":
                value = found.group()
                tokens.append(Token(_WORD, value.upper(), value, start, position))
            case "operator":
                value = found.group()
                if executable and value == "*" and text.startswith("/", position):
                    executable = False
                    position += 1
                    continue
                if value in "'\"`":  # the closing quote is missing: the rest belongs to it
                    complete = False
                    tokens.append(Token(_STRING, "", text[start + 1 :], start, size))
                    break
                tokens.append(Token(_OTHER, value, value, start, position))
            case "identifier":
                tokens.append(Token(_QUOTED, "", _unquote(found.group()), start, position))
            case "string":
                literal = found.group()
                literal = literal[literal.index("'") + 1 : -1]
                tokens.append(Token(_STRING, "", literal.replace("''", "'"), start, position))
            case "escape_string":
                literal = found.group()[2:-1]
                tokens.append(Token(_STRING, "", literal.replace("''", "'").replace("\\'", "'"), start, position))
            case "number":
                tokens.append(Token(_NUMBER, "", found.group(), start, position))
            case "parameter":
                tokens.append(Token(_PARAMETER, "", found.group(), start, position))
            case "dollar":
                tag = found.group()
                end = text.find(tag, position) if open_dollars < _MAX_OPEN_DOLLARS else -1
                if end < 0:
                    open_dollars += 1
                    complete = False
                    tokens.append(Token(_OTHER, "$", "$", start, position))
                    continue
                tokens.append(Token(_STRING, "", text[position:end], start, end + len(tag)))
                position = end + len(tag)
            case "oracle_quote":
                opening = found.group("open")
                end = text.find(_CLOSING.get(opening, opening) + "'", position)
                if end < 0:
                    complete = False
                    end = size
                tokens.append(Token(_STRING, "", text[position:end], start, min(size, end + 2)))
                position = min(size, end + 2)
            case "executable":
                executable = True
            case _:  # a comment
                end = _comment_end(text, position, nested)
                if end < 0:
                    complete = False
                position = size if end < 0 else end
    return Lexed(tokens, complete)


def _unquote(identifier: str) -> str:
    if identifier[0] in "Uu":
        identifier = identifier[2:]
    quote = identifier[0]
    content = identifier[1:-1]
    return content if quote == "[" else content.replace(quote * 2, quote)


def _comment_end(text: str, position: int, nested: bool) -> int:
    """Where the comment opened just before `position` ends; -1 when it does not."""
    if not nested:
        end = text.find("*/", position)
        return -1 if end < 0 else end + 2
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, position):
        depth += 1 if edge.group() == "/*" else -1
        if depth == 0:
            return edge.end()
    return -1


def ambiguous(text: str, vendor: Maybe[str]) -> bool:
    """Whether `text` has a backslash that may or may not escape, because the database is unknown."""
    return vendor is UNKNOWN and "\\" in text and "'" in text


_DELIMITER: Final = re.compile(r"^[ \t]*DELIMITER[ \t]+(\S+)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
# Alone on a line: SQL*Plus runs the buffer, sqlcmd sends the batch.
_LONE_LINE: Final = re.compile(r"^[ \t]*(/|GO)[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)


def statements(text: str, vendor: Maybe[str], *, backslash: bool | None = None) -> tuple[list[Statement], bool]:
    """The statements of `text` in order, empty ones left out; and whether every quote and comment was closed.

    Raises TooLongError.
    """
    result: list[Statement] = []
    complete = True
    for piece, whole in _delimited(text):
        lexed = lex(piece, vendor, backslash=backslash)
        complete = complete and lexed.complete
        if whole:
            parts = [_without_semicolon(lexed.tokens)]
        else:
            parts = _split(lexed.tokens, frozenset(found.start(1) for found in _LONE_LINE.finditer(piece)))
        result.extend(Statement(tuple(tokens), piece) for tokens in parts if tokens)
    return result, complete


def _without_semicolon(tokens: list[Token]) -> list[Token]:
    end = len(tokens)
    while end and tokens[end - 1].word == ";":
        end -= 1
    return tokens[:end]


def _delimited(text: str) -> list[tuple[str, bool]]:
    """The parts between ``DELIMITER`` lines (a command of MySQL's clients); true for one that is one statement."""
    parts: list[tuple[str, bool]] = []
    delimiter, position = ";", 0
    for change in [*_DELIMITER.finditer(text), None]:
        part = text[position : change.start() if change else len(text)]
        if delimiter == ";":
            parts.append((part, False))
        else:
            parts.extend((piece, True) for piece in part.split(delimiter))
        if change:
            delimiter, position = change.group(1), change.end()
    return parts


_TRANSACTION: Final = frozenset(
    (";", "TRANSACTION", "WORK", "IMMEDIATE", "EXCLUSIVE", "DEFERRED", "TRAN", "ISOLATION", "READ", "CONCURRENT")
)
_BODY_OF: Final = frozenset(("TRIGGER", "FUNCTION", "PROCEDURE", "EVENT", "PACKAGE", "BODY"))


def _split(tokens: list[Token], separators: frozenset[int]) -> list[list[Token]]:
    """Cut at each ``;`` that ends a statement: not in parentheses, not in the body of a routine or a block."""
    count_depth = not _unbalanced(tokens)
    result: list[list[Token]] = []
    current: list[Token] = []
    last_begin = max((index for index, token in enumerate(tokens) if token.word == "BEGIN"), default=-1)
    depth = 0
    block = 0  # BEGIN and CASE that are open
    declaring = False  # a PL/SQL routine or block before its BEGIN
    routine = False
    for index, token in enumerate(tokens):
        word = token.word
        forced = token.start in separators
        if forced or (word == ";" and not block and not declaring and (depth == 0 or not count_depth)):
            result.append(current)
            current, depth, block, declaring, routine = [], 0, 0, False, False
            continue
        current.append(token)
        if word == "(":
            depth += 1
        elif word == ")":
            depth -= 1
        elif token.kind is _WORD:
            following = tokens[index + 1].word if index + 1 < len(tokens) else ";"
            if len(current) == 1:
                if word == "BEGIN":
                    block = 0 if following in _TRANSACTION else 1
                elif word == "DECLARE" and following != "@":
                    declaring = not _is_cursor(tokens, index)
                elif word == "CREATE":
                    routine = any(near.word in _BODY_OF for near in tokens[index + 1 : index + 14])
            elif word == "BEGIN" and (routine or declaring or block):
                block += 1
                declaring = False
            elif block:
                if word == "CASE" and tokens[index - 1].word != "END":
                    block += 1
                elif word == "END" and following not in ("IF", "LOOP", "WHILE", "REPEAT", "FOR"):
                    block -= 1
            elif routine and word in ("IS", "AS"):
                # PL/SQL declares between IS and BEGIN; other routines have a string, SQL or BEGIN right here.
                declaring = declaring or (last_begin > index and _declares(tokens[index + 1]))
    result.append(current)
    return result


def _unbalanced(tokens: list[Token]) -> bool:
    depth = 0
    for token in tokens:
        if token.word == "(":
            depth += 1
        elif token.word == ")":
            depth -= 1
            if depth < 0:
                return True
    return depth != 0


def _is_cursor(tokens: list[Token], index: int) -> bool:
    """Whether the ``DECLARE`` at `index` is PostgreSQL's statement ``DECLARE name [options] CURSOR``."""
    return any(near.word == "CURSOR" for near in tokens[index + 2 : index + 7] if near.word != ";")


def _declares(token: Token) -> bool:
    """Whether `token` behind IS or AS begins declarations (PL/SQL), not a string, a query or a BEGIN."""
    return token.kind is _WORD and token.word not in ("BEGIN", "SELECT")


_WORDS: Final = re.compile(r"[\w$#]+")
_IN_QUOTES: Final = re.compile(r'"([^"\n]{1,130})"|`([^`\n]{1,130})`|\[([^\[\]\n]{1,130})\]')


def mentions(sql: str) -> frozenset[str]:
    """Every word in `sql` that could be an identifier, in lower case.

    Also what stands in strings and comments, because blocks and dynamic SQL are strings: a superset, cheap enough to
    ask first. SQL that mentions none of the tables that matter need not be read, unless it `hides_names`.
    """
    lowered = sql.lower()
    found = set(_WORDS.findall(lowered))
    if "$" in lowered or "#" in lowered:
        found.update(*(re.split(r"[$#]+", word) for word in tuple(found) if "$" in word or "#" in word))
    if '"' in lowered or "`" in lowered or "[" in lowered:
        found.update(name for names in _IN_QUOTES.findall(lowered) for name in names)
    found.discard("")
    return frozenset(found)


_RUNS_OTHER_SQL: Final = re.compile(
    r"\b(?:EXEC(?:UTE)?|CALL|PREPARE|DO|DROP\s+(?:SCHEMA|DATABASE|OWNED|TABLESPACE|USER|TYPE|DOMAIN|EXTENSION))\b",
    re.IGNORECASE,
)
# A placeholder where a table's name may stand, or as a part of a name.
_NAMED_AT_RUN_TIME: Final = re.compile(
    r"""
    (?: \b(?:AS|CONCURRENTLY|DELAYED|DELETE|EXISTS|FIRST|FROM|HIGH_PRIORITY|IGNORE|INDEX|INHERITS|INSERT|INTO|JOIN|LIKE|
        LOW_PRIORITY|MERGE|OF|ON|ONLINE|ONLY|QUICK|RECURSIVE|RENAME|REPLACE|TABLES?|TEMP|TEMPORARY|TO|TRUNCATE|
        UNLOGGED|UPDATE|USING|WITH)\b
      | [,.] )
    (?:[\s(=]++|--[^\n]{0,200}\n|/\*.{0,200}?\*/){0,20}+ (?:%s|%\(|%I|\{|\?|\$\d)
  | [\w"`\[](?:%s|%\(|%I|\{|\?|\$\d)
  | (?:%s|\)s|%I|\}|\?)["`\]\w.]
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def hides_names(sql: str) -> bool:
    """Whether `sql` may touch tables that it does not name, so that `mentions` cannot rule it out.

    Cheap, and true too often; `Unreadable.open` is the exact answer.
    """
    if _RUNS_OTHER_SQL.search(sql) is not None:
        return True
    placeholders = "%" in sql or "{" in sql or "?" in sql or "$" in sql
    return placeholders and _NAMED_AT_RUN_TIME.search(sql) is not None


def is_placeholder(name: str) -> bool:
    """Whether the name is put in at run time, as a whole or in part."""
    return _PLACEHOLDER.search(name) is not None


def fold(name: str, *, quoted: bool, vendor: Maybe[str]) -> str:
    """`name` as the database stores it, in Django's spelling.

    PostgreSQL stores a bare identifier in lower case and cuts each to 63 bytes. Oracle stores a bare identifier in
    upper case, and Django quotes its names in upper case there, so what it stores in upper case is Django's name in
    lower case; to keep names apart that Oracle keeps apart, one it stores in lower case becomes upper case here.
    SQLite and MySQL keep what is written (letter case counts for tables on some file systems only).
    """
    if vendor == "postgresql":
        if not quoted:
            name = name.lower()
        if len(name) > 15 and len(encoded := name.encode(errors="surrogatepass")) > 63:
            name = encoded[:63].decode(errors="ignore")
        return name
    if vendor == "oracle":
        if not quoted:
            return name.lower()
        if name == name.upper():
            return name.lower()
        return name.upper() if name == name.lower() else name
    return name
