#include "cli/follow_tell.h"

#include "base/field_text.h"
#include "cli/alloc.h"
#include "engine/visit.h"
#include "io/dial.h"
#include "proto/bitcoin/follow.h"
#include "proto/bitcoin/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)FOLLOW_OUT_MAX <= (int)VISIT_SEND_MIN, "a visit has room for every question");

enum {
	/* Of a script or a witness item in text: the longest that a script may push. */
	SHOWN_BYTES_MAX = 520,
};

struct follow_tell {
	const struct cli *cli;
	struct follow follow;
	struct text text; /* of the message that was heard last; one of the two */
	json_t *json;
};

bool follow_tell_can(const struct network *network)
{
	return network->proto == &bitcoin_proto;
}

struct follow_tell *follow_tell_new(const struct cli *cli, const struct network *network)
{
	struct follow_tell *f = alloc_zeroed(1, sizeof(*f));
	struct hash_key key;

	dial_random(&key, sizeof(key));
	follow_init(&f->follow, network, key);
	f->cli = cli;
	return f;
}

void follow_tell_free(struct follow_tell *f)
{
	const struct follow_counts *c;

	if (f == NULL)
		return;
	c = &f->follow.counts;
	cli_note(f->cli,
		 "%" PRIu64 " announced, %" PRIu64 " asked for, %" PRIu64 " came; %" PRIu64
		 " not there, %" PRIu64 " unanswered, %" PRIu64 " too many at once, %" PRIu64
		 " not asked for",
		 c->announced, c->asked, c->came, c->missing, c->lost, c->dropped, c->unasked);
	text_clear(&f->text);
	json_decref(f->json);
	free(f);
}

/* --- text --- */

static void add_hash(struct text *t, struct slice hash)
{
	field_text_add_hex(t, hash, true);
}

static void add_bytes(struct text *t, const char *name, struct slice s)
{
	const struct field field = { .kind = FIELD_BYTES, .bytes = s };

	if (s.len == 0)
		return;
	text_printf(t, "  %s ", name);
	field_text_add(t, &field, SHOWN_BYTES_MAX);
	if (s.len > SHOWN_BYTES_MAX)
		text_printf(t, " (%zu bytes)", s.len);
}

static void add_inputs(struct text *t, const struct bitcoin_tx *tx)
{
	struct reader inputs, witnesses, items;
	struct bitcoin_witness witness;
	struct bitcoin_tx_in in;
	struct slice item;

	reader_init(&inputs, tx->inputs);
	reader_init(&witnesses, tx->witnesses);
	for (uint32_t i = 0; bitcoin_tx_in_next(&inputs, &in); i++) {
		text_printf(t, "      in %" PRIu32 "  ", i);
		add_hash(t, in.previous_txid);
		text_printf(t, ":%" PRIu32 "  sequence 0x%08" PRIx32, in.previous_index,
			    in.sequence);
		add_bytes(t, "script", in.script);
		text_add(t, "\n");
		if (!tx->segwit || !bitcoin_witness_next(&witnesses, &witness))
			continue;
		reader_init(&items, witness.items);
		while (bitcoin_witness_item_next(&items, &item)) {
			text_add(t, "        ");
			add_bytes(t, "witness", item);
			text_add(t, "\n");
		}
	}
}

static void add_outputs(struct text *t, const struct bitcoin_tx *tx)
{
	char amount[BITCOIN_AMOUNT_TEXT_MAX];
	struct bitcoin_tx_out o;
	struct reader outputs;

	reader_init(&outputs, tx->outputs);
	for (uint32_t i = 0; bitcoin_tx_out_next(&outputs, &o); i++) {
		bitcoin_amount_text(o.value, amount);
		text_printf(t, "      out %" PRIu32 "  %s", i, amount);
		add_bytes(t, "script", o.script);
		text_add(t, "\n");
	}
}

static size_t weight(const struct follow_report *r)
{
	return 3 * r->stripped + r->size; /* BIP 141 */
}

static void add_tx(struct text *t, const struct follow_report *r, bool whole)
{
	text_printf(t, "      %s  txid ", r->asked ? "as asked for" : "not what was asked for");
	add_hash(t, slice_of(r->hash, 32));
	if (r->tx->segwit) {
		text_add(t, "  wtxid ");
		add_hash(t, slice_of(r->wtxid, 32));
	}
	text_printf(t, "  %zu bytes, weight %zu\n", r->size, weight(r));
	if (!whole)
		return;
	add_inputs(t, r->tx);
	add_outputs(t, r->tx);
}

static void add_block(struct text *t, const struct follow_report *r, bool whole)
{
	char time[32];

	text_printf(t, "      %s  block ", r->asked ? "as asked for" : "not asked for");
	add_hash(t, slice_of(r->hash, 32));
	text_add(t, "\n");
	if (!whole)
		return;
	format_time((int64_t)r->block->time_s * 1000, false, time);
	text_add(t, "        previous ");
	add_hash(t, r->block->previous);
	text_add(t, "\n        merkle root ");
	add_hash(t, r->block->merkle_root);
	text_printf(t,
		    "\n        version 0x%08" PRIx32 "  time %s  bits 0x%08" PRIx32
		    "  nonce 0x%08" PRIx32 "\n",
		    (uint32_t)r->block->version, time, r->block->bits, r->block->nonce);
}

static const char *type_text(const struct follow_report *r)
{
	const char *name = bitcoin_inv_type_name(r->type);

	return name != NULL ? name : "";
}

static void tell_text(struct text *t, const struct follow_report *r, bool whole)
{
	switch (r->kind) {
	case FOLLOW_TX:
		add_tx(t, r, whole);
		return;
	case FOLLOW_BLOCK:
		add_block(t, r, whole);
		return;
	case FOLLOW_MISSING:
	case FOLLOW_LOST:
		text_printf(t, "      %s: %s ",
			    r->kind == FOLLOW_MISSING ? "the peer does not have" : "no answer",
			    type_text(r));
		add_hash(t, slice_of(r->hash, 32));
		text_add(t, "\n");
		return;
	}
}

/* --- JSON --- */

static json_t *hex_json(struct slice s, bool reverse)
{
	struct text t = { 0 };
	json_t *out;

	field_text_add_hex(&t, s, reverse);
	out = json_stringn(t.data != NULL ? t.data : "", t.len);
	text_clear(&t);
	return out;
}

static json_t *witness_json(struct reader *witnesses)
{
	json_t *out = json_array();
	struct bitcoin_witness witness;
	struct reader items;
	struct slice item;

	if (!bitcoin_witness_next(witnesses, &witness))
		return out;
	reader_init(&items, witness.items);
	while (bitcoin_witness_item_next(&items, &item))
		json_array_append_new(out, hex_json(item, false));
	return out;
}

static json_t *inputs_json(const struct bitcoin_tx *tx)
{
	json_t *out = json_array();
	struct reader inputs, witnesses;
	struct bitcoin_tx_in in;

	reader_init(&inputs, tx->inputs);
	reader_init(&witnesses, tx->witnesses);
	while (bitcoin_tx_in_next(&inputs, &in))
		json_array_append_new(out, json_pack("{s:o, s:I, s:o, s:I, s:o}", "txid",
						     hex_json(in.previous_txid, true), "index",
						     (json_int_t)in.previous_index, "script",
						     hex_json(in.script, false), "sequence",
						     (json_int_t)in.sequence, "witness",
						     witness_json(&witnesses)));
	return out;
}

static json_t *outputs_json(const struct bitcoin_tx *tx)
{
	json_t *out = json_array();
	struct bitcoin_tx_out o;
	struct reader outputs;

	reader_init(&outputs, tx->outputs);
	while (bitcoin_tx_out_next(&outputs, &o))
		json_array_append_new(out, json_pack("{s:I, s:o}", "value", (json_int_t)o.value,
						     "script", hex_json(o.script, false)));
	return out;
}

static json_t *tx_json(const struct follow_report *r)
{
	return json_pack("{s:b, s:o, s:o, s:i, s:I, s:I, s:I, s:o, s:o}", "asked", r->asked, "txid",
			 hex_json(slice_of(r->hash, 32), true), "wtxid",
			 hex_json(slice_of(r->wtxid, 32), true), "version", (int)r->tx->version,
			 "lock_time", (json_int_t)r->tx->lock_time, "size", (json_int_t)r->size,
			 "weight", (json_int_t)weight(r), "inputs", inputs_json(r->tx), "outputs",
			 outputs_json(r->tx));
}

static json_t *block_json(const struct follow_report *r)
{
	char time[32];

	format_time((int64_t)r->block->time_s * 1000, false, time);
	return json_pack("{s:b, s:o, s:o, s:o, s:i, s:s, s:I, s:I}", "asked", r->asked, "hash",
			 hex_json(slice_of(r->hash, 32), true), "previous",
			 hex_json(r->block->previous, true), "merkle_root",
			 hex_json(r->block->merkle_root, true), "version", (int)r->block->version,
			 "time", time, "bits", (json_int_t)r->block->bits, "nonce",
			 (json_int_t)r->block->nonce);
}

/* Appends to the list of that name. */
static void append(json_t *o, const char *name, json_t *value)
{
	json_t *list = json_object_get(o, name);

	if (list == NULL) {
		list = json_array();
		json_object_set_new(o, name, list);
	}
	json_array_append_new(list, value);
}

static void tell_json(json_t *o, const struct follow_report *r)
{
	switch (r->kind) {
	case FOLLOW_TX:
		json_object_set_new(o, "tx", tx_json(r));
		return;
	case FOLLOW_BLOCK:
		append(o, "blocks", block_json(r));
		return;
	case FOLLOW_MISSING:
	case FOLLOW_LOST:
		append(o, r->kind == FOLLOW_MISSING ? "missing" : "unanswered",
		       json_pack("{s:s, s:o}", "type", type_text(r), "hash",
				 hex_json(slice_of(r->hash, 32), true)));
		return;
	}
}

/* --- both --- */

static void on_report(void *ctx, const struct follow_report *report)
{
	struct follow_tell *f = ctx;

	if (f->cli->json)
		tell_json(f->json, report);
	else
		tell_text(&f->text, report, f->cli->verbose == 0);
}

void follow_tell_hear(struct follow_tell *f, const struct session_event *event,
		      struct message_tell *m)
{
	text_clear(&f->text);
	json_decref(f->json);
	f->json = json_object();
	follow_hear(&f->follow, event->name, event->payload, uv_hrtime() / 1000000, on_report, f);
	m->more = f->text.data;
	m->more_json = f->json;
}

size_t follow_tell_send(struct follow_tell *f, uint8_t *out, size_t cap)
{
	return follow_send(&f->follow, out, cap);
}
