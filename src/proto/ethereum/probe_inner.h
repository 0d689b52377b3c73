/* probe_inner.h: what both parts of a visit need of each other; the rest of the world calls
 * probe.h.
 *
 *     probe.c        what is asked, in which order, and when it is over
 *     probe_take.c   what becomes of a packet */
#ifndef PEERWALK_PROTO_ETHEREUM_PROBE_INNER_H
#define PEERWALK_PROTO_ETHEREUM_PROBE_INNER_H

#include "proto/ethereum/probe.h"

void probe_note(struct probe *p, enum probe_breach b);
int64_t probe_elapsed(const struct probe *p, uint64_t now_ms);
int64_t probe_unix_s(const struct probe *p, uint64_t now_ms);
void probe_finish(struct probe *p, enum outcome outcome, const char *rule, uint64_t now_ms);
void probe_end_record(struct probe *p, uint64_t now_ms);
void probe_begin_asking(struct probe *p, uint64_t now_ms);
void probe_end_answer(struct probe *p, uint64_t now_ms);

#endif
