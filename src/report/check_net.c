/* espl_net_check: a net against recorded inputs and answers of the program that it comes from. */
#include "formats/safetensors.h"
#include "train/scorer.h"
#include <espalier/report.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct checker {
    espl_net *net;
    espl__safetensors *file;
    const espl__stored *expected;
    float *samples, *answers, *recorded;
    int64_t count;
} checker;

static espl_status refuse(const checker *c, const espl__stored *t, const char *needed)
{
    espl__shape found = { .rank = t->rank < ESPL__RANK_MAX ? t->rank : ESPL__RANK_MAX };
    char text[96];

    memcpy(found.dim, t->dim, sizeof found.dim);
    return espl__fail(c->net->ctx, ESPL_BAD_FILE, "%s: \"%s\" has the shape %s; %s", espl__safetensors_path(c->file),
                      t->name, espl__shape_text(found, text), needed);
}

/* ---- answers ---- */

/* "logits" for a whole net, "features" for one without its head: whichever has the net's outputs. */
static espl_status find_expected(checker *c)
{
    static const char *const names[] = { "logits", "features" };
    const espl__stored *last = NULL;

    for (int i = 0; i < ESPL__COUNT(names); i++) {
        const espl__stored *t = espl__safetensors_find(c->file, names[i]);
        if (t && t->rank == 2 && t->dim[0] > 0 && t->dim[1] == espl_net_classes(c->net)) {
            c->expected = t;
            c->count = t->dim[0];
            return ESPL_OK;
        }
        last = t ? t : last;
    }
    if (last)
        return refuse(c, last, "samples x outputs of the net were expected");
    return espl__fail(c->net->ctx, ESPL_BAD_FILE, "%s: holds neither \"logits\" nor \"features\" to compare with",
                      espl__safetensors_path(c->file));
}

static espl_status make_room(checker *c)
{
    espl_context *ctx = c->net->ctx;
    const size_t size = (size_t)espl__shape_size(c->net->graph->nodes[0].shape), count = (size_t)c->count;
    const size_t answers = (size_t)c->expected->dim[1];
    espl_status s;

    if ((s = espl__allocate(ctx, count, size * sizeof(float), &c->samples)) ||
        (s = espl__allocate(ctx, count, answers * sizeof(float), &c->answers)) ||
        (s = espl__allocate(ctx, count, answers * sizeof(float), &c->recorded)))
        return s;
    return espl__safetensors_read(c->file, c->expected, c->recorded);
}

/* ---- inputs ---- */

static bool is_shaped(const checker *c, const espl__stored *t, bool channels_last)
{
    const espl__shape in = c->net->graph->nodes[0].shape;
    const int64_t last[4] = { c->count, in.dim[1], in.dim[2], in.dim[0] };

    if (channels_last)
        return in.rank == 3 && t->rank == 4 && memcmp(t->dim, last, sizeof last) == 0;
    return t->rank == in.rank + 1 && t->dim[0] == c->count &&
           memcmp(t->dim + 1, in.dim, (size_t)in.rank * sizeof *in.dim) == 0;
}

static void to_planes(const float *pixels, espl__shape shape, float *planes)
{
    const int64_t channels = shape.dim[0], count = shape.dim[1] * shape.dim[2];

    for (int64_t i = 0; i < count; i++)
        for (int64_t k = 0; k < channels; k++)
            planes[k * count + i] = pixels[i * channels + k];
}

static espl_status read_samples(checker *c, const espl__stored *t, bool channels_last)
{
    const espl__shape shape = c->net->graph->nodes[0].shape;
    const int64_t size = espl__shape_size(shape);
    char wanted[128], text[96];
    float *pixels = NULL;
    espl_status s;

    snprintf(wanted, sizeof wanted, "%lld samples for a net that takes %s were expected%s", (long long)c->count,
             espl__shape_text(shape, text), channels_last ? ", channels last" : "");
    if (!is_shaped(c, t, channels_last))
        return refuse(c, t, wanted);
    if (!channels_last)
        return espl__safetensors_read(c->file, t, c->samples);
    if ((s = espl__allocate(c->net->ctx, (size_t)c->count, (size_t)size * sizeof(float), &pixels)))
        return s;
    if (!(s = espl__safetensors_read(c->file, t, pixels)))
        for (int64_t i = 0; i < c->count; i++)
            to_planes(pixels + i * size, shape, c->samples + i * size);
    espl__release(c->net->ctx, pixels);
    return s;
}

/* ---- comparing ---- */

static void compare(const checker *c, espl_check *result)
{
    const int64_t count = c->count * c->expected->dim[1];
    double difference = 0, largest = 0;

    for (int64_t i = 0; i < count; i++) {
        const double d = fabs((double)c->answers[i] - c->recorded[i]);
        difference = d > difference || isnan(d) ? d : difference;
        largest = fmax(largest, fabs((double)c->recorded[i]));
    }
    difference = difference > 0 && largest > 0 ? difference / largest : difference;
    if (!(difference <= result->largest_difference))
        result->largest_difference = difference;
    result->largest_answer = largest;
    result->samples = c->count;
    result->answers = c->expected->dim[1];
    snprintf(result->compared, sizeof result->compared, "%s", c->expected->name);
}

static espl_status run(checker *c, const espl__stored *input, bool raw, espl_check *result)
{
    espl_status s = read_samples(c, input, raw);

    if (s || (s = espl__predict_logits(c->net, c->samples, c->count, !raw, c->answers)))
        return s;
    compare(c, result);
    return ESPL_OK;
}

/* Both kinds of input, where both are there: the raw one tests the preparation too. */
static espl_status check(checker *c, espl_check *result)
{
    const espl__stored *raw = espl__safetensors_find(c->file, "input_u8_nhwc");
    const espl__stored *input = espl__safetensors_find(c->file, "input");
    const bool known = c->net->preparation.known;
    espl_status s;

    if (!raw && !input)
        return espl__fail(c->net->ctx, ESPL_BAD_FILE, "%s: holds neither \"input_u8_nhwc\" nor \"input\" to run",
                          espl__safetensors_path(c->file));
    if (!input && !known)
        espl__log(c->net->ctx, ESPL_WARNING,
                  "how samples are prepared for \"%s\" is not known (--prepare says it); pixels are taken as they are, 0 "
                  "to 255",
                  c->net->name);
    if ((s = find_expected(c)) || (s = make_room(c)))
        return s;
    if (input && (s = run(c, input, false, result)))
        return s;
    return raw && (known || !input) ? run(c, raw, true, result) : ESPL_OK;
}

espl_status espl_net_check(espl_net *net, const char *path, espl_check *result)
{
    checker c = { .net = net };
    espl_status s = espl__safetensors_open(net->ctx, path, &c.file);

    *result = (espl_check){ 0 };
    if (s)
        return s;
    s = check(&c, result);
    espl__release(net->ctx, c.samples);
    espl__release(net->ctx, c.answers);
    espl__release(net->ctx, c.recorded);
    espl__safetensors_free(c.file);
    if (s)
        *result = (espl_check){ 0 };
    return s;
}
