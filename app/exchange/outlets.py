"""Where an export goes: a file, a folder or a zip of files. What was begun and not finished leaves nothing behind.

Everything is written beside its place under another name, and takes its own when it is whole and on the disk.
"""

from __future__ import annotations

import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Protocol

from app.errors import StateConflict

#: Zips hold the time of each file: always the same, so that the same content is the same bytes.
ZIP_TIME = (1980, 1, 1, 0, 0, 0)
#: A folder with one of these is an export or a release, and may be replaced by another.
OURS = ("export.json", "datapackage.json")
_READABLE = 0o644 << 16
_UNIX = 3


class Files(Protocol):
    """Several files that belong together."""

    def file(self, name: str) -> AbstractContextManager[IO[bytes]]:
        """A file of this name, to be written."""
        ...


@contextmanager
def file(target: Path, *, replace: bool = False) -> Iterator[IO[bytes]]:
    """One file. An existing one is refused (StateConflict) unless `replace`; a device or a pipe is written to."""
    if target.exists() and not target.is_file() and not target.is_dir():
        with _named(target), target.open("wb") as device:
            yield device
        return
    _refuse_existing(target, replace=replace)
    partial = _beside(target)
    with _named(target):
        try:
            with partial.open("xb") as written:
                yield written
                written.flush()
                os.fsync(written.fileno())
            partial.replace(target)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        _sync(target.parent)


@contextmanager
def folder(target: Path, *, replace: bool = False) -> Iterator[Files]:
    """A folder of files."""
    _refuse_existing(target, replace=replace)
    partial = _beside(target)
    with _named(target):
        partial.mkdir()
        try:
            yield _Folder(partial)
            _sync(partial)
            _take_place(partial, target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        _sync(target.parent)


@contextmanager
def zipped(target: Path, *, replace: bool = False) -> Iterator[Files]:
    """A zip of files."""
    with (
        file(target, replace=replace) as written,
        zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
    ):
        yield _Zip(archive)


class _Folder:
    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        with (self.path / name).open("xb") as written:
            yield written
            written.flush()
            os.fsync(written.fileno())


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive

    @contextmanager
    def file(self, name: str) -> Iterator[IO[bytes]]:
        told = zipfile.ZipInfo(name, date_time=ZIP_TIME)
        told.compress_type, told.external_attr, told.create_system = zipfile.ZIP_DEFLATED, _READABLE, _UNIX
        with self.archive.open(told, "w", force_zip64=True) as written:
            yield written


def _refuse_existing(target: Path, *, replace: bool) -> None:
    if target.exists() and not replace:
        raise StateConflict(
            f"{target.name} exists already: name another place, or say that it is to be replaced (--replace)."
        )
    # Replacing a folder deletes all that is in it.
    if target.is_dir() and any(target.iterdir()) and not any((target / name).is_file() for name in OURS):
        raise StateConflict(f"The folder {target.name} holds no export or release, so it is not replaced.")


def _beside(target: Path) -> Path:
    return target.parent / f".{target.name}.{secrets.token_hex(4)}.part"


def _take_place(partial: Path, target: Path) -> None:
    if not target.exists():
        partial.rename(target)
        return
    # A folder cannot be put in the place of another at once: the old one steps aside first.
    old = _beside(target)
    target.rename(old)
    partial.rename(target)
    if old.is_dir():
        shutil.rmtree(old)
    else:
        old.unlink()


@contextmanager
def _named(target: Path) -> Iterator[None]:
    """A full disk says so without a name, and who misses a folder does not know our temporary names."""
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            error.filename = str(target)
        raise


def _sync(folder: Path) -> None:
    """Without it the new name itself may be lost when the power fails."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
