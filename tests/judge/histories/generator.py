"""`generate`: a random history from a seed.

Every history is well-formed: its operations refer to what exists at that point, so that whatever Django says about it
is one of the things that DJANGO_FACTS knows. About a third is entirely correct. The same seed gives the same bytes on
every Python version (`random.Random` alone decides, and nothing depends on the order of a set).

What is *not* generated, and why. After a state-only recipe went wrong, some operations on that very table mean
something else on each database, because SQLite changes a table by copying it according to the state, while the others
alter it:

- With a column that only the state has: AddField with a default, AlterField, RenameField or RemoveField of a foreign
  key, AlterUniqueTogether, constraints, RenameModel of a model that the table points to. SQLite reads the missing
  column as a string literal and fills it with its own name: the column then exists, and a foreign key fails at the end
  of the migration. Still generated: AddField that is nullable, AlterModelTable, RemoveField and RenameField of a plain
  column.
- With a unique set or constraint that only the database has: the same operations; the copy drops it. Still generated:
  AlterModelTable, AlterUniqueTogether of that pair (it clashes, if the table has kept its name), RemoveConstraint
  (which SQLite alone lets pass).
- With a table that is missing: RenameModel of a model that one of its foreign keys points to (PostgreSQL finds nothing
  to do, SQLite and MySQL fail). Still generated: every operation on the model itself.
- DeleteModel of a model to which rows in an orphaned table point: fails on SQLite and MySQL, for a reason that is not
  in any migration.

And where Django itself has a reason that has nothing to do with many-to-manys:

- An operation on a table in the migration that copied rows into it: PostgreSQL refuses ("pending trigger events").
- A table renamed by SQL in the migration that created it: Django creates its indexes at the end, under the old name.
- An automatic table under a name that another one had before it was renamed: on SQLite and PostgreSQL the index of the
  other one still has the name that the new one's gets.
- RenameModel of a model that an unmanaged one points to: Django alters the unmanaged table as well.
- RenameField of a field that a constraint, an index or `through_fields` names, RemoveField of one in a unique_together:
  the state does not follow, and the next rendering fails.
- RenameModel that changes only the letter case: KeyError in the state.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from .assembly import History
from .builder import Builder, Recipe
from .plain import PLAIN, start
from .recipes import RIGHT
from .wrong import AT_THE_END, DRIFTING, FOLLOWING, LOSING, RAISING


def generate(seed: int) -> History:
    """The history of `seed`: an initial set-up, then 3 to 14 operations or a few more."""
    b = Builder(seed)
    mood = b.rng.choice(("correct", "one", "several"))
    start(b)
    recipes: list[str] = []
    target = b.out.count + b.rng.randint(3, 14)
    wrong_at = sorted(b.out.count + b.rng.randint(0, 8) for _ in range({"correct": 0, "one": 1, "several": 4}[mood]))
    attempts = 0
    while b.out.count < target and not b.raised and attempts < 60:
        attempts += 1
        if wrong_at and b.out.count >= wrong_at[0]:
            del wrong_at[0]
            recipes += _wrong(b)
            continue
        recipes += _one(b, PLAIN if b.chance(0.55) else RIGHT)
    if wrong_at and not b.raised:
        recipes += _wrong(b)
    if b.raised and b.chance(0.4):
        recipes += _one(b, PLAIN)
    elif not b.raised and Random(f"{seed} at the end").random() < 0.15:
        last = _one(b, AT_THE_END)
        if last:
            mood = "wrong"
            recipes += last
            for _ in range(b.rng.choice((0, 0, 1, 2))):
                recipes += _one(b, PLAIN if b.chance(0.55) else RIGHT)
    return History(
        seed=seed, mood="correct" if mood == "correct" else "wrong", migrations=b.out.finish(), recipes=tuple(recipes)
    )


def _wrong(b: Builder) -> list[str]:
    """One wrong recipe, of a kind by chance, or of another one when none of that kind applies."""
    kinds = [(3, RAISING), (4, LOSING), (5, DRIFTING), (6, FOLLOWING)]
    while kinds:
        _, table = kinds.pop(_weighted(b, [weight for weight, _ in kinds]))
        found = _one(b, table)
        if found:
            return found
    return []


def _weighted(b: Builder, weights: Sequence[int]) -> int:
    """An index, the likelier the more it weighs."""
    number, index = b.rng.randrange(sum(weights)), 0
    while number >= weights[index]:
        number -= weights[index]
        index += 1
    return index


def _one(b: Builder, table: Sequence[tuple[int, Recipe]]) -> list[str]:
    """Try the recipes of `table` in a random order until one applies. Its name, or nothing."""
    left = list(table)
    while left:
        _, recipe = left.pop(_weighted(b, [weight for weight, _ in left]))
        if recipe(b):
            return [recipe.__name__]
    return []
