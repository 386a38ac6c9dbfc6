"""Random migration graphs: mostly such as people have, some broken in each way that Django knows."""

from __future__ import annotations

from random import Random

from tests.graph.cases import Case, File, Pair

WORDS = ("book", "author", "links", "alter", "merge")


def random_case(seed: int) -> Case:
    """A few apps with a line of migrations each, dependencies between them, squashes, and now and then a mistake."""
    random = Random(seed)
    labels = random.sample("abcde", random.randint(1, 4))
    content: Case = {label: {} for label in labels}
    written: list[Pair] = []  # in the order in which people wrote them: dependencies go backward
    for _ in range(random.randint(0, 14)):
        _append(content, written, random.choice(labels), random)
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        _squash(content, random.choice(labels), written, random)
        for _ in range(random.randint(0, 3)):
            _append(content, written, random.choice(labels), random)
    for _ in range(random.choice((0, 0, 0, 1, 2))):
        _damage(content, written, random)
    return {label: dict(sorted(files.items())) for label, files in sorted(content.items())}


def nested(content: Case) -> bool:
    """Whether a squash replaces a squash, which Django defines since 6.0."""
    replacing = {(app, name) for app, files in content.items() for name, what in files.items() if what.replaces}
    return any(pair in replacing for files in content.values() for what in files.values() for pair in what.replaces)


def _append(content: Case, written: list[Pair], label: str, random: Random) -> None:
    own = [pair for pair in written if pair[0] == label]
    number = 1 + max((int(name[:4]) for _, name in own), default=0)
    dependencies: list[Pair] = []
    if own:
        dependencies.append(own[-1] if random.random() < 0.92 else random.choice(own))
        if random.random() < 0.05:
            dependencies.append(random.choice(own))
    others = [pair for pair in written if pair[0] != label]
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        if others:
            dependencies.append(random.choice(others))
    other_labels = [other for other in content if other != label]
    if other_labels and random.random() < 0.15:
        dependencies.append((random.choice(other_labels), "__first__"))
    if other_labels and random.random() < 0.05:
        dependencies.append((random.choice(other_labels), "__latest__"))
    if random.random() < 0.1:
        dependencies.append(random.choice([("sites", "__first__"), ("sites", "0001_initial"), (label, "__first__")]))
    random.shuffle(dependencies)
    name = f"{number:04}_{random.choice(WORDS)}"
    content[label][name] = File(dependencies, [], [])
    written.append((label, name))


def _squash(content: Case, label: str, written: list[Pair], random: Random) -> None:
    """What squashmigrations does to a stretch of one app, and then perhaps deletes."""
    own = [pair for pair in written if pair[0] == label and pair[1] in content[label]]
    if len(own) < 2:
        return
    start = random.randrange(len(own) - 1)
    end = random.randrange(start + 1, len(own))
    replaces = own[start : end + 1]
    name = f"{replaces[0][1]}_squashed_{replaces[-1][1][:4]}"
    dependencies = [
        pair
        for _, old in replaces
        for pair in content[label][old].dependencies
        if pair not in replaces and (pair[0] != label or pair in own[:start])
    ]
    fate = random.random()
    for _, old in replaces:
        if fate < 0.25 or (fate < 0.4 and random.random() < 0.5):
            del content[label][old]
    if random.random() < 0.1:
        replaces = [*replaces, (label, "0000_long_gone")]
    content[label][name] = File(list(dict.fromkeys(dependencies)), [], replaces)
    if random.random() < 0.5:
        # What comes after depends on the squash, as makemigrations would write it.
        written[written.index(own[end])] = (label, name)


def _damage(content: Case, written: list[Pair], random: Random) -> None:
    files = [(label, name) for label, names in content.items() for name in names]
    if not files:
        return
    label, name = random.choice(files)
    target = content[label][name]
    other = random.choice(files)
    match random.randrange(9):
        case 0:
            target.dependencies.append(other)  # perhaps a cycle, perhaps on itself
        case 1:
            target.dependencies.append((random.choice(list(content)), random.choice(("0001_nowhere", "__latest__"))))
        case 2:
            target.run_before.append(other)
        case 3:
            target.run_before.append((other[0], random.choice(("__first__", "__latest__", "0009_nowhere"))))
        case 4:
            target.dependencies.clear()  # a second root
        case 5:
            del content[label][name]
        case 6:
            target.replaces.append(other)
        case 7:
            target.run_before.append(("sites", "0002_alter_domain_unique"))
            content[other[0]][other[1]].dependencies.append(("sites", "0002_alter_domain_unique"))
        case _:
            content[label][f"{name[:4]}_twin"] = File(list(target.dependencies), [], [])
