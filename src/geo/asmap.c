#include "geo/asmap.h"

enum instruction {
	RETURN,
	JUMP,
	MATCH,
	DEFAULT,
	CUT_SHORT, /* the file ends in it */
};

enum { INVALID = UINT32_MAX };

/* A place in the program. */
struct cursor {
	struct slice map;
	size_t at, end; /* bits */
};

/* How numbers are written. They are divided into classes, in ascending order from `least`: class i
 * has the next 2^(bits + i) numbers. First as many ones as the number's class says, then (but for
 * the last class) a zero, then its place in the class, the highest bit first. */
struct code {
	uint32_t least;
	unsigned bits, classes;
};

static const struct code asn_code = { 1, 15, 10 };
static const struct code match_code = { 2, 1, 8 };
static const struct code jump_code = { 17, 5, 26 };

static bool take_bit(struct cursor *c, unsigned *bit)
{
	if (c->at >= c->end)
		return false;
	*bit = c->map.data[c->at / 8] >> c->at % 8 & 1;
	c->at++;
	return true;
}

/* INVALID if the file ends in it. The greatest number of all codes is below 2^32. */
static uint32_t take_number(struct cursor *c, const struct code *code)
{
	uint32_t base = code->least, place = 0;
	unsigned class = 0, bit = 0;

	while (class + 1 < code->classes) {
		if (!take_bit(c, &bit))
			return INVALID;
		if (bit == 0)
			break;
		base += UINT32_C(1) << (code->bits + class);
		class ++;
	}
	for (unsigned i = 0; i < code->bits + class; i++) {
		if (!take_bit(c, &bit))
			return INVALID;
		place = place << 1 | bit;
	}
	return base + place;
}

/* 0, 10, 110, 111. */
static enum instruction take_instruction(struct cursor *c)
{
	unsigned bit;

	for (enum instruction i = RETURN; i < DEFAULT; i++) {
		if (!take_bit(c, &bit))
			return CUT_SHORT;
		if (bit == 0)
			return i;
	}
	return DEFAULT;
}

/* A match has a one in front of its bits. */
static unsigned match_length(uint32_t match)
{
	return 31 - (unsigned)__builtin_clz(match);
}

static unsigned ip_bit(const uint8_t *ip, unsigned i)
{
	return ip[i / 8] >> (7 - i % 8) & 1;
}

uint32_t asmap_find(struct slice map, const uint8_t ip[static ASMAP_IP_BITS / 8])
{
	struct cursor c = { map, 0, 8 * map.len };
	uint32_t answer = 0, number;
	unsigned used = 0, length;

	for (;;) {
		switch (take_instruction(&c)) {
		case RETURN:
			number = take_number(&c, &asn_code);
			return number != INVALID ? number : 0;
		case JUMP:
			number = take_number(&c, &jump_code);
			if (number == INVALID || used == ASMAP_IP_BITS || number > c.end - c.at)
				return 0;
			if (ip_bit(ip, used++) != 0)
				c.at += number;
			break;
		case MATCH:
			number = take_number(&c, &match_code);
			if (number == INVALID)
				return 0;
			length = match_length(number);
			if (length > ASMAP_IP_BITS - used)
				return 0;
			while (length-- > 0) {
				if (ip_bit(ip, used++) != (number >> length & 1))
					return answer;
			}
			break;
		case DEFAULT:
			answer = take_number(&c, &asn_code);
			if (answer == INVALID)
				return 0;
			break;
		case CUT_SHORT:
			return 0;
		}
	}
}

/* --- checking --- */

/* The whole program in the order in which it stands. After each RETURN follows the program of the
 * innermost JUMP that was passed. */
struct check {
	struct cursor c;
	unsigned left;       /* bits of the address at this place */
	enum instruction by; /* which came just before; JUMP: it is jumped to */
	bool short_match;    /* of the matches in a row one had fewer bits than it could */
	/* Each holds a bit of the address, so there can be no more. */
	struct jump {
		size_t to;
		unsigned left;
	} jumps[ASMAP_IP_BITS];
	unsigned depth;
	bool done;
};

enum { MATCH_BITS_MAX = 8 };

static const char cut_short[] = "it ends in the middle of an instruction";
static const char too_many_bits[] = "it asks for more bits than an address has";

/* What is wrong, or NULL; so do the next. */
static const char *check_return(struct check *k)
{
	unsigned bit;

	if (k->by == DEFAULT)
		return "a default that nothing can need";
	if (take_number(&k->c, &asn_code) == INVALID)
		return cut_short;
	if (k->depth > 0) {
		const struct jump *jump = &k->jumps[--k->depth];

		k->left = jump->left;
		k->by = JUMP;
		return k->c.at == jump->to ? NULL : "instructions that nothing leads to";
	}
	if (k->c.end - k->c.at > 7)
		return "bytes are left over behind its end";
	while (take_bit(&k->c, &bit)) {
		if (bit != 0)
			return "a bit is set behind its end";
	}
	k->done = true;
	return NULL;
}

static const char *check_jump(struct check *k)
{
	uint32_t offset = take_number(&k->c, &jump_code);
	size_t to = k->c.at + offset;

	if (offset == INVALID)
		return cut_short;
	if (offset > k->c.end - k->c.at)
		return "a jump leads out of it";
	if (k->left == 0)
		return too_many_bits;
	if (k->depth > 0 && to >= k->jumps[k->depth - 1].to)
		return "jumps cross each other";
	k->jumps[k->depth++] = (struct jump){ to, --k->left };
	k->by = JUMP;
	return NULL;
}

static const char *check_match(struct check *k)
{
	uint32_t match = take_number(&k->c, &match_code);
	unsigned length;

	if (match == INVALID)
		return cut_short;
	length = match_length(match);
	if (k->by != MATCH)
		k->short_match = false;
	if (length < MATCH_BITS_MAX && k->short_match)
		return "two matches that could be one";
	k->short_match = length < MATCH_BITS_MAX;
	if (k->left < length)
		return too_many_bits;
	k->left -= length;
	k->by = MATCH;
	return NULL;
}

static const char *check_default(struct check *k)
{
	if (k->by == DEFAULT)
		return "a default that nothing can need";
	if (take_number(&k->c, &asn_code) == INVALID)
		return cut_short;
	k->by = DEFAULT;
	return NULL;
}

static const char *check_next(struct check *k)
{
	if (k->depth > 0 && k->c.at >= k->jumps[k->depth - 1].to)
		return "a jump leads into the middle of an instruction";
	switch (take_instruction(&k->c)) {
	case RETURN:
		return check_return(k);
	case JUMP:
		return check_jump(k);
	case MATCH:
		return check_match(k);
	case DEFAULT:
		return check_default(k);
	case CUT_SHORT:
		break;
	}
	return k->c.end == 0 ? "it is empty" : cut_short;
}

bool asmap_check(struct slice map, const char **rule, size_t *at_bit)
{
	struct check k = { .c = { map, 0, 8 * map.len }, .left = ASMAP_IP_BITS, .by = JUMP };

	*rule = map.len <= ASMAP_BYTES_MAX ? NULL : "it is longer than any asmap file";
	*at_bit = 0;
	while (*rule == NULL && !k.done) {
		*at_bit = k.c.at;
		*rule = check_next(&k);
	}
	return *rule == NULL;
}
