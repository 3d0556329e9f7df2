"""The files of a revision, as they would lie in the work tree: a `Reader` and its `Folders`."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from fnmatch import filter as matching
from pathlib import Path

from gwlint.git import large_files
from gwlint.git.listing import Blob, Listing, submodule_repository
from gwlint.git.objects import Objects
from gwlint.git.repository import Repository
from gwlint.project.folders import DiskFolders, Entry
from gwlint.project.reading import Disk, Unreadable, is_inside

_MOST_LINKS = 40
"""How many symbolic links one path may lead through, as in Linux (path_resolution(7))."""

_GLOB_CHARACTERS = frozenset("*?[")


class Revision:
    """Answers about paths inside of the work tree from git, about others from the disk.

    Contents are those in the repository, without what filters and line ending attributes would
    make of them; pointers of Git LFS are followed.
    """

    def __init__(self, repository: Repository, name: str, listing: Listing, stack: ExitStack):
        self.repository = repository
        self.name = name
        self._listing = listing
        self._stack = stack
        self._disk = Disk()
        self._disk_folders = DiskFolders()
        self._links: dict[str, str | None] = {}

    # Reader

    def read(self, absolute: str) -> bytes:
        """Raises Unreadable, and GitError when the repository is damaged or incomplete."""
        real = self.real_path(absolute)
        if not self.is_inside(real):
            return self._disk.read(absolute)
        blob = self._blob(real)
        if blob is None:
            raise Unreadable(f"not in {self.name}")
        data = blob.objects.read(blob.object_id)
        digest = large_files.pointed_to(data)
        return data if digest is None else self._large(digest, data, real, blob)

    def is_file(self, absolute: str) -> bool:
        real = self.real_path(absolute)
        if not self.is_inside(real):
            return self._disk.is_file(absolute)
        return self._blob(real) is not None

    # Folders

    def is_folder(self, absolute: str) -> bool:
        real = self.real_path(absolute)
        if not self.is_inside(real):
            return self._disk_folders.is_folder(absolute)
        return self._relative(real) in self._listing.folders

    def entries(self, absolute: str) -> list[Entry]:
        real = self.real_path(absolute)
        if not self.is_inside(real):
            return self._disk_folders.entries(absolute)
        folder = self._relative(real)
        if folder in self._listing.submodules:
            self._look_into(folder)
        return [
            Entry(
                path=f"{absolute}/{name}",
                is_folder=self.is_folder(f"{real}/{name}"),
                is_file=self.is_file(f"{real}/{name}"),
                is_link=self._target(f"{real}/{name}") is not None,
            )
            for name in sorted(self._listing.folders.get(folder, ()), key=os.fsencode)
        ]

    def real_path(self, absolute: str) -> str:
        current, *rest = Path(absolute).parts
        parts = deque(rest)
        links = 0
        while parts:
            part = parts.popleft()
            if part == "..":
                current = os.path.dirname(current)  # noqa: PTH120 - strings throughout
                continue
            step = os.path.join(current, part)  # noqa: PTH118
            target = self._target(step)
            if target is None or links == _MOST_LINKS:
                current = step
                continue
            links += 1
            onwards = Path(target)
            if onwards.is_absolute():
                current = onwards.anchor
            parts.extendleft(reversed(onwards.relative_to(onwards.anchor).parts))
        return current

    def glob(self, pattern: str) -> list[str]:
        """As glob(3), in which a leading dot is matched by a dot only."""
        found = [""]
        is_seen = True
        for part in pattern.split("/")[1:]:
            is_seen = not _GLOB_CHARACTERS.isdisjoint(part)
            if not is_seen:
                found = [f"{folder}/{part}" for folder in found]
                continue
            found = [
                f"{folder}/{name}"
                for folder in found
                for name in matching([one.name for one in self.entries(folder or "/")], part)
                if part.startswith(".") or not name.startswith(".")
            ]
        return [path for path in found if is_seen or self.is_file(path) or self.is_folder(path)]

    def not_ignored(self, paths: Sequence[str]) -> list[str]:
        """What is in a revision is tracked, and git never ignores that."""
        outside = [path for path in paths if not self.is_inside(self.real_path(path))]
        left_out = set(outside) - set(self._disk_folders.not_ignored(outside)) if outside else set()
        return [path for path in paths if path not in left_out]

    # For comparing

    def is_inside(self, real: str) -> bool:
        """Whether a real path lies in the work tree."""
        return is_inside(real, self.repository.top)

    def holds(self, real: str) -> bool:
        """Whether a real path inside of the work tree is a file of the revision."""
        return self._blob(real) is not None

    def files(self) -> Iterator[tuple[str, str]]:
        """Real path and object id of each file; those of submodules not looked into are left
        out."""
        for path, blob in self._listing.blobs.items():
            if not blob.is_link:
                yield self._absolute(path), blob.object_id

    def _relative(self, real: str) -> str:
        """The path in the tree; what lies in a submodule is listed before the answer."""
        path = real[len(self.repository.top) :].lstrip(os.sep).replace(os.sep, "/")
        while (submodule := self._listing.submodule_of(path)) is not None:
            self._look_into(submodule)
        return path

    def _absolute(self, path: str) -> str:
        return str(Path(self.repository.top, path))

    def _look_into(self, submodule: str) -> None:
        commit = self._listing.submodules.pop(submodule)
        repository = submodule_repository(self._absolute(submodule), commit)
        if repository is not None:
            objects = self._stack.enter_context(Objects(repository))
            self._listing.add(repository, commit, objects, prefix=f"{submodule}/")

    def _blob(self, real: str) -> Blob | None:
        blob = self._listing.blobs.get(self._relative(real))
        return None if blob is None or blob.is_link else blob

    def _target(self, step: str) -> str | None:
        """Where a symbolic link leads, whose folder is real; None if it is none."""
        if step not in self._links:
            self._links[step] = self._link(step)
        return self._links[step]

    def _link(self, step: str) -> str | None:
        if self.is_inside(step):
            blob = self._listing.blobs.get(self._relative(step))
            if blob is None or not blob.is_link:
                return None
            return os.fsdecode(blob.objects.read(blob.object_id))
        try:
            return os.readlink(step)  # noqa: PTH115 - surrogates, no Path needed
        except (OSError, ValueError):
            return None

    def _large(self, digest: str, pointer: bytes, real: str, blob: Blob) -> bytes:
        try:
            on_disk = self._disk.read(real)
        except Unreadable:
            on_disk = None
        if on_disk == pointer:
            return pointer  # nothing was fetched, then or now
        data = large_files.content(digest, on_disk, blob.objects.repository.common_dir)
        if data is None:
            raise Unreadable(f"in {self.name} it is kept by Git LFS, which has not fetched it")
        return data


@contextmanager
def revision_of(repository: Repository, name: str) -> Iterator[Revision]:
    """A revision by name, for as long as the context lasts. Raises GitError."""
    tree = repository.tree_of(name)
    with ExitStack() as stack:
        listing = Listing()
        if tree is not None:
            listing.add(repository, tree, stack.enter_context(Objects(repository)))
        yield Revision(repository, name, listing, stack)
