"""One walk, whatever the folders are like."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lint_m2m.errors import ReadError
from lint_m2m.readers.project import tree as tree_module
from lint_m2m.readers.project.patterns import matcher
from lint_m2m.readers.project.tree import Tree, Unread, is_below, joined, nearest, parent_of, walk

from .conftest import Write

OUTSIDE = "a link that leaves the project"


def test_python_files_by_folder(write: Write) -> None:
    root = write({"b.py": "", "a.py": "", "a.txt": "", "shop/x.py": "", "shop/deep/y.py": "", "img/logo.png": b""})
    tree = walk(root)
    assert dict(tree.folders) == {"": ("a.py", "b.py"), "shop": ("x.py",), "shop/deep": ("y.py",)}
    assert list(tree.folders) == sorted(tree.folders)
    assert tree.has("shop", "x.py")
    assert not tree.has("shop", "y.py")
    assert not tree.has("gone", "y.py")
    assert tree.file("shop/x.py") == root / "shop" / "x.py"
    assert tree.file("") == root


@pytest.mark.parametrize(
    "folder",
    [
        ".git",
        ".venv",
        ".tox/py311",
        "node_modules/x",
        "__pycache__",
        "env/lib/python3.11/site-packages",
        "shop.egg-info",
        "shop-1.0.dist-info",
        "build/lib/shop",
        "build/lib.linux-x86_64-cpython-311/shop",
        "build/bdist.linux-x86_64/wheel",
        "sub/build/lib/shop",
    ],
)
def test_skipped(write: Write, folder: str) -> None:
    assert dict(walk(write({f"{folder}/x.py": "", "a.py": ""})).folders) == {"": ("a.py",)}


@pytest.mark.parametrize("folder", ["build", "build/shop", "lib/shop", "dist/shop", "vendor/shop", "venv"])
def test_not_skipped(write: Write, folder: str) -> None:
    assert folder in walk(write({f"{folder}/x.py": ""})).folders


@pytest.mark.parametrize("marker", ["pyvenv.cfg", "conda-meta/history"])
def test_environments_are_recognized_by_content(write: Write, marker: str) -> None:
    root = write({f"environment/{marker}": "", "environment/lib/x.py": "", "environment/y.py": "", "a.py": ""})
    assert dict(walk(root).folders) == {"": ("a.py",)}


def test_the_root_is_walked_whatever_it_is(tmp_path: Path) -> None:
    root = tmp_path / ".venv" / "site-packages"
    (root / "shop").mkdir(parents=True)
    (root / "shop" / "x.py").touch()
    (root / "pyvenv.cfg").touch()
    assert dict(walk(root).folders) == {"shop": ("x.py",)}


def test_exclude(write: Write) -> None:
    root = write({"shop/a.py": "", "shop/b.py": "", "old/a.py": "", "deep/old/a.py": ""})
    assert dict(walk(root, matcher(["/old", "b.py"])).folders) == {"deep/old": ("a.py",), "shop": ("a.py",)}


@pytest.mark.parametrize("make", [lambda path: None, lambda path: path.write_text("")], ids=["missing", "file"])
def test_no_folder(tmp_path: Path, make: object) -> None:
    path = tmp_path / "root"
    assert callable(make)
    make(path)
    with pytest.raises(ReadError) as caught:
        walk(path)
    assert caught.value.path == str(path)


class TestLinks:
    def test_loops(self, write: Write) -> None:
        root = write({"shop/a.py": ""})
        (root / "shop" / "again").symlink_to(root)
        (root / "shop" / "itself").symlink_to("itself")
        (root / "shop" / "b.py").symlink_to("b.py")
        tree = walk(root)
        # A link to itself is a file that cannot be opened: whoever needs it says so.
        assert dict(tree.folders) == {"shop": ("a.py", "b.py")}

    def test_within_the_root(self, write: Write) -> None:
        root = write({"shop/a.py": ""})
        (root / "alias").symlink_to("shop")
        (root / "shop" / "b.py").symlink_to("a.py")
        tree = walk(root)
        assert dict(tree.folders) == {"shop": ("a.py", "b.py")}
        assert tree.unread_folders == ()

    def test_migrations_elsewhere_in_the_root(self, write: Write) -> None:
        root = write({"shop/a.py": "", "schema/shop/0001.py": "", "schema/shop/sub/x.py": ""})
        (root / "shop" / "migrations").symlink_to("../schema/shop")
        assert walk(root).folders["shop/migrations"] == ("0001.py",)

    def test_out_of_the_root(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "outside").mkdir()
        (tmp_path / "outside" / "secret.py").write_text("")
        root = write({"shop/a.py": ""})
        (root / "shop" / "linked").symlink_to(tmp_path / "outside")
        (root / "shop" / "migrations").symlink_to(tmp_path / "outside")
        (root / "shop" / "b.py").symlink_to(tmp_path / "outside" / "secret.py")
        tree = walk(root)
        assert dict(tree.folders) == {"shop": ("a.py",)}
        assert tree.unread_folders == (Unread("shop/linked", OUTSIDE), Unread("shop/migrations", OUTSIDE))
        assert tree.unread_files == (Unread("shop/b.py", OUTSIDE),)

    def test_a_root_that_is_a_link(self, write: Write, tmp_path: Path) -> None:
        root = write({"shop/a.py": ""})
        (root / "shop" / "b.py").symlink_to("a.py")
        (tmp_path / "link").symlink_to(root)
        tree = walk(tmp_path / "link")
        assert dict(tree.folders) == {"shop": ("a.py", "b.py")}
        assert tree.unread_files == ()

    def test_a_neighbour_whose_name_starts_like_the_root(self, write: Write) -> None:
        root = write({"a.py": ""})
        neighbour = root.with_name("checkout-secret")
        neighbour.mkdir()
        (neighbour / "x.py").touch()
        (root / "x.py").symlink_to(neighbour / "x.py")
        assert walk(root).unread_files == (Unread("x.py", OUTSIDE),)


class TestHostileFolders:
    def test_unreadable_folder(self, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
        root = write({"shop/a.py": "", "data/a.py": "", "gone/a.py": ""})
        real = os.scandir

        def scandir(path: str) -> object:
            if path.endswith("data"):
                raise PermissionError(13, "Permission denied")
            if path.endswith("gone"):
                raise FileNotFoundError(2, "No such file or directory")
            return real(path)

        monkeypatch.setattr(tree_module.os, "scandir", scandir)
        tree = walk(root)
        assert dict(tree.folders) == {"shop": ("a.py",)}
        assert tree.unread_folders == (Unread("data", "permission denied"),)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
    def test_fifo(self, write: Write) -> None:
        root = write({"shop/a.py": ""})
        os.mkfifo(root / "shop" / "b.py")
        assert dict(walk(root).folders) == {"shop": ("a.py", "b.py")}

    def test_nested_hundreds_deep(self, tmp_path: Path) -> None:
        here = os.getcwd()
        os.chdir(tmp_path)
        try:
            for _ in range(300):
                os.mkdir("d")
                os.chdir("d")
        finally:
            os.chdir(here)
        try:
            tree = walk(tmp_path)
            assert dict(tree.folders) == {}
            assert [one.reason for one in tree.unread_folders] == ["nested too deep"]
        finally:
            _remove_deep(tmp_path)

    def test_names_that_are_no_text(self, write: Write) -> None:
        root = write({"a.py": ""})
        try:
            (root / os.fsdecode(b"caf\xe9.py")).touch()
        except OSError:
            pytest.skip("this file system wants text")
        assert walk(root).folders[""] == ("a.py", "caf\udce9.py")


def _remove_deep(folder: Path) -> None:
    """`shutil.rmtree` cannot: the path is longer than any system call takes."""
    here = os.getcwd()
    os.chdir(folder)
    depth = 0
    try:
        while os.path.isdir("d"):
            os.chdir("d")
            depth += 1
        for _ in range(depth):
            os.chdir("..")
            os.rmdir("d")
    finally:
        os.chdir(here)


def test_paths() -> None:
    assert joined("", "a") == "a"
    assert joined("a/b", "c") == "a/b/c"
    assert parent_of("a/b/c") == "a/b"
    assert parent_of("a") == ""
    assert nearest("a/b/c", {"a", "a/b", ""}) == "a/b"
    assert nearest("a/b", {"a/b/c", ""}) == ""
    assert nearest("a/b", {"b"}) is None
    assert is_below("a/b", "a")
    assert is_below("a", "a")
    assert is_below("a", "")
    assert not is_below("ab", "a")


def test_the_tree_travels(write: Write) -> None:
    root = write({"a.py": ""})
    assert walk(root) == Tree(root=root, folders={"": ("a.py",)})
