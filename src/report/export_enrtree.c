#include "report/export_enrtree.h"

#include "base/keccak.h"
#include "base/rfc4648.h"
#include "report/export_format.h"
#include "report/export_nodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	HASH_LEN = 16, /* of the Keccak-256 */
	CHILDREN = 13, /* so that a branch, 15 + 27 * 13 bytes, fits into a packet of 512 */
	/* "enr:" and 300 bytes in base64. */
	RECORD_TEXT_MAX = 4 + BASE64_DIGITS(300),
	INNER_TTL_S = 24 * 60 * 60,
	KEY_DIGITS = BASE32_DIGITS(SECP_COMPRESSED_LEN),
};

static const char scheme[] = "enrtree://";

struct tree {
	const struct export_options *options;
	export_sink_fn *sink;
	void *sink_ctx;
	struct text out;
	/* Names of the entries of one level, whose parents are not made yet. */
	char (*names)[ENRTREE_NAME_LEN + 1];
	size_t count, cap;
	uint64_t looked_at;
};

bool enrtree_url_valid(struct slice url)
{
	uint8_t compressed[SECP_COMPRESSED_LEN], public[SECP_PUBLIC_LEN];
	struct slice rest = slice_from(url, strlen(scheme));
	char name[DNS_NAME_MAX];

	if (url.len < strlen(scheme) || memcmp(url.data, scheme, strlen(scheme)) != 0 ||
	    rest.len < KEY_DIGITS + 1 || rest.data[KEY_DIGITS] != '@' ||
	    !base32_decode(slice_of(rest.data, KEY_DIGITS), compressed, sizeof(compressed)) ||
	    !secp_expand(compressed, public))
		return false;
	for (size_t i = 0; i < KEY_DIGITS; i++) {
		if (rest.data[i] >= 'a' && rest.data[i] <= 'z')
			return false;
	}
	rest = slice_from(rest, KEY_DIGITS + 1);
	return dns_name_parse(rest, name) && slice_equal(rest, slice_text(name));
}

/* Writes an entry at the name of its hash, and notes that. */
static enum err add_entry(struct tree *t, struct slice text)
{
	uint8_t hash[32];

	if (t->count == t->cap) {
		size_t cap = t->cap > 0 ? 2 * t->cap : 1024;
		void *names = realloc(t->names, cap * sizeof(*t->names));

		if (names == NULL)
			return ERR_NOMEM;
		t->names = names;
		t->cap = cap;
	}
	keccak_256(text, hash);
	base32_encode(slice_of(hash, HASH_LEN), true, t->names[t->count]);
	dns_zone_txt(&t->out, t->names[t->count++], INNER_TTL_S, text);
	return export_flush(&t->out, EXPORT_FLUSH_BYTES, t->sink, t->sink_ctx);
}

/* Branches over the entries of a level, and over those, up to one, whose name is the root's. An
 * entry that is alone needs none. */
static enum err add_branches(struct tree *t, char root[static ENRTREE_NAME_LEN + 1])
{
	enum err err = ERR_OK;

	while (t->count != 1 && err == ERR_OK) {
		size_t below = t->count;

		t->count = 0;
		/* Each takes the place of its first child, or of an earlier one. */
		for (size_t i = 0; (i < below || i == 0) && err == ERR_OK; i += CHILDREN) {
			char text[15 + CHILDREN * (ENRTREE_NAME_LEN + 1) + 1] = "enrtree-branch:";
			size_t len = strlen(text);

			for (size_t k = i; k < below && k < i + CHILDREN; k++)
				len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
							k > i ? "," : "", t->names[k]);
			err = add_entry(t, slice_of(text, len));
		}
	}
	if (err == ERR_OK)
		memcpy(root, t->names[0], ENRTREE_NAME_LEN + 1);
	t->count = 0;
	return err;
}

static bool contains(struct slice s, const char *bytes, size_t len)
{
	for (size_t i = 0; i + len <= s.len; i++) {
		if (memcmp(s.data + i, bytes, len) == 0)
			return true;
	}
	return false;
}

/* The keys ip (with four bytes) and tcp, as RLP has them. Who has none can't be dialled. */
static bool has_endpoint(struct slice record)
{
	uint8_t bytes[300];
	struct slice raw = { .data = bytes };
	size_t at;

	return record.len <= RECORD_TEXT_MAX &&
	       base64url_decode(slice_from(record, 4), bytes, sizeof(bytes), &raw.len, &at) ==
		       ERR_OK &&
	       contains(raw, "\x82ip\x84", 4) && contains(raw, "\x83tcp", 4);
}

static enum err on_node(void *ctx, const struct export_node *n)
{
	struct tree *t = ctx;
	const struct export_rules *rules = &t->options->rules;

	t->looked_at++;
	if (!n->reached || n->check_ms < rules->now_ms - (int64_t)rules->max_age_ms ||
	    (double)n->reached_count < rules->min_uptime * (double)n->visits ||
	    !has_endpoint(n->text))
		return ERR_OK;
	return add_entry(t, n->text);
}

static void add_root(struct tree *t, const char *nodes, const char *links)
{
	const struct export_tree *o = t->options->tree;
	uint8_t hash[32], signature[SECP_SIGNATURE_LEN];
	char text[256], digits[BASE64_DIGITS(SECP_SIGNATURE_LEN) + 1];
	size_t len = (size_t)snprintf(text, sizeof(text), "enrtree-root:v1 e=%s l=%s seq=%" PRIu64,
				      nodes, links, o->seq);

	keccak_256(slice_of(text, len), hash);
	secp_sign(o->secp, o->key, hash, signature);
	base64url_encode(slice_of(signature, sizeof(signature)), digits);
	len += (size_t)snprintf(text + len, sizeof(text) - len, " sig=%s", digits);
	dns_zone_txt(&t->out, "@", t->options->zone->ttl_s, slice_of(text, len));
}

static void write_url(struct export_options *options)
{
	const struct export_tree *o = options->tree;
	uint8_t public[SECP_PUBLIC_LEN], compressed[SECP_COMPRESSED_LEN];
	char digits[KEY_DIGITS + 1];

	secp_public(o->secp, o->key, public);
	secp_compress(public, compressed);
	base32_encode(slice_of(compressed, sizeof(compressed)), true, digits);
	snprintf(options->note, sizeof(options->note), "%s%s@%s", scheme, digits,
		 options->zone->origin);
}

/* Everything between the head and the root. */
static enum err add_trees(struct store *s, const struct store_filter *filter, struct tree *t,
			  char nodes[static ENRTREE_NAME_LEN + 1],
			  char links[static ENRTREE_NAME_LEN + 1], uint64_t *rows)
{
	const struct export_tree *o = t->options->tree;
	enum err err = export_nodes_each(s, EXPORT_NODES_RECORDS, filter, on_node, t);

	*rows = t->count;
	if (err == ERR_OK && *rows == 0)
		return ERR_VALUE;
	if (err == ERR_OK)
		err = add_branches(t, nodes);
	for (size_t i = 0; i < o->links_count && err == ERR_OK; i++)
		err = add_entry(t, slice_text(o->links[i]));
	if (err == ERR_OK)
		err = add_branches(t, links);
	return err;
}

enum err export_enrtree_run(struct store *s, unsigned form, const struct store_filter *filter,
			    struct export_options *options, export_sink_fn *sink, void *sink_ctx,
			    uint64_t *rows)
{
	struct tree t = { .options = options, .sink = sink, .sink_ctx = sink_ctx };
	char nodes[ENRTREE_NAME_LEN + 1], links[ENRTREE_NAME_LEN + 1];
	enum err err;

	(void)form;
	dns_zone_head(&t.out, options->zone);
	err = add_trees(s, filter, &t, nodes, links, rows);
	if (err == ERR_VALUE)
		snprintf(options->note, sizeof(options->note),
			 "none of %" PRIu64 " nodes with a record is good enough for a tree: crawl "
			 "them again, or choose others with --max-age and --min-uptime",
			 t.looked_at);
	if (err == ERR_OK) {
		add_root(&t, nodes, links);
		write_url(options);
		err = export_flush(&t.out, 1, sink, sink_ctx);
	}
	text_clear(&t.out);
	free(t.names);
	return err;
}
