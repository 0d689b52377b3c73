"""makeseeds_rules.py: reads `export --format seeds` as Bitcoin Core's contrib/seeds/makeseeds.py does.

    makeseeds_rules.py DUMP TRUTH DB ZONE
    makeseeds_rules.py --month DUMP TRUTH

The rules are that program's (of version 28), in our own words: columns are what stands between
blanks; of the first a place in one of four forms, of the second whether it is good, of the
third when it last was, of the eighth a percentage, of the ninth to twelfth a height, services in
hexadecimal, a protocol, an agent in quotation marks. Chosen are those that are good, have
blocks enough and bit 1, were up for more than half of thirty days, call themselves as Core does,
are alone at their IP, and are not more than two of an AS.

Compares with the truth, the database and the zone; with --month as if every second of those peers
had been up for a month.
"""
import csv
import math
import re
import sqlite3
import sys

PLACES = [('ipv4', r'(\d{1,3}(?:\.\d{1,3}){3}):(\d+)'), ('ipv6', r'\[([0-9a-z:]+)\]:(\d+)'),
          ('onion', r'([a-z2-7]{56}\.onion):(\d+)'), ('i2p', r'([a-z2-7]{52}\.b32\.i2p):(\d+)')]
AGENT = re.compile(r'/Satoshi:\d+\.\d+\.\d+')


def read(line):
    """A peer, or None for a comment."""
    if line.startswith('#'):
        return None
    words = line.split()
    assert len(words) == 12, line
    net, match = next((net, m) for net, form in PLACES if (m := re.fullmatch(form, words[0])))
    assert words[1] in ('0', '1') and all(w.endswith('%') for w in words[3:8]), line
    assert re.fullmatch(r'[0-9a-f]{8,16}', words[9]), line
    assert len(words[11]) >= 2 and words[11][0] == words[11][-1] == '"', line
    return {'net': net, 'ip': match[1], 'port': int(match[2]), 'good': words[1] == '1',
            'last': int(words[2]), 'uptimes': [float(w[:-1]) for w in words[3:8]],
            'blocks': int(words[8]), 'services': int(words[9], 16), 'version': int(words[10]),
            'agent': words[11][1:-1]}


def choose(peers, least_blocks):
    peers = [p for p in peers if p['good'] and p['blocks'] >= least_blocks and p['services'] & 1 and
             p['uptimes'][4] > 50 and AGENT.match(p['agent'])]
    peers.sort(key=lambda p: (p['uptimes'][4], p['last'], p['ip']), reverse=True)
    ips = [p['ip'] for p in peers]
    chosen, of_as = [], {}
    for p in (p for p in peers if ips.count(p['ip']) == 1):
        asn = p['ip'].split('.')[1]  # as good a number as any
        of_as[asn] = of_as.get(asn, 0) + 1
        if of_as[asn] <= 2:
            chosen.append(p)
    return chosen


def main():
    month = sys.argv[1] == '--month'
    args = sys.argv[1 + month:]
    with open(args[0], encoding='ascii') as f:
        lines = f.readlines()
    assert lines[0].split()[:4] == ['#', 'address', 'good', 'lastSuccess'], lines[0]
    peers = [p for p in map(read, lines) if p]
    with open(args[1], encoding='utf8') as f:
        truth = {(r['address'], int(r['port'])): r for r in csv.DictReader(f)}
    assert len(peers) > 50
    places = {(p['ip'], p['port']) for p in peers}
    assert len(places) == len(peers)
    assert places == {at for at, row in truth.items() if row['reachable'] == '1'}
    for p in peers:
        said = truth[p['ip'], p['port']]['agent']
        assert p['agent'] == said.replace(' ', '\\x20'), (p['agent'], said)
    assert choose(peers, 1) == []  # nobody has been watched for a month
    tip = max(p['blocks'] for p in peers if p['good'])
    if month:
        for i, p in enumerate(peers):
            p['uptimes'][4] = 93.5 if i % 2 else 49.9
        chosen = choose(peers, tip - 10)
        assert 10 < len(chosen) < len(peers) / 2
        assert all(p['uptimes'][4] > 50 and p['version'] >= 70001 for p in chosen)
        return
    db = sqlite3.connect(f'file:{args[2]}?mode=ro', uri=True)
    watch = {row[:2]: row[2:] for row in db.execute(
        'SELECT p.address, p.port, visited_ms - first_ms, up_2h, up_8h, up_1d, up_7d, up_30d '
        'FROM watch w JOIN peers p ON p.id = w.peer_id')}
    for p in peers:
        span_ms, *shares = watch[p['ip'], p['port']]
        # Kept is the share of the time since the first visit; told, that of the window.
        for share, hours, told in zip(shares, (2, 8, 24, 168, 720), p['uptimes']):
            up = 100 * (share or 0) * (1 - math.exp(-span_ms / 3600000 / hours))
            assert abs(up - told) <= .006, (up, p)
        assert p['uptimes'] == sorted(p['uptimes'], reverse=True), p
    assert sum(p['good'] for p in peers) > len(peers) / 2
    zone = re.findall(r'^(\S+) IN A (\S+)$', open(args[3], encoding='ascii').read(), re.M)
    good = {p['ip']: p for p in peers if p['good']}
    services = {p['ip']: p['services'] for p in peers}
    for name, ip in zone:
        bits = 1 if name == '@' else int(name[1:], 16)
        assert services[ip] & bits == bits, (name, ip)
        assert bits & 1 == 0 or ip in good, (name, ip)
    for name in {name for name, _ in zone}:
        blocks = [ip.rsplit('.', 2)[0] for n, ip in zone if n == name]
        assert len(blocks) == len(set(blocks)) <= 25, name


main()
