#include "proto/gossip/explain.h"

#include "base/text.h"
#include "proto/gossip/json_walk.h"
#include "proto/gossip/messages.h"

#include <string.h>

enum { KEY_MAX = 64 /* shown of a key; NUL included */ };

/* Where a part of the input stands in it. */
static size_t place_of(const struct reader *in, struct slice part)
{
	return (size_t)(part.data - in->data);
}

/* A value as it is written; a string without its quotes. */
static void tell_value(struct reader *in, const char *name, struct slice value)
{
	struct field f = { .name = name, .kind = FIELD_TEXT };

	f.at = place_of(in, value);
	f.len = value.len;
	f.bytes = value;
	if (value.len >= 2 && value.data[0] == '"')
		f.bytes = slice_of(value.data + 1, value.len - 2);
	reader_tell(in, &f);
}

static void tell_peers(struct reader *in, struct slice peers)
{
	struct slice key, entry, place, id = slice_of(NULL, 0);
	char text[NETADDR_TEXT_MAX];
	struct gossip_peer peer;
	struct reader list, inner;
	uint64_t index = 0;

	reader_init(&list, peers);
	json_enter(&list);
	for (struct reader at = list; json_step(&list, &key, &entry); at = list) {
		struct field group = { .name = "peer", .kind = FIELD_GROUP, .value = index++ };
		struct field f = { .name = "addr", .kind = FIELD_ADDR, .text = text };

		group.at = place_of(in, entry);
		group.len = entry.len;
		reader_tell(in, &group);
		reader_init(&inner, entry);
		place = entry;
		id = slice_of(NULL, 0);
		if (entry.data[0] == '[') {
			json_enter(&inner);
			json_step(&inner, &key, &place);
			json_step(&inner, &key, &id);
		}
		gossip_peer_next(&at, &peer);
		if (peer.addr.kind == NETADDR_NONE) {
			tell_value(in, "host", place); /* a name: nobody dials it */
		} else {
			netaddr_text(&peer.addr, text);
			f.at = place_of(in, place);
			f.len = place.len;
			f.bytes = place;
			reader_tell(in, &f);
		}
		if (id.len > 0)
			tell_value(in, "nodeid", id);
	}
}

/* Every member of the object, known or not. */
static void tell_members(struct reader *in, struct slice line, const struct gossip_message *m)
{
	struct slice key, value;
	char name[KEY_MAX];
	struct reader r;

	reader_init(&r, line);
	json_enter(&r);
	while (json_step(&r, &key, &value)) {
		text_escape(key, name, sizeof(name));
		if (m->type == GOSSIP_ADDR && value.data == m->peers.data)
			tell_peers(in, value);
		else
			tell_value(in, name, value);
	}
}

enum err gossip_explain(const struct network *network, struct slice in, field_fn *on_field,
			void *ctx, size_t *err_at, const char **rule)
{
	struct gossip_message m;
	const char *broken;
	struct reader r;
	uint64_t index = 0;

	(void)network;
	reader_init(&r, in);
	r.on_field = on_field;
	r.on_field_ctx = ctx;
	do {
		const uint8_t *lf = memchr(r.data + r.at, '\n', in.len - r.at);
		size_t end = lf != NULL ? (size_t)(lf - r.data) : in.len;
		struct slice line = slice_of(r.data + r.at, end - r.at);
		enum err err;

		reader_group(&r, "message", index++);
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		err = gossip_decode(line, &m, &broken);
		/* The fields of what breaks a rule are shown all the same, if it is JSON. */
		if (err == ERR_OK || err == ERR_VALUE)
			tell_members(&r, line, &m);
		if (err != ERR_OK)
			reader_fail(&r, err, broken);
		r.at = end + (lf != NULL);
	} while (reader_left(&r) > 0);
	*err_at = r.err_at;
	*rule = r.rule;
	return r.err;
}
