/* watch.h: what a store keeps of peers that are watched (`crawl --every`): when each is due, how
 * long it has been up, what it changed; how all that stays small; the reports that are kept of its
 * crawls; and what is new.
 *
 * A round of watching is a crawl with every_ms. Its store_put_visit keeps the peer's schedule
 * (engine/schedule.h), ends its sessions and notes its changes. */
#ifndef PEERWALK_STORE_WATCH_H
#define PEERWALK_STORE_WATCH_H

#include "engine/schedule.h"
#include "store/query.h"

/* Of so few who were up, all may be gone at once; of more it is this machine's network that is. */
enum { STORE_ROUND_FEW = 8 };
/* A round is over; before its store_crawl_end. *looked is false if no peer gave a sign of life
 * (none refused, even) and STORE_ROUND_FEW or more were up before: then nobody looked, and its
 * visits change no schedule and end no session. */
enum err store_round_end(struct store *s, const struct store_crawl *crawl, bool *looked);

/* The network is watched by this store until it is closed. ERR_BUSY while another one does. */
enum err store_watch_hold(struct store *s, const char *network);

/* Everybody of that network who is watched, for the next round. Stops when fn returns false. */
struct store_watched {
	struct advert peer; /* addr, node_id, tcp_port */
	struct schedule schedule;
	int64_t last_seen_ms; /* last named or reached */
};
typedef bool store_watched_fn(void *ctx, const struct store_watched *watched);
enum err store_watched(struct store *s, const char *network, store_watched_fn *fn, void *ctx);
/* The schedules of those that were ever reached. */
typedef enum err store_schedule_fn(void *ctx, const struct schedule *schedule);
enum err store_schedules(struct store *s, const char *network, store_schedule_fn *fn, void *ctx);
/* Those neither named nor reached for SCHEDULE_FORGET_S are watched no longer, unless they have
 * missed fewer than three visits (because nobody looked); *count: how many. */
enum err store_watch_forget(struct store *s, const char *network, int64_t now_ms, uint64_t *count);

/* One peer, by its number in this database. ERR_NOT_FOUND. */
enum err store_peer_by_id(struct store *s, int64_t id, store_peer_fn *fn, void *ctx);
/* Its schedule; ERR_NOT_FOUND if it is not watched. */
enum err store_peer_schedule(struct store *s, int64_t id, struct schedule *out);
/* Its sessions that are over, the newest first. */
typedef enum err store_session_fn(void *ctx, int64_t from_ms, int64_t to_ms);
enum err store_peer_sessions(struct store *s, int64_t id, size_t limit, store_session_fn *fn,
			     void *ctx);
/* What it said otherwise than before, the newest first. what: "agent", "protocol", "services",
 * "address" (the same key elsewhere), "record", "fork". was and now: bytes for agent, else text. */
struct store_told {
	int64_t at_ms;
	const char *what;
	struct slice was, now;
};
typedef enum err store_told_fn(void *ctx, const struct store_told *told);
enum err store_peer_told(struct store *s, int64_t id, size_t limit, store_told_fn *fn, void *ctx);
/* Its visits, the newest first: a look-up for each crawl, so no index of a million peers' visits
 * by peer has to be kept. */
enum err store_peer_visits(struct store *s, int64_t id, size_t limit, store_visit_fn *fn,
			   void *ctx);
/* Days of which the visits are gone, the newest first. */
struct store_day {
	int64_t day; /* since 1970, UTC */
	uint32_t visits, reached;
};
typedef enum err store_day_fn(void *ctx, const struct store_day *day);
enum err store_peer_days(struct store *s, int64_t id, size_t limit, store_day_fn *fn, void *ctx);

/* What is older than keep_ms goes:
 *   - the visits and adverts of crawls of that network that ended before, or were broken off: the
 *     visits of peers that were ever reached become sums by day, and store_crawl.pruned is set.
 *     The crawl's own row stays, and so does the kept report of the last one of each day that has
 *     one; a report of another pruned crawl can't be made any more. The newest crawl of the
 *     network, and one that somebody is writing, stay whole whatever their age.
 *   - sessions that ended and changes that were noted before;
 *   - peers that were never reached, and that nobody has named or watched since.
 * What is older than ten times keep_ms goes as well: sums by day, and peers that were reached, but
 * neither reached nor named since.
 *
 * In steps of bounded time, each a transaction of its own, so that a crawl may write meanwhile;
 * call until *more is false, about once a day. The file does not shrink: its pages are used again.
 * Numbers of peers and visits that are gone are not used again, but store_news does not tell that
 * they are. */
enum err store_prune(struct store *s, const char *network, int64_t now_ms, int64_t keep_ms,
		     bool *more);

/* The report of a crawl that has ended, as JSON text: kept, so that nobody has to walk over its
 * visits again. version: of the text's form; another one than the reader's is as none. */
enum err store_report_put(struct store *s, int64_t crawl_id, int version, struct slice json);
/* fn gets it, and it is valid for that call. ERR_NOT_FOUND. */
typedef enum err store_report_fn(void *ctx, struct slice json);
enum err store_report_get(struct store *s, int64_t crawl_id, int version, store_report_fn *fn,
			  void *ctx);

/* The crawls of which there is one of that version, in order of their ids. */
typedef enum err store_reports_fn(void *ctx, int64_t crawl_id);
enum err store_reports(struct store *s, int version, store_reports_fn *fn, void *ctx);

/* Is another process (or another store of this one) writing that crawl? */
bool store_crawl_running(struct store *s, int64_t crawl_id);

/* What has changed, for a copy in memory: rows of peers above a number, or of which there is a
 * visit with a number above one. Both are moved on. Each peer at most twice. */
typedef enum err store_news_fn(void *ctx, int64_t id, const struct store_peer *peer,
			       const struct schedule *schedule /* NULL: not watched */);
enum err store_news(struct store *s, int64_t *peer_id, int64_t *visit_id, store_news_fn *fn,
		    void *ctx);

#endif
