/* Settings read through an option table of every type; what was read and written reads back alike. */
#include "base/tree.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

typedef struct all {
    int64_t count;
    double real;
    bool flag;
    char text[40];
    int choice;
    espl_duration warm_up;
    espl_counts counts;
    espl_reals reals;
    espl_durations durations;
} all;
static const espl_option table[] = { ESPL_COUNT(all, count, "5", -10, 1e15, ""), ESPL_REAL(all, real, "0", -1e300, 1e300, ""),
                                     ESPL_FLAG(all, flag, "no", ""), ESPL_TEXT(all, text, "a: b", ""),
                                     ESPL_CHOICE(all, choice, "two", "one|two", ""), ESPL_DURATION(all, warm_up, "5ep", -9, 1e6, ""),
                                     ESPL_COUNTS(all, counts, "[]", 0, 9, ""), ESPL_REALS(all, reals, "1", -5, 5, ""),
                                     ESPL_DURATIONS(all, durations, "[]", 0, 1e9, ""), ESPL_OPTIONS_END };

/* Adds the settings as they were understood to `text`, or nothing. */
static void understand(espl_context *ctx, const char *settings, espl__text *text)
{
    espl__document *document = NULL;
    all a;
    espl_status status = espl__document_parse_settings(ctx, "settings", settings, &document);

    if (!status)
        status = espl__options_read(document, document->root, table, "thing", &a);
    fuzz_status(ctx, status);
    if (!status && espl__options_write(ctx, table, &a, text))
        abort();
    espl__document_free(document);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    espl_context *ctx = fuzz_context();
    espl__text settings = { 0 }, once = { 0 }, twice = { 0 };

    fuzz_status(ctx, espl__text_add_bytes(ctx, &settings, data, bytes));
    understand(ctx, settings.data, &once);
    if (once.data)
        understand(ctx, once.data, &twice);
    if (once.data && (!twice.data || strcmp(once.data, twice.data) != 0))
        abort();
    espl__text_free(ctx, &settings);
    espl__text_free(ctx, &once);
    espl__text_free(ctx, &twice);
    espl_context_free(ctx);
    return 0;
}
