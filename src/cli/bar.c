#include "cli/bar.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>

bool bar_can_unicode(void)
{
	locale_t locale = newlocale(LC_CTYPE_MASK, "", (locale_t)0);
	bool yes;

	if (locale == (locale_t)0)
		return false;
	yes = strcmp(nl_langinfo_l(CODESET, locale), "UTF-8") == 0;
	freelocale(locale);
	return yes;
}

void bar_text(double share, size_t width, bool unicode, char out[static 3 * BAR_MAX + 1])
{
	/* U+2588 full block, then U+258F (an eighth) to U+2589 (seven). */
	static const char *const parts[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	size_t eighths, len = 0;

	width = width < BAR_MAX ? width : BAR_MAX;
	share = share < 0 ? 0 : share > 1 ? 1 : share;
	eighths = (size_t)(share * (double)width * 8 + 0.5);
	if (eighths == 0 && share > 0)
		eighths = 1;
	if (!unicode)
		eighths = (eighths + 4) / 8 * 8;
	for (size_t i = 0; i < eighths / 8; i++) {
		strcpy(out + len, unicode ? "█" : "#");
		len += strlen(out + len);
	}
	strcpy(out + len, parts[eighths % 8]);
}
