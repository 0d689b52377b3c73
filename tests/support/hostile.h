/* hostile.h: what strangers may send for a user agent, and how it must read afterwards. */
#ifndef PEERWALK_TESTS_SUPPORT_HOSTILE_H
#define PEERWALK_TESTS_SUPPORT_HOSTILE_H

#include "base/bytes.h"

/* What strangers may send, as it must read once a parser has undone the format: plain
 * is what JSON says; CSV says the same unless it has a form of its own. */
static const struct {
	const char *name;
	struct slice agent;
	const char *plain, *csv;
} hostile[] = {
#define BYTES(s)                                    \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}
	{ "ordinary", BYTES("/Satoshi:27.0.0/"), "/Satoshi:27.0.0/", NULL },
	{ "comma, quote", BYTES("a,\"b\",c"), "a,\"b\",c", NULL },
	{ "line breaks", BYTES("a\nb\r\nc"), "a\\x0ab\\x0d\\x0ac", NULL },
	{ "NUL", BYTES("a\0b"), "a\\x00b", NULL },
	{ "escape sequence", BYTES("\x1b[31mred"), "\\x1b[31mred", NULL },
	{ "C1",
	  BYTES("\xc2\x9b"
		"31m"),
	  "\\xc2\\x9b31m", NULL },
	{ "no UTF-8", BYTES("\xff\xfe\xc0\xaf"), "\\xff\\xfe\\xc0\\xaf", NULL },
	{ "turned around", BYTES("\xe2\x80\xaegnp.exe"), "\\xe2\\x80\\xaegnp.exe", NULL },
	{ "line separator", BYTES("a\xe2\x80\xa8z"), "a\\xe2\\x80\\xa8z", NULL },
	{ "letters", BYTES("Größe"), "Größe", NULL },
	{ "backslash", BYTES("\\x41\\"), "\\\\x41\\\\", NULL },
	{ "formula", BYTES("=HYPERLINK(\"http://x\")"), "=HYPERLINK(\"http://x\")",
	  "'=HYPERLINK(\"http://x\")" },
	{ "plus", BYTES("+1"), "+1", "'+1" },
	{ "minus", BYTES("-1"), "-1", "'-1" },
	{ "at", BYTES("@x"), "@x", "'@x" },
	{ "formula behind a semicolon", BYTES("a;=1;b"), "a;=1;b", "a\\x3b=1;b" },
	{ "tab, then a formula", BYTES("\t=1"), "\\x09=1", NULL },
	{ "page", BYTES("</script><b>"), "</script><b>", NULL },
	{ "quotes only", BYTES("\"\""), "\"\"", NULL },
	{ "empty", BYTES(""), "", NULL },
#undef BYTES
};

enum { HOSTILE = sizeof(hostile) / sizeof(*hostile) };

#endif
