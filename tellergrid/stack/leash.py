"""Becomes another program, on a leash: that program is told to stop when our parent dies.

Run as a script: `leash.py SIGNAL PARENT UID:GID -- PROGRAM ARGUMENT…`. `UID:GID` is `-` to keep
the rights we have. Rights are dropped first: the kernel forgets the leash when they change.
Standard library only, nothing of ours is imported: it runs before every start.
"""

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Drop rights, tie the leash, become the program."""
    signal, parent, rights, _, *command = arguments
    if rights != "-":
        uid, gid = map(int, rights.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != int(parent):  # it died before the leash was tied
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 -- becoming it, without a shell, is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
