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

/* --- messages as bytes ---------------------------------------------------------------- */

/** A message with what frames it: a header of Bitcoin's, or a line's end of a gossip network. */
struct pw_message {
	size_t size;             /**< sizeof(struct pw_message), set by you */
	char name[24];           /**< e.g. "inv" or "hello", made harmless */
	struct pw_bytes payload; /**< without the header; of a gossip network the JSON object */
	struct pw_bytes whole;   /**< all of it, as pw_explain() takes it; the next begins behind */
	size_t needed;           /**< PW_ERR_SHORT: so many bytes have to be there, or more */
};

/** Cuts the first message off a stream. What the payload says is not looked at: pw_explain()
 *  does that.
 *  @param network whose messages they are; not Ethereum's, whose packets are signed or encrypted
 *  @param data    the stream, from the beginning of a message on
 *  @param len     bytes that are there
 *  @param out     its `size` set, the rest is filled: the message, which borrows from data; with
 *                 PW_ERR_SHORT `needed` alone
 *  @param fault   filled if PW_ERR_LIMIT ... PW_ERR_SYNTAX is returned; may be NULL
 *  @return PW_ERR_SHORT: more has to come; PW_ERR_MAGIC, PW_ERR_LIMIT, PW_ERR_CHECKSUM,
 *          PW_ERR_VALUE, PW_ERR_SYNTAX: it breaks a rule; PW_ERR_NOMEM;
 *          PW_ERR_NOT_FOUND for a network of Ethereum */
PW_API enum pw_err pw_message_decode(const struct pw_network *network, const void *data, size_t len,
				     struct pw_message *out, struct pw_fault *fault);

/** Frames a payload: writes a whole message.
 *  @param network whose message it becomes; not Ethereum's
 *  @param name    its name: 1 to 12 printable ASCII characters, for a gossip network 1 to 64
 *  @param payload what it carries; for a gossip network a JSON object without `msgtype`, or
 *                 nothing
 *  @param out     where it goes
 *  @param cap     bytes at out
 *  @param len     how many it has; with PW_ERR_FULL how many there would have to be
 *  @return PW_ERR_VALUE for the name, or if it is one of a gossip network's own messages without
 *          what belongs there, PW_ERR_SYNTAX for a payload that is no such object,
 *          PW_ERR_LIMIT for one that is too long, PW_ERR_FULL, PW_ERR_NOMEM;
 *          PW_ERR_NOT_FOUND for a network of Ethereum */
PW_API enum pw_err pw_message_encode(const struct pw_network *network, const char *name,
				     struct pw_bytes payload, void *out, size_t cap, size_t *len);

/** Writes text as a JSON string, with its quotes, for the payload of a gossip network's message.
 *  What is no UTF-8 becomes U+FFFD.
 *  @param text the text
 *  @param out  where it goes, with a NUL
 *  @param cap  bytes at out, not 0; 6 * text.len + 3 are always enough
 *  @return its length; 0, and nothing at out, if it doesn't fit */
PW_API size_t pw_json_quote(struct pw_bytes text, char *out, size_t cap);

/** The text of a member of a JSON object, such as the payload of a gossip network's message.
 *  @param object the object
 *  @param key    the name of the member
 *  @param out    where the text goes, with a NUL: a stranger's, for pw_escape()
 *  @param cap    bytes at out, not 0
 *  @param len    its length; may be NULL
 *  @return PW_ERR_SYNTAX: no JSON object; PW_ERR_NOT_FOUND: no such member, or no string;
 *          PW_ERR_FULL, PW_ERR_NOMEM. Then there is nothing at out */
PW_API enum pw_err pw_json_text(struct pw_bytes object, const char *key, char *out, size_t cap,
				size_t *len);

/* --- records of Ethereum's nodes ------------------------------------------------------ */

/** What a node record (EIP-778) says. */
struct pw_record {
	size_t size;            /**< sizeof(struct pw_record), set by you */
	uint64_t seq;           /**< its sequence number, which grows with every change */
	uint8_t public_key[64]; /**< of the node, which has signed all of it */
	uint8_t node_id[32];    /**< its place in the tables: Keccak-256 of the key */
	char ip4[16];           /**< its IPv4 address; "" if there is none */
	uint16_t udp4;          /**< the port for discovery there; 0: none */
	uint16_t tcp4;          /**< the port for sessions there; 0: none */
	char ip6[46];           /**< its IPv6 address; "" if there is none */
	uint16_t udp6;          /**< the port for discovery there; 0: none */
	uint16_t tcp6;          /**< the port for sessions there; 0: none */
	bool has_fork;          /**< fork_hash and fork_next hold something */
	uint8_t fork_hash[4];   /**< its fork id (EIP-2124) */
	uint64_t fork_next;     /**< the next fork that it knows of; 0: none */
};

/** Reads a node record, and checks its signature. pw_explain() names every entry.
 *  @param text  the record, "enr:..."
 *  @param out   its `size` set, the rest is filled
 *  @param fault filled if it is none; may be NULL. Its `at` is 0
 *  @return PW_ERR_SYNTAX, PW_ERR_VALUE, PW_ERR_LIMIT, PW_ERR_CHECKSUM and what else can be wrong
 *          with the first rule that it breaks */
PW_API enum pw_err pw_record_decode(const char *text, struct pw_record *out,
				    struct pw_fault *fault);

#ifdef __cplusplus
}
#endif

#endif
