"""Become a PostgreSQL program: `python -I -S exec_server.py PARENT UID GID PROGRAM ARGUMENT…`.

A small program of its own, because code between fork and exec (`preexec_fn`) may deadlock in a process with threads.
It leaves the terminal's process group, so that Ctrl-C reaches only us, drops root, and asks Linux to end the server
when we are killed. The process id stays the same, so the server is our own child.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(arguments: list[str]) -> None:
    """Never returns: the process becomes PROGRAM."""
    parent, uid, gid = (int(argument) for argument in arguments[:3])
    program = arguments[3]
    os.setsid()
    os.chdir("/")
    os.umask(0o077)
    if os.geteuid() != uid:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        # after setuid, which clears it; SIGINT is PostgreSQL's fast and clean shutdown
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT, 0, 0, 0)
    if os.getppid() == parent:
        os.execv(program, arguments[3:])  # noqa: S606 -- becoming the program is the point, there is no shell to miss


if __name__ == "__main__":
    main(sys.argv[1:])
