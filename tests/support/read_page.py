"""read_page.py PAGE JSON: reads what `report --html` wrote with parsers of Python's own, and
compares it with what `report --json` says of the same crawl.

Ends with an error at the first thing that differs, that a browser would fetch, or that isn't
harmless. Prints how many numbers were the same.
"""
import base64
import hashlib
import json
import re
import sys
import unicodedata
import xml.etree.ElementTree
from html.parser import HTMLParser

TAGS = set('html head meta title style body header main footer section h1 h2 p dl dt dd div span '
           'figure figcaption svg g rect line text desc table thead tbody tr th td bdi small '
           'time'.split())
ATTRIBUTES = set('lang charset http-equiv content name id class scope datetime role viewbox '
                 'preserveaspectratio aria-hidden aria-labelledby text-anchor x y x1 x2 y1 y2 '
                 'width height'.split())


class Page(HTMLParser):
    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.stack, self.ids, self.refs, self.meta = [], [], [], {}
        self.style, self.sections, self.rows, self.elements = '', {}, None, 0
        self.tiles, self.charts = [], 0

    def handle_decl(self, decl):
        assert decl == 'DOCTYPE html', decl

    def handle_comment(self, data):
        raise AssertionError('a comment: ' + data)

    handle_pi = unknown_decl = handle_comment

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        assert tag in TAGS, tag
        assert set(attrs) <= ATTRIBUTES, attrs
        self.elements += 1
        self.stack.append(tag)
        if 'id' in attrs:
            self.ids.append(attrs['id'])
        self.refs += attrs.get('aria-labelledby', '').split()
        if tag == 'meta':
            self.meta[attrs.get('http-equiv', attrs.get('name'))] = attrs.get('content')
        if tag == 'section':
            self.rows = self.sections[attrs['id']] = []
        elif tag == 'tr':
            self.rows.append([])
        elif tag in ('td', 'th'):
            self.rows[-1].append('')
        elif tag in ('dt', 'dd'):
            self.tiles.append('')
        elif tag == 'svg':
            self.charts += 'role' in attrs
            assert attrs.get('role') == 'img' or attrs['aria-hidden'] == 'true'

    def handle_endtag(self, tag):
        assert self.stack.pop() == tag, tag

    def handle_data(self, data):
        if self.stack[-1:] == ['style']:
            self.style += data
        elif self.stack[-1:] == ['bdi'] and 'th' in self.stack:
            self.rows[-1][-1] += data
        elif self.stack[-1:] in (['td'], ['th']):
            self.rows[-1][-1] += data
        elif self.stack[-1:] in (['dt'], ['dd']):
            self.tiles[-1] += data


def harmless(text):
    for c in text:
        assert c == '\n' or unicodedata.category(c) not in ('Cc', 'Cf', 'Cs', 'Co', 'Zl', 'Zp'), \
            ascii(c)


def number(text):
    assert re.fullmatch(r'\d{1,3}(,\d{3})*', text), text
    return int(text.replace(',', ''))


def number_or_none(text):
    return None if text == '\u2013' else number(text)


def percent(part, whole):
    return '%.1f%%' % (100 * part / whole)


def nearly(a, b):
    return abs(float(a[:-1]) - float(b[:-1])) < 0.11


def check_policy(page):
    policy = page.meta['Content-Security-Policy']
    style = base64.b64encode(hashlib.sha256(page.style.encode()).digest()).decode()
    assert policy == ("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
                      "form-action 'none'" % style), 'the style sheet has sha256-' + style
    for word in ('url(', '@import', 'http', '//', 'expression'):
        assert word not in page.style, word
    assert page.meta['viewport'].startswith('width=device-width')


def check_table(page, key, table):
    if not table['rows'] and table['others'] == 0:
        assert key not in page.sections, key
        return 0
    rows = page.sections[key][1:]
    want = [(row.get('text', row['value']) or '(empty)', row['count']) for row in table['rows']]
    if table['others'] > 0:
        want.append(('{:,} others'.format(table['distinct'] - len(want)), table['others']))
    got = [(row[0], number(row[1])) for row in rows]
    assert got == want, (key, [pair for pair in zip(got, want) if pair[0] != pair[1]], len(got))
    for row, (_, count) in zip(rows, want):
        assert nearly(row[2], percent(count, table['total'])), (key, row)
    return 2 * len(rows)


def check_times(page, times):
    if not any(t['count'] for t in times.values()):
        assert 'times' not in page.sections
        return 0
    head, counts, medians, p90s, *bins = page.sections['times']
    assert len(head) == 1 + len(times)
    for i, t in enumerate(times.values(), 1):
        assert number(counts[i]) == t['count']
        for row, key in ((medians, 'median'), (p90s, 'p90')):
            if t[key] is None or t[key] < 1000:
                assert row[i] == ('\u2013' if t[key] is None else '%d ms' % t[key]), row
        assert [number(row[i]) for row in bins] == [b['count'] for b in t['histogram']]
        assert sum(b['count'] for b in t['histogram']) == t['count']
    return len(times) * (3 + len(bins))


def check_history(page, history):
    if len(history) < 2:
        assert not {'changes', 'history'} & set(page.sections)
        return 0
    keys = ('known', 'visited', 'reached', 'came', 'went')
    rows = page.sections['history'][1:]
    assert len(rows) == len(history)
    for row, crawl in zip(rows, reversed(history)):
        assert row[0].strip() == str(crawl['crawl']) + ('' if crawl['complete'] else '*'), row
        assert [number_or_none(cell) for cell in row[1:]] == [crawl[key] for key in keys], row
    return len(keys) * len(rows)


def check_trend(page, doc):
    """How many charts there are: one for each value that any crawl has."""
    kept = [crawl['values'] for crawl in doc['history'] if crawl['values']]
    if len(kept) < 2:
        assert 'trend' not in page.sections
        return 0
    assert 'trend' in page.sections
    return sum(any(values.get(v['value']) for values in kept) for v in doc['history_of']['values'])


def check_uptime(page, uptime):
    counts = [u['count'] for u in uptime.values()]
    assert ('uptime' in page.sections) == any(counts)
    for u in uptime.values():
        assert sum(b['count'] for b in u['histogram']) == u['count']
    return sum(count > 0 for count in counts)


def check_charts(page, doc):
    """How many there are: one for each time, what has changed, and how much of it who is up."""
    past = doc['history'] if len(doc['history']) > 1 else []
    known = [crawl['known'] for crawl in past]
    return sum((check_trend(page, doc), check_uptime(page, doc.get('uptime', {})),
                sum(t['count'] > 0 for t in doc['times'].values()),
                any(crawl['reached'] for crawl in past),
                any(crawl['came'] or crawl['went'] for crawl in past),
                any(known) and None not in known))


def main():
    with open(sys.argv[1], encoding='utf-8', newline='') as f:
        text = f.read()
    with open(sys.argv[2], encoding='utf-8') as f:
        doc = {'history': [], **json.load(f)}  # it is left out where there is none
    page = Page()
    page.feed(text)
    page.close()
    assert page.stack == []
    harmless(text)
    assert len(page.ids) == len(set(page.ids))
    assert set(page.refs) <= set(page.ids)
    # The second parser: it takes nothing that is not well-formed.
    assert len(list(xml.etree.ElementTree.fromstring(text).iter())) == page.elements
    check_policy(page)
    assert page.tiles[:2] == ['Reached', '{:,}'.format(doc['reached'])]
    assert page.tiles[2].endswith(' of {:,} visited'.format(doc['visited']))
    same = 2
    nodes = doc.get('nodes', {})
    tables = {key: t for key, t in {**doc, **nodes}.items() if isinstance(t, dict) and 'rows' in t}
    for key, table in tables.items():
        same += check_table(page, key, table)
    same += check_times(page, doc['times']) + check_history(page, doc['history'])
    assert set(page.sections) <= set(tables) | {'times', 'changes', 'history', 'trend', 'uptime'}
    assert page.charts == check_charts(page, doc)
    print(same)


main()
