#include "proto/gossip/messages.h"

#include "base/text.h"
#include "proto/gossip/json_walk.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const type_names[GOSSIP_UNKNOWN] = {
	[GOSSIP_HELLO] = "hello",     [GOSSIP_PING] = "ping", [GOSSIP_PONG] = "pong",
	[GOSSIP_GETADDR] = "getaddr", [GOSSIP_ADDR] = "addr",
};

bool gossip_is_group(struct slice name)
{
	uint32_t code;
	size_t n;

	if (name.len == 0 || name.len > GOSSIP_GROUP_MAX)
		return false;
	for (; name.len > 0; name = slice_from(name, n)) {
		n = utf8_decode(name, &code);
		if (n == 0)
			return false;
	}
	return true;
}

const char *gossip_type_name(enum gossip_type type)
{
	return type < GOSSIP_UNKNOWN ? type_names[type] : NULL;
}

/* --- reading --- */

/* What is wrong with a message; the first fault counts. */
struct fault {
	enum err err;
	const char *rule;
};

static void fail(struct fault *f, enum err err, const char *rule)
{
	if (f->err == ERR_OK)
		*f = (struct fault){ err, rule };
}

static struct slice string_of(const json_t *value)
{
	return slice_of(json_string_value(value), json_string_length(value));
}

/* A field that may be left out; null says the same. */
static json_t *optional(const json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);

	return json_is_null(value) ? NULL : value;
}

static uint16_t copy_text(struct fault *f, const json_t *value, uint8_t *out, size_t cap,
			  const char *no_text, const char *too_long)
{
	struct slice text;

	if (value == NULL)
		return 0;
	if (!json_is_string(value)) {
		fail(f, ERR_VALUE, no_text);
		return 0;
	}
	text = string_of(value);
	if (text.len > cap) {
		fail(f, ERR_LIMIT, too_long);
		return 0;
	}
	memcpy(out, text.data, text.len);
	return (uint16_t)text.len;
}

static void decode_hello(struct fault *f, const json_t *o, struct gossip_hello *out)
{
	const json_t *id = json_object_get(o, "nodeid"), *port = optional(o, "port");
	double number = json_number_value(port);

	if (!json_is_string(id) || uuid_parse(string_of(id), out->node_id) != ERR_OK)
		fail(f, ERR_VALUE, "hello: nodeid is a UUID");
	if (port != NULL) {
		if (!json_is_number(port) || !(number >= 1 && number <= UINT16_MAX) ||
		    number != (uint16_t)number)
			fail(f, ERR_VALUE, "hello: port is a number from 1 to 65,535");
		else
			out->port = (uint16_t)number;
	}
	out->agent_len = copy_text(f, optional(o, "agent"), out->agent, sizeof(out->agent),
				   "hello: agent is a string", "hello: agent over 256 bytes");
	out->group_len = copy_text(f, optional(o, "network"), out->group, sizeof(out->group),
				   "hello: network is a string", "hello: network over 64 bytes");
}

/* As it is written: numbers of other languages may be more than a double holds. */
static void decode_nonce(struct fault *f, const json_t *o, struct slice line,
			 struct gossip_message *out)
{
	const json_t *nonce = optional(o, "nonce");
	struct slice key, value;
	struct reader r;

	if (nonce == NULL)
		return;
	reader_init(&r, line);
	json_enter(&r);
	while (json_step(&r, &key, &value)) {
		if (slice_equal(key, slice_text("nonce")))
			out->nonce = value;
	}
	if (out->nonce.len > GOSSIP_NONCE_MAX)
		fail(f, ERR_LIMIT, "ping, pong: nonce over 64 bytes");
	out->nonce_is_number = json_is_number(nonce);
	out->nonce_value = json_number_value(nonce);
}

/* "host:port", or ["host:port", "nodeid"]; more in such a list is for later versions. */
static void check_peer(struct fault *f, const json_t *entry)
{
	const json_t *id = NULL;

	if (json_is_array(entry)) {
		id = json_array_get(entry, 1);
		entry = json_array_get(entry, 0);
	}
	if (!json_is_string(entry) || (id != NULL && !json_is_null(id) && !json_is_string(id)))
		fail(f, ERR_VALUE,
		     "addr: an entry is \"host:port\" or [\"host:port\", \"nodeid\"]");
	else if (json_string_length(entry) > GOSSIP_PLACE_MAX)
		fail(f, ERR_LIMIT, "addr: host:port over 259 bytes");
	else if (id != NULL && json_string_length(id) > UUID_TEXT_MAX - 1)
		fail(f, ERR_LIMIT, "addr: nodeid over 36 bytes");
}

static void decode_addr(struct fault *f, const json_t *o, struct slice line,
			struct gossip_message *out)
{
	const json_t *peers = json_object_get(o, "peers");
	struct slice key, value;
	struct reader r;

	if (!json_is_array(peers)) {
		fail(f, ERR_VALUE, "addr: peers is a list");
		return;
	}
	if (json_array_size(peers) > GOSSIP_PEERS_MAX) {
		fail(f, ERR_LIMIT, "addr: more than 1,000 addresses");
		return;
	}
	out->count = (uint32_t)json_array_size(peers);
	for (size_t i = 0; i < out->count; i++)
		check_peer(f, json_array_get(peers, i));
	reader_init(&r, line);
	json_enter(&r);
	while (json_step(&r, &key, &value)) {
		if (slice_equal(key, slice_text("peers")))
			out->peers = value;
	}
}

static enum gossip_type find_type(struct slice name)
{
	unsigned type = 0;

	while (type < GOSSIP_UNKNOWN && !slice_equal(name, slice_text(type_names[type])))
		type++;
	return (enum gossip_type)type;
}

static void decode_object(struct fault *f, const json_t *o, struct slice line,
			  struct gossip_message *out)
{
	const json_t *type = json_object_get(o, "msgtype");

	if (!json_is_object(o)) {
		fail(f, ERR_SYNTAX, "a line is one JSON object");
		return;
	}
	if (!json_is_string(type)) {
		fail(f, ERR_VALUE, "a message has a msgtype, a string");
		return;
	}
	if (json_string_length(type) > GOSSIP_TYPE_MAX) {
		fail(f, ERR_LIMIT, "msgtype over 64 bytes");
		return;
	}
	out->type = find_type(string_of(type));
	text_escape(string_of(type), out->name, sizeof(out->name));
	switch (out->type) {
	case GOSSIP_HELLO:
		decode_hello(f, o, &out->hello);
		break;
	case GOSSIP_PING:
	case GOSSIP_PONG:
		decode_nonce(f, o, line, out);
		break;
	case GOSSIP_ADDR:
		decode_addr(f, o, line, out);
		break;
	case GOSSIP_GETADDR:
	case GOSSIP_UNKNOWN:
		break;
	}
}

static void fail_parse(struct fault *f, const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);

	if (code == json_error_out_of_memory)
		fail(f, ERR_NOMEM, NULL);
	else if (code == json_error_invalid_utf8)
		fail(f, ERR_SYNTAX, "a line is UTF-8");
	else if (code == json_error_duplicate_key)
		fail(f, ERR_SYNTAX, "a key stands once in an object");
	else
		fail(f, ERR_SYNTAX, "a line is one JSON object");
}

enum err gossip_decode(struct slice line, struct gossip_message *out, const char **rule)
{
	/* Integers are read as doubles: those of other languages may be longer than ours. */
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL;
	struct fault f = { ERR_OK, NULL };
	json_error_t error;
	json_t *o;

	memset(out, 0, sizeof(*out));
	out->type = GOSSIP_UNKNOWN;
	if (line.len > GOSSIP_MESSAGE_MAX) {
		fail(&f, ERR_LIMIT, "a message over 64 KiB");
	} else if (json_depth(line) > GOSSIP_DEPTH_MAX) {
		fail(&f, ERR_LIMIT, "a message nested more than 32 deep");
	} else {
		o = json_loadb((const char *)line.data, line.len, flags, &error);
		if (o != NULL)
			decode_object(&f, o, line, out);
		else
			fail_parse(&f, &error);
		json_decref(o);
	}
	*rule = f.rule;
	return f.err;
}

/* A string as it is written, without its escapes; empty if it is none or doesn't fit. */
static struct slice unquote(struct slice value, uint8_t *out, size_t cap)
{
	json_t *s;
	size_t len;

	if (value.len < 2 || value.data[0] != '"')
		return slice_of(out, 0);
	if (memchr(value.data, '\\', value.len) == NULL)
		return value.len - 2 <= cap ? slice_of(value.data + 1, value.len - 2)
					    : slice_of(out, 0);
	s = json_loadb((const char *)value.data, value.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	len = json_string_length(s);
	if (s == NULL || len > cap)
		len = 0;
	memcpy(out, s != NULL ? json_string_value(s) : "", len);
	json_decref(s);
	return slice_of(out, len);
}

bool gossip_peer_next(struct reader *r, struct gossip_peer *out)
{
	struct slice key, entry, place, id = slice_of(NULL, 0), text;
	uint8_t room[GOSSIP_PLACE_MAX];
	struct reader inner;

	*out = (struct gossip_peer){ .addr = { .kind = NETADDR_NONE } };
	if (!json_step(r, &key, &entry))
		return false;
	place = entry;
	if (entry.data[0] == '[') {
		reader_init(&inner, entry);
		json_enter(&inner);
		json_step(&inner, &key, &place);
		json_step(&inner, &key, &id);
	}
	text = unquote(place, room, sizeof(room));
	if (netaddr_parse(text, 0, &out->addr) != ERR_OK || !netaddr_is_ip(&out->addr) ||
	    out->addr.port == 0)
		out->addr = (struct netaddr){ .kind = NETADDR_NONE };
	out->has_id = uuid_parse(unquote(id, room, sizeof(room)), out->node_id) == ERR_OK;
	return true;
}

/* --- writing --- */

static void put(struct writer *w, const char *text)
{
	writer_slice(w, slice_text(text));
}

/* One character of a string, of n bytes in UTF-8. */
static void put_char(struct writer *w, uint32_t code, const uint8_t *bytes, size_t n)
{
	char escaped[8];

	if (code == '"' || code == '\\') {
		writer_u8(w, '\\');
	} else if (code < 0x20) {
		snprintf(escaped, sizeof(escaped), "\\u%04x", (unsigned)code);
		put(w, escaped);
		return;
	}
	writer_slice(w, slice_of(bytes, n));
}

/* `before` and the text in quotes; neither of them where it is no UTF-8. Without jansson: what a
 * session says needs no memory that could be missing. */
static void put_text_field(struct writer *w, const char *before, struct slice text)
{
	struct writer whole = *w;
	uint32_t code;
	size_t n;

	if (text.len == 0)
		return;
	put(&whole, before);
	writer_u8(&whole, '"');
	for (; text.len > 0; text = slice_from(text, n)) {
		n = utf8_decode(text, &code);
		if (n == 0)
			return;
		put_char(&whole, code, text.data, n);
	}
	writer_u8(&whole, '"');
	*w = whole;
}

void gossip_hello_encode(struct writer *w, const struct gossip_hello *hello)
{
	char id[UUID_TEXT_MAX], port[32];

	uuid_text(hello->node_id, id);
	put(w, "{\"msgtype\":\"hello\",\"nodeid\":\"");
	put(w, id);
	put(w, "\"");
	if (hello->port != 0) {
		snprintf(port, sizeof(port), ",\"port\":%u", hello->port);
		put(w, port);
	}
	put_text_field(w, ",\"agent\":", slice_of(hello->agent, hello->agent_len));
	put_text_field(w, ",\"network\":", slice_of(hello->group, hello->group_len));
	put(w, "}\n");
}

void gossip_ping_encode(struct writer *w, enum gossip_type type, struct slice nonce)
{
	put(w, "{\"msgtype\":\"");
	put(w, gossip_type_name(type));
	put(w, "\"");
	if (nonce.len > 0) {
		put(w, ",\"nonce\":");
		writer_slice(w, nonce);
	}
	put(w, "}\n");
}

void gossip_getaddr_encode(struct writer *w)
{
	put(w, "{\"msgtype\":\"getaddr\"}\n");
}

static void put_addr(struct writer *w, const struct advert *adverts, size_t count, bool ids)
{
	char place[NETADDR_TEXT_MAX], id[UUID_TEXT_MAX];
	bool first = true;

	put(w, "{\"msgtype\":\"addr\",\"peers\":[");
	for (size_t i = 0; i < count; i++) {
		bool has_id = ids && adverts[i].node_id.len == UUID_LEN;

		if (!netaddr_is_ip(&adverts[i].addr))
			continue;
		netaddr_text(&adverts[i].addr, place);
		put(w, first ? "" : ",");
		put(w, has_id ? "[\"" : "\"");
		put(w, place);
		if (has_id) {
			uuid_text(adverts[i].node_id.data, id);
			put(w, "\",\"");
			put(w, id);
		}
		put(w, has_id ? "\"]" : "\"");
		first = false;
	}
	put(w, "]}\n");
}

void gossip_addr_encode(struct writer *w, const struct advert *adverts, size_t count)
{
	struct writer whole = *w;

	put_addr(&whole, adverts, count, true);
	if (!writer_ok(&whole) || whole.len - w->len > GOSSIP_MESSAGE_MAX + 1) {
		whole = *w;
		put_addr(&whole, adverts, count, false);
	}
	*w = whole;
}
