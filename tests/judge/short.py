"""Short spellings of operations, for projects written in tests: models A (the owner), B (the target) and AB."""

from __future__ import annotations

ID = '("id", models.BigAutoField(primary_key=True))'


class _Source(str):
    """Source text that stands for itself in a repr."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _arguments(arguments: dict[str, object]) -> list[str]:
    return [f"{name}={value!r}" for name, value in arguments.items()]


def create(name: str, *fields: str, **options: object) -> str:
    """CreateModel with an id; `fields` are pairs in source."""
    return f'migrations.CreateModel("{name}", [{", ".join([ID, *fields])}], options={options!r})'


def pair(name: str, field: str) -> str:
    return f'("{name}", {field})'


def many(to: str = "app.B", **arguments: object) -> str:
    return f"models.ManyToManyField({', '.join([repr(to), *_arguments(arguments)])})"


def key(name: str, to: str, **arguments: object) -> str:
    """A foreign key, as a pair."""
    return pair(name, foreign_key(to, **arguments))


def foreign_key(to: str, **arguments: object) -> str:
    return f"models.ForeignKey({', '.join([repr(to), 'models.CASCADE', *_arguments(arguments)])})"


def through(name: str = "AB", a: str = "a", b: str = "b", *more: str, **options: object) -> str:
    """CreateModel of a through model from A to B."""
    return create(name, key(a, "app.A"), key(b, "app.B"), *more, **options)


def constrained(constraint: str, **options: object) -> str:
    """The through model with a UniqueConstraint of the pair, under that name."""
    unique = f'models.UniqueConstraint(fields=["a", "b"], name="{constraint}")'
    return create("AB", key("a", "app.A"), key("b", "app.B"), **options, constraints=[_Source(unique)])


def add(field: str, name: str = "f", model: str = "a") -> str:
    return f'migrations.AddField("{model}", "{name}", {field})'


def alter(field: str, name: str = "f", model: str = "a") -> str:
    return f'migrations.AlterField("{model}", "{name}", {field})'


def remove(name: str = "f", model: str = "a") -> str:
    return f'migrations.RemoveField("{model}", "{name}")'


def rename_field(old: str, new: str, model: str = "a") -> str:
    return f'migrations.RenameField("{model}", "{old}", "{new}")'


def rename_model(old: str, new: str) -> str:
    return f'migrations.RenameModel("{old}", "{new}")'


def delete(name: str) -> str:
    return f'migrations.DeleteModel("{name}")'


def table(model: str, name: str | None) -> str:
    return f'migrations.AlterModelTable("{model}", {name!r})'


def unique(model: str, *pairs: tuple[str, str]) -> str:
    return f'migrations.AlterUniqueTogether("{model}", {set(pairs) or "set()"})'


def state(*operations: str) -> str:
    return separate((), operations)


def database(*operations: str) -> str:
    return separate(operations, ())


def separate(database: tuple[str, ...], state: tuple[str, ...]) -> str:
    return (
        f"migrations.SeparateDatabaseAndState(database_operations=[{', '.join(database)}], "
        f"state_operations=[{', '.join(state)}])"
    )


def sql(text: str, *state: str) -> str:
    return f"migrations.RunSQL({text!r}, migrations.RunSQL.noop, state_operations=[{', '.join(state)}])"


# The most common pieces.
B = create("B")
C = create("C")
A_PLAIN = create("A")
A = create("A", pair("f", many()))
AB = through()
CUSTOM = many(through="app.AB")
# A and AB with the field through it, each operation a migration of its own.
A_CUSTOM = (B, A_PLAIN, AB, add(CUSTOM))
PAIR = frozenset({("a", "b")})
ON_TABLE = through(db_table="app_a_f", unique_together={("a", "b")})
KEEP = state(ON_TABLE, alter(CUSTOM))
COPY = "INSERT INTO app_ab (a_id, b_id) SELECT a_id, b_id FROM app_a_f"
