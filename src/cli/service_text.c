#include "cli/service_text.h"

#include "proto/proto.h"

const char *service_text(const char *network, unsigned bit)
{
	const struct network *n = network_find(network);

	if (n == NULL)
		n = network_find("bitcoin");
	return n != NULL && n->proto->service_name != NULL ? n->proto->service_name(bit) : NULL;
}
