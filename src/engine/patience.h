/* patience.h: how long a visit waits for a connection and for an answer, learned from those that
 * answered: a percentile times a factor, between bounds. No clock: times are arguments.
 *
 * Most addresses that a network names are black holes, and each of them holds a place for as long
 * as a connection may take. So a first try is hasty: it waits as long as those who answer have
 * made it wait so far, with room to spare. What is learned in this way is biased, since whoever
 * takes longer than the deadline isn't seen, and a deadline that follows what is seen can only
 * shrink. Three things set that right:
 *
 *   - The second try of whoever was silent to a hasty one has the whole time, the ceiling: nobody
 *     who connects within the ceiling is lost, whatever was learned. A wrong estimate costs
 *     time, never a peer; and no more than it would cost to wait for the ceiling at once.
 *   - What a second try finds is learned, too. With it every peer that answers within the ceiling
 *     is counted once, at its true time: seen over a whole crawl the bias is gone.
 *   - Second tries come late. So one first try in PATIENCE_WHOLE_EVERY has the whole time as
 *     well: if the way to everybody becomes slow in mid-crawl, these still see it, soon make
 *     up most of what is seen, and the deadline grows. Silent to the whole time, an address has
 *     a hasty second try, so that these cost nothing: either way it is waited for once in haste
 *     and once for the whole time.
 *
 * An answer has no second try: a host that accepts connections and says nothing is visited once. So
 * its deadline stays above the longest that a busy machine is quiet, and the visit adds twice the
 * time that this peer took to connect (engine/visit.h). It is the deadline of the hand-shake alone:
 * when the reply to a question comes is a matter of the protocol, not of the way (Bitcoin Core up
 * to 0.21 sends it at a random moment), and stays the protocol's.
 *
 * Peers who lie with their times have one voice each, and change the percentile only as a part of
 * all that answer: some in twenty for connections, one in a hundred for answers. Slow liars can
 * raise a deadline to its ceiling, which is what it would be without learning; fast ones can lower
 * it to its least, and make others wait for their second try. Before PATIENCE_LEAST samples
 * nothing is learned, and the ceiling holds. The fastest answer first, so that an estimate begins
 * low: that, too, is what the second try is for. Old samples weigh less and less. */
#ifndef PEERWALK_ENGINE_PATIENCE_H
#define PEERWALK_ENGINE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	PATIENCE_LEAST = 128, /* samples: fewer say little of a percentile */
	/* So many of the newest samples weigh as much as all before them: soon enough for a
	 * change in mid-crawl, and enough for a hundredth. */
	PATIENCE_MEMORY = 1024,
	PATIENCE_WHOLE_EVERY = 16,
	/* Connections: three times what 95 % take. */
	PATIENCE_CONNECT_PERMILLE = 950,
	PATIENCE_CONNECT_FACTOR = 3,
	/* Round the world and back, at a moment when this machine or that one is busy. */
	PATIENCE_CONNECT_MIN_MS = 500,
	/* Answers: four times what 99 % take, as there is no second try. */
	PATIENCE_ANSWER_PERMILLE = 990,
	PATIENCE_ANSWER_FACTOR = 4,
	/* Core hears its peers in turns, and is deaf while it connects a block. */
	PATIENCE_ANSWER_MIN_MS = 5000,
	/* Times are counted in steps of an eighth of an octave, up to two minutes. */
	PATIENCE_STEPS = 8,
	PATIENCE_BUCKETS = 17 * PATIENCE_STEPS,
};

/* The ceilings; 0: nothing is learned, and the wait is no business of patience. */
struct patience_config {
	uint32_t connect_ms, answer_ms;
	uint32_t connect_min_ms; /* 0: PATIENCE_CONNECT_MIN_MS */
};

/* 0: not said. */
struct patience_wait {
	uint32_t connect_ms, answer_ms;
};

struct patience_times {
	uint32_t weights[PATIENCE_BUCKETS], sum, samples;
	uint32_t quantile_ms; /* 0: too few samples */
	unsigned stale;       /* samples since it was computed */
};

struct patience {
	/* private */
	struct patience_config config;
	struct patience_times connect, answer;
	uint32_t firsts;
};

void patience_init(struct patience *p, const struct patience_config *config);
/* For a first try. Tells whether it is hasty: has less than the whole time to connect. */
bool patience_first(struct patience *p, struct patience_wait *out);
/* For the second one. */
void patience_second(const struct patience *p, bool first_was_hasty, struct patience_wait *out);
/* What one peer took to connect, and from then to its answer; -1: it didn't. Once a visit. */
void patience_learn(struct patience *p, int64_t connect_ms, int64_t answer_ms);
/* What is learned: the wait of a hasty try. */
void patience_learned(const struct patience *p, struct patience_wait *out);

#endif
