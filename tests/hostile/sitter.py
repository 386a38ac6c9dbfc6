"""Runs a command, and writes down what it took: the exit status, processor seconds, and the most memory in MB.

    python sitter.py RESULT SECONDS MEGABYTES POWERLESS COMMAND…

A process of its own because the peak that the system counts for a child begins with that of whoever started it, and a
test process is large. SECONDS is the time until it is killed (status -9), MEGABYTES what it may map at most. With
POWERLESS = 1 the superuser may read no more than others (Linux). Stands alone: nothing of the project is imported.
"""

import os
import resource
import signal
import sys

# linux/prctl.h, linux/capability.h
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


def lose_power() -> None:
    """What is run from here on cannot get back the right to pass over the modes of files."""
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    for capability in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
        if library.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl")


def main() -> None:
    result, seconds, megabytes, powerless, *command = sys.argv[1:]
    process = os.fork()
    if process == 0:
        if powerless == "1" and os.geteuid() == 0:
            lose_power()
        resource.setrlimit(resource.RLIMIT_AS, (int(megabytes) << 20,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        os.setpgid(0, 0)
        os.execv(command[0], command)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process, signal.SIGKILL))
    signal.alarm(int(seconds))
    _, status, used = os.wait4(process, 0)
    signal.alarm(0)
    with open(result, "w", encoding="utf-8") as stream:
        print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, file=stream)


main()
