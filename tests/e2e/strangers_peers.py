#!/usr/bin/env python3
"""strangers_peers.py: peers on real sockets of loopback that say the words of strangers_words.py.

    strangers_peers.py serve            a network of Bitcoin's (regtest) and one of gossip, a peer
                                        for each word, at 127.77.x.y; prints a line of JSON with
                                        both ports, writes bitcoin.seeds and gossip.seeds. With
                                        SIGUSR1 each says the word of the next one from then on.
    strangers_peers.py call NETWORK HOST:PORT
                                        calls a node once for each word, from 127.78.x.y; prints a
                                        line of JSON when it has answered all of them, and stays
    strangers_peers.py messages         all words as Bitcoin's messages, to messages.bin, as lines
                                        of gossip, to messages.jsonl, and bare, to words.bin;
                                        how many the one below says of them

At 127.77.99.1 of either network sits one that says all of that to whoever shakes hands.
"""
import asyncio
import functools
import hashlib
import json
import random
import resource
import signal
import struct
import sys
import uuid

from strangers_words import words

MAGIC = bytes.fromhex('fabfb5da')
TALKER = '127.77.99.1'
WORDS = words()
LONG = (b''.join(WORDS) * 14)[:65536]  # as the comment of an alert may be
APP = b'{"msgtype":"app",'  # messages of an application's own


def place(i, net=77):
    """Where the peer of that number is; and back."""
    return '127.%d.%d.%d' % (net, 1 + i // 250, 1 + i % 250)


def number(address):
    _, _, high, low = map(int, address.split('.'))
    return (high - 1) * 250 + low - 1


# --- Bitcoin's ---


def message(command, payload=b''):
    check = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return MAGIC + command.ljust(12, b'\0') + struct.pack('<I', len(payload)) + check + payload


def string(data):
    if len(data) < 0xfd:
        return bytes([len(data)]) + data
    return (b'\xfd' + struct.pack('<H', len(data)) if len(data) < 65536 else b'\xfe' +
            struct.pack('<I', len(data))) + data


def version(agent):
    nowhere = bytes(26)
    return message(
        b'version',
        struct.pack('<iQq', 70016, 0x409, 1800000000) + nowhere + nowhere + struct.pack('<Q', 7) +
        string(agent) + struct.pack('<i?', 900000, True))


def addr(port, hosts):
    entries = [
        struct.pack('<IQ', 1800000000, 0x409) + b'\0' * 10 + b'\xff' * 2 +
        bytes(map(int, host.split('.'))) + struct.pack('>H', port) for host in hosts
    ]
    return message(b'addr', bytes([len(entries)]) + b''.join(entries))


def alert(text, comment):
    """Times, ids, versions, user agents, priority, three texts."""
    body = (struct.pack('<iqqii', 1, 1, 2, 3, 4) + b'\0' + struct.pack('<ii', 1, 2) + b'\1' +
            string(text) + struct.pack('<i', 1) + string(comment) + string(text) * 2)
    return message(b'alert', string(body) + string(b'signature'))


@functools.lru_cache(maxsize=None)
def bitcoin_talk():
    """What has room for text: reject, alert, and messages of other names."""
    talk = [message(b'reject', string(word[:12]) + b'\x10' + string(word[:111])) for word in WORDS]
    talk += [alert(word, word) for word in WORDS[::8]] + [alert(b'', LONG)]
    return talk + [message(b'unheard', word) for word in WORDS[::8]]


class Peer(asyncio.Protocol):

    def __init__(self, network):
        self.network, self.data = network, b''

    def connection_made(self, transport):
        self.transport = transport
        self.host = transport.get_extra_info('sockname')[0]

    def word(self):
        return b'/talker/' if self.host == TALKER else WORDS[(number(self.host) +
                                                              self.network.shift) % len(WORDS)]

    def named(self):
        """The two behind it, so that whoever is named is a peer as well."""
        i = 0 if self.host == TALKER else number(self.host)
        return [place((i + n) % len(WORDS)) for n in (1, 2)]


class BitcoinPeer(Peer):

    def data_received(self, data):
        self.data += data
        while len(self.data) >= 24:
            size = struct.unpack_from('<I', self.data, 16)[0]
            if len(self.data) < 24 + size:
                break
            command = self.data[4:16].rstrip(b'\0')
            self.hear(command, self.data[24:24 + size])
            self.data = self.data[24 + size:]

    def hear(self, command, payload):
        if command == b'version':
            self.transport.write(version(self.word()) + message(b'verack'))
        elif command == b'verack' and self.host == TALKER:
            self.transport.write(b''.join(bitcoin_talk()))
        elif command == b'getaddr':
            self.transport.write(addr(self.network.port, self.named()))
        elif command == b'ping':
            self.transport.write(message(b'pong', payload))


# --- gossip ---


def quoted(word, ascii_only=False):
    """As JSON has it; bytes that are no UTF-8 stay as they are."""
    try:
        return json.dumps(word.decode(), ensure_ascii=ascii_only).encode()
    except UnicodeDecodeError:
        return b'"' + word.replace(b'\\', b'\\\\').replace(b'"', b'\\"') + b'"'


def hello(word, i):
    group = b',"network":' + quoted(word) if 0 < len(word) <= 64 else b''
    return (b'{"msgtype":"hello","nodeid":"%s","agent":' % str(uuid.UUID(int=i)).encode() +
            quoted(word, i % 2 == 0) + group + b'}\n')


@functools.lru_cache(maxsize=None)
def gossip_talk():
    """Types, keys, values, places and ids of others' making, and one line as long as may be."""
    talk = []
    for i, word in enumerate(WORDS):
        try:
            word.decode()
        except UnicodeDecodeError:
            continue
        q = quoted(word, i % 2 == 0)
        if i % 3 == 0 and len(word) <= 64:
            talk.append(b'{"msgtype":' + q + b',"x":1}\n')
        elif i % 3 == 1 and b'\0' not in word:  # which no key may hold
            talk.append(APP + q + b':' + q + b'}\n')
        else:
            talk.append(b'{"msgtype":"addr","peers":[' + q + b',[' + q + b',' + quoted(word[:0]) +
                        b']]}\n')
    long = '\u202e\x1b[2J"\\'
    long *= 65000 // len(json.dumps(long)[1:-1])
    talk.append(APP + b'"long":' + json.dumps(long).encode() + b'}\n')
    return talk


class GossipPeer(Peer):

    def data_received(self, data):
        self.data += data
        while b'\n' in self.data:
            line, self.data = self.data.split(b'\n', 1)
            self.hear(json.loads(line))

    def hear(self, m):
        if m['msgtype'] == 'hello':
            if self.host == TALKER:
                self.transport.write(hello(b'talker', 1) + b''.join(gossip_talk()))
            else:
                self.transport.write(hello(self.word(), number(self.host)))
        elif m['msgtype'] == 'getaddr':
            peers = ['%s:%d' % (host, self.network.port) for host in self.named()]
            self.transport.write(json.dumps({'msgtype': 'addr', 'peers': peers}).encode() + b'\n')
        elif m['msgtype'] == 'ping':
            m['msgtype'] = 'pong'
            self.transport.write(json.dumps(m).encode() + b'\n')


# --- both networks ---


class Network:

    def __init__(self, name, peer):
        self.name, self.peer, self.shift = name, peer, 0

    async def open(self):
        """At the same free port of all addresses."""
        loop = asyncio.get_running_loop()
        hosts = [TALKER] + [place(i) for i in range(len(WORDS))]
        while True:
            self.port = random.randrange(10000, 32000)
            servers = []
            try:
                for host in hosts:
                    servers.append(await loop.create_server(lambda: self.peer(self), host,
                                                            self.port))
                break
            except OSError:
                for server in servers:
                    server.close()
        with open(self.name + '.seeds', 'w') as f:
            f.writelines('%s:%d\n' % (host, self.port) for host in hosts[1:])

    def turn(self):
        self.shift += 1


async def serve():
    networks = Network('bitcoin', BitcoinPeer), Network('gossip', GossipPeer)
    for network in networks:
        await network.open()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1,
                                                      lambda: [n.turn() for n in networks])
    print(json.dumps({network.name: network.port for network in networks}), flush=True)
    await asyncio.Event().wait()


# --- callers ---


async def until(reader, mark):
    """What comes, up to where the mark has come."""
    data = b''
    while mark not in data:
        piece = await reader.read(65536)
        if not piece:
            raise EOFError
        data += piece


async def call_bitcoin(reader, writer, i):
    writer.write(version(WORDS[i]))
    await until(reader, b'verack\0')
    writer.write(message(b'verack') + message(b'getaddr') + message(b'ping', struct.pack('<Q', i)))
    await until(reader, message(b'pong', struct.pack('<Q', i)))


async def call_gossip(reader, writer, i):
    writer.write(
        hello(WORDS[i], i) + b'{"msgtype":"getaddr"}\n{"msgtype":"ping","nonce":"n%d"}\n' % i)
    await until(reader, b'"n%d"' % i)


async def call(network, host, port):
    talk = {'bitcoin': call_bitcoin, 'gossip': call_gossip}[network]
    turn = asyncio.Semaphore(16)

    async def one(i):
        async with turn:
            reader, writer = await asyncio.open_connection(host, port, local_addr=(place(i, 78), 0))
            try:
                await talk(reader, writer, i)
            except (EOFError, ConnectionError):
                writer.close()
                return None
            return writer

    writers = await asyncio.gather(*map(one, range(len(WORDS))))
    print(json.dumps({'called': len(writers), 'up': sum(w is not None for w in writers)}),
          flush=True)
    await asyncio.Event().wait()


def messages():
    with open('messages.bin', 'wb') as f:
        f.writelines([version(word) for word in WORDS] + bitcoin_talk())
    with open('messages.jsonl', 'wb') as f:
        f.writelines(gossip_talk())
    with open('words.bin', 'wb') as f:
        f.writelines(struct.pack('>H', len(word)) + word for word in WORDS)
    print(json.dumps({'bitcoin-regtest': len(bitcoin_talk()), 'gossip': len(gossip_talk())}))


def main():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if sys.argv[1] == 'serve':
        asyncio.run(serve())
    elif sys.argv[1] == 'call':
        host, port = sys.argv[3].rsplit(':', 1)
        asyncio.run(call(sys.argv[2], host, int(port)))
    else:
        messages()


if __name__ == '__main__':
    main()
