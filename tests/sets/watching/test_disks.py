"""Disks of other machines are known by what Linux tells of its mounts."""

from __future__ import annotations

from embassay.sets.watching.disks import remote

MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:40 / /mnt/share rw,relatime shared:1 - nfs4 server:/export rw,vers=4.2
31 30 0:41 / /mnt/share/local rw - ext4 /dev/sdb1 rw
32 22 0:42 / /mnt/my\\040disk rw - fuse.sshfs me@host:/ rw
33 22 0:43 / /mnt/café rw - cifs //host/share rw
"""


def test_the_innermost_mount_decides():
    kinds = {
        "/home/me/docs": "", "/mnt/share": "nfs4", "/mnt/share/docs/a.md": "nfs4", "/mnt/share/local/docs": "",
        "/mnt/shared": "", "/mnt/my disk/docs": "fuse.sshfs", "/mnt/café/x": "cifs",
    }  # fmt: skip
    assert {path: remote(path, MOUNTS) for path in kinds} == kinds


def test_this_machine_says_something(tmp_path):
    assert remote(tmp_path) in ("", "9p", "nfs4", "virtiofs")
