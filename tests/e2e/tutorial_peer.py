#!/usr/bin/env python3
"""tutorial_peer.py: a peer of a gossip network that was written without peerwalk's code.

    tutorial_peer.py --listen PORT [--dial HOST:PORT]... [--known HOST:PORT]... [--answer HOW]

It speaks the bare messages that the protocol began with: msgtype, nodeid and peers, and nothing
else. It dials whoever is named, in both roles says hello, pings, announces itself and asks. What
it hears it prints, a line each: "hello ID", "pong ID", "addr HOST:PORT ...", "closed ID". Of
getaddr it answers with those whom it has dialled and who have answered a ping in the last 240 s,
and with whoever is --known; with --answer empty with nobody, with --answer never not at all.
It runs until it is killed.
"""
import argparse
import asyncio
import json
import time
import uuid


class Node:
    def __init__(self, options):
        self.options = options
        self.nodeid = str(uuid.uuid4())
        self.place = "127.0.0.1:%d" % options.listen
        self.peers = {}  # by nodeid and kind: [place, time of the last pong, writer]
        self.dialled = {self.place}

    def say(self, writer, **message):
        writer.write((json.dumps(message) + "\n").encode())

    def tell(self, *words):
        print(*words, flush=True)

    async def dial(self, place):
        if place in self.dialled:
            return
        self.dialled.add(place)
        host, port = place.rsplit(":", 1)
        try:
            reader, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            self.tell("refused", place)
            return
        self.say(writer, nodeid=self.nodeid, msgtype="hello")
        await self.talk(reader, writer, place, 1)

    async def accept(self, reader, writer):
        await self.talk(reader, writer, "%s:%d" % writer.get_extra_info("peername")[:2], 2)

    async def talk(self, reader, writer, place, kind):
        remote = None
        try:
            while line := await reader.readline():
                message = json.loads(line)
                msgtype = message["msgtype"]
                if remote is None:
                    assert msgtype == "hello", msgtype
                    remote = message["nodeid"]
                    if kind == 2:
                        self.say(writer, nodeid=self.nodeid, msgtype="hello")
                    self.tell("hello", remote)
                    if remote == self.nodeid:
                        break
                    self.peers[remote, kind] = [place, 0, writer]
                    self.say(writer, msgtype="ping")
                    self.say(writer, msgtype="addr", peers=[self.place])
                    self.say(writer, msgtype="getaddr")
                else:
                    self.hear(writer, remote, kind, msgtype, message)
        except (OSError, ValueError) as error:
            self.tell("error", error)
        if remote is not None:
            self.tell("closed", remote)
            self.peers.pop((remote, kind), None)
        writer.close()

    def hear(self, writer, remote, kind, msgtype, message):
        if msgtype == "ping":
            self.say(writer, msgtype="pong")
        elif msgtype == "pong":
            self.peers[remote, kind][1] = time.time()
            self.tell("pong", remote)
        elif msgtype == "getaddr" and self.options.answer != "never":
            self.say(writer, msgtype="addr", peers=self.known())
        elif msgtype == "addr":
            # A pair, as the tutorial sends them, or the place alone, as its announcement is.
            places = [p if isinstance(p, str) else p[0] for p in message["peers"]]
            self.tell("addr", *places)
            for place in places:
                asyncio.create_task(self.dial(place))

    def known(self):
        if self.options.answer == "empty":
            return []
        alive = time.time() - 240
        return [(place, nodeid) for (nodeid, kind), (place, pong, _) in self.peers.items()
                if kind == 1 and pong > alive] + [(k, str(uuid.uuid4())) for k in self.options.known]

    async def ping_all(self):
        while True:
            await asyncio.sleep(self.options.ping)
            for peer in list(self.peers.values()):
                self.say(peer[2], msgtype="ping")

    async def run(self):
        server = await asyncio.start_server(self.accept, "127.0.0.1", self.options.listen)
        self.tell("ready", self.nodeid)
        for place in self.options.dial:
            asyncio.create_task(self.dial(place))
        asyncio.create_task(self.ping_all())
        await server.serve_forever()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--listen", type=int, required=True)
    parser.add_argument("--dial", action="append", default=[])
    parser.add_argument("--known", action="append", default=[])
    parser.add_argument("--answer", choices=["full", "empty", "never"], default="full")
    parser.add_argument("--ping", type=float, default=60)
    asyncio.run(Node(parser.parse_args()).run())


main()
