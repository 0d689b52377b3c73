/* rlp.h: RLP, the form in which Ethereum writes lists and strings of bytes.
 *
 * Source: Ethereum's yellow paper, appendix B; the rule about integers: the devp2p
 * specifications, "no leading zeros". On base/bytes.h's readers and writers, with their
 * rules: both stick at the first error, slices borrow, nothing allocates.
 *
 * Lengths are always checked for their shortest form, as everybody does. Integers are
 * read RLP_STRICT or RLP_LENIENT: old software sends ports and times at a fixed width.
 *
 * Reading a list narrows the reader to it, until it is left:
 *
 *     struct rlp_list list = rlp_enter(r, "from");
 *     ... the elements ...
 *     rlp_leave(r, &list);      // what is left of it is skipped: EIP-8
 *
 * The hook is told each string with its header as one field, and the header of each list
 * as a field whose value is the length of the list: one field begins where the last ended. */
#ifndef PEERWALK_PROTO_ETHEREUM_RLP_H
#define PEERWALK_PROTO_ETHEREUM_RLP_H

#include "base/bytes.h"

enum {
	/* Lists in lists. An ENR needs 4; who sends more means to exhaust somebody's stack. */
	RLP_DEPTH_MAX = 16,
	/* Bytes of an integer with its leading zeros; the widest of old software is 32. */
	RLP_UINT_MAX = 32,
	RLP_HEADER_MAX = 9,
};

enum rlp_mode {
	RLP_STRICT,  /* an integer has no leading zeros: ERR_NONCANONICAL */
	RLP_LENIENT, /* it may have, RLP_UINT_MAX bytes in all */
};

/* One item, still raw: what stands at the reader's place. */
struct rlp_item {
	bool is_list;
	size_t at;            /* of the header, in the reader's input */
	struct slice payload; /* borrowed */
};

struct rlp_list {
	size_t outer_len; /* private */
};

/* A look at the next item, without going on; fails if there is none, or it is not whole. */
struct rlp_item rlp_peek(struct reader *r, const char *name);
/* True if the list (or the input) has another element. */
static inline bool rlp_more(const struct reader *r)
{
	return reader_left(r) > 0;
}

struct rlp_list rlp_enter(struct reader *r, const char *name);
void rlp_leave(struct reader *r, const struct rlp_list *list);

/* A string of min to max bytes; rule says so in static text. */
struct slice rlp_bytes(struct reader *r, size_t min, size_t max, const char *name,
		       const char *rule);
struct slice rlp_text(struct reader *r, size_t max, const char *name, const char *rule);
/* An integer of at most `bytes` bytes, without its leading zeros; bytes <= 8. */
uint64_t rlp_uint(struct reader *r, size_t bytes, enum rlp_mode mode, const char *name);
uint64_t rlp_uint_as(struct reader *r, size_t bytes, enum rlp_mode mode, enum field_kind kind,
		     const char *name);
/* Any item at all, its header included. Checked through all its depths. */
struct slice rlp_any(struct reader *r, const char *name);
/* All that is left here, element by element, as the specifications want: "ignored". */
void rlp_rest(struct reader *r, const char *name);
/* Whether the slice is one item, well-formed through all its depths. */
bool rlp_is_item(struct slice in);

/* For decoders that have more to tell of an item than its name: at its header, the reader
 * stands behind it. text may be NULL. */
void rlp_tell(struct reader *r, const char *name, enum field_kind kind, const struct rlp_item *item,
	      uint64_t value, const char *text);
/* Whether a hook was told the beginning of a list; its value is how many bytes it has. */
bool rlp_field_is_list(const struct field *f);
/* Moves behind an item that was peeked at, without telling the hook. */
void rlp_pass(struct reader *r, const struct rlp_item *item);

void rlp_put_bytes(struct writer *w, struct slice s);
void rlp_put_uint(struct writer *w, uint64_t v);
/* The elements are written between these two; they are moved when the length is known. */
size_t rlp_put_list(struct writer *w);
void rlp_end_list(struct writer *w, size_t mark);

/* Bytes that rlp_put_bytes, rlp_put_uint or a list of so many bytes take. */
size_t rlp_bytes_size(struct slice s);
size_t rlp_uint_size(uint64_t v);
size_t rlp_list_size(size_t payload_len);

#endif
