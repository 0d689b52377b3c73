#!/usr/bin/env python3
"""kill.py: kills a program again and again at random moments, and looks at what it leaves.

    kill.py crawl PROGRAM KILLS SEED     crawls, each resumed until it ends, with `serve` beside
    kill.py watch PROGRAM KILLS SEED     a network that is watched (crawl --every --keep)
    kill.py node PROGRAM KILLS SEED      nodes of Bitcoin's network and of Ethereum, and their books

In the folder where seeds.txt and truth.csv of a simulated network are. What is committed is read by
another program's SQLite right before the kill; who is called is seen on the loopback device, where
that is allowed. Prints "ok NAME" or "FAILED NAME: why" once for each thing that it looks at, and
numbers at the end.
"""
import json
import random
import socket
import sqlite3
import struct
import subprocess
import sys
import threading
import time
import urllib.request

DB = 'kill.db'
failures = {}
looked = {}


def check(name, good, why=''):
    looked[name] = looked.get(name, 0) + 1
    if not good:
        failures.setdefault(name, str(why)[:300])


def rows(sql, *values):
    """What is committed; nothing while there is no database, or no table in it."""
    try:
        db = sqlite3.connect('file:%s?mode=ro' % DB, uri=True, timeout=30)
    except sqlite3.OperationalError:
        return []
    try:
        return db.execute(sql, values).fetchall()
    except sqlite3.OperationalError as e:
        if 'no such table' in str(e) or 'unable to open' in str(e):
            return []
        raise
    finally:
        db.close()


def value(sql, *values):
    found = rows(sql, *values)
    return found[0][0] if found else None


def is_sound():
    """To be read and written, as the next process will: the log is gone through."""
    db = sqlite3.connect(DB, timeout=30)
    found = db.execute('PRAGMA integrity_check').fetchall()
    found += db.execute('PRAGMA foreign_key_check').fetchall()
    db.close()
    check('the database is sound', found == [('ok',)], found)


class Calls:
    """Who is called: the places that SYNs on the loopback device go to."""

    def __init__(self):
        self.seen, self.lock = [], threading.Lock()
        try:
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0800))
            self.socket.bind(('lo', 0x0800))
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        except PermissionError:
            self.socket = None
            return
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            packet, place = self.socket.recvfrom(128)
            # Each comes twice: as it goes out, and as it comes in.
            if place[2] == socket.PACKET_OUTGOING or packet[9] != 6:
                continue
            tcp = packet[4 * (packet[0] & 15):]
            if tcp[13] & 0x12 != 2:
                continue
            port = struct.unpack('>H', tcp[2:4])[0]
            with self.lock:
                self.seen.append((socket.inet_ntoa(packet[16:20]), port))

    def take(self):
        with self.lock:
            seen, self.seen = self.seen, []
        return seen


class Moments:
    """Many soon after the start, most within the time in which a few commits happen, which is
    measured, as it takes ten times as long with sanitizers; some late enough for an end."""

    def __init__(self, seed):
        self.random, self.unit = random.Random(seed), 0.4

    def next(self):
        which = self.random.random()
        if which < 0.2:
            return self.random.uniform(0, self.unit)
        if which < 0.8:
            return self.random.uniform(self.unit, 4 * self.unit)
        return self.random.uniform(4 * self.unit, 8 * self.unit)

    def learn(self, program):
        began = time.time()
        subprocess.run([program, 'networks'], stdout=subprocess.DEVNULL, check=True)
        # Half a second to the first commit, and some starts.
        self.unit = 0.3 + 2 * (time.time() - began)


def kill_at(args, moment, note):
    """Runs it until that moment. What `note` said right before the kill; None: it had ended."""
    log = open('killed.err', 'w')
    process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=open('killed.out', 'w'), stderr=log)
    try:
        process.wait(moment)
        check('it ends by itself with 0', process.returncode == 0, open('killed.err').read())
        return None
    except subprocess.TimeoutExpired:
        noted = note()
        process.kill()
        process.wait()
        return noted


# --- crawls ---

CONNECT_TIMEOUT = "(SELECT id FROM outcomes WHERE name = 'connect_timeout')"
# A late retry of who was silent takes the place of the first try.
VISITS = '''SELECT p.address, p.port, v.started_at_ms, v.outcome, v.tries FROM visits v
    JOIN peers p ON p.id = v.peer_id WHERE v.crawl_id = ? AND v.outcome <> ''' + CONNECT_TIMEOUT
HOW = ['--no-default-seeds', '--seeds', 'seeds.txt', '--allow-private', '--connect-timeout', '300ms',
       '--timeout', '1s', '--db', DB]


def newest():
    found = rows('SELECT id, ended_at_ms FROM crawls ORDER BY id DESC LIMIT 1')
    return found[0] if found else (None, 0)


def visits():
    crawl = newest()[0]
    return crawl, set(rows(VISITS, crawl))


def sums_are_right():
    """Of all crawls, and of all peers."""
    wrong = rows('''SELECT c.id, c.visited, count(*), c.reached, sum(v.reached), c.bytes_in,
        sum(v.bytes_in), c.known FROM crawls c JOIN visits v ON v.crawl_id = c.id
        WHERE c.complete GROUP BY c.id HAVING c.visited <> count(*) OR c.reached <> sum(v.reached)
        OR c.bytes_in < sum(v.bytes_in) OR c.known < c.visited''')
    check('the sums of the crawls are right', wrong == [], wrong)
    wrong = rows('''SELECT p.id, p.visits, p.reached_count, count(v.id), coalesce(sum(v.reached), 0)
        FROM peers p LEFT JOIN visits v ON v.peer_id = p.id GROUP BY p.id
        HAVING p.visits <> count(v.id) OR p.reached_count <> coalesce(sum(v.reached), 0)''')
    check('the counts of the peers are right', wrong == [], wrong[:3])


class Served:
    """`serve` beside it all."""

    def __init__(self, program):
        self.process = subprocess.Popen([program, 'serve', '--db', DB, '--listen', '127.0.0.1:0'],
                                        stdout=subprocess.PIPE, stderr=open('serve.err', 'w'))
        self.url = self.process.stdout.readline().decode().strip()

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return json.load(answer)

    def look(self):
        check('serve goes on', self.process.poll() is None, open('serve.err').read())
        if newest()[0] is None:
            return
        for _ in range(100):
            try:
                self.get('api/v1/crawls')
                return
            except urllib.error.HTTPError as e:
                why = e.read()  # the database is new, or being read
                time.sleep(0.1)
        check('serve answers', False, why)

    def end(self):
        peers = value('SELECT count(*) FROM peers')
        for _ in range(100):
            said = self.get('api/v1/peers')['total']
            if said == peers:
                break
            time.sleep(0.1)
        check('serve shows all that is there', said == peers, (said, peers))
        self.process.terminate()
        check('serve ends as it should', self.process.wait() == 143)


def crawl(program, kills, seed):
    moments, calls, served = Moments(seed), Calls(), Served(program)
    killed = crawls = again = 0
    since = None  # who may not be called any more: visited and committed in this crawl
    moments.learn(program)
    while killed < kills or since is not None:
        if since is None:
            since = {}
            crawls += 1
        args = [program, 'crawl', 'bitcoin', '--rate', '400/s'] + HOW
        if newest()[1] is None:
            args.append('--resume')
        crawl_id = newest()[0] if newest()[1] is None else None
        time.sleep(0.01)
        calls.take()
        noted = kill_at(args, moments.next() if killed < kills else 60, visits)
        time.sleep(0.01)
        called = calls.take()
        twice = [c for c in called if c in since] if crawl_id is not None else []
        check('nobody is called whose visit was committed', twice == [], twice[:5])
        again += len(called)
        if noted is None:
            again -= value('SELECT count(*) FROM visits WHERE crawl_id = ?', newest()[0])
            sums_are_right()
            since = None
            continue
        killed += 1
        check('what was committed is there', noted[1] <= set(rows(VISITS, noted[0])), noted[0])
        is_sound()
        served.look()
        if newest()[1] is None:
            since = {row[:2]: row for row in rows(VISITS, newest()[0])}
    left = rows('SELECT id FROM crawls WHERE NOT complete')
    check('each crawl came to its end', left == [], left)
    if calls.socket is None:
        print('(who is called can not be seen here: no packet sockets)')
    served.end()
    print('%d kills in %d crawls of %d visits; %d calls more, for those not committed and in steps'
          % (killed, crawls, value('SELECT count(*) FROM visits'), again))


# --- a network that is watched ---

def watched():
    crawl, made = visits()  # before the others: a next round may begin any time
    return made, dict(rows('SELECT peer_id, visited_ms FROM watch')), crawl


def watch_is_right():
    wrong = rows('''SELECT * FROM sessions WHERE from_ms > to_ms''')
    check('no session ends before it began', wrong == [], wrong)
    wrong = rows('''SELECT * FROM sessions a JOIN sessions b ON a.peer_id = b.peer_id
        AND a.from_ms < b.from_ms AND a.to_ms >= b.from_ms''')
    wrong += rows('''SELECT * FROM sessions s JOIN watch w ON w.peer_id = s.peer_id
        WHERE s.to_ms >= w.up_since_ms''')
    check('no two sessions of a peer at a time', wrong == [], wrong)
    wrong = rows('''SELECT * FROM watch WHERE due_ms < visited_ms OR first_ms > visited_ms
        OR up_since_ms > up_until_ms OR up_until_ms > visited_ms OR up_7d NOT BETWEEN 0 AND 1''')
    check('schedules are in order', wrong == [], wrong)
    wrong = rows('''SELECT c.id, c.visited, count(v.id) FROM crawls c LEFT JOIN visits v
        ON v.crawl_id = c.id WHERE c.ended_at_ms IS NOT NULL AND NOT c.pruned GROUP BY c.id
        HAVING c.visited <> count(v.id)''')
    check('the sums of the rounds are right', wrong == [], wrong)
    # What is pruned is in the sums by day, whenever it was killed.
    wrong = rows('''SELECT p.id, p.visits, n.n, d.n FROM peers p
        LEFT JOIN (SELECT peer_id, count(*) AS n FROM visits GROUP BY peer_id) n ON n.peer_id = p.id
        LEFT JOIN (SELECT peer_id, sum(visits) AS n FROM daily GROUP BY peer_id) d
            ON d.peer_id = p.id
        WHERE p.reached_count > 0 AND p.visits <> coalesce(n.n, 0) + coalesce(d.n, 0)''')
    check('no visit is lost by pruning', wrong == [], wrong[:3])


def watch(program, kills, seed):
    moments = Moments(seed)
    args = [program, 'crawl', 'bitcoin', '--every', '700ms', '--keep', '1500ms'] + HOW
    moments.learn(program)
    for _ in range(kills):
        before = kill_at(args, moments.next() + moments.random.choice((0, 1)), watched)
        after = watched()
        check('it does not end by itself', before is not None)
        gone = before[0] - set(rows(VISITS, before[2]))
        check('what was committed is there', before[2] is None or gone == set() or
              value('SELECT pruned FROM crawls WHERE id = ?', before[2]), len(gone))
        wrong = [p for p, at in before[1].items() if after[1].get(p, 0) < at]
        check('no schedule goes back', wrong == [], wrong)
        is_sound()
        watch_is_right()
    subprocess.run(args + ['--duration', '3s'], stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL, check=True)
    watch_is_right()
    is_sound()
    wrong = rows('SELECT id FROM crawls WHERE ended_at_ms IS NULL')
    check('no round is left open', wrong == [], wrong)
    wrong = value('SELECT count(*) FROM watch WHERE up_since_ms IS NOT NULL')
    check('who is there is up', wrong >= 40, wrong)
    pruned = value('SELECT sum(pruned = 2) FROM crawls')
    check('old rounds became sums', kills < 5 or pruned > 0)
    print('%d kills, %d rounds, %d of them pruned, %d sessions that are over'
          % (kills, value('SELECT count(*) FROM crawls'), pruned,
             value('SELECT count(*) FROM sessions')))


# --- nodes and their books ---

def book():
    return set(rows('''SELECT b.name, r.key FROM book r JOIN books b ON b.id = r.book_id'''))


def node(program, kills, seed):
    moments, numbers = Moments(seed), {}
    moments.learn(program)
    with open('seeds.txt') as seeds:
        first = seeds.readline().strip()
    for i in range(kills):
        name = ('bitcoin', 'ethereum')[i % 2]
        args = [program, 'node', name, '--no-default-bootstrap', '--db', DB, '--json', '--listen',
                '127.0.0.1:0']
        args += ['--allow-private', '--bootstrap', first] if name == 'bitcoin' else ['--key', 'key']
        known = len([1 for b in book() if b[0] == name])
        noted = kill_at(args, moments.next() + 0.5, book)
        check('a node does not end by itself', noted is not None)
        check('what a node had kept is there', noted <= book())
        is_sound()
        with open('killed.out') as out:
            line = out.readline()
        if not line:
            continue
        ready = json.loads(line)
        if name == 'bitcoin':
            check('it begins with all that it knew', ready['known'] == known,
                  (ready['known'], known))
        else:
            check('the number of its record grows', ready['seq'] > numbers.get(name, 0))
            numbers[name] = ready['seq']
    check('there is something in the book', len(book()) > 20, len(book()))
    print('%d kills, %d addresses in the book' % (kills, len(book())))


def main():
    what, program, kills, seed = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    {'crawl': crawl, 'watch': watch, 'node': node}[what](program, kills, seed)
    for name in looked:
        print('FAILED %s: %s' % (name, failures[name]) if name in failures else 'ok %s' % name)


main()
