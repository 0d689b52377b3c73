/* export_graph.h: who named whom (crawl --adverts), as a graph for other tools.
 *
 * A node for each peer that named somebody or was named, with its network, how its visit ended
 * and its user agent; then an edge for each advert, with the number of its crawl: without a crawl
 * in the filter two peers may have several. The filter chooses adverts; the peers follow from
 * them. */
#ifndef PEERWALK_REPORT_EXPORT_GRAPH_H
#define PEERWALK_REPORT_EXPORT_GRAPH_H

#include "report/export.h"

enum export_graph {
	EXPORT_GRAPH_DOT,     /* Graphviz's language: graphviz.org/doc/info/lang.html */
	EXPORT_GRAPH_GRAPHML, /* graphml.graphdrawing.org */
};

/* form: enum export_graph. *rows counts the edges. Store errors; the sink's; ERR_NOMEM. */
export_run_fn export_graph_run;

/* A stranger's bytes in the quotation marks of DOT, and as text of XML; after
 * text_add_escaped. */
void export_dot_text(struct text *out, struct slice s);
void export_xml_text(struct text *out, struct slice s);

#endif
