/* test_export_enrtree.c: node records as a signed tree of DNS records. */
#include "report/export_enrtree.h"

#include "support/enrtree.h"
#include "support/export.h"
#include "support/nodes.h"

enum { NOW_S = 1780000100 };

static struct zone_texts texts; /* large */

/* --- published trees --- */

/* The example of EIP-1459. */
static const char example[] =
	"; name                        ttl     class type  content\n"
	"@                             60      IN    TXT   "
	"\"enrtree-root:v1 e=JWXYDBPXYWG6FX3GMDIBFA6CJ4 l=C7HRFPF3BLGF3YR4DY5KX3SMBE seq=1 "
	"sig=o908WmNp7LibOfPsr4btQwatZJ5URBr2ZAuxvK4UWHlsB9sUOTJQaGAlLPVAhM__"
	"XJesCHxLISo94z5Z2a463gA"
	"\"\n"
	"C7HRFPF3BLGF3YR4DY5KX3SMBE    86900   IN    TXT   "
	"\"enrtree://"
	"AM5FCQLWIZX2QFPNJAP7VUERCCRNGRHWZG3YYHIUV7BVDQ5FDPRT2@morenodes.example.org\"\n"
	"JWXYDBPXYWG6FX3GMDIBFA6CJ4    86900   IN    TXT   "
	"\"enrtree-branch:2XS2367YHAXJFGLZHVAWLQD4ZY,H4FHT4B454P6UXFD7JCYQ5PWDY,"
	"MHTDO6TMUBRIA2XWG5LUDACK24\"\n"
	"2XS2367YHAXJFGLZHVAWLQD4ZY    86900   IN    TXT   "
	"\"enr:-"
	"HW4QOFzoVLaFJnNhbgMoDXPnOvcdVuj7pDpqRvh6BRDO68aVi5ZcjB3vzQRZH2IcLBGHzo8uUN3snqmgTiE56CH3"
	"AMBgmlkgnY0iXNlY3AyNTZrMaECC2_24YYkYHEgdzxlSNKQEnHhuNAbNlMlWJxrJxbAFvA\"\n"
	"H4FHT4B454P6UXFD7JCYQ5PWDY    86900   IN    TXT   "
	"\"enr:-"
	"HW4QAggRauloj2SDLtIHN1XBkvhFZ1vtf1raYQp9TBW2RD5EEawDzbtSmlXUfnaHcvwOizhVYLtr7e6vw7NAf6mT"
	"uoCgmlkgnY0iXNlY3AyNTZrMaECjrXI8TLNXU0f8cthpAMxEshUyQlK-AM0PW2wfrnacNI\"\n"
	"MHTDO6TMUBRIA2XWG5LUDACK24    86900   IN    TXT   "
	"\"enr:-HW4QLAYqmrwllBEnzWWs7I5Ev2IAs7x_dZlbYdRdMUx5EyKHDXp7AV5CkuPGUPdvbv1_"
	"Ms1CPfhcGCvSElSosZm"
	"yoqAgmlkgnY0iXNlY3AyNTZrMaECriawHKWdDRk2xeZkrOXBQ0dfMFLHY4eENZwdufn1S1o\"\n";
/* Signed by the key that the EIP's text gives; its link is to another. */
#define EXAMPLE_SIGNER "enrtree://AKPYQIUQIL7PSIACI32J7FGZW56E5FKHEFCCOFHILBIMW3M6LWXS2@nodes"
#define EXAMPLE_KEY    "enrtree://AM5FCQLWIZX2QFPNJAP7VUERCCRNGRHWZG3YYHIUV7BVDQ5FDPRT2@"
#define EXAMPLE_LINK   EXAMPLE_KEY "morenodes.example.org"

/* all.mainnet.ethdisco.net in 2023, as others have written it down; its key is in go-ethereum. */
static const char mainnet[] =
	"@ 60 IN TXT \"enrtree-root:v1 e=WWP2ZHNHHZO3K5Y5T2VMGV7GXU l=FDXN3SN67NA5DKA4J2GOK7BVQI "
	"seq=3315 "
	"sig=YvkxX3lGYBRwpasJ7a73acOtQg_kbK51uFt2_1RQ4uR8Jq9dFD_"
	"fxE9WiZKNBZjgo8hmNcsqVoP82xHo3vos3gE"
	"\"\n";
#define MAINNET_KEY "enrtree://AKA3AM6LPBYEUDMVNU3BSVQJ5AD45Y7YPOHJLEF6W26QOE4VTUDPE@all"

static void count_leaf(void *ctx, const char *text)
{
	size_t *count = ctx;

	assert_true(strncmp(text, "enr:", 4) == 0 || strcmp(text, EXAMPLE_LINK) == 0);
	++*count;
}

/* That our reader reads what others wrote, so that what it finds of ours means something. */
static void published(void **state)
{
	struct enrtree_root root;
	size_t nodes = 0, links = 0;

	(void)state;
	zone_texts_read(&texts, example);
	assert_int_equal(texts.count, 6);
	root = enrtree_read_root(&texts, EXAMPLE_SIGNER);
	assert_int_equal(root.seq, 1);
	enrtree_walk(&texts, root.nodes, count_leaf, &nodes);
	enrtree_walk(&texts, root.links, count_leaf, &links);
	assert_int_equal(nodes, 3);
	assert_int_equal(links, 1);
	zone_texts_read(&texts, mainnet);
	root = enrtree_read_root(&texts, MAINNET_KEY);
	assert_int_equal(root.seq, 3315);
}

/* --- ours --- */

struct rig {
	struct secp secp;
	struct secp_key key;
	struct dns_zone zone;
	struct export_tree tree;
	struct export_options options;
};
static struct rig rig;

static int set_up(void **state)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 1 }, key[SECP_KEY_LEN] = { 7, [31] = 9 };

	store_set_up(state);
	rig = (struct rig){ .zone = { .origin = "nodes.example.org", .ttl_s = 60 } };
	secp_init(&rig.secp, random);
	assert_true(secp_key_init(&rig.key, key));
	rig.tree = (struct export_tree){ .secp = &rig.secp, .key = &rig.key, .seq = UINT64_MAX };
	rig.options = (struct export_options){
		.zone = &rig.zone,
		.tree = &rig.tree,
		.rules = { .now_ms = NOW_S * 1000LL, .max_age_ms = 3600 * 1000, .min_uptime = 0.5 },
	};
	return 0;
}

static int tear_down(void **state)
{
	secp_clear(&rig.secp);
	return store_tear_down(state);
}

/* Not signed: nothing here looks at that. */
static size_t record_text(uint32_t number, const char *pairs, size_t pairs_len, char *out)
{
	uint8_t bytes[300];

	memset(bytes, 0, 60);
	memcpy(bytes + 8, &number, 4);
	memcpy(bytes + 60, pairs, pairs_len);
	memcpy(out, "enr:", 4);
	return 4 + base64url_encode(slice_of(bytes, 60 + pairs_len), out + 4);
}

#define PAIRS  "\x82ip\x84\x01\x02\x03\x04\x83tcp\x82\x76\x5f"
#define NO_IP  "\x83ip6\x90\x01\x02\x03\x04\x83tcp\x82\x76\x5f"
#define NO_TCP "\x82ip\x84\x01\x02\x03\x04\x83udp\x82\x76\x5f"
#define LEN(s) (sizeof(s) - 1)

/* at: when it was visited. */
static void put_node(const struct store_crawl *crawl, uint32_t number, const char *pairs,
		     size_t pairs_len, int64_t at_s, bool reached)
{
	struct node_key key = { { (uint8_t)number, (uint8_t)(number >> 8), [63] = 0x07 } };
	struct node_info info = full_node(), none = { 0 };
	char text[512], addr[32];
	struct record r;

	snprintf(addr, sizeof(addr), "1.2.%u.%u:30303", number >> 8 & 255, number & 255);
	info.record = slice_of(text, record_text(number, pairs, pairs_len, text));
	r = reached ? node_record(addr, &key, &info) : ghost_record(addr, &key, &none);
	r.started_at_ms = at_s * 1000;
	put(crawl, r);
}

static enum err run(struct text *out, uint64_t *rows)
{
	text_add(out, "");
	return export_run(store, "peers", "enrtree", &STORE_FILTER_ANY, &rig.options, collect, out,
			  rows);
}

struct found {
	size_t count;
	bool seen[512];
};

static void on_leaf(void *ctx, const char *text)
{
	struct found *f = ctx;
	uint8_t bytes[300];
	uint32_t number;
	size_t len, at;

	assert_int_equal(strncmp(text, "enr:", 4), 0);
	assert_int_equal(base64url_decode(slice_text(text + 4), bytes, sizeof(bytes), &len, &at),
			 ERR_OK);
	memcpy(&number, bytes + 8, 4);
	assert_true(number < 512 && !f->seen[number]);
	f->seen[number] = true;
	f->count++;
}

/* Everybody is found from the root, and nothing else is there. */
static struct found read_all(const char *file, struct enrtree_root *root)
{
	struct found found = { 0 };
	size_t links = 0;

	zone_texts_read(&texts, file);
	*root = enrtree_read_root(&texts, rig.options.note);
	enrtree_walk(&texts, root->nodes, on_leaf, &found);
	enrtree_walk(&texts, root->links, count_leaf, &links);
	for (size_t i = 0; i < texts.count; i++)
		assert_true(texts.all[i].visited);
	return found;
}

static void sizes(void **state)
{
	/* One, a branch, one more, a branch of branches, one more, and more than two levels. */
	static const uint32_t counts[] = { 1, 2, 13, 14, 169, 170, 400 };
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct enrtree_root root;
	uint32_t put_so_far = 0;

	(void)state;
	for (unsigned i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct text out = { 0 }, again = { 0 };
		struct found found;
		uint64_t rows;

		print_message("%u\n", counts[i]);
		while (put_so_far < counts[i])
			put_node(&crawl, put_so_far++, PAIRS, LEN(PAIRS), NOW_S - 10, true);
		assert_int_equal(run(&out, &rows), ERR_OK);
		assert_int_equal(rows, counts[i]);
		found = read_all(out.data, &root);
		assert_int_equal(found.count, counts[i]);
		assert_int_equal(root.seq, UINT64_MAX);
		/* The branch that has nothing below it, in all published trees. */
		assert_string_equal(root.links, "FDXN3SN67NA5DKA4J2GOK7BVQI");
		assert_int_equal(run(&again, &rows), ERR_OK);
		assert_string_equal(again.data, out.data);
		text_clear(&out);
		text_clear(&again);
	}
}

static void links(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	const char *const urls[] = { EXAMPLE_LINK };
	struct text out = { 0 };
	struct enrtree_root root;
	uint64_t rows;

	(void)state;
	put_node(&crawl, 5, PAIRS, LEN(PAIRS), NOW_S - 10, true);
	rig.tree.links = urls;
	rig.tree.links_count = 1;
	assert_int_equal(run(&out, &rows), ERR_OK);
	assert_int_equal(read_all(out.data, &root).count, 1);
	/* As the EIP has it. */
	assert_string_equal(root.links, "C7HRFPF3BLGF3YR4DY5KX3SMBE");
	text_clear(&out);
}

static void left_out(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	char longest[241] = PAIRS;
	struct text out = { 0 };
	struct enrtree_root root;
	struct found found;
	uint64_t rows;

	(void)state;
	/* 300 bytes are a record's most. */
	put_node(&crawl, 1, longest, 240, NOW_S - 3600, true);
	put_node(&crawl, 2, PAIRS, LEN(PAIRS), NOW_S - 3601, true);
	put_node(&crawl, 3, NO_IP, LEN(NO_IP), NOW_S - 10, true);
	put_node(&crawl, 4, NO_TCP, LEN(NO_TCP), NOW_S - 10, true);
	put_node(&crawl, 5, PAIRS, LEN(PAIRS), NOW_S - 10, false);
	/* Two of four times there, and one of three. */
	put_node(&crawl, 6, PAIRS, LEN(PAIRS), NOW_S - 50, true);
	put_node(&crawl, 7, PAIRS, LEN(PAIRS), NOW_S - 50, false);
	for (int64_t ago = 40; ago > 0; ago -= 10) {
		crawl = begin_crawl(store, "ethereum");
		put_node(&crawl, 6, PAIRS, LEN(PAIRS), NOW_S - ago, ago <= 10);
		if (ago == 20 || ago == 10)
			put_node(&crawl, 7, PAIRS, LEN(PAIRS), NOW_S - ago, ago == 10);
		if (ago == 30)
			put_node(&crawl, 6, PAIRS, LEN(PAIRS), NOW_S - ago, true);
	}
	assert_int_equal(run(&out, &rows), ERR_OK);
	found = read_all(out.data, &root);
	assert_true(found.seen[1]);
	assert_true(found.seen[6]);
	assert_int_equal(found.count, 2);
	text_clear(&out);
}

static void nobody(void **state)
{
	struct store_crawl crawl = begin_crawl(store, "ethereum");
	struct text out = { 0 };
	uint64_t rows;

	(void)state;
	put_node(&crawl, 2, PAIRS, LEN(PAIRS), NOW_S - 3601, true);
	assert_int_equal(run(&out, &rows), ERR_VALUE);
	assert_int_equal(out.len, 0);
	assert_non_null(strstr(rig.options.note, "none of 1 nodes"));
	text_clear(&out);
}

static void urls(void **state)
{
	static const struct {
		const char *name, *url;
		bool valid;
	} rows[] = {
		{ "the EIP's", EXAMPLE_LINK, true },
		{ "another scheme",
		  "enr://AM5FCQLWIZX2QFPNJAP7VUERCCRNGRHWZG3YYHIUV7BVDQ5FDPRT2@a.b", false },
		{ "no key", "enrtree://@a.b", false },
		{ "no name", EXAMPLE_KEY, false },
		{ "a name that is none", EXAMPLE_KEY "a", false },
		{ "a quotation mark", EXAMPLE_KEY "a.b\"", false },
		{ "a line feed", EXAMPLE_KEY "a.b\n@ IN A 6.6.6.6", false },
		{ "not as it would be written", EXAMPLE_KEY "A.b", false },
		{ "lower case",
		  "enrtree://am5fcqlwizx2qfpnjap7vuerccrngrhwzg3yyhiuv7bvdq5fdprt2@a.b", false },
		{ "cut short", "enrtree://AM5FCQ", false },
		{ "no point of the curve",
		  "enrtree://AIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAK@a.b", false },
		{ "empty", "", false },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		print_message("%s\n", rows[i].name);
		assert_int_equal(enrtree_url_valid(slice_text(rows[i].url)), rows[i].valid);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published),
		cmocka_unit_test_setup_teardown(sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(links, set_up, tear_down),
		cmocka_unit_test_setup_teardown(left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody, set_up, tear_down),
		cmocka_unit_test(urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
