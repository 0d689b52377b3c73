#!/usr/bin/env python3
"""announcing_peer.py: a peer of Bitcoin's regtest that announces, and does not always give what it
has announced.

Prints the port that it listens at, serves one connection, and then prints each question that it
was asked: "getdata TYPE HASH", "getheaders HASH", a line each.

It announces four transactions and two blocks. Of the transactions it gives the first, another
one for the second, says that it has not the third, and is silent about the fourth; of the blocks
it gives the first one's header, and none for the second.
"""
import hashlib
import socket
import struct

MAGIC = bytes.fromhex('fabfb5da')
TX, BLOCK = 1, 2


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def message(command, payload=b''):
    return (MAGIC + command.ljust(12, b'\0') + struct.pack('<I', len(payload)) +
            sha256d(payload)[:4] + payload)


def version():
    nowhere = struct.pack('<Q', 0) + bytes(16) + struct.pack('>H', 0)
    agent = b'/announcing:1/'
    return (struct.pack('<iQq', 70015, 1, 1800000000) + nowhere + nowhere + struct.pack('<Q', 7) +
            bytes([len(agent)]) + agent + struct.pack('<i?', 0, True))


def transaction(value):
    return (struct.pack('<i', 1) + b'\1' + bytes(32) + b'\xff' * 4 + b'\x02ab' + b'\xff' * 4 +
            b'\1' + struct.pack('<q', value) + b'\x01\x51' + bytes(4))


def listing(entries):
    return bytes([len(entries)]) + b''.join(struct.pack('<I', t) + h for t, h in entries)


FIRST, OTHER = transaction(5000000000), transaction(1)
HEADER = struct.pack('<i', 1) + bytes(32) + b'm' * 32 + struct.pack('<III', 1800000000, 0x207fffff, 9)
TXS = [sha256d(FIRST), b'\2' * 32, b'\3' * 32, b'\4' * 32]
BLOCKS = [sha256d(HEADER), b'\5' * 32]


def receive(connection, size):
    data = b''
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def answer(command, payload):
    if command == b'version':
        return message(b'version', version()) + message(b'verack')
    if command == b'verack':
        return message(b'inv', listing([(TX, h) for h in TXS] + [(BLOCK, h) for h in BLOCKS]))
    if command == b'getdata':
        for at in range(1, len(payload), 36):
            kind, = struct.unpack_from('<I', payload, at)
            print('getdata', kind, payload[at + 4:at + 36][::-1].hex(), flush=True)
        return (message(b'tx', FIRST) + message(b'tx', OTHER) +
                message(b'notfound', listing([(TX, TXS[2])])))
    if command == b'getheaders':
        wanted = payload[-32:]
        print('getheaders', wanted[::-1].hex(), flush=True)
        found = wanted == BLOCKS[0]
        return message(b'headers', b'\1' + HEADER + b'\0' if found else b'\0')
    return b''


def main():
    server = socket.create_server(('127.0.0.1', 0))
    print(server.getsockname()[1], flush=True)
    connection, _ = server.accept()
    try:
        while True:
            header = receive(connection, 24)
            payload = receive(connection, struct.unpack_from('<I', header, 16)[0])
            connection.sendall(answer(header[4:16].rstrip(b'\0'), payload))
    except (EOFError, ConnectionError):
        pass


main()
