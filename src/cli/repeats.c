/* Several runs of one recipe; see repeats.h. */
#include "repeats.h"

#include "cli_text.h"
#include "json_line.h"
#include "terminal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct spread {
    double mean, deviation; /* the deviation that further runs can be expected to have: over count - 1 */
} spread;

/* Of the figure that lies `offset` bytes into a repeat. */
static spread spread_of(const repeats *r, size_t offset)
{
    double sum = 0, squares = 0;

    for (int i = 0; i < r->count; i++)
        sum += *(const double *)(const void *)((const char *)&r->all[i] + offset);
    const double mean = r->count ? sum / r->count : NAN;
    for (int i = 0; i < r->count; i++) {
        const double apart = *(const double *)(const void *)((const char *)&r->all[i] + offset) - mean;
        squares += apart * apart;
    }
    return (spread){ mean, r->count > 1 ? sqrt(squares / (r->count - 1)) : NAN };
}

void repeats_add(repeats *r, const char *name, const espl_result *result)
{
    repeat *all = cli_allocate((size_t)r->count + 1, sizeof *all);

    if (r->count)
        memcpy(all, r->all, (size_t)r->count * sizeof *all);
    free(r->all);
    r->all = all;
    repeat *one = &all[r->count++];
    snprintf(one->name, sizeof one->name, "%s", name);
    one->top1 = result->top1;
    one->loss = result->loss;
}

void repeats_show(const repeats *r)
{
    const spread top1 = spread_of(r, offsetof(repeat, top1)), loss = spread_of(r, offsetof(repeat, loss));
    cli_table *table = table_open("run|>accuracy|>loss");

    for (int i = 0; i < r->count; i++) {
        table_cell(table, "%s", r->all[i].name);
        table_cell(table, "%s", figure_percent(r->all[i].top1).text);
        table_cell(table, "%s", figure_loss(r->all[i].loss).text);
    }
    table_cell(table, "mean");
    table_cell(table, "%s", figure_percent(top1.mean).text);
    table_cell(table, "%s", figure_loss(loss.mean).text);
    table_cell(table, "deviation");
    table_cell(table, "%.2f", 100 * top1.deviation);
    table_cell(table, "%.3g", loss.deviation);
    table_close(table, stdout);
}

void repeats_write_json(const repeats *r)
{
    const spread top1 = spread_of(r, offsetof(repeat, top1)), loss = spread_of(r, offsetof(repeat, loss));
    json_t *line = json_object();

    json_put_text(line, "event", "repeated");
    json_put_count(line, "runs", r->count);
    json_put_real(line, "top1_mean", top1.mean);
    json_put_real(line, "top1_deviation", top1.deviation);
    json_put_real(line, "loss_mean", loss.mean);
    json_put_real(line, "loss_deviation", loss.deviation);
    json_write(line);
}

void repeats_free(repeats *r)
{
    free(r->all);
    *r = (repeats){ 0 };
}
