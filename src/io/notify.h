/* notify.h: tells systemd how a service is doing (sd_notify(3)): that it is ready, that it is
 * about to end, that it still runs. One datagram each, so there is no library behind it; where
 * no service manager listens, nothing happens. */
#ifndef PEERWALK_IO_NOTIFY_H
#define PEERWALK_IO_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

/* Assignments, one a line: "READY=1\nSTATUS=...". False: nobody listens, or it could not be sent,
 * which is nobody's business here. */
bool notify_send(const char *text);
/* "READY=1", which is told once, and a service that has not told it is ended: tries for two seconds
 * where it can't be sent. False: nobody listens, or it could not be sent all the same. */
bool notify_ready(void);
/* How often "WATCHDOG=1" is wanted: twice in the time after which we are taken for dead.
 * 0: never. */
uint64_t notify_watchdog_ms(void);

#endif
