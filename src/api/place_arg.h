/* place_arg.h: where a peer of ours is, as it is written: addresses as numbers. */
#ifndef PEERWALK_API_PLACE_ARG_H
#define PEERWALK_API_PLACE_ARG_H

#include "base/netaddr.h"

/* An IP address of any kind that a peer can have, its port included if with_port (else it is
 * 0, and must not be given). */
bool place_addr_parse(const char *text, bool with_port, struct netaddr *out);
/* Where to listen: such an address or the unspecified one, and any port, also 0. */
bool place_listen_parse(const char *text, uint16_t default_port, struct netaddr *out);

#endif
