/* options.h: messages by which a peer says how it wants to be spoken to, and complains.
 *
 * verack, wtxidrelay, sendaddrv2, sendheaders, mempool and filterclear are empty and
 * need no codec. The rules of messages.h hold here. */
#ifndef PEERWALK_PROTO_BITCOIN_OPTIONS_H
#define PEERWALK_PROTO_BITCOIN_OPTIONS_H

#include "proto/bitcoin/messages.h"

enum {
	BITCOIN_REJECT_REASON_MAX = 111,    /* MAX_REJECT_MESSAGE_LENGTH, while Core had it */
	BITCOIN_ALERT_PAYLOAD_MAX = 100000, /* far above any alert that was ever sent */
	BITCOIN_ALERT_SIGNATURE_MAX = 1000, /* DER, about 71 bytes */
	BITCOIN_ALERT_COMMENT_MAX = 65536,  /* Core 0.12, alert.h */
	BITCOIN_ALERT_STATUS_MAX = 256,     /* also of the reserved text and a user agent */
	BITCOIN_ALERT_LIST_MAX = 10000,     /* no list of Core's was bounded; memory was */
};

/* BIP 330, as Core 31 speaks it: a version of at least 1, and salt. */
struct bitcoin_sendtxrcncl {
	uint32_t version;
	uint64_t salt;
};
void bitcoin_sendtxrcncl_decode(struct reader *r, struct bitcoin_sendtxrcncl *out);
void bitcoin_sendtxrcncl_encode(struct writer *w, const struct bitcoin_sendtxrcncl *m);

/* BIP 434: an id of 4 to 80 bytes and up to 512 bytes for it, and nothing behind. */
struct bitcoin_feature {
	struct slice id; /* any bytes: escape before showing */
	struct slice data;
};
void bitcoin_feature_decode(struct reader *r, struct bitcoin_feature *out);
void bitcoin_feature_encode(struct writer *w, const struct bitcoin_feature *m);

/* BIP 152. */
struct bitcoin_sendcmpct {
	bool announce; /* send cmpctblock unasked */
	uint64_t version;
};
void bitcoin_sendcmpct_decode(struct reader *r, struct bitcoin_sendcmpct *out);
void bitcoin_sendcmpct_encode(struct writer *w, const struct bitcoin_sendcmpct *m);

/* BIP 61; Core stopped sending it in 0.20, others did not. */
struct bitcoin_reject {
	struct slice command, reason; /* any bytes */
	uint8_t code;
	struct slice data; /* a hash where a transaction or block was rejected; to the end */
};
void bitcoin_reject_decode(struct reader *r, struct bitcoin_reject *out);
void bitcoin_reject_encode(struct writer *w, const struct bitcoin_reject *m);
/* "obsolete" and so on, or NULL. */
const char *bitcoin_reject_code_name(uint32_t code);

/* The alert system, retired in 2017; the final alert is still sent to old peers. */
struct bitcoin_alert {
	struct slice payload, signature; /* what is signed, and by what; neither is verified */
	int32_t version;
	int64_t relay_until_s, expires_s;
	int32_t id, cancel;
	uint32_t cancel_count, agent_count; /* further ids cancelled; user agents concerned */
	int32_t min_protocol, max_protocol, priority;
	struct slice comment, status, reserved;
};
void bitcoin_alert_decode(struct reader *r, struct bitcoin_alert *out);
/* Writes payload and signature; the fields that stand in payload are not looked at. */
void bitcoin_alert_encode(struct writer *w, const struct bitcoin_alert *m);

#endif
