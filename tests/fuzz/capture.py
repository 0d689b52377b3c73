"""capture.py: crawls simulated and real peers, listens to the loopback device of this network
namespace, and writes what it heard as inputs of fuzz targets. Started by tests/fuzz/capture."""
import hashlib
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading

PROGRAM, OUT = sys.argv[1:3]
INTEROP = os.path.join(os.path.dirname(PROGRAM), 'interop')
TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'interop')
# Of one direction of a connection, and of inputs of a kind: the first say it all.
STREAM_MAX, INPUTS_MAX = 4096, 2000

streams, datagrams, stopped = {}, {}, threading.Event()


def heard(frame):
    """One packet of IPv4 or IPv6: the next bytes of a stream, or a datagram."""
    packet = frame[14:]
    if frame[12:14] == b'\x08\x00' and len(packet) >= 20:
        kind, at, ends = packet[9], (packet[0] & 15) * 4, packet[12:20]
        packet = packet[:struct.unpack('>H', packet[2:4])[0]]
    elif frame[12:14] == b'\x86\xdd' and len(packet) >= 40:
        kind, at, ends = packet[6], 40, packet[8:40]
    else:
        return
    if kind == socket.IPPROTO_UDP:
        datagrams[packet[at + 8:]] = True
    elif kind == socket.IPPROTO_TCP and len(packet) >= at + 20:
        ports = packet[at:at + 4]
        seq, = struct.unpack('>I', packet[at + 4:at + 8])
        data = packet[at + (packet[at + 12] >> 4) * 4:]
        if packet[at + 13] & 2:  # SYN: whoever sends it first has called
            streams[ends + ports] = [(seq + 1) & 0xffffffff, b'', not packet[at + 13] & 16]
        stream = streams.get(ends + ports)
        if stream and data and seq == stream[0] and len(stream[1]) < STREAM_MAX:
            stream[0] = (seq + len(data)) & 0xffffffff
            stream[1] += data


def listen():
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as lo:
        lo.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 25)
        lo.bind(('lo', 0))
        lo.settimeout(0.2)
        while not stopped.is_set():
            try:
                frame, where = lo.recvfrom(1 << 17)
            except TimeoutError:
                continue
            if where[2] != 4:  # what comes in, not what goes out: each is seen twice
                heard(frame)


def simulated(network):
    """A crawl of a small simulated network."""
    folder = tempfile.mkdtemp()
    seeds = os.path.join(folder, 'seeds')
    simulation = subprocess.Popen(
        [PROGRAM, 'simulate', network, '--peers', '60', '--ghosts', '5', '--seeds-out', seeds],
        stdout=subprocess.PIPE, text=True)
    simulation.stdout.readline()
    subprocess.run([PROGRAM, 'crawl', network, '--db', os.path.join(folder, 'a.db'),
                    '--allow-private', '--seeds', seeds, '--no-default-seeds', '--quiet',
                    '--duration', '20s'], check=False)
    simulation.terminate()
    simulation.wait()
    shutil.rmtree(folder)


def real():
    """bcoin and ethereumjs, by the tests that crawl them."""
    homes = [os.path.join(INTEROP, name) for name in ('bcoin', 'ethereumjs')]
    if not all(os.path.exists(os.path.join(home, 'installed')) for home in homes):
        print('capture: run make interop first for bcoin and ethereumjs; going on without')
        return
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(['node', os.path.join(TESTS, 'main.mjs'), PROGRAM, scratch, homes[0], '',
                        homes[1], '', 'bcoin', 'ethereum'], check=False)


counts = {}


def put(target, data):
    folder = os.path.join(OUT, 'fuzz_' + target)
    if counts.get(target, 0) >= INPUTS_MAX:
        return
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, hashlib.sha1(data).hexdigest()[:16])
    if not os.path.exists(path):
        counts[target] = counts.get(target, 0) + 1
        with open(path, 'wb') as file:
            file.write(data)


def put_stream(data, calls, gossip):
    """As a session hears it; and as commands of fuzz_swarm.c and fuzz_crawl.c."""
    said = struct.pack('>H', len(data)) + data
    kind = 1 if gossip else 2
    for goal in (0, 6) if calls else (0, 2, 4, 6):
        put('gossip' if gossip else 'session', bytes([goal | calls]) + data)
    put('codecs', bytes([1 if gossip else 0]) + data)
    if not gossip:
        put('message', data)
        put('follow', data)
    if calls:
        put('swarm', bytes([kind | 20, 0x9f, 0, 0, 9, 5, 0]) + said + bytes([8, 3, 0, 8, 5, 0]))
    else:
        put('swarm', bytes([kind | 20, 0x9f, 14, 0, 9, 8, 2, 0, 2, 0, 5, 0]) + said +
            bytes([8, 5, 0]))
        put('crawl', bytes([kind | 4, 0x1f, 0, 0, 1, 9, 0, 0, 5, 0, 8, 0]) + said + bytes([12, 3]))


def put_datagram(data):
    """A packet of discovery: hash, signature, type, list."""
    put('discv4', data)
    put('explain', data)
    put('discv4', data[97:])
    if data[97:98] in (b'\x04', b'\x06'):
        put('probe', bytes([0, 0, 1, 0, 4, 1, 1, 5, 1, 3, 0, 4, 1, data[97]]) +
            bytes([min(255, len(data) // 6)]) + data[98:])


listener = threading.Thread(target=listen)
listener.start()
simulated('bitcoin')
simulated('gossip')
simulated('ethereum')
real()
stopped.set()
listener.join()
for _, data, calls in streams.values():
    if data[:1] == b'{':
        put_stream(data, calls, True)
    elif data[4:11] == b'version':
        put_stream(data, calls, False)
for data in datagrams:
    if len(data) > 98 and data[97] <= 6:
        put_datagram(data)
print(f'capture: {len(streams)} streams, {len(datagrams)} datagrams')
