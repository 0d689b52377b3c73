/* message.h: messages, field by field. */
#ifndef PEERWALK_MESSAGE_H
#define PEERWALK_MESSAGE_H

/** @file
 *  Messages. */

#include "peerwalk/words.h"

#ifdef __cplusplus
extern "C" {
#endif

/** How a field wants to be shown. */
enum pw_field_kind {
	PW_FIELD_UINT,  /**< `value`, unsigned */
	PW_FIELD_INT,   /**< `value`, as int64_t */
	PW_FIELD_HEX,   /**< `value`, in hexadecimal */
	PW_FIELD_TIME,  /**< `value`, seconds since 1970 as int64_t */
	PW_FIELD_BYTES, /**< `bytes` */
	PW_FIELD_TEXT,  /**< `bytes`, a stranger's text */
	PW_FIELD_HASH,  /**< `bytes`, 32 of them, shown last byte first */
	PW_FIELD_ADDR,  /**< `bytes`, a network address */
	PW_FIELD_GROUP  /**< element `value` of the list `name` begins here */
};

/** A field of a message; lives for the call of pw_field_fn. */
struct pw_field {
	const char *name;        /**< e.g. "user agent"; static */
	enum pw_field_kind kind; /**< which of the next holds something */
	size_t at;               /**< where it stands in the input */
	size_t len;              /**< how many bytes it has there; 0: computed from others */
	uint64_t value;          /**< its number */
	struct pw_bytes bytes;   /**< its bytes */
	const char *text;        /**< all of it for people, made harmless, meaning included */
};

/** Called by pw_explain() for each field.
 *  @param ctx   as given to pw_explain()
 *  @param field the field; lives for the call */
typedef void pw_field_fn(void *ctx, const struct pw_field *field);

/** Where the input breaks a rule for the first time. */
struct pw_fault {
	size_t at;        /**< offset of the first byte that does */
	const char *rule; /**< the rule; static */
};

/** Names each field of one or more whole messages. For Ethereum that is one packet of discovery
 *  v4, one record or other list of RLP, or the text of one record or URL.
 *  @param network  whose messages they are
 *  @param data     the messages, header and all
 *  @param len      bytes of them
 *  @param on_field called for each field up to the first that breaks a rule
 *  @param ctx      handed to on_field
 *  @param fault    filled if PW_ERR_SHORT ... PW_ERR_SYNTAX is returned; may be NULL
 *  @return PW_OK, or what is wrong with the first field that breaks a rule; PW_ERR_NOMEM */
PW_API enum pw_err pw_explain(const struct pw_network *network, const void *data, size_t len,
			      pw_field_fn *on_field, void *ctx, struct pw_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
