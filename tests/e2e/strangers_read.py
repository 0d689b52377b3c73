#!/usr/bin/env python3
"""strangers_read.py: reads what the program has written of the words of strangers_words.py, with
parsers that are not its own.

    strangers_read.py , WHAT ARGUMENT... [, WHAT ARGUMENT...]...

    exports PROGRAM DB NETWORK SHIFT   every format of export, and reports
    diff PROGRAM DB NETWORK SHIFT      what changed from its crawl 1 to 2
    store DB NETWORK SHIFT             the database itself
    serve URL NETWORK SHIFT            answers of `serve`
    events FILE NETWORK SHIFT          what was heard of its events
    metrics URL NETWORK PREFIX         numbers for Prometheus, of a crawl or a node
    watch LOG                          the log of a crawl that goes on, in JSON
    node NETWORK LOG TEXTLOG OUT JSON STATUS TABLE   two nodes that all of them called
    ping TEXT JSON NETWORK SHIFT       `ping` of everybody
    messages FORM FILE NETWORK         decode and listen
    records FILE                       `enr` of records
    sessions LOG JSON TEXTLOG OUT WORD...   two nodes of Ethereum that these called
    status JSON TEXT                   what they say of themselves
    terminal FILE...                   whatever went to a terminal
    listen URL PATH                    what comes from there, until it is killed

SHIFT: how many words further everybody was when he said what the newest crawl has heard.
Prints "ok NAME" or "FAILED NAME: why" for each thing that it looked at.
"""
import csv
import io
import json
import os
import re
import subprocess
import sqlite3
import sys
import urllib.parse
import urllib.request
import xml.etree.ElementTree

from strangers_peers import APP, LONG, WORDS, gossip_talk, number, place
from strangers_words import (FORMULA, assert_harmless, escaped, in_csv, in_seeds, undone)


def is_text(word):
    try:
        word.decode()
        return True
    except UnicodeDecodeError:
        return False


class Said:
    """What the peer at an address has said; None: nothing that was taken."""

    def __init__(self, network, shift):
        self.network, self.shift = network, int(shift)
        heard = [self.at(place(i)) for i in range(len(WORDS))]
        self.words = [word for word in heard if word is not None]
        self.everybody = len(heard)

    def at(self, address):
        word = WORDS[(number(address) + self.shift) % len(WORDS)]
        return word if self.network != 'gossip' or is_text(word) else None

    def of_url(self, url):
        return self.at(urllib.parse.urlsplit(url).hostname)


def check(name, look, *args):
    try:
        look(*args)
        print('ok', name, flush=True)
    except Exception as e:  # whatever it is, the check has failed
        print(('FAILED %s: %s: %s' % (name, type(e).__name__, ascii(str(e))))[:1000], flush=True)


def once(pairs):
    """A JSON object no key of which is there twice."""
    assert len(dict(pairs)) == len(pairs), pairs
    return dict(pairs)


def load(text):
    return json.loads(text, object_pairs_hook=once)


def same(got, want, what=''):
    if isinstance(got, dict) and isinstance(want, dict) and len(got) == len(want):
        got, want = ({key: of.get(key)
                      for key in got if got[key] != want.get(key)} for of in (got, want))
    assert got == want, '%s: %a instead of %a' % (what, got, want)


def rows_of(text):
    """CSV that has a line for each row and as many fields in each."""
    assert_harmless(text.encode(), 'CSV')
    rows = list(csv.reader(io.StringIO(text, newline=''), strict=True))
    same(len(rows), text.count('\n'), 'rows')
    same({len(row) for row in rows}, {len(rows[0])}, 'fields')
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def no_formula(text):
    """However somebody's spreadsheet divides it: by semicolons, too, and there without a thought of
    quotation marks that do not begin a column."""
    readings = [list(csv.reader(lines.splitlines())) for lines in (text, text.replace(';', ','))]
    readings += [[cell.lstrip('"') for cell in line.split(';')[1:]] for line in text.splitlines()]
    for cell in (cell for reading in readings for row in reading
                 for cell in ([row] if isinstance(row, str) else row)):
        cell = cell.lstrip(' ')
        assert not cell.startswith(tuple(FORMULA)) or re.fullmatch('-?[0-9]+', cell), cell


# --- exports ---


class Exports:

    def __init__(self, program, db, network, shift):
        self.program, self.db, self.said = program, db, Said(network, shift)

    def run(self, *args):
        done = subprocess.run([self.program, *args, '--db', self.db],
                              capture_output=True,
                              stdin=subprocess.DEVNULL)
        same(done.returncode, 0, done.stderr)
        assert_harmless(done.stderr, 'stderr')
        return assert_harmless(done.stdout.replace(b'\n\t', b'\n'),
                               ' '.join(args))  # DOT's own tabs

    def export(self, what, form, *args):
        return self.run('export', '--network', self.said.network, '--what', what, '--format', form,
                        *args)

    def agents(self, rows, form):
        """Each row has what that peer said, in this form."""
        rows = [row for row in rows if row['address'].startswith('127.77.')]
        for row in rows:
            word = self.said.at(row['address'])
            same(row['agent'] or '', '' if word is None else form(word), row['address'])
            if self.said.network == 'ethereum':
                same(row['capabilities'] or '', form(word), row['address'])
                same(row.get('faults', form(word)) or '', form(word), row['address'])
        assert len(rows) >= self.said.everybody

    def csv(self, what):
        text = self.export(what, 'csv')
        no_formula(text)
        newest = what == 'visits' and self.newest()
        self.agents([row for row in rows_of(text) if row.get('crawl', False) == newest], in_csv)

    def newest(self):
        return str(
            load(self.run('report', '--network', self.said.network, '--json'))['crawl']['id'])

    def json(self):
        self.agents(load(self.export('peers', 'json')), escaped)

    def jsonl(self):
        lines = self.export('peers', 'jsonl').split('\n')
        same(lines.pop(), '')
        self.agents([load(line) for line in lines], escaped)

    def graph(self, agents):
        """URL and agent of each node, as a graph's reader has found them."""
        want = {
            url: '' if self.said.of_url(url) is None else escaped(self.said.of_url(url))
            for url in agents
        }
        same(agents, want)
        assert len(agents) >= len(self.said.words)

    def dot(self):
        nodes, edges = read_dot(self.export('adverts', 'dot'))
        self.graph({node['label']: node.get('agent', '') for node in nodes.values()})
        assert len(edges) >= len(self.said.words) and {n
                                                       for edge in edges
                                                       for n in edge} <= set(nodes)

    def graphml(self):
        root = xml.etree.ElementTree.fromstring(self.export('adverts', 'graphml'))
        nodes = [{data.get('key'): data.text
                  for data in node} for node in root.iter() if node.tag.endswith('}node')]
        self.graph({node['peer']: node.get('agent', '') for node in nodes})

    def bitnodes(self):
        nodes = load(self.export('peers', 'bitnodes'))['nodes']
        same({at: node[1]
              for at, node in nodes.items()},
             {at: escaped(self.said.at(at.split(':')[0]))
              for at in nodes})
        same(len(nodes), len(self.said.words))

    def seeds(self):
        lines = [
            line for line in self.export('peers', 'seeds').split('\n') if line and line[0] != '#'
        ]
        for line in lines:
            fields = line.split()
            same(len(fields), 12, line)
            same(fields[11], '"%s"' % in_seeds(self.said.at(fields[0].split(':')[0])), line)
            assert line.isascii()
        same(len(lines), len(self.said.words))

    def nodes(self):
        """Lists of nodes: keys, addresses and records, whatever stands in these."""
        nodes = load(self.export('peers', 'nodeset'))
        same(len(nodes), len(WORDS))
        for form, pattern in (('enodes', r'enode://[0-9a-f]{128}@127\.77\.\d+\.\d+:30303'),
                              ('enrs', r'enr:[-_A-Za-z0-9]+')):
            lines = self.export('peers', form).split('\n')[:-1]
            same((len(lines), [line for line in lines if not re.fullmatch(pattern, line)]),
                 (len(WORDS), []))
        same(sorted(node['record'] for node in nodes.values()), sorted(lines))

    def report(self):
        text = self.run('report', '--network', self.said.network, '--top', '0', '--json')
        rows = load(text)['agents']['rows']
        same(sorted(row['value'] for row in rows), sorted(map(escaped, self.said.words)))

    def report_text(self):
        """A row a word: cut, but never inside an escape that could be taken for another one."""
        text = self.run('report', '--network', self.said.network, '--top', '0')
        table = text.split('\nUSER AGENT')[1].split('\n\n')[0].split('\n')[1:]
        labels = [re.fullmatch(r'  (.*?) +1 +[0-9.]+% .*', row)[1] for row in table]
        same(len(labels), len(self.said.words))
        words = sorted(escaped(word) for word in self.said.words)
        left = [
            word for word in words if len(word) <= 20 and ' ' not in word and word not in labels
        ]
        same([word for word in left if all(map(str.isascii, word))], [])

    def page(self):
        """The page, for read_page.py."""
        for top in '0', '3':
            page, document = self.db + '.html', self.db + '.json'
            self.run('report', '--network', self.said.network, '--top', top, '--html', page)
            with open(document, 'w', encoding='utf-8') as f:
                f.write(self.run('report', '--network', self.said.network, '--top', top, '--json'))
            reader = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'support',
                                  'read_page.py')
            subprocess.run([sys.executable, reader, page, document],
                           check=True,
                           capture_output=True)


def read_dot(text):
    """DOT by its grammar: nodes with their attributes, and edges. Inside quotation marks only a
    quotation mark can be escaped; two backslashes stand for themselves."""
    token = re.compile(
        r'\s*(?:("(?:\\\\|\\"|[^"\\]|\\(?=[^"\\]))*")|([A-Za-z_]\w*|-?[0-9.]+)|(->|[][{};=,]))')
    at, tokens = 0, []
    while text[at:].strip() if at > len(text) - 40 else True:
        found = token.match(text, at)
        assert found, text[at:at + 80]
        quoted, name, mark = found.groups()
        tokens.append(('text',
                       re.sub(r'\\(["\\])', lambda m: '"' if m[1] == '"' else '\\\\', quoted[1:-1])
                       ) if quoted is not None else ('name', name) if name else ('mark', mark))
        at = found.end()
    same(tokens[:3] + tokens[-1:], [('name', 'digraph'), ('name', 'adverts'), ('mark', '{'),
                                    ('mark', '}')])
    nodes, edges, at = {}, [], 3
    while at < len(tokens) - 1:
        same(tokens[at][0], 'name')
        who, at = [tokens[at][1]], at + 1
        if tokens[at] == ('mark', '->'):
            who, at = who + [tokens[at + 1][1]], at + 2
        same(tokens[at], ('mark', '['))
        attributes = {}
        while tokens[at] in (('mark', '['), ('mark', ',')):
            (kind, key), equals, (_, value) = tokens[at + 1:at + 4]
            same((kind, equals), ('name', ('mark', '=')))
            assert key not in attributes
            attributes[key], at = value, at + 4
        same(tokens[at:at + 2], [('mark', ']'), ('mark', ';')])
        at += 2
        if len(who) == 1:
            nodes[who[0]] = attributes
        else:
            edges.append(who)
    return nodes, edges


def exports(program, db, network, shift):
    e = Exports(program, db, network, shift)
    for what in 'peers', 'visits':
        check('%s: csv of %s' % (db, what), e.csv, what)
    looks = [e.json, e.jsonl, e.dot, e.graphml, e.report, e.page]
    looks += [e.nodes] if network == 'ethereum' else [e.report_text]
    if network.startswith('bitcoin'):
        looks += [e.bitnodes, e.seeds]
    for look in looks:
        check('%s: %s' % (db, look.__name__), look)


# --- diff ---


def diff(program, db, network, shift):
    e, before = Exports(program, db, network, shift), Said(network, int(shift) - 1)

    def document():
        doc = load(e.run('diff', '1', '2', '--list', '--top', '0', '--json'))
        for peer in doc['peers']:
            same((peer['change'], peer['was']['agent'], peer['is']['agent']),
                 ('changed', escaped(before.of_url(
                     peer['peer'])), escaped(e.said.of_url(peer['peer']))))
        same(len(doc['peers']), len(WORDS))
        assert {row['value'] for row in doc['agents']['rows']} <= set(map(escaped, WORDS))

    def text():
        lines = [
            line for line in e.run('diff', '1', '2', '--list').split('\n')
            if '://' in line
        ]
        for line in lines:
            url, words = re.fullmatch(r'changed +(\S+) +(.*)', line).groups()
            same(words.strip(),
                 ('%s -> %s' % (escaped(before.of_url(url)), escaped(e.said.of_url(url)))).strip())
        same(len(lines), len(WORDS))

    check('diff as JSON', document)
    check('diff as text', text)


# --- the database ---


def store(db, network, shift):
    said = Said(network, shift)

    def look():
        with sqlite3.connect('file:%s?mode=ro' % db, uri=True) as d:
            d.text_factory = bytes
            same(d.execute('PRAGMA integrity_check').fetchone(), (b'ok', ))
            rows = d.execute(
                'SELECT address, agent, typeof(agent) FROM peers_readable WHERE network = ?',
                (network, ))
            rows = list(rows)
        for address, agent, kind in rows:
            word = said.at(address.decode())
            form = 'null' if word is None else 'text' if is_text(
                word) and b'\0' not in word else 'blob'
            same((agent, kind), (word, form.encode()))
        same(len(rows), len(WORDS))

    check('%s: the bytes are there as they were said' % db, look)


# --- serve ---


class Served:

    def __init__(self, url, network, shift):
        self.url, self.said = url.rstrip('/'), Said(network, shift)

    def text(self, path, **params):
        with urllib.request.urlopen(self.url + path + '?' + urllib.parse.urlencode(params)) as r:
            return assert_harmless(r.read(), path)

    def get(self, path, **params):
        return load(self.text('/api/v1/' + path, **params))

    def peers(self):
        items, cursor = [], {}
        while True:
            page = self.get('peers', network=self.said.network, sort='agent', limit=1000, **cursor)
            items += page['items']
            if page['next'] is None:
                break
            cursor = {'cursor': page['next']}
        same(len({p['id'] for p in items}), len(WORDS))
        for p in items:
            word = self.said.at(p['address'])
            same(p['agent'], None if word is None else escaped(word), p['peer'])
        return items

    def facets(self):
        """Each can be asked for, and is found by a part of it."""
        agents = self.get('facets', network=self.said.network, top=1000)['agents']
        known = set(map(escaped, self.said.words))
        assert {a['text'] for a in agents} <= known, {a['text'] for a in agents} - known
        for a in agents[::23]:
            if a['value'] is None:
                continue
            found = self.get('peers', network=self.said.network, agent=a['value'])
            same((found['total'], found['items'][0]['agent']), (a['count'], a['text']))
            if a['text']:
                found = self.get('peers', network=self.said.network, q=a['text'], limit=1)
                assert found['total'] > 0, a

    def peer(self):
        for p in self.get('peers', network=self.said.network, limit=1000)['items'][::97]:
            same(self.get('peers/%d' % p['id'])['agent'], p['agent'])
            same(
                self.get('peers/%d/history' % p['id'])['visits'][0]['agent'] or '', p['agent']
                or '')

    def report(self):
        rows = self.get('crawls/newest/report', network=self.said.network,
                        top=1000)['agents']['rows']
        assert {row['value'] for row in rows} <= set(map(escaped, self.said.words))
        history = self.get('history', network=self.said.network, table='agents', top=20)
        assert {v['text']
                for v in history['values']
                } <= set(map(escaped, WORDS)) | {'(empty)'}, history['values']

    def diff(self):
        before = Said(self.said.network, self.said.shift - 1)
        doc = self.get('diff', a=1, b=2, limit=1000)
        same(doc['changed'], len(WORDS))
        for item in doc['items']:
            same((item['was'], item['now']),
                 (escaped(before.of_url(item['peer'])), escaped(self.said.of_url(item['peer']))))

    def metrics(self):
        assert 'peerwalk_peers' in names_of_metrics(self.text('/metrics'), self.said.network)


def names_of_metrics(text, network):
    """By two readers; of that network alone, and nobody is named."""
    found = list(metrics_of(text))
    names = [name for name, _ in found]
    same(len(names), len([x for x in text.split('\n') if x and x[0] != '#']))
    for name, labels in found:
        same(labels.get('network', network), network)
        assert set(labels) <= {'network', 'outcome', 'fate', 'step', 'version'}, labels
        assert all(re.fullmatch('[-a-z0-9_.]*', value) for value in labels.values()), labels
    try:
        from prometheus_client.parser import text_string_to_metric_families
    except ImportError:
        return names
    same(sorted(s.name for f in text_string_to_metric_families(text) for s in f.samples),
         sorted(names))
    return names


def metrics(url, network, prefix):

    def look():
        with urllib.request.urlopen(url) as r:
            names = names_of_metrics(assert_harmless(r.read(), url), network)
        assert len([name for name in names if name.startswith(prefix)]) > 5, names

    check('metrics of %s: %s' % (network, prefix), look)


def metrics_of(text):
    """Prometheus's text format, to the letter of its description."""
    for line in text.split('\n'):
        if line == '' or re.fullmatch(
                r'# (?:HELP [a-zA-Z_:]\w* [^\n]*|TYPE [a-zA-Z_:]\w* (?:counter|gauge))', line):
            continue
        found = re.fullmatch(
            r'([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (?:-?[0-9.]+(?:e[+-]?[0-9]+)?|NaN|[+-]Inf)', line)
        assert found, line
        pair = r'([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\"n])*)"'
        labels = found[2] or ''
        assert not labels or re.fullmatch('%s(?:,%s)*' % (pair, pair), labels), line
        yield found[1], dict(re.findall(pair, labels))


def serve(url, network, shift):
    s = Served(url, network, shift)
    for look in s.peers, s.facets, s.peer, s.report, s.diff, s.metrics:
        check('serve: ' + look.__name__, look)


def listen(url, path):
    with urllib.request.urlopen(url + "api/v1/" + path) as r:
        while data := r.read1(65536):
            os.write(1, data)


def events(path, network, shift):
    """Blocks of "event: NAME" and "data: JSON"; what came of all of these crawls."""
    saids = [Said(network, n) for n in range(int(shift) + 1)]

    def look():
        with open(path, 'rb') as f:
            text = assert_harmless(f.read(), 'events')
        seen = 0
        for block in text.split('\n\n')[:-1]:
            if block == ':':  # so that the connection does not fall asleep
                continue
            event, data = re.fullmatch(
                r'(?:retry: \d+\n)?event: (hello|crawl|visits|changed)\ndata: (\{.*\})',
                block).groups()
            items = load(data).get('items', []) if event == 'visits' else []
            for item in items:
                assert item['agent'] in [
                    escaped(w) if w is not None else None
                    for w in (said.of_url(item['peer']) for said in saids)
                ], item
            seen += len(items)
        assert seen > 0, 'no visits were told'

    check('events', look)


# --- a node ---


def of_log(line):
    """A line of the text log: its event, and its fields."""
    head = re.match(
        r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (?:error|warn |info |debug) (\w+)(?= |$)', line)
    assert head, line
    at, fields = head.end(), {}
    field = re.compile(r' (\w+)=(?:"((?:[^"\\]|\\["\\])*)"|([^ "=]+))')
    while at < len(line):
        found = field.match(line, at)
        assert found and found[1] not in fields, line[at:]
        fields[found[1]] = re.sub(r'\\(.)', r'\1', found[2]) if found[2] is not None else found[3]
        at = found.end()
    return head[1], fields


def watch(log):

    def look():
        with open(log, 'rb') as f:
            lines = assert_harmless(f.read(), 'log').split('\n')
        same(lines.pop(), '')
        assert 'round' in [load(line).get('event') for line in lines]

    check('the log of a watch', look)


def screen(data, what):
    """The lines that are on a terminal in the end: the one that says how it goes comes and goes."""
    assert_harmless(data, what, terminal=True)
    lines = data.decode().replace('\r\n', '\n').split('\n')
    return [line.split('\r\x1b[K')[-1] for line in lines]


def callers(network):
    said = Said(network, 0)
    return {
        place(i, 78): word
        for i, word in ((i, said.at(place(i))) for i in range(len(WORDS))) if word is not None
    }


def node(network, json_log, text_log, out, json_out, status, table):
    want = callers(network)

    def log_json():
        with open(json_log, 'rb') as f:
            lines = assert_harmless(f.read(), 'log').split('\n')
        same(lines.pop(), '')
        events = [load(line) for line in lines]
        got = {e['peer'].split(':')[0]: e['agent'] for e in events if e.get('event') == 'up'}
        near(got, {at: escaped(word) for at, word in want.items()})

    def near(got, all_of):
        same(set(got), set(all_of))
        for at, text in got.items():
            # Cut, if at all, where as much as possible is left.
            whole = all_of[at]
            assert text == whole or (whole.startswith(text)
                                     and 495 < len(text.encode()) < 512), (at, text, whole)
            undone(text)

    def log_text():
        with open(text_log, 'rb') as f:
            lines = assert_harmless(f.read(), 'log').split('\n')
        same(lines.pop(), '')
        # All others are sentences.
        event = re.compile(r'\S+ debug (?:up|down|self|lost) ')
        events = [of_log(line) for line in lines if event.match(line)]
        ups = [fields for name, fields in events if name == 'up']
        same(len(ups), len(want))
        near({f['peer'].split(':')[0]: f.get('agent', '') for f in ups},
             {at: escaped(word)
              for at, word in want.items()})

    def text():
        with open(out, 'rb') as f:
            lines = screen(f.read(), out)
        for line in lines:
            assert re.match(
                r'(?:listen|nodeid|group|url|time|peers|known|messages|up|down|self|lost) |$',
                line), line
        ups = [
            re.fullmatch(r'up +(\S+):\d+ +in     (.*)', line) for line in lines
            if line.startswith('up ')
        ]
        same({up[1]: up[2] for up in ups}, {at: escaped(word) for at, word in want.items()})

    def jsonl():
        with open(json_out, 'rb') as f:
            events = [
                load(line) for line in assert_harmless(f.read(), 'stdout').split('\n') if line
            ]
        same({e['peer'].split(':')[0]: e['agent']
              for e in events if e['event'] == 'up'},
             {at: escaped(word)
              for at, word in want.items()})

    def answers():
        with open(status, 'rb') as f:
            peers = load(assert_harmless(f.read(), 'status'))['peers']
        same({p['peer'].split(':')[0]: p['agent']
              for p in peers if p['up']}, {at: escaped(word)
                                           for at, word in want.items()})

    def rows():
        with open(table, 'rb') as f:
            lines = assert_harmless(f.read(), 'status').split('\n')
        head = [line for line in lines if line.startswith('PEER ')][0]
        at = head.index('AGENT')  # all columns before that are ASCII
        rows = [re.match(r'(127\.78\.\d+\.\d+):\d+ +in ', line) for line in lines]
        same({row[1]: row.string[at:].rstrip() for row in rows if row},
             {place: escaped(word).rstrip() for place, word in want.items()})

    for look in log_json, log_text, text, jsonl, answers, rows:
        check('node of %s: %s' % (network, look.__name__), look)


# --- ping, decode, listen ---


def ping(text, document, network, shift):
    said = Said(network, shift)

    def as_text():
        with open(text, 'rb') as f:
            lines = assert_harmless(f.read(), 'ping', terminal=True).split('\n')
        heads = [
            re.fullmatch(r'(%s://[0-9.:]+): (.*)' % network, line) for line in lines
            if not re.match('  |$', line)
        ]
        got = {head[1]: head[2] for head in heads}
        same(len(got), len(WORDS))
        for url, words in got.items():
            word = said.of_url(url)
            same(words, 'no answer' if word is None else escaped(word), url)

    def as_json():
        with open(document, 'rb') as f:
            text = assert_harmless(f.read(), 'ping')
        # One array behind the other: a command line has not room for everybody.
        peers = [
            peer for array in text.replace('\n]\n[', '\n]\0[').split('\0') for peer in load(array)
        ]
        same(len(peers), len(WORDS))
        for peer in peers:
            word = said.of_url(peer['peer'])
            same(peer.get('agent'), None if word is None else escaped(word), peer['peer'])

    check('ping of %s: text' % network, as_text)
    check('ping of %s: JSON' % network, as_json)


def messages(form, path, network):
    """Of what was sent, each text is there."""

    def texts_of(fields):
        return [f['value'] for f in fields if isinstance(f.get('value'), str)]

    def look():
        with open(path, 'rb') as f:
            text = assert_harmless(f.read(), form, terminal=form.endswith('text'))
        if form.endswith('text'):
            return
        if form == 'decode':
            doc = load(text)
            assert doc['ok'], doc['error']
            got = texts_of(doc['fields'])
        else:
            got = [
                value for line in text.split('\n') if line
                for value in texts_of(load(line)['fields'])
            ]
        if network == 'gossip':
            # As it is written there: JSON's own escapes are text like any other.
            pairs = [line[len(APP):-2] for line in gossip_talk() if line.startswith(APP)]
            want = [escaped(pair[1:len(pair) // 2 - 1]) for pair in pairs[:-1]]
            want.append(escaped(pairs[-1][len(b'"long":"'):-1]))
        else:
            want = [escaped(word[:111]) for word in WORDS] + [escaped(word) for word in WORDS[::8]]
            want.append(escaped(LONG))
        assert len(want) > 100
        got = set(got)
        same([word for word in want if word not in got], [])

    check(form + ': ' + network, look)


def records(path):
    """Keys and values of the records of make_strangers.c."""

    def look():
        with open(path, 'rb') as f:
            docs = load(assert_harmless(f.read(), 'enr'))
        same(len(docs), len(WORDS))
        for word, doc in zip(WORDS, docs):
            pairs = {pair['key']: pair for pair in doc['pairs']}
            same(len(pairs), len(doc['pairs']))
            assert doc['ok'] and pairs['zz']['value'] == word[:90].hex(), doc
            if 0 < len(word) < 16 and b'\0' not in word:
                same(bytes.fromhex(pairs[escaped(word)]['value']), word)

    check('records', look)


def sessions(log, json_out, text_log, out, *words):
    """What callers of a node have said of themselves, each in hex."""
    want = sorted(escaped(bytes.fromhex(word)) for word in words)

    def as_json(path):
        with open(path, 'rb') as f:
            events = [load(line) for line in assert_harmless(f.read(), path).split('\n') if line]
        same(sorted(e['client'] for e in events if e.get('event') == 'session'), want)

    def as_log():
        with open(text_log, 'rb') as f:
            lines = assert_harmless(f.read(), 'log').split('\n')
        events = [of_log(line) for line in lines if re.match(r'\S+ \w+ +session ', line)]
        same(sorted(fields['client'] for _, fields in events), want)

    def as_text():
        with open(out, 'rb') as f:
            lines = screen(f.read(), out)
        found = [re.match(r'session  \S+ +no_status  (.*?)(?:  eth/66 .*)?$', x) for x in lines]
        same(sorted(line[1] for line in found if line), want)

    check('sessions in a log of JSON', as_json, log)
    check('sessions as JSON', as_json, json_out)
    check('sessions in a log', as_log)
    check('sessions in a terminal', as_text)


def status(document, text):

    def look():
        with open(document, 'rb') as f:
            assert 'peers' in load(assert_harmless(f.read(), document))
        with open(text, 'rb') as f:
            assert assert_harmless(f.read(), text).startswith('network    ethereum, ')

    check('status of a node of Ethereum', look)


# --- terminals ---


def terminal(*paths):

    def look(path):
        with open(path, 'rb') as f:
            data = f.read()
        assert len(data) > 0
        assert_harmless(data, path, terminal=True)

    for path in paths:
        check('in a terminal: ' + path, look, path)


def main():
    groups = []
    for word in sys.argv[1:]:
        if word == ',':
            groups.append([])
        else:
            groups[-1].append(word)
    for what, *args in groups:
        globals()[what](*args)


if __name__ == '__main__':
    main()
