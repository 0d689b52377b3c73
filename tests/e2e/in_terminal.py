#!/usr/bin/env python3
"""in_terminal.py FILE COMMAND...: runs a command in a terminal of its own, 200 columns wide, and
keeps in FILE what it has written there. The exit status is that of the command, which gets
SIGINT and SIGTERM in our place."""
import fcntl
import os
import pty
import signal
import struct
import sys
import termios


def main():
    path, command = sys.argv[1], sys.argv[2:]
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', 50, 200, 0, 0))
        os.environ['TERM'] = 'xterm'
        os.execvp(command[0], command)
    for number in signal.SIGINT, signal.SIGTERM:
        signal.signal(number, lambda number, frame: os.kill(pid, number))
    with open(path, 'wb', buffering=0) as out:
        while True:
            try:
                data = os.read(fd, 65536)
            except OSError:  # the other end is closed
                break
            if not data:
                break
            out.write(data)
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
