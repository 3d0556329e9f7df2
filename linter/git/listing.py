"""What a tree of a repository holds, by path."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from gwlint.git.objects import Objects
from gwlint.git.process import GitError
from gwlint.git.repository import Repository, repository_in

_LINK, _SUBMODULE = b"120000", b"160000"


@dataclass(frozen=True, slots=True)
class Blob:
    """A file, or the target of a symbolic link. `objects` is where its content is read."""

    object_id: str
    is_link: bool
    objects: Objects


@dataclass
class Listing:
    """The paths of a tree, relative to the top with forward slashes.

    `folders` has the names in each folder, the top being "". A submodule is a folder, which is
    filled when it is first looked into.
    """

    blobs: dict[str, Blob] = field(default_factory=dict)
    folders: dict[str, set[str]] = field(default_factory=lambda: {"": set()})
    submodules: dict[str, str] = field(default_factory=dict)
    """Path of each submodule that was not looked into yet, and its commit."""

    def add(self, repository: Repository, tree: str, objects: Objects, prefix: str = "") -> None:
        """Take in the tree of a repository whose work tree lies at `prefix`. Raises GitError."""
        answer = repository.ask("ls-tree", "-r", "-z", "--full-tree", tree)
        for mode, object_id, name in _rows(answer):
            path = prefix + name
            if mode == _SUBMODULE:
                self.submodules[path] = object_id
                self.folders.setdefault(path, set())
            else:
                self.blobs[path] = Blob(object_id, mode == _LINK, objects)
            self._remember(path)

    def _remember(self, path: str) -> None:
        while path:
            folder, _, name = path.rpartition("/")
            known = self.folders.setdefault(folder, set())
            if name in known:
                return
            known.add(name)
            path = folder

    def submodule_of(self, path: str) -> str | None:
        """The submodule, not looked into yet, that a path lies in."""
        if self.submodules:
            while path := path.rpartition("/")[0]:
                if path in self.submodules:
                    return path
        return None


def _rows(answer: bytes) -> Iterator[tuple[bytes, str, str]]:
    """Mode, object id and path of each line of `git ls-tree -z`."""
    for row in answer.split(b"\0"):
        if row:
            about, _, name = row.partition(b"\t")
            mode, _, object_id = about.split(b" ")
            yield mode, object_id.decode("ascii"), os.fsdecode(name)


def submodule_repository(folder: str, commit: str) -> Repository | None:
    """The repository of a submodule, in which its commit was found; None if it is not cloned.

    Raises GitError when it lacks the commit: leaving it out would make everything in it new.
    """
    repository = repository_in(os.path.realpath(folder))
    if repository is None:
        return None
    try:
        repository.ask("cat-file", "-e", f"{commit}^{{commit}}")
    except GitError as error:
        raise GitError(
            f"the submodule {folder} lacks commit {commit}, which it had at that revision; fetch"
            f" it: git -C {folder} fetch origin {commit}"
        ) from error
    return repository
