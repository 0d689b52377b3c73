#!/usr/bin/env python3
"""serve_client.py: looks at what `peerwalk serve` answers, and holds it to docs/api.md.

    serve_client.py api URL             the shape of each answer, and questions that are wrong
    serve_client.py metrics URL         the text at /metrics, by a parser that is not ours
    serve_client.py token URL TOKEN     who is let in
    serve_client.py events URL          prints events, one "NAME JSON" a line, until it is killed
    serve_client.py slow URL            clients that say half of something

Prints "ok NAME" or "FAILED NAME: why" for each thing that it looked at.
"""
import http.client
import json
import re
import socket
import sys
from urllib.parse import urlsplit

CRAWL = {'id', 'network', 'started_at', 'ended_at', 'complete', 'running', 'every_seconds',
         'settings'}
SUMS = {'seconds', 'known', 'visited', 'reached', 'adverts', 'bytes_in', 'bytes_out',
        'cpu_seconds', 'max_rss_bytes'}
PEER = {'id', 'network', 'peer', 'address', 'port', 'kind', 'node_id', 'outcome', 'reached',
        'agent', 'protocol', 'services', 'service_names', 'height', 'first_seen', 'last_seen',
        'last_reached', 'connect_ms', 'handshake_ms', 'visits', 'reached_count', 'country',
        'country_name', 'city', 'latitude', 'longitude', 'asn', 'as_name', 'up_since', 'uptime'}


class Server:
    def __init__(self, url):
        self.host, self.port = urlsplit(url).hostname, urlsplit(url).port

    def ask(self, path, method='GET', headers={}):
        """The status, the headers, the body as bytes."""
        c = http.client.HTTPConnection(self.host, self.port, timeout=30)
        c.request(method, path, headers=headers)
        r = c.getresponse()
        body = r.read()
        c.close()
        return r.status, r.headers, body

    def get(self, path):
        status, headers, body = self.ask(path)
        assert status == 200, (path, status, body)
        assert headers['Content-Type'] == 'application/json', headers['Content-Type']
        return json.loads(body)


def check(name, look, *args):
    try:
        look(*args)
        print('ok', name)
    except Exception as e:  # whatever it is, the check has failed
        print('FAILED %s: %r' % (name, e))


def has(thing, keys):
    assert set(thing) == set(keys), (set(thing) ^ set(keys), thing)


# --- shapes ---

def networks(s):
    doc = s.get('/api/v1/networks')
    has(doc, {'networks', 'geo', 'version'})
    has(doc['geo'], {'countries', 'asns', 'locations'})
    n = doc['networks'][0]
    has(n, {'name', 'peers', 'reached', 'crawls', 'newest_crawl', 'running'})
    assert n['name'] == 'bitcoin' and n['crawls'] == 2 and n['newest_crawl'] == 2, n
    assert n['running'] is None and 0 < n['reached'] < n['peers'], n


def crawls(s):
    doc = s.get('/api/v1/crawls?network=bitcoin')
    has(doc, {'items', 'next'})
    assert [c['id'] for c in doc['items']] == [2, 1] and doc['next'] is None, doc
    has(doc['items'][0], CRAWL | SUMS)
    assert re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z', doc['items'][0]['started_at'])
    assert s.get('/api/v1/crawls?network=sepolia')['items'] == []


def pages(s):
    first = s.get('/api/v1/crawls?limit=1')
    second = s.get('/api/v1/crawls?limit=1&cursor=' + first['next'])
    assert [c['id'] for c in first['items'] + second['items']] == [2, 1]
    assert second['next'] is None
    seen, cursor = [], ''
    while cursor is not None:
        page = s.get('/api/v1/peers?sort=address&limit=60' + (cursor and '&cursor=' + cursor))
        seen += [p['id'] for p in page['items']]
        cursor = page['next']
    assert len(seen) == len(set(seen)) == page['total'], (len(seen), page['total'])


def crawl(s):
    doc = s.get('/api/v1/crawls/newest?network=bitcoin')
    has(doc, CRAWL | SUMS)
    assert doc == s.get('/api/v1/crawls/2')


def report(s):
    doc = s.get('/api/v1/crawls/2/report?top=3')
    assert {'crawl', 'visited', 'reached', 'times', 'tip', 'outcomes', 'agents'} <= set(doc)
    assert doc['crawl']['id'] == 2 and len(doc['agents']['rows']) <= 3
    assert doc == s.get('/api/v1/crawls/2/report?top=3'), 'the second time'
    assert doc == s.get('/api/v1/crawls/newest/report?top=3'), 'as the newest'


def history(s):
    doc = s.get('/api/v1/history?network=bitcoin')
    has(doc, {'network', 'items', 'values'})
    assert [i['id'] for i in doc['items']] == [1, 2], doc
    assert {'id', 'started_at', 'known', 'visited', 'reached', 'came', 'went',
            'values'} <= set(doc['items'][1])
    assert s.get('/api/v1/history?network=bitcoin&to=2020-01-01')['items'] == []


def diff(s):
    doc = s.get('/api/v1/diff?a=1&b=2&limit=1000')
    has(doc, {'a', 'b', 'came', 'went', 'back', 'changed', 'items', 'next'})
    count = {w: sum(i['what'] == w for i in doc['items']) for w in ('came', 'went', 'back',
                                                                    'changed')}
    assert count == {w: doc[w] for w in count}, (count, doc)
    assert doc['went'] > 0 and doc['came'] > 0 and doc['changed'] > 0, doc
    has(doc['items'][0], {'what', 'id', 'peer', 'agent', 'was', 'now'})
    went = s.get('/api/v1/diff?a=1&b=2&what=went&limit=1000')
    assert went['items'] == [i for i in doc['items'] if i['what'] == 'went']
    seen, cursor = [], ''
    while cursor is not None:
        page = s.get('/api/v1/diff?a=1&b=2&limit=3' + (cursor and '&cursor=' + cursor))
        seen += page['items']
        cursor = page['next']
    assert seen == doc['items']
    back = s.get('/api/v1/diff?a=2&b=1&limit=1')
    assert back['went'] == doc['came'] + doc['back'], back


def peers(s):
    doc = s.get('/api/v1/peers')
    has(doc, {'total', 'items', 'next'})
    for p in doc['items']:
        has(p, PEER)
    # Nobody watches them (crawl --every).
    assert all(p['uptime'] is None and p['up_since'] is None for p in doc['items'])
    reached = s.get('/api/v1/peers?reached=yes&limit=1')
    assert reached['total'] == s.get('/api/v1/networks')['networks'][0]['reached']
    p = doc['items'][0]
    one = s.get('/api/v1/peers/%d' % p['id'])
    assert {k: v for k, v in one.items() if k != 'schedule'} == p
    h = s.get('/api/v1/peers/%d/history' % p['id'])
    has(h, {'sessions', 'visits', 'changes', 'days'})


def facets(s):
    doc = s.get('/api/v1/facets?top=3')
    has(doc, {'total', 'agents', 'countries', 'asns', 'kinds', 'outcomes', 'services',
              'protocols'})
    assert 0 < len(doc['agents']) <= 3
    a = doc['agents'][0]
    has(a, {'value', 'text', 'count'})
    has(s.get('/api/v1/map'), {'countries', 'places', 'unknown'})


def hostile(s):
    """One of the agents is the name of a script, controls, and marks that turn the writing."""
    for path in ('/api/v1/peers?limit=1000', '/api/v1/facets?top=1000',
                 '/api/v1/crawls/2/report?top=1000', '/api/v1/diff?a=1&b=2&limit=1000'):
        body = s.ask(path)[2]
        text = json.loads(body)
        assert b'script' in body, path
        assert not re.search('[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]',
                             json.dumps(text, ensure_ascii=False)), path
    _, headers, _ = s.ask('/api/v1/peers')
    assert headers['X-Content-Type-Options'] == 'nosniff'
    assert "default-src 'none'" in headers['Content-Security-Policy']


def page(s):
    status, headers, body = s.ask('/')
    assert status == 200 and headers['Content-Type'].startswith('text/html'), headers
    assert b'<!doctype html>' in body.lower()
    for path in re.findall(rb'(?:src|href)="(/[^"]*)"', body):
        status, headers, data = s.ask(path.decode())
        assert status == 200 and data, path
        if path.startswith(b'/assets/'):
            assert 'immutable' in headers['Cache-Control']


def etags(s):
    for path in ('/', '/api/v1/networks', '/api/v1/peers?limit=3', '/api/v1/crawls/2/report'):
        status, headers, body = s.ask(path)
        again = s.ask(path, headers={'If-None-Match': headers['ETag']})
        assert again[0] == 304 and again[2] == b'', (path, again)
        head = s.ask(path, method='HEAD')
        assert head[0] == 200 and head[2] == b'' and head[1]['ETag'] == headers['ETag'], path
        assert int(head[1]['Content-Length']) == len(body), path


def wrong(s):
    rows = [
        (400, '/api/v1/networks?x=1'), (400, '/api/v1/crawls?limit=0'),
        (400, '/api/v1/crawls?limit=1001'), (400, '/api/v1/crawls?cursor=x'),
        (400, '/api/v1/crawls?limit=1&limit=2'), (404, '/api/v1/crawls/3'),
        (404, '/api/v1/crawls/x'), (404, '/api/v1/crawls/-1'), (404, '/api/v1/crawls/1/x'),
        (404, '/api/v1/crawls/99999999999999999999'), (404, '/api/v1/crawls/'),
        (404, '/api/v1/crawls/newest?network=sepolia'), (400, '/api/v1/crawls/1/report?top=x'),
        (400, '/api/v1/history'), (400, '/api/v1/history?network=bitcoin&table=x'),
        (400, '/api/v1/history?network=bitcoin&from=yesterday'),
        (400, '/api/v1/history?network=bitcoin&limit=501'), (400, '/api/v1/diff'),
        (400, '/api/v1/diff?a=1'), (404, '/api/v1/diff?a=1&b=3'),
        (400, '/api/v1/diff?a=1&b=2&what=x'), (400, '/api/v1/diff?a=1&b=2&cursor=-1'),
        (400, '/api/v1/peers?sort=x'), (400, '/api/v1/peers?outcome=x'),
        (404, '/api/v1/peers/0'), (404, '/api/v1/peers/999999'), (404, '/api/v1/peers/1/x'),
        (400, '/api/v1/facets?top=x'), (400, '/api/v1/events?x=1'), (400, '/metrics?x=1'),
        (404, '/api/v1'), (404, '/api/v1/'), (404, '/api/v2/networks'), (404, '/../etc/passwd'),
        (404, '/%2e%2e/%2e%2e/etc/passwd'), (404, '/assets/'), (404, '/<script>'),
    ]
    for status, path in rows:
        got, headers, body = s.ask(path)
        assert got == status, (path, got, body)
        assert set(json.loads(body)) == {'error'}, (path, body)
        assert headers['Content-Type'] == 'application/json', path
    for method in ('POST', 'PUT', 'DELETE', 'OPTIONS'):
        got, headers, _ = s.ask('/api/v1/networks', method=method)
        assert got == 405 and headers['Allow'] == 'GET, HEAD', (method, got)
    assert s.ask('/' + 'x' * 20000)[0] == 414
    assert s.ask('/', headers={'X': 'y' * 20000})[0] == 431
    assert s.ask('/', headers={'Host': 'rebound.example'})[0] == 400


def api(url):
    s = Server(url)
    for look in (networks, crawls, pages, crawl, report, history, diff, peers, facets, hostile,
                 page, etags, wrong):
        check(look.__name__, look, s)


# --- the others ---

def parse(s):
    from prometheus_client.parser import text_string_to_metric_families
    status, headers, body = s.ask('/metrics')
    assert status == 200 and headers['Content-Type'].startswith('text/plain; version=0.0.4')
    names = set()
    for family in text_string_to_metric_families(body.decode()):
        assert family.type in ('counter', 'gauge') and family.documentation, family
        assert family.samples, family
        names.update(sample.name for sample in family.samples)
    assert {'process_cpu_seconds_total', 'process_resident_memory_bytes', 'process_open_fds',
            'process_start_time_seconds', 'peerwalk_build_info'} <= names, names


def metrics(url):
    try:
        import prometheus_client  # noqa: F401
    except ImportError:
        print('ok metrics (not parsed: python3-prometheus-client is missing)')
        return
    check('metrics', parse, Server(url))


def let_in(s, token):
    assert s.ask('/api/v1/networks')[0] == 401
    assert s.ask('/')[0] == 401
    assert s.ask('/metrics', headers={'Authorization': 'Bearer ' + token[:-1]})[0] == 401
    assert s.ask('/metrics', headers={'Authorization': 'Bearer ' + token})[0] == 200
    assert s.ask('/healthz')[0] == 200
    # By a name, as behind a server with TLS.
    assert s.ask('/metrics', headers={'Authorization': 'Bearer ' + token,
                                      'Host': 'peers.example'})[0] == 200
    status, headers, _ = s.ask('/?token=' + token)
    assert status == 303 and headers['Location'] == '/', status
    cookie = headers['Set-Cookie']
    assert 'HttpOnly' in cookie and 'SameSite=Strict' in cookie and token not in cookie, cookie
    assert s.ask('/', headers={'Cookie': cookie.split(';')[0]})[0] == 200
    status, headers, body = s.ask('/', headers={'Accept': 'text/html'})
    assert status == 401 and b'<form' in body and headers['WWW-Authenticate'] == 'Bearer'


def events(url):
    s = Server(url)
    c = http.client.HTTPConnection(s.host, s.port, timeout=60)
    c.request('GET', '/api/v1/events?network=bitcoin')
    r = c.getresponse()
    assert r.status == 200 and r.headers['Content-Type'] == 'text/event-stream', r.status
    name = None
    for line in r:
        text = line.decode().rstrip('\n')
        if text.startswith('event: '):
            name = text[7:]
        elif text.startswith('data: '):
            print(name, json.dumps(json.loads(text[6:])), flush=True)


def half(s):
    """Sixty of them hold nobody up."""
    open_ones = []
    for i in range(60):
        one = socket.create_connection((s.host, s.port))
        one.sendall(b'GET /api/v1/networks HTTP/1.1\r\nHost: loc'[:i])
        open_ones.append(one)
    assert s.get('/api/v1/networks')['networks']
    for i in range(20):
        open_ones[i].sendall(b'\0\xff\r\n\r\n')
    assert s.get('/api/v1/networks')['networks']
    for one in open_ones:
        one.close()


def main():
    what, url = sys.argv[1:3]
    if what == 'token':
        check('token', let_in, Server(url), sys.argv[3])
    elif what == 'slow':
        check('slow', half, Server(url))
    else:
        {'api': api, 'metrics': metrics, 'events': events}[what](url)


main()
