/* Writing pages; see page.h. */
#include "report/page.h"

#include <stdarg.h>
#include <stdio.h>

static const char style[] =
    "body{font-family:sans-serif;color:#222;max-width:46rem;margin:2rem auto;padding:0 1rem;line-height:1.5}"
    "h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}"
    "th,td{padding:.25rem .6rem;border-bottom:1px solid #ddd;text-align:right}"
    "th:first-child,td:first-child{text-align:left}td{white-space:nowrap}"
    "tr.ship td{font-weight:bold;background:#eef6ee}"
    "svg{display:block;max-width:100%;height:auto;margin:1rem 0}pre{background:#f6f6f6;padding:.8rem;overflow-x:auto;font-size:.85rem}";

void espl__page_add(espl__page *page, const char *format, ...)
{
    char text[4096];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (!page->status)
        page->status = espl__text_add(page->ctx, &page->text, "%s", text);
}

void espl__page_text(espl__page *page, const char *text)
{
    if (!page->status)
        page->status = espl__text_add_escaped(page->ctx, &page->text, text);
}

void espl__page_open(espl__page *page, espl_context *ctx, const char *title)
{
    *page = (espl__page){ .ctx = ctx };
    espl__page_add(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    espl__page_text(page, title);
    espl__page_add(page, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>", style);
    espl__page_text(page, title);
    espl__page_add(page, "</h1>\n");
}

void espl__page_chart(espl__page *page, const espl__chart *chart)
{
    if (!page->status)
        page->status = espl__chart_draw(page->ctx, chart, &page->text);
}

espl_status espl__page_close(espl__page *page, const char *path)
{
    espl__page_add(page, "</body>\n</html>\n");
    if (!page->status)
        page->status = espl__file_replace(page->ctx, path, page->text.data, page->text.length);
    espl__text_free(page->ctx, &page->text);
    return page->status;
}
