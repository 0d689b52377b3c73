#include "web/census_inner.h"

#include <stdlib.h>
#include <string.h>

static bool given(const char *text)
{
	return text != NULL && text[0] != 0;
}

static enum err country_init(struct census_match *m, const char *country)
{
	const struct census_table *t = m->table;
	unsigned number = census_country_number(country);

	if (number == CENSUS_COUNTRY_NONE && strcmp(country, "none") != 0) {
		m->nobody = true;
		return ERR_OK;
	}
	m->place = calloc(t->spots_count, sizeof(*m->place));
	if (m->place == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < t->spots_count; i++)
		m->place[i] = t->spots[i].country == number;
	return ERR_OK;
}

static void asn_init(struct census_match *m, int64_t asn)
{
	const struct census_table *t = m->table;

	m->as = 0;
	if (asn < 0)
		return;
	for (m->as = 2; m->as < t->as_count && t->as[m->as].asn != asn; m->as++)
		;
	m->nobody |= m->as == t->as_count;
}

/* "AS24940", "as24940"; 0: it is none. */
static uint32_t asn_of(const char *text)
{
	uint64_t asn = 0;

	if (strncasecmp(text, "as", 2) != 0 || parse_uint(text + 2, UINT32_MAX, &asn) != ERR_OK)
		return 0;
	return (uint32_t)asn;
}

static enum err text_init(struct census_match *m, const char *text)
{
	const struct census_table *t = m->table;
	uint32_t asn = asn_of(text);

	m->text = malloc(sizeof(*m->text));
	m->agent_text = calloc(t->agents.count, sizeof(*m->agent_text));
	m->as_text = calloc(t->as_count, sizeof(*m->as_text));
	if (m->text == NULL || m->agent_text == NULL || m->as_text == NULL)
		return ERR_NOMEM;
	census_text_init(m->text, text);
	for (uint32_t i = NAMES_FIRST; i < t->agents.count; i++)
		m->agent_text[i] = strcasestr(names_text(&t->agents, i), text) != NULL;
	for (uint32_t i = 2; i < t->as_count; i++)
		m->as_text[i] = t->as[i].asn == asn ||
				strcasestr(names_text(&t->as_names, t->as[i].name), text) != NULL;
	return ERR_OK;
}

enum err census_match_init(struct census_match *m, const struct census_table *t,
			   const struct census_filter *f)
{
	enum err err = ERR_OK;

	*m = (struct census_match){ .table = t, .filter = f, .as = UINT32_MAX };
	if (given(f->network)) {
		m->network = names_find(&t->networks, f->network);
		m->nobody |= m->network == NAMES_NONE;
	}
	if (given(f->agent)) {
		m->agent = names_find(&t->agents, f->agent);
		m->nobody |= m->agent == NAMES_NONE;
	}
	if (f->asn != 0)
		asn_init(m, f->asn);
	if (given(f->country))
		err = country_init(m, f->country);
	if (err == ERR_OK && given(f->text))
		err = text_init(m, f->text);
	return err;
}

void census_match_clear(struct census_match *m)
{
	free(m->place);
	free(m->agent_text);
	free(m->as_text);
	free(m->text);
	*m = (struct census_match){ 0 };
}

static bool flag_match(int want, uint8_t flags, uint8_t flag)
{
	return want < 0 || ((flags & flag) != 0) == (want != 0);
}

bool census_match(const struct census_match *m, const struct census_row *r)
{
	const struct census_filter *f = m->filter;

	if (m->nobody || (m->network != NAMES_NONE && r->network != m->network) ||
	    !flag_match(f->visited, r->flags, CENSUS_ROW_VISITED) ||
	    !flag_match(f->reached, r->flags, CENSUS_ROW_REACHED) ||
	    (f->outcome >= 0 && r->outcome != f->outcome) || (f->kind > 0 && r->kind != f->kind) ||
	    (m->agent != NAMES_NONE && r->agent != m->agent) ||
	    (m->as != UINT32_MAX && r->as != m->as) || (r->services & f->services) != f->services ||
	    (f->protocol >= 0 && r->protocol != f->protocol) ||
	    (f->crawl_id > 0 && r->crawl != f->crawl_id) ||
	    (m->place != NULL && m->place[r->place] == 0))
		return false;
	if (m->text == NULL)
		return true;
	return m->agent_text[r->agent] != 0 || m->as_text[r->as] != 0 ||
	       census_text_match(m->text, r, census_row_host(m->table, r));
}
