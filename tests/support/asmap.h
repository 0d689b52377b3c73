/* asmap.h: writes small files of Bitcoin Core's asmap format (src/geo/asmap.h says what that is).
 *
 * Blocks go into a tree over the bits of addresses; a part of it without any AS is left by a
 * MATCH, and where both halves have one stands a JUMP. */
#ifndef PEERWALK_TESTS_SUPPORT_ASMAP_H
#define PEERWALK_TESTS_SUPPORT_ASMAP_H

#include "base/netaddr.h"
#include "base/text.h"
#include "geo/asmap.h"

#include <assert.h>
#include <string.h>

enum { ASMAP_NODES_MAX = 8192 };

struct asmap_tree {
	struct asmap_node {
		uint32_t asn;      /* of a leaf; 0: none */
		uint32_t child[2]; /* 0: none */
	} nodes[ASMAP_NODES_MAX];
	uint32_t count;
};

/* The block may be one of IPv4. Blocks do not overlap. */
static inline void asmap_add(struct asmap_tree *t, const char *net, uint32_t asn)
{
	struct cidr block;
	uint8_t ip[16] = { 0 };
	uint32_t node = 0;
	unsigned bits, at = 0;

	assert(cidr_parse(slice_text(net), &block) == ERR_OK);
	if (t->count == 0)
		t->count = 1;
	if (block.base.kind == NETADDR_IPV4) {
		ip[10] = ip[11] = 0xff;
		at = 12;
	}
	memcpy(ip + at, block.base.bytes, netaddr_len(block.base.kind));
	bits = block.bits + 8 * at;
	for (unsigned i = 0; i < bits; i++) {
		uint32_t *child = &t->nodes[node].child[ip[i / 8] >> (7 - i % 8) & 1];

		if (*child == 0) {
			assert(t->count < ASMAP_NODES_MAX);
			*child = t->count++;
		}
		node = *child;
	}
	t->nodes[node].asn = asn;
}

/* Bits as text while they are being put together. */
static inline void asmap_number(struct text *out, uint32_t v, uint32_t least, unsigned bits,
				unsigned classes)
{
	unsigned class = 0;

	for (v -= least; v >= UINT32_C(1) << (bits + class); class ++) {
		v -= UINT32_C(1) << (bits + class);
		text_add(out, "1");
	}
	text_add(out, class + 1 < classes ? "0" : "");
	for (unsigned i = bits + class; i-- > 0;)
		text_add(out, (v >> i & 1) != 0 ? "1" : "0");
}

static inline void asmap_return(struct text *out, uint32_t asn)
{
	text_add(out, "0");
	asmap_number(out, asn, 1, 15, 10);
}

static inline void asmap_jump(struct text *out, size_t offset)
{
	text_add(out, "10");
	asmap_number(out, (uint32_t)offset, 17, 5, 26);
}

/* match: a one, and up to 8 bits behind it. */
static inline void asmap_match(struct text *out, uint32_t match)
{
	text_add(out, "110");
	asmap_number(out, match, 2, 1, 8);
}

static inline void asmap_default(struct text *out, uint32_t asn)
{
	text_add(out, "111");
	asmap_number(out, asn, 1, 15, 10);
}

static inline void asmap_node_text(const struct asmap_tree *t, uint32_t at, struct text *out)
{
	const struct asmap_node *n = &t->nodes[at];
	struct text zero = { 0 };

	if (n->asn != 0) {
		asmap_return(out, n->asn);
		return;
	}
	if (n->child[0] == 0 || n->child[1] == 0) {
		uint32_t match = 1;

		for (; match < 256 && n->asn == 0 && (n->child[0] == 0 || n->child[1] == 0);
		     n = &t->nodes[at]) {
			match = match << 1 | (n->child[1] != 0);
			at = n->child[n->child[1] != 0];
		}
		asmap_match(out, match);
		asmap_node_text(t, at, out);
		return;
	}
	asmap_node_text(t, n->child[0], &zero);
	asmap_jump(out, zero.len);
	text_add_slice(out, slice_of(zero.data, zero.len));
	text_clear(&zero);
	asmap_node_text(t, n->child[1], out);
}

/* '0' and '1' into bytes, the lowest bit first; returns how many. */
static inline size_t asmap_pack(const struct text *bits, uint8_t *out, size_t cap)
{
	assert(bits->err == ERR_OK && bits->len <= 8 * cap);
	memset(out, 0, cap);
	for (size_t i = 0; i < bits->len; i++)
		out[i / 8] |= (uint8_t)((bits->data[i] == '1') << i % 8);
	return (bits->len + 7) / 8;
}

#endif
