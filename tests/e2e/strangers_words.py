"""strangers_words.py: byte strings that a stranger may say of himself, and how each must read
wherever it is shown.

What must come out is worked out here from Unicode's own tables (Python's unicodedata) and from
what docs/cli.md and docs/seeding.md promise, and not from the program's list.
"""
import functools
import re
import unicodedata

AGENT_MAX = 256  # bytes that are kept of a user agent, or of a client's name
FORMULA = '=+-@\uff1d\uff0b\uff0d\uff20'

# What means something to some reader of text. Each pair of them is a word.
NASTY = [bytes([b]) for b in b'\0\t\n\r\x1b "\'\\,;=-@<&%{\x7f\x9b\xc2']

TEXTS = [
    '/Satoshi:29.0.0/',
    'Größe',
    '日本語',
    '𝒳',
    '(empty)',
    '3 others',
    'null',
    'nan',
    '-',
    ' ',
    '  x  ',
    # terminals: SGR, cursor, clearing, titles, links, device control, answers
    '\x1b[7;31;45mred',
    '\x1b[2J\x1b[H',
    '\x1b[3A\x1b[K',
    '\x1b]0;title\x07',
    '\x1b]8;;http://x\x1b\\x',
    '\x1bP$q"p\x1b\\',
    '\x1b[6n\x1b[c',
    '\x9b31mred',
    '\x90x\x9c',
    '\x1bc',
    '\x0e\x0f\x08\x08\x0b\x0c',
    'a\rb',
    'x\r\x1b[1A\x1b[J',
    # the direction of writing, and what nobody sees
    '\u202egnp.exe',
    '\u202a\u202b\u202d\u202c',
    '\u2066a\u2069\u2067b\u2068c',
    'a\u200e\u200fb\u061c',
    'a\u200bb\u200cc\u200dd\u2060e\ufefff',
    'a\u2028b\u2029c',
    'a\x85b',
    'a\xa0b\u2003c\u3000d\u1680e',
    'a\xadb\u034fc\u180ed',
    'a\ufe0fb\U000e0041c',
    '\ue000\U000f0000\U0010fffd',
    '\ufffe\uffff\ufdd0',
    '\ufffd',
    '\u3164\u115f\uffa0',
    'e\u0301' * 8,
    # formats of strings, shells, SQL
    '%s%s%s%n%x%99999d',
    '%',
    '%%',
    '{0}{x}',
    "'; DROP TABLE peers; --",
    "' OR '1'='1",
    '$(reboot)`reboot`',
    '${HOME}',
    '!x',
    '~',
    '*',
    '?',
    '../../etc/passwd',
    'a\\',
    '\\',
    '\\\\',
    '\\x41',
    '\\n',
    '\\u0041',
    '\\"',
    # lines of logs, rows, metrics, headers, events
    'a\n2026-01-01T00:00:00.000Z error forged',
    'a agent=b level=error',
    'a" level="error',
    '=',
    '"',
    '""',
    'a\n<3>forged',
    'a\n{"event":"up"}',
    'a"}\npeerwalk_peers{network="x"} 1\n# HELP a b',
    'a\n\ndata: {}\n\nevent: x',
    'a\r\nSet-Cookie: a=b\r\n\r\n',
    'a\r\n\r\nHTTP/1.1 200 OK',
    'OUTCOME  PEERS',
    '# a',
    ';a',
    'a # b',
    # CSV, and spreadsheets
    'a,b',
    'a,"b",c',
    ',',
    ',,,',
    'a\tb',
    ';',
    'a;b',
    "'=1",
    '=1+1',
    '+1',
    '-1',
    '@SUM(1)',
    ' =1',
    '\t=1',
    '\uff1d1',
    '\uff201',
    '=HYPERLINK("http://x")',
    "=cmd|' /C calc'!A0",
    "a;=cmd|' /C calc'!A0;b",
    'a; =1;b',
    'a;"=1";b',
    'a;";=1',
    ';=1',
    ';;=1',
    'a,=1',
    '"=1"',
    '",=1,"',
    'a;-1;+1;@1',
    'a;\uff1d1',
    # JSON, HTML, XML
    '","a":"b',
    '\\u0000',
    '{}',
    '[]',
    '</script><script>alert(1)</script>',
    '<b>',
    '&lt;',
    '&amp;amp;',
    '&#x0;',
    "' onmouseover='x",
    '" onmouseover="x',
    'javascript:alert(1)',
    '<!--',
    '-->',
    ']]>',
    '<![CDATA[',
    '<?xml?>',
    '<!DOCTYPE a>',
    '<svg/onload=alert(1)>',
    '</title></head>',
    '</bdi></th></tr>',
    '</data></node>',
    # DNS, DOT
    'a.b.c.',
    '@',
    '$ORIGIN x.',
    '$INCLUDE /etc/passwd',
    '( a',
    '\\000',
    '"];\nn1 -> n2 [label="',
    'a\\N\\G\\l',
    '<<b>x</b>>',
    '// a',
    '/* a',
    '*/',
    '\n#include <x>\n',
    '|',
    '`',
    '$',
    '#',
    '(',
    ')',
    '[',
    ']',
    '}',
    '~',
    '+',
    ':',
    '>',
    '/',
]

BYTES = [
    b'',
    # no UTF-8: overlong, cut, surrogates, too large, lone
    b'\xc0\x80',
    b'\xc0\xaf',
    b'\xe0\x80\xaf',
    b'\xf0\x80\x80\xaf',
    b'\xc1\xbf',
    b'\xe0\x9f\xbf',
    b'\xf0\x8f\xbf\xbf',
    b'\xc0\xa2\xc0\x8a',
    b'a\xc3',
    b'a\xe2\x82',
    b'a\xf0\x9f\x98',
    b'\xe2\x82"',
    b'\xf0\x9f\x98\n',
    b'\xc3\\',
    b'\xc2\x1b[m',
    b'\xed\xa0\x80',
    b'\xed\xb0\x80',
    b'\xed\xa0\xbd\xed\xb8\x80',
    b'\xed\xbf\xbf',
    b'\xf4\x90\x80\x80',
    b'\xf5\x80\x80\x80',
    b'\xf8\x88\x80\x80\x80',
    b'\xfc\x84\x80\x80\x80\x80',
    b'\xfe\xff',
    b'\xff\xfe',
    b'\x80\x80\x80',
    b'\xbf',
    b'\xef\xbb',
    b'\xef\xbf',
    b'\xe2\x80',
    b'\xe2\x80\xe2\x80\xae',
    b'\x9b31m',
    b'\x9d0;x\x9c',
    b'\x1b\xc2\x9b\xff[m',
    # as long as may be, whatever it grows to when it is escaped
    b'\0' * 256,
    b'\xff' * 256,
    b'\\' * 256,
    b'"' * 256,
    b'=' * 256,
    b'<' * 256,
    b'&' * 256,
    b"'" * 256,
    b'\n' * 256,
    b',' * 256,
    'ä'.encode() * 128,
    '€'.encode() * 85 + b'x',
    '𝒳'.encode() * 64,
    b'a' + 'ä'.encode() * 127 + b'\xc3',
    b'%s' * 128,
    b'\x1b[31m' * 51 + b'x',
    '\u202e'.encode() * 85 + b'x',
    b'a' * 255 + b'\n',
    b'a' * 255 + b'"',
    b'a' * 255 + b'\\',
    # as long as a line of the log shows, and one byte on either side of it
    b'\x01' * 127 + b'abc',
    b'\x01' * 127 + b'abcd',
    b'\x01' * 128 + b'z',
    b'x' * 253 + '€'.encode(),
]


def words():
    """All of them, each once, in one order for ever."""
    every = [b'/x' + bytes([b]) + b'y/' for b in range(256)]
    every += [a + b for a in NASTY for b in NASTY]
    every += [text.encode() for text in TEXTS] + BYTES
    assert all(len(word) <= AGENT_MAX for word in every)
    return list(dict.fromkeys(every))


# --- what becomes of it ---

# Default_Ignorable_Code_Point and noncharacters, as far as their category does not tell.
UNSEEN = ((0x34f, 0x34f), (0x115f, 0x1160), (0x17b4, 0x17b5), (0x180b, 0x180f), (0x3164, 0x3164),
          (0xfdd0, 0xfdef), (0xfe00, 0xfe0f), (0xffa0, 0xffa0), (0xfff0, 0xfff8), (0xfffe, 0xffff),
          (0xe0000, 0xe0fff))


@functools.lru_cache(maxsize=None)
def is_harmless(c):
    category = unicodedata.category(c)
    if category in ('Cc', 'Cf', 'Co', 'Cs', 'Zl', 'Zp') or (category == 'Zs' and c != ' '):
        return False
    return not any(first <= ord(c) <= last for first, last in UNSEEN)


def characters(raw):
    """The characters of some bytes; what is none, as bytes of their own."""
    at = 0
    while at < len(raw):
        for size in range(1, 5):
            try:
                yield raw[at:at + size].decode()
                break
            except UnicodeDecodeError:
                pass
        else:
            size = 1
            yield raw[at:at + 1]
        at += size


@functools.lru_cache(maxsize=None)
def escaped(raw):
    """As it reads in text, JSON and so on."""
    out = ''
    for c in characters(raw):
        if c == '\\':
            out += '\\\\'
        elif isinstance(c, str) and is_harmless(c):
            out += c
        else:
            out += ''.join('\\x%02x' % b for b in (c.encode() if isinstance(c, str) else c))
    return out


def undone(text):
    """What was escaped; what is not of that form is an error."""
    assert re.fullmatch(r'(?:\\\\|\\x[0-9a-f]{2}|[^\\])*', text, re.DOTALL), text
    raw = re.sub(rb'\\(\\|x[0-9a-f]{2})', lambda m: b'\\'
                 if m[1] == b'\\' else bytes([int(m[1][1:], 16)]), text.encode())
    return raw


def in_csv(raw):
    """As a reader of CSV sees it: nothing that a spreadsheet takes for a formula, be its columns
    divided by commas or by semicolons."""
    text = re.sub(r';(?=[ "]*[' + re.escape(FORMULA) + '])', r'\\x3b', escaped(raw))
    return "'" + text if text.lstrip(' ').startswith(tuple(FORMULA)) else text


def in_seeds(raw):
    """As the table for makeseeds.py has it: printable ASCII alone."""
    return ''.join(
        '\\\\' if b == 0x5c else chr(b) if 0x21 <= b <= 0x7e and b != 0x22 else '\\x%02x' % b
        for b in raw)


# --- what must not be anywhere ---

# What the program itself says to a terminal: bold and colours, the clearing of a line or a block.
OWN = re.compile('\x1b\\[(?:0|1|2|32|33|1;31)m|\r\x1b\\[[0-9]+A\x1b\\[J|\r\x1b\\[K')


def assert_harmless(data, what, terminal=False):
    """Bytes that anybody may print: UTF-8, and no character in it that is not seen."""
    text = data.decode()  # or it is no UTF-8
    if terminal:
        text = OWN.sub('', text.replace('\r\n', '\n'))
    for c in set(text) - {'\n'}:
        assert is_harmless(c), '%s: %a in %a' % (what, c, text[max(0, text.index(c) - 40):][:80])
    return text
