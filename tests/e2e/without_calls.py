"""without_calls.py: runs a program on a kernel that seems to have neither Landlock nor seccomp.

    python3 without_calls.py ERRNO PROGRAM ARGUMENT...

Their calls fail with that error. Exit status 77: this can't be done here, and why."""
import ctypes
import os
import struct
import sys

# linux/bpf_common.h, linux/seccomp.h, linux/prctl.h; the numbers are those of x86-64 and arm64.
LOAD, EQUAL, RETURN, ALLOW, ERRNO = 0x20, 0x15, 0x06, 0x7FFF0000, 0x00050000
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
CALLS = {'x86_64': (157, 317), 'aarch64': (167, 277)}  # prctl, seccomp
LANDLOCK = (444, 445, 446)


def main():
    error, command = int(sys.argv[1]), sys.argv[2:]
    if os.uname().machine not in CALLS:
        sys.exit(77)
    prctl, seccomp = CALLS[os.uname().machine]
    refuse = (RETURN, 0, 0, ERRNO | error)
    code = [(LOAD, 0, 0, 0)]
    for call in LANDLOCK + (seccomp,):
        code += [(EQUAL, 0, 1, call), refuse]
    # prctl(PR_SET_SECCOMP), which is another way to a filter.
    code += [(EQUAL, 0, 3, prctl), (LOAD, 0, 0, 16), (EQUAL, 0, 1, PR_SET_SECCOMP), refuse,
             (RETURN, 0, 0, ALLOW)]
    packed = b''.join(struct.pack('=HBBI', *one) for one in code)
    libc = ctypes.CDLL(None, use_errno=True)
    filled = ctypes.create_string_buffer(packed, len(packed))
    fprog = struct.pack('@HP', len(code), ctypes.addressof(filled))
    held = ctypes.create_string_buffer(fprog, len(fprog))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, held, 0, 0) != 0):
        sys.exit(77)
    os.execvp(command[0], command)


main()
