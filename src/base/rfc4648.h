/* rfc4648.h: bytes as digits of 5 and 6 bits, without padding (RFC 4648, sections 5 and 6).
 *
 * A text has one form only: what has bits left over behind the last byte is refused. */
#ifndef PEERWALK_BASE_RFC4648_H
#define PEERWALK_BASE_RFC4648_H

#include "base/bytes.h"

/* Digits of so many bytes, without NUL. */
#define BASE32_DIGITS(len) (((len)*8 + 4) / 5)
#define BASE64_DIGITS(len) (((len)*4 + 2) / 3)

/* Both end with NUL, and return the digits. */
size_t base32_encode(struct slice in, bool upper, char *out);
size_t base64url_encode(struct slice in, char *out);

/* Exactly out_len bytes, in upper or lower case. */
bool base32_decode(struct slice in, uint8_t *out, size_t out_len);
/* ERR_SYNTAX; ERR_LIMIT beyond cap bytes. *at: the character that is wrong. */
enum err base64url_decode(struct slice in, uint8_t *out, size_t cap, size_t *len, size_t *at);

#endif
