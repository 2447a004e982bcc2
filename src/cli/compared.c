/* A comparison of nets as people and programs read it. */
#include "compared.h"
#include "cli_text.h"
#include "json_line.h"

void compared_write_json(const espl_compared *c)
{
    for (int i = 0; i < c->count; i++) {
        const espl_candidate *a = &c->candidate[i];
        json_t *line = json_object();
        json_put_text(line, "candidate", a->name);
        json_put_real(line, "top1", a->top1);
        json_put_real(line, "low", a->low);
        json_put_real(line, "high", a->high);
        json_put_real(line, "nll", a->nll);
        json_put_real(line, "ece", a->calibration_error);
        json_put_count(line, "bytes", (int64_t)a->bytes);
        json_put_real(line, "ms", a->ms);
        json_put_count(line, "macs", a->macs);
        json_put_text(line, "file", *a->path ? a->path : NULL);
        json_put_flag(line, "recommended", i == c->recommended);
        if (i == c->recommended)
            json_put_text(line, "reason", c->reason);
        json_write(line);
    }
}

void compared_show(const espl_compared *c)
{
    cli_table *table = table_open("candidate|>accuracy|95 % interval|>loss|>calibration|>size|>ms");

    for (int i = 0; i < c->count; i++) {
        const espl_candidate *a = &c->candidate[i];
        table_cell(table, "%s%s", a->name, i == c->recommended ? " *" : "");
        table_cell(table, "%s", figure_percent(a->top1).text);
        table_cell(table, "%.2f - %.2f", 100 * a->low, 100 * a->high);
        table_cell(table, "%s", figure_loss(a->nll).text);
        table_cell(table, "%.4f", a->calibration_error);
        table_cell(table, "%s", figure_bytes((double)a->bytes).text);
        table_cell(table, "%.3f", a->ms);
    }
    table_close(table, stdout);
    printf("\n* %s.\n", c->reason);
}
