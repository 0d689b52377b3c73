/* export_bitnodes.h: the peers that one crawl of a Bitcoin network reached, in the JSON that
 * Bitnodes publishes its snapshots in (bitnodes.io/api, "List Nodes"), for tools that read that:
 *
 *     {"timestamp": 1700000000, "total_nodes": 1, "latest_height": 900000, "nodes": {
 *     "HOST:PORT": [protocol version, user agent, connected since, services, height,
 *     hostname, city, country code, latitude, longitude, timezone, ASN, organization]}}
 *
 * Times are seconds since 1970. The timestamp is the crawl's end; a peer is connected since its
 * visit began; the latest height is the one told by most, as it is there. The hostname is null, and
 * so is what the options' databases don't know of the rest. */
#ifndef PEERWALK_REPORT_EXPORT_BITNODES_H
#define PEERWALK_REPORT_EXPORT_BITNODES_H

#include "report/export.h"

/* The filter's crawl, or else the newest, of the filter's network. Holds eight bytes for each peer
 * in memory. *rows counts the peers. ERR_NOT_FOUND; store errors; the sink's; ERR_NOMEM. */
export_run_fn export_bitnodes_run;

#endif
