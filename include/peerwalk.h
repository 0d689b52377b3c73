/* peerwalk.h: the library's public interface. Walks peer-to-peer networks.
 *
 * Its parts, each usable without the others:
 *
 *   words.h     errors, bytes, and networks: pw_network_find("bitcoin"), "ethereum" ...
 *   peer.h      what is known of a peer, how a visit of it ended, peers as people write them
 *   crawl.h     pw_crawl_new, pw_crawl_add_seed, pw_crawl_run: visits everybody, calls you back
 *   session.h   one connection as a state machine, for an event loop of your own
 *   message.h   names each field of a message; messages, JSON and records as bytes
 *   store.h     what crawls and members have kept in a database
 *   member.h    pw_member_new, pw_member_run, pw_member_say: a peer of one's own, that stays
 *
 * Errors: functions that can fail return an enum pw_err. What a peer does wrong is no
 * error but the outcome of its visit.
 *
 * Threads: the library has no global state. Different objects can be used by different
 * threads at once; one object by one thread at a time, but for pw_crawl_stop, pw_crawl_stats,
 * pw_member_stop, pw_member_stats, pw_member_say and pw_member_say_all, which any thread may call
 * at any time.
 *
 * Memory: what a `_new` function made is freed by its `_free`, which takes NULL, too.
 * Strings and structs that you pass in are copied; those that you are given live as long
 * as their description says. Text is UTF-8 and ends with NUL.
 *
 * Versions: structs that you fill begin with `size`: set it to sizeof the struct and leave
 * what you don't know zero, so that later versions can add members. Those that you are given
 * by a pointer may grow at their end. New values may be added to enums, too. */
#ifndef PEERWALK_H
#define PEERWALK_H

/** @file
 *  Walks peer-to-peer networks. */

#include "peerwalk/crawl.h"
#include "peerwalk/member.h"
#include "peerwalk/message.h"
#include "peerwalk/peer.h"
#include "peerwalk/session.h"
#include "peerwalk/store.h"
#include "peerwalk/words.h"

#endif
