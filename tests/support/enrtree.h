/* enrtree.h: reads a signed tree of DNS records (EIP-1459) out of a zone file, as a client would:
 * by names, hashes and the signature. Shares nothing with what writes them but the hash, the digits
 * and the curve. */
#ifndef PEERWALK_TESTS_SUPPORT_ENRTREE_H
#define PEERWALK_TESTS_SUPPORT_ENRTREE_H

#include "base/keccak.h"
#include "base/rfc4648.h"
#include "crypto/secp256k1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ZONE_TEXTS_MAX = 1024, ZONE_TEXT_MAX = 512 };

struct zone_texts {
	size_t count;
	struct zone_text {
		char name[64], text[ZONE_TEXT_MAX];
		bool visited;
	} all[ZONE_TEXTS_MAX];
};

/* Lines "NAME TTL IN TXT "..." "..."; others are passed over. */
static inline void zone_texts_read(struct zone_texts *z, const char *file)
{
	z->count = 0;
	for (const char *line = file; *line != 0; line = strchr(line, '\n') + 1) {
		struct zone_text *t = &z->all[z->count];
		const char *end = strchr(line, '\n'), *quote = strchr(line, '"');
		int ttl = 0, at = 0;

		assert_non_null(end);
		*t = (struct zone_text){ 0 };
		if (sscanf(line, "%63s %d IN TXT %n", t->name, &ttl, &at) < 2 || at == 0)
			continue;
		assert_true(ttl > 0);
		while (quote != NULL && quote < end) {
			size_t len = (size_t)(strchr(quote + 1, '"') - quote - 1);

			assert_true(len <= 255 && strlen(t->text) + len < sizeof(t->text));
			strncat(t->text, quote + 1, len);
			quote = strchr(quote + len + 2, '"');
		}
		assert_true(z->count < ZONE_TEXTS_MAX);
		z->count++;
	}
}

static inline struct zone_text *zone_text_at(struct zone_texts *z, const char *name)
{
	size_t found = ZONE_TEXTS_MAX;

	for (size_t i = 0; i < z->count; i++) {
		if (strcmp(z->all[i].name, name) == 0) {
			assert_int_equal(found, ZONE_TEXTS_MAX);
			found = i;
		}
	}
	assert_true(found < ZONE_TEXTS_MAX);
	return &z->all[found];
}

/* Checks the name of each entry on the way, and that none is met twice. */
static inline void enrtree_walk(struct zone_texts *z, const char *name,
				void (*leaf)(void *ctx, const char *text), void *ctx)
{
	static const char branch[] = "enrtree-branch:";
	struct zone_text *t = zone_text_at(z, name);
	uint8_t hash[32];
	char digits[64];

	assert_false(t->visited);
	t->visited = true;
	keccak_256(slice_text(t->text), hash);
	base32_encode(slice_of(hash, 16), true, digits);
	assert_string_equal(digits, name);
	if (strncmp(t->text, branch, strlen(branch)) != 0) {
		leaf(ctx, t->text);
		return;
	}
	/* In a packet of 512 bytes, with the name and the header. */
	assert_true(strlen(t->text) <= 370);
	for (char *p = t->text + strlen(branch); *p != 0;) {
		char child[64];
		size_t len = strcspn(p, ",");

		assert_int_equal(len, 26);
		snprintf(child, sizeof(child), "%.*s", (int)len, p);
		p += len;
		p += *p == ',';
		enrtree_walk(z, child, leaf, ctx);
	}
}

struct enrtree_root {
	char nodes[64], links[64];
	uint64_t seq;
};

/* The root, signed by the key in the URL. */
static inline struct enrtree_root enrtree_read_root(struct zone_texts *z, const char *url)
{
	struct zone_text *t = zone_text_at(z, "@");
	const char *sig = strstr(t->text, " sig=");
	uint8_t compressed[33], public[64], hash[32], bytes[65];
	struct enrtree_root root;
	unsigned long long seq;
	size_t len, at;

	assert_non_null(sig);
	assert_int_equal(sscanf(t->text, "enrtree-root:v1 e=%63s l=%63s seq=%llu", root.nodes,
				root.links, &seq),
			 3);
	root.seq = seq;
	assert_int_equal(strncmp(url, "enrtree://", 10), 0);
	assert_int_equal(strcspn(url + 10, "@"), 53);
	assert_true(base32_decode(slice_of(url + 10, 53), compressed, sizeof(compressed)));
	assert_true(secp_expand(compressed, public));
	keccak_256(slice_of(t->text, (size_t)(sig - t->text)), hash);
	assert_int_equal(base64url_decode(slice_text(sig + 5), bytes, sizeof(bytes), &len, &at),
			 ERR_OK);
	assert_int_equal(len, 65);
	assert_true(secp_verify(bytes, hash, public));
	t->visited = true;
	return root;
}

#endif
