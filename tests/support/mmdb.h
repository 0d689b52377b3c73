/* mmdb.h: writes small databases in MaxMind's format (maxmind.github.io/MaxMind-DB, version 2.0):
 * a tree over the bits of addresses, a section of data, and metadata at the end.
 *
 * Records are given as JSON. Whole numbers become uint32 (or uint64), others double. Strings and
 * maps that come again are pointers to the first, as the makers' writers do it. */
#ifndef PEERWALK_TESTS_SUPPORT_MMDB_H
#define PEERWALK_TESTS_SUPPORT_MMDB_H

#include "base/text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct mmdb {
	unsigned ip_version;  /* 4 or 6; IPv4 stands at ::/96 in the latter */
	unsigned record_size; /* 24, 28 or 32 bits */
	const char *type;
	/* private: child 0 is nobody, a node, or MMDB_DATA and an offset */
	uint32_t (*nodes)[2];
	uint32_t count, cap;
	struct text data;
	json_t *records, *seen; /* where they stand in the data: all, and parts of them */
};

static const uint32_t MMDB_DATA = UINT32_C(1) << 31;

static inline uint32_t mmdb_node(struct mmdb *m, uint32_t child)
{
	if (m->count == m->cap) {
		m->cap = m->cap > 0 ? 2 * m->cap : 64;
		m->nodes = realloc(m->nodes, m->cap * sizeof(*m->nodes));
		assert(m->nodes != NULL);
	}
	m->nodes[m->count][0] = m->nodes[m->count][1] = child;
	return m->count++;
}

static inline void mmdb_init(struct mmdb *m, const char *type, unsigned ip_version,
			     unsigned record_size)
{
	*m = (struct mmdb){ .ip_version = ip_version, .record_size = record_size, .type = type };
	m->records = json_object();
	m->seen = json_object();
	text_add(&m->data, "");
	mmdb_node(m, 0);
}

static inline void mmdb_clear(struct mmdb *m)
{
	free(m->nodes);
	text_clear(&m->data);
	json_decref(m->records);
	json_decref(m->seen);
}

/* --- data --- */

static inline void mmdb_bytes(struct text *out, uint64_t v, unsigned len)
{
	while (len-- > 0) {
		uint8_t byte = len < 8 ? (uint8_t)(v >> 8 * len) : 0;

		text_add_slice(out, slice_of(&byte, 1));
	}
}

static inline void mmdb_control(struct text *out, unsigned type, size_t size)
{
	unsigned more = size < 29 ? 0 : size < 285 ? 1 : size < 65821 ? 2 : 3;
	static const size_t less[] = { 0, 29, 285, 65821 };

	mmdb_bytes(out, (type < 8 ? type << 5 : 0) | (more > 0 ? 28 + more : size), 1);
	if (type >= 8)
		mmdb_bytes(out, type - 7, 1);
	mmdb_bytes(out, size - less[more], more);
}

/* In as few bytes as it needs. */
static inline void mmdb_uint(struct text *out, unsigned type, uint64_t v)
{
	unsigned len = 0;

	while (len < 8 && v >> 8 * len != 0)
		len++;
	mmdb_control(out, type, len);
	mmdb_bytes(out, v, len);
}

/* A pointer to where it stands already; false if it is there for the first time. seen NULL: no
 * pointers. */
static inline bool mmdb_pointer(struct text *out, const char *what, size_t len, json_t *seen)
{
	json_t *at = seen != NULL ? json_object_getn(seen, what, len) : NULL;
	uint32_t to = (uint32_t)json_integer_value(at);

	if (at == NULL) {
		if (seen != NULL && len > 2)
			json_object_setn_new(seen, what, len, json_integer((json_int_t)out->len));
		return false;
	}
	if (to < 2048)
		mmdb_bytes(out, 1U << 13 | to, 2);
	else if (to < 2048 + 524288)
		mmdb_bytes(out, 0x28U << 16 | (to - 2048), 3);
	else
		mmdb_bytes(out, (uint64_t)0x38 << 32 | to, 5);
	return true;
}

static inline void mmdb_string(struct text *out, const char *s, size_t len, json_t *seen)
{
	if (mmdb_pointer(out, s, len, seen))
		return;
	mmdb_control(out, 2, len);
	text_add_slice(out, slice_of(s, len));
}

static inline void mmdb_value(struct text *out, const json_t *v, json_t *seen);

static inline void mmdb_map(struct text *out, const json_t *v, json_t *seen)
{
	char *text = json_dumps(v, JSON_COMPACT);
	const char *key;
	json_t *item;

	assert(text != NULL);
	if (!mmdb_pointer(out, text, strlen(text), seen)) {
		mmdb_control(out, 7, json_object_size(v));
		json_object_foreach((json_t *)v, key, item)
		{
			mmdb_string(out, key, strlen(key), seen);
			mmdb_value(out, item, seen);
		}
	}
	free(text);
}

static inline void mmdb_value(struct text *out, const json_t *v, json_t *seen)
{
	double real;
	uint64_t bits;

	if (json_is_string(v)) {
		mmdb_string(out, json_string_value(v), json_string_length(v), seen);
	} else if (json_is_integer(v)) {
		bits = (uint64_t)json_integer_value(v);
		mmdb_uint(out, bits <= UINT32_MAX ? 6 : 9, bits);
	} else if (json_is_real(v)) {
		real = json_real_value(v);
		memcpy(&bits, &real, sizeof(bits));
		mmdb_control(out, 3, 8);
		mmdb_bytes(out, bits, 8);
	} else if (json_is_boolean(v)) {
		mmdb_control(out, 14, json_is_true(v) ? 1 : 0);
	} else if (json_is_array(v)) {
		mmdb_control(out, 11, json_array_size(v));
		for (size_t i = 0; i < json_array_size(v); i++)
			mmdb_value(out, json_array_get(v, i), seen);
	} else {
		mmdb_map(out, v, seen);
	}
}

/* --- the tree --- */

static inline unsigned mmdb_bit(const uint8_t *ip, unsigned i)
{
	return ip[i / 8] >> (7 - i % 8) & 1;
}

static inline void mmdb_insert(struct mmdb *m, const uint8_t *ip, unsigned bits, uint32_t value)
{
	uint32_t node = 0;

	for (unsigned i = 0; i + 1 < bits; i++) {
		uint32_t child = m->nodes[node][mmdb_bit(ip, i)];

		if (child == 0 || (child & MMDB_DATA) != 0) {
			uint32_t made = mmdb_node(m, child);

			m->nodes[node][mmdb_bit(ip, i)] = made;
			child = made;
		}
		node = child;
	}
	m->nodes[node][mmdb_bit(ip, bits - 1)] = value;
}

/* The bits of a block ("1.2.0.0/16", "2001:db8::/32", "::ffff:0:0/96") in a tree of that version.
 */
static inline unsigned mmdb_place(const struct mmdb *m, const char *net, uint8_t ip[16])
{
	bool is_v6 = strchr(net, ':') != NULL;
	unsigned at = !is_v6 && m->ip_version == 6 ? 12 : 0;
	char host[64];
	int bits = is_v6 ? 128 : 32;

	memset(ip, 0, 16);
	snprintf(host, sizeof(host), "%.*s", (int)strcspn(net, "/"), net);
	if (inet_pton(is_v6 ? AF_INET6 : AF_INET, host, ip + at) != 1) {
		fprintf(stderr, "mmdb: %s is no block of addresses\n", net);
		abort();
	}
	if (strchr(net, '/') != NULL)
		bits = atoi(strchr(net, '/') + 1);
	return (unsigned)bits + 8 * at;
}

/* Blocks go before those that they contain. */
static inline void mmdb_add(struct mmdb *m, const char *net, const char *json)
{
	json_t *at = json_object_get(m->records, json);
	uint8_t ip[16];
	unsigned bits = mmdb_place(m, net, ip);

	if (at == NULL) {
		json_t *record = json_loads(json, JSON_DECODE_ANY, NULL);

		assert(record != NULL);
		at = json_integer((json_int_t)m->data.len);
		json_object_set_new(m->records, json, at);
		mmdb_value(&m->data, record, m->seen);
		json_decref(record);
	}
	mmdb_insert(m, ip, bits, MMDB_DATA | (uint32_t)json_integer_value(at));
}

/* The block is the same part of the tree as all of IPv4, as in MaxMind's own files. */
static inline void mmdb_alias(struct mmdb *m, const char *net)
{
	uint8_t ip[16];
	unsigned bits = mmdb_place(m, net, ip);
	uint32_t node = 0;

	for (unsigned i = 0; i < 96; i++)
		node = m->nodes[node][0];
	mmdb_insert(m, ip, bits, node);
}

/* --- the file --- */

static inline void mmdb_metadata(const struct mmdb *m, struct text *out)
{
	static const uint8_t mark[] = "\xab\xcd\xefMaxMind.com";

	text_add_slice(out, slice_of(mark, sizeof(mark) - 1));
	mmdb_control(out, 7, 9);
	mmdb_string(out, "node_count", 10, NULL);
	mmdb_uint(out, 6, m->count);
	mmdb_string(out, "record_size", 11, NULL);
	mmdb_uint(out, 5, m->record_size);
	mmdb_string(out, "ip_version", 10, NULL);
	mmdb_uint(out, 5, m->ip_version);
	mmdb_string(out, "database_type", 13, NULL);
	mmdb_string(out, m->type, strlen(m->type), NULL);
	mmdb_string(out, "languages", 9, NULL);
	mmdb_control(out, 11, 1);
	mmdb_string(out, "en", 2, NULL);
	mmdb_string(out, "binary_format_major_version", 27, NULL);
	mmdb_uint(out, 5, 2);
	mmdb_string(out, "binary_format_minor_version", 27, NULL);
	mmdb_uint(out, 5, 0);
	mmdb_string(out, "build_epoch", 11, NULL);
	mmdb_uint(out, 9, 1790000000);
	mmdb_string(out, "description", 11, NULL);
	mmdb_control(out, 7, 1);
	mmdb_string(out, "en", 2, NULL);
	mmdb_string(out, "made by a test", 14, NULL);
}

static inline uint32_t mmdb_child(const struct mmdb *m, uint32_t child)
{
	if (child == 0)
		return m->count;
	return (child & MMDB_DATA) != 0 ? (child & ~MMDB_DATA) + m->count + 16 : child;
}

static inline struct text mmdb_image(const struct mmdb *m)
{
	struct text out = { 0 };

	for (uint32_t i = 0; i < m->count; i++) {
		uint32_t left = mmdb_child(m, m->nodes[i][0]);
		uint32_t right = mmdb_child(m, m->nodes[i][1]);
		unsigned len = m->record_size / 8;

		mmdb_bytes(&out, left, len); /* of 28 bits the lower 24 */
		if (m->record_size == 28)
			mmdb_bytes(&out, left >> 24 << 4 | right >> 24, 1);
		mmdb_bytes(&out, right, len);
	}
	mmdb_bytes(&out, 0, 16);
	text_add_slice(&out, slice_of(m->data.data, m->data.len));
	mmdb_metadata(m, &out);
	assert(out.err == ERR_OK);
	return out;
}

static inline void mmdb_save(const char *path, struct slice data)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(data.data, 1, data.len, f) != data.len || fclose(f) != 0) {
		fprintf(stderr, "mmdb: cannot write %s\n", path);
		abort();
	}
}

static inline void mmdb_write(const struct mmdb *m, const char *path)
{
	struct text image = mmdb_image(m);

	mmdb_save(path, slice_of(image.data, image.len));
	text_clear(&image);
}

#endif
