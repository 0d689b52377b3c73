/* fuzz_follow.c: a follower that hears a stranger's messages.
 *
 * Whatever they say: what it asks is well-formed, nothing is in flight that wasn't asked for,
 * and each question has one end at most. */
#include "fuzz/frames.h"
#include "fuzz/fuzz.h"
#include "proto/bitcoin/explain.h"
#include "proto/bitcoin/follow.h"

enum { INPUT_MAX = 1 << 16 };

static void on_report(void *ctx, const struct follow_report *report)
{
	uint64_t *reports = ctx;

	(*reports)++;
	CHECK(report->kind != FOLLOW_TX || report->stripped <= report->size);
	CHECK(report->kind == FOLLOW_TX || report->kind == FOLLOW_BLOCK || report->asked);
}

static void ask(struct follow *f)
{
	static uint8_t out[FOLLOW_OUT_MAX];
	const char *rule;
	size_t len, at;

	while ((len = follow_send(f, out, sizeof(out))) > 0)
		CHECK(bitcoin_explain(f->network, slice_of(out, len), NULL, NULL, &at, &rule) ==
		      ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct follow f;
	const struct follow_counts *c = &f.counts;
	struct bitcoin_header header;
	uint64_t reports = 0, now_ms = 1;
	struct reader r;

	if (size > INPUT_MAX)
		return 0;
	follow_init(&f, network_find("bitcoin"), (struct hash_key){ 5, 6 });
	/* Messages one after the other; the magic's place tells how much later each is. */
	while (size >= BITCOIN_HEADER_LEN) {
		uint8_t frame[BITCOIN_HEADER_LEN];
		size_t len;

		memcpy(frame, data, sizeof(frame));
		now_ms += (uint64_t)frame[0] * 500;
		memcpy(frame, f.network->magic, 4);
		reader_init(&r, slice_of(frame, sizeof(frame)));
		bitcoin_header_decode(&r, f.network->magic, &header);
		data += sizeof(frame);
		size -= sizeof(frame);
		len = header.length < size ? header.length : size;
		follow_hear(&f, header.command, slice_of(data, len), now_ms, on_report, &reports);
		data += len;
		size -= len;
		if (frame[23] & 1)
			ask(&f);
		CHECK(f.flight_count <= FOLLOW_IN_FLIGHT_MAX);
		CHECK(f.wanted_count <= FOLLOW_WANTED_MAX);
		CHECK(c->asked == c->came + c->missing + c->lost + f.flight_count);
		CHECK(c->asked + f.wanted_count + c->dropped <= c->announced);
		CHECK(reports == c->came + c->unasked + c->missing + c->lost);
	}
	return 0;
}
