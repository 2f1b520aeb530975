"""Tells disks of other machines apart: the system hears of no change that another one makes there."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
REMOTE = frozenset(
    "9p afs ceph cifs davfs drvfs fuse.glusterfs fuse.rclone fuse.s3fs fuse.sshfs gfs2 glusterfs lustre ncpfs nfs nfs4 "
    "ocfs2 prl_fs smb3 smbfs vboxsf virtiofs vmhgfs fuse.vmhgfs-fuse fuse.gcsfuse fuse.gvfsd-fuse".split()
)
"""Kinds of file systems, as Linux calls them, whose files change elsewhere."""


def remote(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that `path` lies on where that is one of another machine; empty otherwise.

    `mounts`: what Linux tells of its mounts; on other systems nothing is known.
    """
    if mounts is None:
        try:
            mounts = MOUNTS.read_text("utf-8", "replace")
        except OSError:
            return ""
    real = os.path.realpath(path)
    kinds = dict(map(_mount, filter(None, mounts.splitlines())))
    inside = [folder for folder in kinds if real == folder or real.startswith(folder.rstrip("/") + "/")]
    kind = kinds[max(inside, key=len)] if inside else ""
    return kind if kind in REMOTE else ""


def _mount(line: str) -> tuple[str, str]:
    """Folder and kind: ``36 35 98:0 /root /folder options - kind source options``, blanks as octal numbers."""
    before, _, after = line.partition(" - ")
    folder = re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), before.split(" ")[4])
    return folder, after.split(" ")[0]
