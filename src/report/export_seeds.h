/* export_seeds.h: the table that bitcoin-seeder dumps (dnsseed.dump), and that Bitcoin Core's
 * contrib/seeds/makeseeds.py chooses the fixed seeds of a release from.
 *
 * A line for each peer of one network that was ever reached, in twelve columns: place, good (0, 1),
 * last success (seconds since 1970), the share of the time in which it was up as averages over 2
 * hours, 8 hours, 1, 7 and 30 days, height, services (hex), protocol, user agent. The averages
 * count the time before the first visit as down, as that program's do: who has been watched for a
 * day can't have been up for thirty. Peers that are not watched have 0.00% everywhere, and are not
 * good.
 *
 * Readers take columns apart at blanks: in the user agent, which is quoted, everything but
 * printable ASCII is \xNN, as are blanks and quotation marks; a backslash is two. */
#ifndef PEERWALK_REPORT_EXPORT_SEEDS_H
#define PEERWALK_REPORT_EXPORT_SEEDS_H

#include "report/export.h"

/* The network of the filter, or else of the newest crawl. Good is who offers all blocks, speaks
 * GOOD_PROTOCOL_MIN or newer, and is good by the rules (good.h). */
export_run_fn export_seeds_run;

#endif
