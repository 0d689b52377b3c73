#include "proto/bitcoin/follow.h"

#include "crypto/sha256.h"

#include <assert.h>
#include <string.h>

/* src/protocol.h, GetDataMsg. */
enum { TYPE_TX = 1, TYPE_BLOCK = 2, TYPE_WTX = 5, WITNESS_FLAG = 1 << 30 };

void follow_init(struct follow *f, const struct network *network, struct hash_key key)
{
	memset(f, 0, sizeof(*f));
	f->network = network;
	f->key = key;
}

/* --- what was asked for --- */

static uint64_t *seen_place(struct follow *f, const uint8_t hash[32], uint64_t *value)
{
	*value = hash_siphash13(&f->key, hash, 32) | 1; /* 0 is an empty place */
	return &f->seen[*value >> 1 & (FOLLOW_SEEN_MAX - 1)];
}

/* True for the first time. */
static bool see(struct follow *f, const uint8_t hash[32])
{
	uint64_t value, *place = seen_place(f, hash, &value);

	if (*place == value)
		return false;
	*place = value;
	return true;
}

/* It may be asked for once more, should it be announced again. */
static void unsee(struct follow *f, const uint8_t hash[32])
{
	uint64_t value, *place = seen_place(f, hash, &value);

	if (*place == value)
		*place = 0;
}

static void land(struct follow *f, uint32_t i)
{
	f->flight[i] = f->flight[--f->flight_count];
}

/* What was asked for under that hash; true: it is in flight no more. */
static bool take(struct follow *f, uint32_t type, const uint8_t hash[32])
{
	for (uint32_t i = 0; i < f->flight_count; i++) {
		if (f->flight[i].type == type && memcmp(f->flight[i].hash, hash, 32) == 0) {
			land(f, i);
			return true;
		}
	}
	return false;
}

/* Not there, or no answer: the end of flight i. */
static void give_up(struct follow *f, uint32_t i, enum follow_kind kind, follow_fn *fn, void *ctx)
{
	struct follow_report report = { .kind = kind, .asked = true, .type = f->flight[i].type };

	memcpy(report.hash, f->flight[i].hash, sizeof(report.hash));
	unsee(f, report.hash);
	land(f, i);
	f->counts.missing += kind == FOLLOW_MISSING;
	f->counts.lost += kind == FOLLOW_LOST;
	fn(ctx, &report);
}

static void give_up_the_old(struct follow *f, follow_fn *fn, void *ctx)
{
	for (uint32_t i = 0; i < f->flight_count;) {
		if (f->now_ms - f->flight[i].asked_ms >= FOLLOW_ANSWER_MS)
			give_up(f, i, FOLLOW_LOST, fn, ctx);
		else
			i++;
	}
}

/* --- what the peer says --- */

static void hear_version(struct follow *f, struct reader *r)
{
	struct bitcoin_version v;

	bitcoin_version_decode(r, &v);
	f->witness = reader_ok(r) && (v.services & BITCOIN_NODE_WITNESS) != 0;
}

/* The entries of an inv or notfound; none of one that can't be read. */
static void inv_entries(struct reader *r, struct reader *entries)
{
	struct bitcoin_inv_list list;

	bitcoin_inv_decode(r, &list);
	reader_init(entries, reader_ok(r) ? list.entries : slice_of(NULL, 0));
}

static void hear_inv(struct follow *f, struct reader *r)
{
	struct bitcoin_inv inv;
	struct reader entries;

	inv_entries(r, &entries);
	while (bitcoin_inv_next(&entries, &inv)) {
		struct follow_item *item;

		if (inv.type != TYPE_TX && inv.type != TYPE_WTX && inv.type != TYPE_BLOCK)
			continue;
		f->counts.announced++;
		if (f->wanted_count == FOLLOW_WANTED_MAX) {
			f->counts.dropped++;
			continue;
		}
		if (!see(f, inv.hash.data))
			continue;
		item = &f->wanted[(f->wanted_at + f->wanted_count++) % FOLLOW_WANTED_MAX];
		item->type = inv.type;
		memcpy(item->hash, inv.hash.data, sizeof(item->hash));
	}
}

static void hear_tx(struct follow *f, struct reader *r, follow_fn *fn, void *ctx)
{
	struct follow_report report = { .kind = FOLLOW_TX };
	struct bitcoin_tx tx;

	bitcoin_tx_decode(r, &tx);
	if (!reader_ok(r))
		return;
	bitcoin_txid(&tx, report.hash);
	bitcoin_wtxid(&tx, report.wtxid);
	report.asked = take(f, TYPE_WTX, report.wtxid) || take(f, TYPE_TX, report.hash);
	report.tx = &tx;
	report.size = r->at;
	/* Marker and flag belong to the witness (BIP 141). */
	report.stripped = r->at - (tx.segwit ? tx.witnesses.len + 2 : 0);
	f->counts.came += report.asked;
	f->counts.unasked += !report.asked;
	fn(ctx, &report);
}

/* The first header that is on its way: answers come in the order of the questions. */
static void no_header(struct follow *f, follow_fn *fn, void *ctx)
{
	uint32_t first = UINT32_MAX;

	for (uint32_t i = 0; i < f->flight_count; i++) {
		if (f->flight[i].type == TYPE_BLOCK &&
		    (first == UINT32_MAX || f->flight[i].number < f->flight[first].number))
			first = i;
	}
	if (first != UINT32_MAX)
		give_up(f, first, FOLLOW_MISSING, fn, ctx);
}

static void hear_headers(struct follow *f, struct reader *r, follow_fn *fn, void *ctx)
{
	struct bitcoin_block_header header;
	struct bitcoin_headers list;
	struct reader entries;

	bitcoin_headers_decode(r, &list);
	if (!reader_ok(r))
		return;
	if (list.count == 0)
		no_header(f, fn, ctx);
	reader_init(&entries, list.entries);
	while (reader_left(&entries) > 0) {
		struct slice raw = slice_of(entries.data + entries.at, BITCOIN_BLOCK_HEADER_LEN);
		struct follow_report report = { .kind = FOLLOW_BLOCK, .block = &header };

		if (!bitcoin_headers_next(&entries, &header))
			break;
		sha256d(raw, report.hash);
		report.asked = take(f, TYPE_BLOCK, report.hash);
		f->counts.came += report.asked;
		f->counts.unasked += !report.asked;
		see(f, report.hash);
		fn(ctx, &report);
	}
}

static void hear_notfound(struct follow *f, struct reader *r, follow_fn *fn, void *ctx)
{
	struct bitcoin_inv inv;
	struct reader entries;

	inv_entries(r, &entries);
	while (bitcoin_inv_next(&entries, &inv)) {
		uint32_t type = inv.type & ~(uint32_t)WITNESS_FLAG;

		for (uint32_t i = 0; i < f->flight_count; i++) {
			if (f->flight[i].type == type &&
			    memcmp(f->flight[i].hash, inv.hash.data, 32) == 0) {
				give_up(f, i, FOLLOW_MISSING, fn, ctx);
				break;
			}
		}
	}
}

void follow_hear(struct follow *f, const char *name, struct slice payload, uint64_t now_ms,
		 follow_fn *fn, void *ctx)
{
	enum bitcoin_command id = bitcoin_command_find(name);
	struct reader r;

	f->now_ms = now_ms;
	reader_init(&r, payload);
	if (id == BITCOIN_VERSION)
		hear_version(f, &r);
	else if (id == BITCOIN_INV)
		hear_inv(f, &r);
	else if (id == BITCOIN_TX)
		hear_tx(f, &r, fn, ctx);
	else if (id == BITCOIN_HEADERS)
		hear_headers(f, &r, fn, ctx);
	else if (id == BITCOIN_NOTFOUND)
		hear_notfound(f, &r, fn, ctx);
	give_up_the_old(f, fn, ctx);
}

/* --- what we ask --- */

static const struct follow_item *next_wanted(const struct follow *f)
{
	if (f->wanted_count == 0 || f->flight_count == FOLLOW_IN_FLIGHT_MAX)
		return NULL;
	return &f->wanted[f->wanted_at];
}

/* The next that is wanted takes off. */
static struct follow_item *ask(struct follow *f)
{
	struct follow_item *item = &f->flight[f->flight_count++];

	*item = f->wanted[f->wanted_at];
	item->asked_ms = f->now_ms;
	f->wanted_at = (f->wanted_at + 1) % FOLLOW_WANTED_MAX;
	f->wanted_count--;
	item->number = f->counts.asked++;
	return item;
}

static void ask_header(struct follow *f, struct writer *w)
{
	struct bitcoin_locator locator = { .protocol = BITCOIN_PROTOCOL };
	size_t mark = bitcoin_message_begin(w);

	locator.stop = slice_of(ask(f)->hash, 32);
	bitcoin_locator_encode(w, &locator);
	bitcoin_message_end(w, mark, f->network->magic, BITCOIN_GETHEADERS);
}

/* As many transactions as stand next to each other. */
static void ask_txs(struct follow *f, struct writer *w)
{
	uint8_t entries[FOLLOW_IN_FLIGHT_MAX * BITCOIN_INV_LEN];
	struct bitcoin_inv_list list = { 0 };
	const struct follow_item *next;
	struct writer put;
	size_t mark;

	writer_init(&put, entries, sizeof(entries));
	while ((next = next_wanted(f)) != NULL && next->type != TYPE_BLOCK) {
		const struct follow_item *item = ask(f);
		/* A wtxid stands for a transaction with its witness already. */
		bool flag = item->type == TYPE_TX && f->witness;
		struct bitcoin_inv inv = { item->type | (flag ? WITNESS_FLAG : 0),
					   slice_of(item->hash, 32) };

		bitcoin_inv_put(&put, &inv);
		list.count++;
	}
	list.entries = slice_of(entries, put.len);
	mark = bitcoin_message_begin(w);
	bitcoin_inv_encode(w, &list);
	bitcoin_message_end(w, mark, f->network->magic, BITCOIN_GETDATA);
}

size_t follow_send(struct follow *f, uint8_t *out, size_t cap)
{
	const struct follow_item *next = next_wanted(f);
	struct writer w;

	assert(cap >= FOLLOW_OUT_MAX);
	if (next == NULL)
		return 0;
	writer_init(&w, out, cap);
	if (next->type == TYPE_BLOCK)
		ask_header(f, &w);
	else
		ask_txs(f, &w);
	assert(writer_ok(&w));
	return w.len;
}
