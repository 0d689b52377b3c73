/* service_text.h: service bits by their names, for reports and the API. */
#ifndef PEERWALK_CLI_SERVICE_TEXT_H
#define PEERWALK_CLI_SERVICE_TEXT_H

/* The name of a service bit of that network, or NULL. A network that is not on our list is a chain
 * that was described on the command line, which is Bitcoin-like. */
const char *service_text(const char *network, unsigned bit);

#endif
