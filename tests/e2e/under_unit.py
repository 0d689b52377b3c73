"""under_unit.py: runs a program as a systemd unit would let it: with the system calls of its
SystemCallFilter=, the sockets of its RestrictAddressFamilies=, and without memory that can be
written and run (MemoryDenyWriteExecute=). There need be no systemd that runs; the names of the
calls are systemd-analyze's, their numbers the C compiler's.

    python3 under_unit.py UNIT PROGRAM ARGUMENT...

What the unit would answer by an error ends the program here (SIGSYS), so that nothing goes
unnoticed. Exit status 77: this can't be done here, and why."""
import ctypes
import os
import re
import struct
import subprocess
import sys

# linux/bpf_common.h, linux/seccomp.h, linux/audit.h, linux/prctl.h
LOAD, EQUAL, ANY, AND, RETURN = 0x20, 0x15, 0x45, 0x54, 0x06
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
MACHINES = {'x86_64': 0xC000003E, 'aarch64': 0xC00000B7}
NR, ARCH, ARGS = 0, 4, 16
EAFNOSUPPORT = 97
CLONE_NEWUSER = 0x10000000  # linux/sched.h
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
PROT_WRITE, PROT_EXEC = 2, 4
FAMILIES = {'AF_UNIX': 1, 'AF_INET': 2, 'AF_INET6': 10, 'AF_NETLINK': 16}


def skip(why):
    print(f'under_unit: {why}', file=sys.stderr)
    sys.exit(77)


def settings(unit, name):
    with open(unit, encoding='utf-8') as lines:
        return [line.split('=', 1)[1].split() for line in lines if line.startswith(name + '=')]


def groups():
    """What each @group stands for, others in it included."""
    try:
        text = subprocess.run(['systemd-analyze', 'syscall-filter', '--no-pager'], check=True,
                              capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        skip(f'no names of system calls: {error}')
    found, name = {}, None
    for line in text.splitlines():
        word = line.strip()
        if line.startswith('@'):
            name = word
            found[name] = []
        elif name and line.startswith(' ') and word and not word.startswith('#'):
            found[name].append(word)
    return found


def expand(words, known):
    calls = set()
    for word in words:
        calls |= expand(known[word], known) if word.startswith('@') else {word}
    return calls


def allowed(unit):
    known = groups()
    calls = expand(['@default'], known)
    for words in settings(unit, 'SystemCallFilter'):
        if words[0].startswith('~'):
            calls -= expand([words[0][1:]] + words[1:], known)
        else:
            calls |= expand(words, known)
    return calls


def numbers():
    compiler = os.environ.get('CC', 'cc')
    try:
        text = subprocess.run([compiler, '-E', '-dM', '-include', 'sys/syscall.h', '-'], check=True,
                              input='', capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        skip(f'no numbers of system calls: {error}')
    return {name: int(n) for name, n in re.findall(r'#define __NR_(\w+) (\d+)$', text, re.M)}


def program(unit):
    machine = os.uname().machine
    if machine not in MACHINES:
        skip(f'{machine} is not known here')
    nr = numbers()
    families = [FAMILIES[name] for name in settings(unit, 'RestrictAddressFamilies')[0]]
    code = [(LOAD, 0, 0, ARCH), (EQUAL, 1, 0, MACHINES[machine]), (RETURN, 0, 0, KILL)]

    def rule(name, body):
        code.append((LOAD, 0, 0, NR))
        code.append((EQUAL, 0, len(body), nr[name]))
        code.extend(body)

    code_for_socket = [(LOAD, 0, 0, ARGS)]
    for i, family in enumerate(families):
        code_for_socket.append((EQUAL, len(families) - i, 0, family))
    rule('socket', code_for_socket + [(RETURN, 0, 0, ERRNO | EAFNOSUPPORT), (RETURN, 0, 0, ALLOW)])
    if settings(unit, 'MemoryDenyWriteExecute') == [['yes']]:
        rule('mmap', [(LOAD, 0, 0, ARGS + 16), (AND, 0, 0, PROT_WRITE | PROT_EXEC),
                      (EQUAL, 0, 1, PROT_WRITE | PROT_EXEC), (RETURN, 0, 0, KILL),
                      (RETURN, 0, 0, ALLOW)])
        rule('mprotect', [(LOAD, 0, 0, ARGS + 16), (ANY, 0, 1, PROT_EXEC), (RETURN, 0, 0, KILL),
                          (RETURN, 0, 0, ALLOW)])
    code.append((LOAD, 0, 0, NR))
    for name in sorted(allowed(unit)):
        if name in nr:
            code += [(EQUAL, 0, 1, nr[name]), (RETURN, 0, 0, ALLOW)]
    code.append((RETURN, 0, 0, KILL))
    return code


def main():
    unit, command = sys.argv[1], sys.argv[2:]
    code = program(unit)
    packed = b''.join(struct.pack('=HBBI', *one) for one in code)
    libc = ctypes.CDLL(None, use_errno=True)
    # A service has a user of its own, and SQLite does for root what others may not: a user
    # namespace without a map makes us nobody, who has what is ours.
    if os.geteuid() == 0 and libc.unshare(CLONE_NEWUSER) != 0:
        skip(f'nobody else than root can be had: {os.strerror(ctypes.get_errno())}')
    filled = ctypes.create_string_buffer(packed, len(packed))
    fprog = struct.pack('@HP', len(code), ctypes.addressof(filled))
    held = ctypes.create_string_buffer(fprog, len(fprog))
    if (libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, held, 0, 0) != 0):
        skip(f'no filter can be set here: {os.strerror(ctypes.get_errno())}')
    os.execvp(command[0], command)


main()
