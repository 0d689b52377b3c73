/* bitcoin.h: what the tests and fuzz targets of Bitcoin's codecs share.
 *
 * reencode() decodes a payload and writes it again; the row runner checks a payload's
 * error, its place, the names of its fields, and that the fields cover every byte. */
#ifndef PEERWALK_TESTS_SUPPORT_BITCOIN_H
#define PEERWALK_TESTS_SUPPORT_BITCOIN_H

#include "proto/bitcoin/filters.h"
#include "proto/bitcoin/inventory.h"
#include "proto/bitcoin/options.h"

#include <stdio.h>
#include <string.h>

static inline void reencode_addr(struct reader *r, bool v2, struct writer *w)
{
	static struct advert adverts[BITCOIN_ADDR_MAX];
	struct bitcoin_addr list;
	struct reader entries;
	size_t n = 0;

	bitcoin_addr_decode(r, v2, &list);
	reader_init(&entries, list.entries);
	while (n < BITCOIN_ADDR_MAX && bitcoin_addr_next(&entries, v2, &adverts[n]))
		n++;
	if (!reader_ok(&entries))
		reader_fail(r, entries.err, "a list that was checked");
	bitcoin_addr_encode(w, v2, adverts, n);
}

static inline void reencode_addr_v1(struct reader *r, struct writer *w)
{
	reencode_addr(r, false, w);
}

static inline void reencode_addr_v2(struct reader *r, struct writer *w)
{
	reencode_addr(r, true, w);
}

static inline void reencode_raw(struct reader *r, struct writer *w)
{
	writer_slice(w, reader_bytes(r, reader_left(r), "payload"));
}

#define REENCODER(name, type, passed)                                          \
	static inline void reencode_##name(struct reader *r, struct writer *w) \
	{                                                                      \
		type m;                                                        \
		bitcoin_##name##_decode(r, &m);                                \
		if (reader_ok(r))                                              \
			bitcoin_##name##_encode(w, passed);                    \
	}

REENCODER(version, struct bitcoin_version, &m)
REENCODER(sendtxrcncl, struct bitcoin_sendtxrcncl, &m)
REENCODER(feature, struct bitcoin_feature, &m)
REENCODER(ping, struct bitcoin_ping, &m)
REENCODER(inv, struct bitcoin_inv_list, &m)
REENCODER(locator, struct bitcoin_locator, &m)
REENCODER(headers, struct bitcoin_headers, &m)
REENCODER(tx, struct bitcoin_tx, &m)
REENCODER(block, struct bitcoin_block, &m)
REENCODER(feefilter, int64_t, m)
REENCODER(sendcmpct, struct bitcoin_sendcmpct, &m)
REENCODER(reject, struct bitcoin_reject, &m)
REENCODER(alert, struct bitcoin_alert, &m)
REENCODER(filterload, struct bitcoin_filterload, &m)
REENCODER(filteradd, struct slice, m)
REENCODER(merkleblock, struct bitcoin_merkleblock, &m)
REENCODER(getcfilters, struct bitcoin_getcfilters, &m)
REENCODER(cfilter, struct bitcoin_cfilter, &m)
REENCODER(cfheaders, struct bitcoin_cfheaders, &m)
REENCODER(getcfcheckpt, struct bitcoin_getcfcheckpt, &m)
REENCODER(cfcheckpt, struct bitcoin_cfcheckpt, &m)
REENCODER(cmpctblock, struct bitcoin_cmpctblock, &m)
REENCODER(getblocktxn, struct bitcoin_getblocktxn, &m)
REENCODER(blocktxn, struct bitcoin_blocktxn, &m)

/* No row: a message without a payload. */
static void (*const reencoders[BITCOIN_COMMAND_COUNT])(struct reader *r, struct writer *w) = {
	[BITCOIN_VERSION] = reencode_version,
	[BITCOIN_SENDTXRCNCL] = reencode_sendtxrcncl,
	[BITCOIN_FEATURE] = reencode_feature,
	[BITCOIN_PING] = reencode_ping,
	[BITCOIN_PONG] = reencode_ping,
	[BITCOIN_INV] = reencode_inv,
	[BITCOIN_GETDATA] = reencode_inv,
	[BITCOIN_NOTFOUND] = reencode_inv,
	[BITCOIN_GETHEADERS] = reencode_locator,
	[BITCOIN_GETBLOCKS] = reencode_locator,
	[BITCOIN_HEADERS] = reencode_headers,
	[BITCOIN_TX] = reencode_tx,
	[BITCOIN_BLOCK] = reencode_block,
	[BITCOIN_FEEFILTER] = reencode_feefilter,
	[BITCOIN_SENDCMPCT] = reencode_sendcmpct,
	[BITCOIN_REJECT] = reencode_reject,
	[BITCOIN_ALERT] = reencode_alert,
	[BITCOIN_FILTERLOAD] = reencode_filterload,
	[BITCOIN_FILTERADD] = reencode_filteradd,
	[BITCOIN_MERKLEBLOCK] = reencode_merkleblock,
	[BITCOIN_GETCFILTERS] = reencode_getcfilters,
	[BITCOIN_GETCFHEADERS] = reencode_getcfilters,
	[BITCOIN_CFILTER] = reencode_cfilter,
	[BITCOIN_CFHEADERS] = reencode_cfheaders,
	[BITCOIN_GETCFCHECKPT] = reencode_getcfcheckpt,
	[BITCOIN_CFCHECKPT] = reencode_cfcheckpt,
	[BITCOIN_CMPCTBLOCK] = reencode_cmpctblock,
	[BITCOIN_GETBLOCKTXN] = reencode_getblocktxn,
	[BITCOIN_BLOCKTXN] = reencode_blocktxn,
	[BITCOIN_ADDR] = reencode_addr_v1,
	[BITCOIN_ADDRV2] = reencode_addr_v2,
	[BITCOIN_UNKNOWN] = reencode_raw,
};

/* Decodes a payload and, if that went well, writes what was understood. */
static inline void reencode(enum bitcoin_command id, struct reader *r, struct writer *w)
{
	if (reencoders[id] != NULL)
		reencoders[id](r, w);
}

/* Whether what is understood of a payload is all that stands in it. Otherwise several
 * payloads mean the same: any relay byte but 0, entries that are to be ignored. */
static inline bool reencodes_exactly(enum bitcoin_command id)
{
	return id != BITCOIN_VERSION && id != BITCOIN_ADDR && id != BITCOIN_ADDRV2;
}

/* --- rows --- */

/* One payload. fields: the names in order, joined by '|'; a list's element as name#N.
 * NULL: not compared. */
struct payload_row {
	const char *name;
	enum bitcoin_command id;
	const char *hex; /* blanks are skipped */
	enum err err;
	size_t at;
	const char *fields;
};

static inline struct slice from_hex(const char *hex, uint8_t *out, size_t cap)
{
	size_t digits = 0;

	memset(out, 0, cap);
	for (; *hex != 0; hex++) {
		const char *all = "0123456789abcdef", *digit = strchr(all, *hex);

		if (*hex == ' ')
			continue;
		if (digit == NULL || digits / 2 >= cap) {
			fprintf(stderr, "bad hex in a row: %s\n", hex);
			return slice_of(out, 0);
		}
		out[digits / 2] |= (uint8_t)((digit - all) << (digits % 2 == 0 ? 4 : 0));
		digits++;
	}
	return slice_of(out, digits / 2);
}

struct told {
	char names[4000];
	size_t covered; /* every byte before this belongs to exactly one field */
	bool gap;
};

static inline void tell_row(void *ctx, const struct field *f)
{
	struct told *t = ctx;
	size_t len = strlen(t->names);

	if (f->kind == FIELD_GROUP)
		snprintf(t->names + len, sizeof(t->names) - len, "%s%s#%u", len > 0 ? "|" : "",
			 f->name, (unsigned)f->value);
	else
		snprintf(t->names + len, sizeof(t->names) - len, "%s%s", len > 0 ? "|" : "",
			 f->name);
	if (f->at != t->covered)
		t->gap = true;
	t->covered = f->at + f->len;
}

static inline bool row_fails(const struct payload_row *row, const char *what)
{
	fprintf(stderr, "row \"%s\": %s\n", row->name, what);
	return false;
}

static inline bool check_reencoding(const struct payload_row *row, struct slice in)
{
	static uint8_t out[100000];
	struct reader r;
	struct writer w;

	reader_init(&r, in);
	writer_init(&w, out, sizeof(out));
	reencode(row->id, &r, &w);
	if (!reader_ok(&r) || !writer_ok(&w))
		return row_fails(row, "could not be written again");
	if (reencodes_exactly(row->id) && !slice_equal(in, slice_of(out, w.len)))
		return row_fails(row, "is written with other bytes");
	return true;
}

static inline bool check_row(const struct payload_row *row)
{
	static uint8_t bytes[100000];
	struct slice in = from_hex(row->hex, bytes, sizeof(bytes));
	struct told told = { .covered = 0 };
	struct reader r, quiet;

	reader_init(&r, in);
	r.on_field = tell_row;
	r.on_field_ctx = &told;
	bitcoin_payload_explain(&r, row->id);
	if (r.err != row->err || r.err_at != row->at) {
		fprintf(stderr, "row \"%s\": %s at %zu (%s)\n", row->name, err_name(r.err),
			r.err_at, r.rule != NULL ? r.rule : "");
		return false;
	}
	if (r.err != ERR_OK && (r.rule == NULL || r.rule[0] == 0))
		return row_fails(row, "names no rule");
	if (told.gap || (r.err == ERR_OK && told.covered != in.len))
		return row_fails(row, "the fields don't cover the bytes");
	if (row->fields != NULL && strcmp(row->fields, told.names) != 0)
		return row_fails(row, told.names);
	reader_init(&quiet, in);
	bitcoin_payload_explain(&quiet, row->id);
	if (quiet.err != r.err || quiet.err_at != r.err_at || quiet.rule != r.rule)
		return row_fails(row, "another verdict without a hook");
	return r.err != ERR_OK || check_reencoding(row, in);
}

static inline bool check_rows(const struct payload_row *rows, size_t count)
{
	bool ok = true;

	for (size_t i = 0; i < count; i++)
		ok = check_row(&rows[i]) && ok;
	return ok;
}

/* Every beginning of a payload is cut short, and the decoder says so at its end or
 * before; `complete` are lengths at which it may be whole (old forms). */
static inline bool check_prefixes(const struct payload_row *row, const size_t *complete,
				  size_t complete_count)
{
	static uint8_t bytes[100000];
	struct slice in = from_hex(row->hex, bytes, sizeof(bytes));

	for (size_t len = 0; len < in.len; len++) {
		struct reader r;
		bool whole = false;

		for (size_t i = 0; i < complete_count; i++)
			whole = whole || complete[i] == len;
		reader_init(&r, slice_of(in.data, len));
		bitcoin_payload_explain(&r, row->id);
		if ((r.err != (whole ? ERR_OK : ERR_SHORT)) || r.err_at > len) {
			fprintf(stderr, "row \"%s\" cut to %zu bytes: %s at %zu\n", row->name, len,
				err_name(r.err), r.err_at);
			return false;
		}
	}
	return true;
}

#endif
