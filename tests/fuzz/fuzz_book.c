/* fuzz_book.c: the addresses that a standing peer knows, whoever names them, whatever becomes of
 * them, and wherever the clock goes. What has to hold: the tables' sizes, the shares of sources and
 * groups, and that what was told of changes is what is there.
 *
 * An input is a byte of settings and a row of commands: which, of whom, named by whom. */
#include "engine/book_nodes.h"
#include "fuzz/far.h"

enum {
	NEW_MAX = 24,
	TRIED_MAX = 8,
	SOURCE_MAX = 10,
	GROUP_MAX = 6,
	COMMANDS_MAX = 1000,
	KNOWN_S = 30 * 86400,
	NUMBERS = 256, /* of far_addr */
};

static struct book *book;
static int64_t now_s;
static bool allow_private;
static bool told[NUMBERS]; /* what its reader thinks is there */

/* Of some numbers the address is the same: the first of them counts. */
static unsigned number_of(const struct netaddr *addr)
{
	static const struct hash_key key = { 1, 2 };
	static struct netaddr all[NUMBERS];
	static uint16_t slots[4 * NUMBERS]; /* a number and one; 0: free */
	static bool ready;
	unsigned at;

	for (unsigned i = 0; !ready && i < NUMBERS; i++) {
		all[i] = far_addr((uint8_t)i);
		at = hash_siphash13(&key, &all[i], sizeof(all[i])) % (4 * NUMBERS);
		while (slots[at] != 0 && !netaddr_equal(&all[slots[at] - 1], &all[i]))
			at = (at + 1) % (4 * NUMBERS);
		if (slots[at] == 0)
			slots[at] = (uint16_t)(i + 1);
	}
	ready = true;
	at = hash_siphash13(&key, addr, sizeof(*addr)) % (4 * NUMBERS);
	while (slots[at] != 0 && !netaddr_equal(&all[slots[at] - 1], addr))
		at = (at + 1) % (4 * NUMBERS);
	CHECK(slots[at] != 0); /* nobody is made up */
	return slots[at] - 1U;
}

struct seen {
	unsigned count[TABLES];
	bool there[NUMBERS];
};

/* Shares: those of private addresses are not counted where such are allowed. */
static bool check_entry(void *ctx, const struct book_entry *e)
{
	struct seen *seen = ctx;
	unsigned number = number_of(&e->addr);

	CHECK(!seen->there[number]);
	seen->there[number] = true;
	seen->count[e->tried ? TABLE_TRIED : TABLE_NEW]++;
	CHECK(allow_private ? netaddr_is_host(&e->addr) : netaddr_is_routable(&e->addr));
	CHECK(e->tried == false || e->good_s > 0);
	if (!allow_private || netaddr_is_routable(&e->addr)) {
		CHECK(share_count(book, SHARE_NEW_GROUP, &e->addr) <= GROUP_MAX);
		CHECK(share_count(book, SHARE_TRIED_GROUP, &e->addr) <= GROUP_MAX);
	}
	if (!allow_private || netaddr_is_routable(&e->source))
		CHECK(share_count(book, SHARE_SOURCE, &e->source) <= SOURCE_MAX);
	return true;
}

static void check_book(void)
{
	struct seen seen = { 0 };
	struct book_counts counts;

	book_each(book, check_entry, &seen);
	book_counts(book, &counts);
	CHECK(counts.new_count <= NEW_MAX && counts.tried_count <= TRIED_MAX);
	CHECK(counts.new_count == seen.count[TABLE_NEW]);
	CHECK(counts.tried_count == seen.count[TABLE_TRIED]);
}

static void read_changes(unsigned most)
{
	struct book_entry e;
	bool gone;

	while (most-- > 0 && book_changed(book, &e, &gone)) {
		unsigned number = number_of(&e.addr);

		CHECK(!gone || told[number]);
		CHECK(gone == !book_find(book, &e.addr, NULL));
		told[number] = !gone;
	}
}

static bool skip(void *ctx, const struct netaddr *addr)
{
	return addr->bytes[3] % 4 == *(const uint8_t *)ctx % 4;
}

static void restore(uint8_t who, uint8_t by, uint8_t how)
{
	struct book_entry e = {
		.addr = far_addr(who),
		.source = far_addr(by),
		.named_s = now_s + (int64_t)(int8_t)how * 86400,
		.good_s = how & 1 ? now_s + ((int64_t)(int8_t)how - 20) * 3600 : 0,
		.asked_s = how & 2 ? now_s - how * 60 : 0,
		.failures = how & 4 ? UINT32_MAX : how >> 6,
		.tried = (how & 1) != 0 && (how & 8) != 0,
	};

	/* Only what was in such a book: its own rules let it in. */
	if (e.tried && e.good_s <= 0)
		return;
	if (!(allow_private ? netaddr_is_host(&e.addr) : netaddr_is_routable(&e.addr)))
		return;
	if (book_find(book, &e.addr, NULL))
		return;
	told[number_of(&e.addr)] = true;
	book_restore(book, &e, now_s);
}

static void sample(uint8_t who, uint8_t by)
{
	struct advert out[64];
	size_t n = book_sample(book, now_s, by & 1 ? now_s - 3600 : 0, out, who % 64);

	CHECK(n <= who % 64U);
	for (size_t i = 0; i < n; i++) {
		CHECK(book_find(book, &out[i].addr, NULL));
		for (size_t k = 0; k < i; k++)
			CHECK(!netaddr_equal(&out[i].addr, &out[k].addr));
	}
}

static void choose(uint8_t who, bool oldest)
{
	struct book_entry e;

	if (oldest ? book_oldest(book, now_s, now_s - who * 60, skip, &who, &e)
		   : book_pick(book, now_s, skip, &who, &e)) {
		CHECK(book_find(book, &e.addr, NULL) && !skip(&who, &e.addr));
		book_asked(book, &e.addr, now_s);
	}
}

static void run(uint8_t command, uint8_t who, uint8_t by)
{
	static const int64_t waits_s[] = { 1, 59, 61, 3600, 5 * 3600, 86400, 8 * 86400, -7200 };
	struct netaddr addr = far_addr(who), source = far_addr(by);
	const struct advert peer = {
		.addr = addr,
		.services = by,
		.last_seen_s = by == 7 ? 0 : now_s - 40 * 86400 + (int64_t)by * 15000,
	};

	switch (command % 12) {
	case 0:
		book_add(book, &peer, &source, now_s);
		break;
	case 1:
		book_asked(book, &addr, now_s);
		break;
	case 2:
		book_reached(book, &addr, by, now_s);
		break;
	case 3:
		book_failed(book, &addr, now_s);
		break;
	case 4:
		book_drop(book, &addr);
		break;
	case 5:
		book_own(book, &addr);
		break;
	case 6:
		restore(who, by, (uint8_t)(who ^ by));
		break;
	case 7:
		choose(who, by & 1);
		break;
	case 8:
		sample(who, by);
		break;
	case 9:
		now_s += waits_s[who % 8];
		break;
	case 10:
		book_expire(book, now_s);
		break;
	case 11:
		read_changes(who);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct book_config config = { .new_max = NEW_MAX,
				      .tried_max = TRIED_MAX,
				      .source_max = SOURCE_MAX,
				      .group_max = GROUP_MAX,
				      .known_s = KNOWN_S,
				      .seed = 9 };

	if (size < 1)
		return 0;
	now_s = FAR_UNIX_S;
	allow_private = config.allow_private = data[0] & 1;
	memset(told, 0, sizeof(told));
	CHECK(book_new(&config, &book) == ERR_OK);
	for (size_t at = 1; at + 3 <= size && at < 3 * COMMANDS_MAX; at += 3) {
		run(data[at], data[at + 1], data[at + 2]);
		check_book();
	}
	read_changes(UINT32_MAX);
	for (unsigned i = 0; i < NUMBERS; i++) {
		struct netaddr addr = far_addr((uint8_t)i);

		if (number_of(&addr) == i)
			CHECK(told[i] == book_find(book, &addr, NULL));
	}
	book_free(book);
	return 0;
}
