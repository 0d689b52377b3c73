/* Whom to dial, to check, to name to others. */
#include "engine/book_nodes.h"

enum {
	/* book_pick draws so often, and takes the best of so many who may be dialled; whoever
	 * finds nobody by lot goes through so many in a row. */
	DRAWS = 64,
	BEST_OF = 3,
	WALK = 4096,
	/* book_oldest looks at so many of either ring. */
	LOOKS = 64,
	/* What others are told: not so exactly that they learn whom we talk to just now. */
	TOLD_S = 3600,
};

/* Within its wait: as long as the first one after an attempt, doubling with each failure. */
static bool waits(const struct book *b, const struct node *n, uint32_t now_s)
{
	uint64_t wait_s = b->config.wait_s;

	if (n->asked_s == 0 || n->asked_s > now_s)
		return false;
	for (unsigned i = 1; i < n->failures && wait_s < BOOK_WAIT_MAX_S; i++)
		wait_s *= 2;
	if (wait_s > BOOK_WAIT_MAX_S)
		wait_s = BOOK_WAIT_MAX_S;
	return now_s - n->asked_s < wait_s;
}

static bool better(const struct node *x, const struct node *y)
{
	if (x->failures != y->failures)
		return x->failures < y->failures;
	return node_alive_s(x) > node_alive_s(y);
}

struct picking {
	struct book *b;
	uint32_t now_s;
	book_skip_fn *skip;
	void *ctx;
};

static bool may_dial(const struct picking *p, const struct node *n)
{
	return !waits(p->b, n, p->now_s) && (p->skip == NULL || !p->skip(p->ctx, &n->addr));
}

static const struct node *pick(const struct picking *p, enum table table)
{
	struct book *b = p->b;
	const uint32_t *ids = b->tables[table].ids;
	uint32_t count = b->tables[table].count, at;
	const struct node *best = NULL;
	unsigned found = 0;

	if (count == 0)
		return NULL;
	for (unsigned i = 0; i < DRAWS && found < BEST_OF; i++) {
		const struct node *n = &b->nodes[ids[random_below(&b->random, count)]];

		if (!may_dial(p, n))
			continue;
		found++;
		if (best == NULL || better(n, best))
			best = n;
	}
	at = (uint32_t)random_below(&b->random, count);
	for (uint32_t i = 0; best == NULL && i < count && i < WALK; i++) {
		const struct node *n = &b->nodes[ids[at]];

		if (may_dial(p, n))
			best = n;
		at = at + 1 < count ? at + 1 : 0;
	}
	return best;
}

bool book_pick(struct book *b, int64_t now_s, book_skip_fn *skip, void *ctx, struct book_entry *out)
{
	const struct picking p = { b, (uint32_t)now_s, skip, ctx };
	enum table first = random_below(&b->random, 2) == 0 ? TABLE_NEW : TABLE_TRIED;
	const struct node *n = pick(&p, first);

	if (n == NULL)
		n = pick(&p, first == TABLE_NEW ? TABLE_TRIED : TABLE_NEW);
	if (n != NULL)
		node_entry(n, out);
	return n != NULL;
}

/* From the first of a ring on; who is passed over goes to its end. */
static const struct node *oldest(const struct picking *p, bool dealt, uint32_t before_s)
{
	struct book *b = p->b;
	uint32_t *first = &b->dealt[dealt], last;

	if (*first == NODE_NONE)
		return NULL;
	last = b->nodes[*first].links[RING_DEALT].prev;
	for (unsigned i = 0; i < LOOKS; i++) {
		uint32_t id = *first;
		const struct node *n = &b->nodes[id];

		if (dealt && (n->asked_s >= before_s || n->good_s >= before_s))
			break; /* and all that follow have been dealt with since */
		if (may_dial(p, n))
			return n;
		*first = n->links[RING_DEALT].next;
		if (id == last)
			break;
	}
	return NULL;
}

bool book_oldest(struct book *b, int64_t now_s, int64_t before_s, book_skip_fn *skip, void *ctx,
		 struct book_entry *out)
{
	const struct picking p = { b, (uint32_t)now_s, skip, ctx };
	bool first = random_below(&b->random, 2) == 0;
	const struct node *n = oldest(&p, first, (uint32_t)before_s);

	if (n == NULL)
		n = oldest(&p, !first, (uint32_t)before_s);
	if (n != NULL)
		node_entry(n, out);
	return n != NULL;
}

/* Swaps a random one of the table's places from `at` on to `at`. */
static const struct node *draw(struct book *b, enum table table, uint32_t at)
{
	uint32_t *ids = b->tables[table].ids;
	uint32_t other = at + (uint32_t)random_below(&b->random, b->tables[table].count - at);
	uint32_t id = ids[other];

	ids[other] = ids[at];
	ids[at] = id;
	b->nodes[ids[other]].place = other;
	b->nodes[id].place = at;
	return &b->nodes[id];
}

size_t book_sample(struct book *b, int64_t now_s, int64_t good_since_s, struct advert *out,
		   size_t cap)
{
	uint32_t drawn[TABLES] = { 0 }, left, now = (uint32_t)now_s;
	size_t n = 0;

	left = b->tables[TABLE_NEW].count + b->tables[TABLE_TRIED].count;
	for (; left > 0 && n < cap; left--) {
		/* Each of those left is as likely as any other. */
		enum table table = random_below(&b->random, left) <
						   b->tables[TABLE_NEW].count - drawn[TABLE_NEW]
					   ? TABLE_NEW
					   : TABLE_TRIED;
		const struct node *node = draw(b, table, drawn[table]++);
		uint32_t alive_s = node_alive_s(node);

		if (node_terrible(b, node, now) || node->good_s < good_since_s)
			continue;
		out[n++] = (struct advert){
			.addr = node->addr,
			.services = node->services,
			.last_seen_s = (alive_s < now ? alive_s : now) / TOLD_S * TOLD_S,
		};
	}
	return n;
}
