/* Pages in HTML: one file with its style inside, no script, so that it can be sent, printed and read aloud. */
#ifndef ESPL_PAGE_H
#define ESPL_PAGE_H

#include "report/chart.h"

typedef struct espl__page {
    espl_context *ctx;
    espl__text text;
    espl_status status; /* of the first thing that failed; what comes after is left out */
} espl__page;

void espl__page_open(espl__page *page, espl_context *ctx, const char *title);
/* Markup as it stands, with values that need no escaping. */
void espl__page_add(espl__page *page, const char *format, ...) ESPL__PRINTF(2, 3);
/* Text of somebody else's. */
void espl__page_text(espl__page *page, const char *text);
void espl__page_chart(espl__page *page, const espl__chart *chart);
/* Ends and writes it, unless something failed. */
espl_status espl__page_close(espl__page *page, const char *path);

#endif
