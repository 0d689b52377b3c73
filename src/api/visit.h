/* visit.h: a record in the library's words: what a crawl tells, and what a store holds. */
#ifndef PEERWALK_API_VISIT_H
#define PEERWALK_API_VISIT_H

#include "api/node.h"
#include "engine/record.h"

/* A pw_visit with all that it points to. It borrows what the record borrows. */
struct api_visit {
	struct pw_visit visit;
	char peer[ENODE_TEXT_MAX], host[NETADDR_HOST_TEXT_MAX];
	struct api_info info;
	struct api_node node;
};

void api_visit(struct api_visit *out, const struct record *record, bool final);

#endif
