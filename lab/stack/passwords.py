"""The stack's own secrets: one file each, which nobody but the owner could read at any moment."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def password(folder: Path, name: str) -> str:
    """Give the secret of a name, made at its first use: 64 hexadecimal digits, safe in any URL and SQL text."""
    path = folder / f"{name}.key"
    folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
    return path.read_text(encoding="ascii").strip()
