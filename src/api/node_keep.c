#include "api/node_keep.h"

#include "base/text.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names of values. "seq": the number, and the node whose record has it; "reflected": where we were
 * bound, and where we were seen then. */
static const char seq_key[] = "seq", reflected_key[] = "reflected";

struct kept {
	struct kademlia_node node;
	int64_t good_s;
	bool dropped; /* it has left the table */
};

struct node_keep {
	struct store *store;
	struct store_book *book;
	char hash[2 * KADEMLIA_HASH_LEN + 1]; /* ours, as text */
	uint64_t seq;                         /* the last one that our record had; 0: not known */
	struct netaddr bound, seen;
	struct kept nodes[NODE_KEEP_MAX];
	unsigned count;
	struct kademlia_node *known; /* as node_serve wants them */
	atomic_int failed;           /* enum err; set by the store's thread */
	bool told;
};

static int64_t unix_s(int64_t now_ms)
{
	return now_ms / 1000;
}

/* --- reading --- */

/* The newest come last: over NODE_KEEP_MAX the oldest go. */
static bool take_row(void *ctx, const struct store_book_row *row)
{
	struct node_keep *k = ctx;

	if (row->node_id.len != KADEMLIA_KEY_LEN || !netaddr_is_ip(&row->addr))
		return true;
	if (k->count == NODE_KEEP_MAX)
		memmove(&k->nodes[0], &k->nodes[1], --k->count * sizeof(k->nodes[0]));
	k->nodes[k->count++] = (struct kept){
		.node = kademlia_node(row->node_id.data, &row->addr, row->tcp_port),
		.good_s = row->good_s,
		.dropped = true,
	};
	return true;
}

static enum err read_value(struct node_keep *k, const char *name, const char *key,
			   char out[static STORE_BOOK_VALUE_MAX + 1])
{
	size_t len;
	enum err err = store_book_value(k->store, name, key, (uint8_t *)out, &len);

	out[err == ERR_OK ? len : 0] = 0;
	return err;
}

static enum err read_values(struct node_keep *k, const char *name)
{
	char text[STORE_BOOK_VALUE_MAX + 1];
	enum err err = read_value(k, name, seq_key, text);
	struct netaddr bound, seen;
	char *space = strchr(text, ' ');

	/* Somebody else's record is no matter of ours. */
	if (space != NULL && strcmp(space + 1, k->hash) == 0)
		k->seq = strtoull(text, NULL, 10);
	if (err == ERR_OK)
		err = read_value(k, name, reflected_key, text);
	space = strchr(text, ' ');
	if (space == NULL)
		return err;
	if (netaddr_parse(slice_of(text, (size_t)(space - text)), 0, &bound) == ERR_OK &&
	    netaddr_parse(slice_text(space + 1), 0, &seen) == ERR_OK && netaddr_is_ip(&bound) &&
	    netaddr_is_ip(&seen) && netaddr_is_host(&seen)) {
		k->bound = bound;
		k->seen = seen;
	}
	return err;
}

/* On the store's thread. */
static void on_error(void *ctx, enum err err, const char *why)
{
	struct node_keep *k = ctx;

	(void)why;
	k->failed = (int)err;
}

enum err node_keep_open(const char *path, const char *name,
			const uint8_t key[static SECP_PUBLIC_LEN], struct store_waiter waiter,
			struct node_keep **out, char why[static NODE_KEEP_WHY_MAX])
{
	struct node_keep *k = calloc(1, sizeof(*k));
	uint8_t hash[KADEMLIA_HASH_LEN];
	enum err err;

	*out = NULL;
	if (k == NULL) {
		snprintf(why, NODE_KEEP_WHY_MAX, "%s", err_text(ERR_NOMEM));
		return ERR_NOMEM;
	}
	kademlia_hash(key, hash);
	hex_encode(slice_of(hash, sizeof(hash)), k->hash);
	err = store_open_waiting(path, STORE_CREATE, waiter, &k->store, why, NODE_KEEP_WHY_MAX);
	if (err != ERR_OK) {
		free(k);
		return err;
	}
	err = store_book_load(k->store, name, take_row, k);
	if (err == ERR_OK)
		err = read_values(k, name);
	if (err == ERR_OK)
		err = store_book_start(k->store, name, on_error, k, &k->book);
	if (err != ERR_OK) {
		snprintf(why, NODE_KEEP_WHY_MAX, "%s", store_why(k->store));
		store_close(k->store);
		free(k);
		return err;
	}
	*out = k;
	return ERR_OK;
}

/* --- writing --- */

static void drop_row(struct node_keep *k, const struct kept *kept)
{
	store_book_drop(k->book, &kept->node.addr,
			slice_of(kept->node.key, sizeof(kept->node.key)));
}

static void put_row(struct node_keep *k, const struct kept *kept)
{
	const struct store_book_row row = {
		.addr = kept->node.addr,
		.asked_s = kept->good_s,
		.good_s = kept->good_s,
		.failures = kept->dropped,
		.tried = true,
		.node_id = slice_of(kept->node.key, sizeof(kept->node.key)),
		.tcp_port = kept->node.tcp_port,
	};

	store_book_put(k->book, &row);
}

static void keep_seq(struct node_keep *k, const struct node_serve *n)
{
	char text[STORE_BOOK_VALUE_MAX];
	int len = snprintf(text, sizeof(text), "%" PRIu64 " %s", discv4_seq(node_serve_node(n)),
			   k->hash);

	store_book_keep(k->book, seq_key, slice_of(text, (size_t)len));
}

static void keep_reflected(struct node_keep *k, const struct node_serve *n,
			   const struct netaddr *seen)
{
	char text[2 * NETADDR_TEXT_MAX];
	struct netaddr bound = node_serve_local(n, 0);
	size_t len = netaddr_text(&bound, text);

	text[len++] = ' ';
	len += netaddr_text(seen, text + len);
	store_book_keep(k->book, reflected_key, slice_of(text, len));
}

/* The place of the node with that key, or NULL. */
static struct kept *find(struct node_keep *k, const struct kademlia_node *node)
{
	for (unsigned i = 0; i < k->count; i++) {
		if (memcmp(k->nodes[i].node.key, node->key, sizeof(node->key)) == 0)
			return &k->nodes[i];
	}
	return NULL;
}

/* A place for one more: the table holds far fewer than there are, so that somebody has left it. */
static struct kept *make_place(struct node_keep *k)
{
	struct kept *oldest = &k->nodes[0];

	if (k->count < NODE_KEEP_MAX)
		return &k->nodes[k->count++];
	for (unsigned i = 1; i < k->count; i++) {
		const struct kept *kept = &k->nodes[i];

		if (kept->dropped != oldest->dropped ? kept->dropped
						     : kept->good_s < oldest->good_s)
			oldest = &k->nodes[i];
	}
	drop_row(k, oldest);
	return oldest;
}

static void node_answered(struct node_keep *k, const struct node_serve *n,
			  const struct kademlia_node *node, int64_t now_ms)
{
	const struct kademlia_entry *e = kademlia_find(&node_serve_node(n)->table, node->hash);
	struct kept *kept;

	if (e == NULL || !e->live || !netaddr_equal(&e->node.addr, &node->addr))
		return;
	kept = find(k, node);
	if (kept != NULL && !kept->dropped && netaddr_equal(&kept->node.addr, &node->addr) &&
	    kept->node.tcp_port == e->node.tcp_port &&
	    unix_s(now_ms) - kept->good_s < NODE_KEEP_AGAIN_S)
		return;
	if (kept == NULL)
		kept = make_place(k);
	else if (!netaddr_equal(&kept->node.addr, &node->addr))
		drop_row(k, kept); /* it has moved */
	*kept = (struct kept){ .node = e->node, .good_s = unix_s(now_ms) };
	put_row(k, kept);
}

static void node_left(struct node_keep *k, const struct kademlia_node *node)
{
	struct kept *kept = find(k, node);

	if (kept == NULL || kept->dropped)
		return;
	kept->dropped = true;
	put_row(k, kept);
}

/* --- from outside --- */

static int newest_first(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	return (x->good_s < y->good_s) - (x->good_s > y->good_s);
}

enum err node_keep_prepare(struct node_keep *k, int64_t now_ms, struct node_serve_config *config)
{
	qsort(k->nodes, k->count, sizeof(k->nodes[0]), newest_first);
	while (k->count > 0 && unix_s(now_ms) - k->nodes[k->count - 1].good_s > NODE_KEEP_S)
		drop_row(k, &k->nodes[--k->count]);
	k->known = calloc(k->count + 1, sizeof(*k->known));
	if (k->known == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < k->count; i++)
		k->known[i] = k->nodes[i].node;
	config->known = k->known;
	config->known_count = k->count;
	config->earlier.bound = k->bound;
	config->earlier.seen = k->seen;
	/* Without a memory it is the time, as go-ethereum has it: nobody changes his record once
	 * in a millisecond. The memory is for a clock that is set back. */
	config->seq = (uint64_t)now_ms;
	if (config->seq <= k->seq)
		config->seq = k->seq + 1;
	return ERR_OK;
}

void node_keep_started(struct node_keep *k, const struct node_serve *n)
{
	keep_seq(k, n);
}

const char *node_keep_event(struct node_keep *k, const struct node_serve *n,
			    const struct discv4_event *event, int64_t now_ms)
{
	switch (event->type) {
	case DISCV4_EVENT_ALIVE:
		node_answered(k, n, &event->node, now_ms);
		break;
	case DISCV4_EVENT_DROPPED:
		node_left(k, &event->node);
		break;
	case DISCV4_EVENT_MOVED:
		keep_seq(k, n);
		keep_reflected(k, n, &event->addr);
		break;
	case DISCV4_EVENT_BONDED:
	case DISCV4_EVENT_SILENT:
	case DISCV4_EVENT_STATEMENT:
	case DISCV4_EVENT_RECORD:
	case DISCV4_EVENT_FOUND:
		break;
	}
	if (k->failed == ERR_OK || k->told)
		return NULL;
	k->told = true;
	return store_why(k->store);
}

enum err node_keep_close(struct node_keep *k, char why[static NODE_KEEP_WHY_MAX])
{
	enum err err;

	if (k == NULL)
		return ERR_OK;
	err = store_book_stop(k->book);
	if (err != ERR_OK)
		snprintf(why, NODE_KEEP_WHY_MAX, "%s", store_why(k->store));
	err = k->told ? ERR_OK : err;
	store_close(k->store);
	free(k->known);
	free(k);
	return err;
}
