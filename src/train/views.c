/* Test-time augmentation; see views.h. */
#include "train/views.h"

#include <math.h>

#define PART_MOVED 8 /* of the side */
#define SMALLEST 1e-30

struct espl__views {
    const espl_net *net;
    int64_t channels, height, width;
    float *values;  /* a batch as one view sees it */
    double *mean;   /* of the probabilities, of each sample */
    float *answers; /* their logarithms */
};

static int64_t within(int64_t at, int64_t size)
{
    return at < 0 ? 0 : at < size ? at
                                  : size - 1;
}

void espl__view_make(const float *sample, int64_t channels, int64_t height, int64_t width, int view, float *result)
{
    static const int moves[][2] = { { 0, 0 }, { 0, 1 }, { 0, -1 }, { 1, 0 }, { -1, 0 } };
    const int *move = moves[view / 2];
    const int64_t down = move[0] * (height / PART_MOVED), right = move[1] * (width / PART_MOVED);

    for (int64_t c = 0; c < channels; c++)
        for (int64_t y = 0; y < height; y++) {
            const float *row = sample + (c * height + within(y + down, height)) * width;
            float *to = result + (c * height + y) * width;
            for (int64_t x = 0; x < width; x++)
                to[view % 2 ? width - 1 - x : x] = row[within(x + right, width)];
        }
}

espl_status espl__views_open(const espl_net *net, int64_t batch, espl__views **result)
{
    const espl__shape shape = net->graph->nodes[0].shape;
    const size_t size = (size_t)espl__shape_size(shape), classes = (size_t)espl_net_classes(net);
    espl__views *v = NULL;
    espl_status s;

    *result = NULL;
    if (net->views <= 1)
        return ESPL_OK;
    if (shape.rank != 3)
        return espl__fail(net->ctx, ESPL_BAD_SHAPE, "views: the net \"%s\" takes no pictures that could be mirrored; ask "
                                                    "for one view",
                          net->name);
    if ((s = espl__allocate(net->ctx, 1, sizeof *v, &v)))
        return s;
    *v = (espl__views){ .net = net, .channels = shape.dim[0], .height = shape.dim[1], .width = shape.dim[2] };
    if ((s = espl__allocate(net->ctx, (size_t)batch * size, sizeof *v->values, &v->values)) ||
        (s = espl__allocate(net->ctx, (size_t)batch * classes, sizeof *v->mean, &v->mean)) ||
        (s = espl__allocate(net->ctx, (size_t)batch * classes, sizeof *v->answers, &v->answers))) {
        espl__views_free(v);
        return s;
    }
    *result = v;
    return ESPL_OK;
}

void espl__views_free(espl__views *v)
{
    if (!v)
        return;
    espl__release(v->net->ctx, v->values);
    espl__release(v->net->ctx, v->mean);
    espl__release(v->net->ctx, v->answers);
    espl__release(v->net->ctx, v);
}

/* Adds the softmax of the logits, or for a single one its sigmoid, each over the number of views. */
static void add_probabilities(const float *logits, int count, double share, double *mean)
{
    double largest = logits[0], sum = 0;

    if (count == 1) {
        mean[0] += share / (1 + exp(-(double)logits[0]));
        return;
    }
    for (int i = 1; i < count; i++)
        largest = fmax(largest, (double)logits[i]);
    for (int i = 0; i < count; i++)
        sum += exp((double)logits[i] - largest);
    for (int i = 0; i < count; i++)
        mean[i] += share * exp((double)logits[i] - largest) / sum;
}

void espl__views_run(espl__views *v, espl__plan *plan, const espl__feed *feed)
{
    const int64_t size = v->channels * v->height * v->width;
    const int classes = espl_net_classes(v->net);
    espl__feed seen = *feed;

    for (int64_t i = 0; i < feed->count * classes; i++)
        v->mean[i] = 0;
    for (int view = 0; view < v->net->views; view++) {
        for (int64_t i = 0; i < feed->count && view; i++)
            espl__view_make(feed->values + i * size, v->channels, v->height, v->width, view, v->values + i * size);
        seen.values = view ? v->values : feed->values;
        espl__plan_run(plan, &seen);
        seen.parameters_changed = false;
        for (int64_t i = 0; i < feed->count; i++)
            add_probabilities(espl__plan_output(plan, i), classes, 1.0 / v->net->views, v->mean + i * classes);
    }
    for (int64_t i = 0; i < feed->count * classes; i++)
        v->answers[i] = (float)(log(v->mean[i] + SMALLEST) - (classes == 1 ? log(1 - v->mean[i] + SMALLEST) : 0));
}

const float *espl__views_answer(const espl__views *v, int64_t sample)
{
    return v->answers + sample * espl_net_classes(v->net);
}

double espl__views_loss(const espl__views *v, int64_t sample, int label)
{
    const int classes = espl_net_classes(v->net);
    const double *mean = v->mean + sample * classes;

    if (label < 0)
        return 0;
    return -log((classes > 1 ? mean[label] : label ? mean[0]
                                                   : 1 - mean[0]) +
                SMALLEST);
}
