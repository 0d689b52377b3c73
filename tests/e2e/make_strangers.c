/* make_strangers.c: a database of Ethereum nodes that have said what stands in a file.
 *
 *     make_strangers WORDS DATABASE RECORDS
 *
 * WORDS has byte strings, each behind its length in two bytes, the high one first.
 * The node of the word with number i is at 127.77.(1 + i / 250).(1 + i % 250):30303, and each
 * names the next one. Their records, those words in them that a key or a value can be, are written
 * to RECORDS, one a line. */
#include "proto/ethereum/enr.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 4096 };

static uint8_t words[WORDS_MAX][PEER_AGENT_MAX];
static struct slice said[WORDS_MAX];
static struct store *store;
static struct secp secp;

static void need(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "make_strangers: %s: %s\n", what, store != NULL ? store_why(store) : "");
	exit(1);
}

static size_t read_words(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t length[2];
	size_t count = 0;

	need(f != NULL, path);
	while (fread(length, 1, 2, f) == 2) {
		size_t len = (size_t)length[0] << 8 | length[1];

		need(count < WORDS_MAX && len <= PEER_AGENT_MAX &&
			     fread(words[count], 1, len, f) == len,
		     "words");
		said[count] = slice_of(words[count], len);
		count++;
	}
	fclose(f);
	return count;
}

static struct netaddr place(size_t i)
{
	return netaddr_ipv4((uint32_t)(127U << 24 | 77U << 16 | (1 + i / 250) << 8 | (1 + i % 250)),
			    30303);
}

/* The word is a key, where it can be one, and a value. */
static size_t make_record(size_t i, uint8_t public[static SECP_PUBLIC_LEN],
			  char out[static ENR_TEXT_MAX])
{
	struct enode_endpoint at = { .addr = place(i), .tcp_port = 30303 };
	uint8_t bytes[SECP_KEY_LEN] = { 1 }, room[ENR_LEN_MAX];
	char name[ENR_DRAFT_KEY_MAX] = "";
	struct secp_key key;
	struct enr_draft d;
	struct reader r;
	struct writer w;
	struct enr e;

	bytes[30] = (uint8_t)(i >> 8);
	bytes[31] = (uint8_t)i;
	need(secp_key_init(&key, bytes), "key");
	secp_public(&secp, &key, public);
	enr_draft_init(&d, i + 1);
	enr_draft_endpoint(&d, &at);
	if (said[i].len > 0 && said[i].len < sizeof(name) &&
	    memchr(said[i].data, 0, said[i].len) == NULL) {
		memcpy(name, said[i].data, said[i].len);
		enr_draft_bytes(&d, name, said[i]);
	}
	enr_draft_bytes(&d, "zz", slice_of(said[i].data, said[i].len < 90 ? said[i].len : 90));
	writer_init(&w, room, sizeof(room));
	enr_draft_sign(&d, &secp, &key, &w);
	need(writer_ok(&w), "record");
	reader_init(&r, slice_of(room, w.len));
	enr_decode(&r, &e);
	need(reader_ok(&r), "its own record");
	return enr_text(&e, out);
}

static void put(const struct store_crawl *crawl, size_t i, size_t count, FILE *records)
{
	char text[ENR_TEXT_MAX];
	uint8_t public[SECP_PUBLIC_LEN], next[SECP_PUBLIC_LEN];
	size_t other = (i + 1) % count, len = make_record(other, next, text);
	struct advert to = { .addr = place(other),
			     .node_id = slice_of(next, sizeof(next)),
			     .tcp_port = 30303 };
	struct advert from = { .addr = place(i), .tcp_port = 30303 };
	struct node_info node = { .completeness = "drained", .entries = 1, .session = "ok" };
	struct record r = { .addr = place(i),
			    .started_at_ms = 1780000001000,
			    .outcome = OUTCOME_OK,
			    .reached = true,
			    .tries = 1,
			    .node = &node };

	len = make_record(i, public, text);
	from.node_id = slice_of(public, sizeof(public));
	fprintf(records, "%s\n", text);
	node.record = slice_of(text, len);
	node.has_record_seq = node.has_hello = true;
	node.record_seq = i + 1;
	node.tcp_port = 30303;
	node.capabilities = node.faults = said[i];
	r.info = (struct peer_info){
		.has_version = true, .agent = said[i], .node_id = from.node_id, .height = -1
	};
	need(store_put_known(store, crawl, &r.addr, &from, 1780000000500) == ERR_OK, "known");
	need(store_put_visit(store, crawl, &r) == ERR_OK, "visit");
	need(store_put_advert(store, crawl, &from, &to, 1780000001000) == ERR_OK, "advert");
}

int main(int argc, char **argv)
{
	static const uint8_t random[SECP_RANDOM_LEN] = { 1 };
	struct store_crawl crawl = { .network = "ethereum",
				     .started_at_ms = 1780000000000,
				     .ended_at_ms = 1780000002000,
				     .settings = "{}",
				     .complete = true };
	size_t count;
	char why[640];
	FILE *records;

	if (argc != 4) {
		fprintf(stderr, "usage: make_strangers WORDS DATABASE RECORDS\n");
		return 2;
	}
	count = read_words(argv[1]);
	records = fopen(argv[3], "w");
	need(records != NULL && count > 1, argv[3]);
	secp_init(&secp, random);
	need(store_open(argv[2], STORE_CREATE, &store, why, sizeof(why)) == ERR_OK, argv[2]);
	need(store_crawl_begin(store, &crawl) == ERR_OK && store_begin(store) == ERR_OK, "begin");
	for (size_t i = 0; i < count; i++)
		put(&crawl, i, count, records);
	crawl.known = crawl.visited = crawl.reached = crawl.adverts = count;
	need(store_commit(store) == ERR_OK && store_crawl_end(store, &crawl) == ERR_OK, "end");
	store_close(store);
	secp_clear(&secp);
	return fclose(records) == 0 ? 0 : 1;
}
