/* uuid.h: a UUID (RFC 9562) as 16 bytes and as text. */
#ifndef PEERWALK_BASE_UUID_H
#define PEERWALK_BASE_UUID_H

#include "base/bytes.h"

enum { UUID_LEN = 16, UUID_TEXT_MAX = 37 /* with NUL */ };

/* Marks random bytes as a UUID of version 4. */
void uuid_make(uint8_t id[static UUID_LEN]);
/* "a46de8d6-177e-4644-a711-63d182fdbade", always in lower case. */
void uuid_text(const uint8_t id[static UUID_LEN], char out[static UUID_TEXT_MAX]);
/* The same in either case; ERR_SYNTAX otherwise. Version and variant are not looked at. */
enum err uuid_parse(struct slice text, uint8_t out[static UUID_LEN]);

#endif
