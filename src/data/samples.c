/* Samples in memory: reading one, and everything a source is asked about them. */
#include "data/samples.h"
#include "data/reading.h"

#include <stdio.h>
#include <string.h>

#define LARGEST_NAMES_FILE ((size_t)1 << 20)

espl_status espl__samples_make(espl_context *ctx, espl__samples **result)
{
    const espl_status status = espl__allocate(ctx, 1, sizeof **result, result);

    if (!status)
        (*result)->ctx = ctx;
    return status;
}

void espl__samples_free(espl_context *ctx, void *state)
{
    espl__samples *s = state;

    if (!s)
        return;
    for (int i = 0; s->names && i < s->classes; i++)
        espl__release(ctx, s->names[i]);
    espl__release(ctx, s->names);
    espl__release(ctx, s->origin);
    espl__release(ctx, s->bytes);
    espl__release(ctx, s->numbers);
    espl__release(ctx, s->labels);
    espl__release(ctx, s);
}

espl_status espl__samples_set_name(espl__samples *s, int index, const char *name, size_t length)
{
    espl_status status = ESPL_OK;

    if (!s->names)
        status = espl__allocate(s->ctx, (size_t)s->classes, sizeof *s->names, &s->names);
    if (!status)
        status = espl__allocate(s->ctx, length + 1, 1, &s->names[index]);
    if (!status)
        memcpy(s->names[index], name, length);
    return status;
}

static espl_status take_names(espl__samples *s, const char *path, const char *text)
{
    int found = 0;

    for (const char *line = text; *line && found < s->classes;) {
        size_t length = strcspn(line, "\r\n");
        const char *next = line + length + strspn(line + length, "\r\n");
        while (length && (line[length - 1] == ' ' || line[length - 1] == '\t'))
            length--;
        if (length) {
            const espl_status status = espl__samples_set_name(s, found++, line, length);
            if (status)
                return status;
        }
        line = next;
    }
    if (found < s->classes)
        return espl__fail(s->ctx, ESPL_BAD_FILE,
                          "%s: names %d classes, the labels have %d; one name a line is expected",
                          path, found, s->classes);
    return ESPL_OK;
}

espl_status espl__samples_name_classes(espl__samples *s, const char *folder,
                                       const char *const *files)
{
    espl__text path = { 0 };
    espl_status status = ESPL_OK;
    bool found = false;

    for (int i = 0; files[i] && !status && !found; i++) {
        char *text = NULL;
        size_t bytes = 0;
        path.length = 0;
        status = espl__text_add(s->ctx, &path, "%s/%s", folder, files[i]);
        if (status || espl__path_kind(path.data) != ESPL__PATH_FILE)
            continue;
        found = true;
        status = espl__file_read(s->ctx, path.data, LARGEST_NAMES_FILE, &text, &bytes);
        if (!status)
            status = take_names(s, path.data, text);
        espl__release(s->ctx, text);
    }
    espl__text_free(s->ctx, &path);
    return status;
}

bool espl__samples_shape(espl__samples *s, const int64_t *dims, int rank)
{
    int64_t *stored = s->stored;

    if (rank < 1 || rank > 4)
        return false;
    s->count = dims[0];
    s->channels_last = rank == 4 && (dims[3] == 1 || dims[3] == 3 || dims[3] == 4);
    stored[0] = rank == 2 ? dims[1] : rank < 4       ? 1
                                  : s->channels_last ? dims[3]
                                                     : dims[1];
    stored[1] = rank == 3 ? dims[1] : rank < 4       ? 1
                                  : s->channels_last ? dims[1]
                                                     : dims[2];
    stored[2] = rank == 3 ? dims[2] : rank < 4       ? 1
                                  : s->channels_last ? dims[2]
                                                     : dims[3];
    return true;
}

int64_t espl__samples_count(const void *state)
{
    return ((const espl__samples *)state)->count;
}

int espl__samples_classes(const void *state)
{
    return ((const espl__samples *)state)->classes;
}

const char *espl__samples_class_name(const void *state, int index)
{
    const espl__samples *s = state;

    return s->names ? s->names[index] : NULL;
}

void espl__samples_sample_name(const void *state, int64_t index, char name[256])
{
    snprintf(name, 256, "%.220s[%lld]", ((const espl__samples *)state)->origin, (long long)index);
}

int32_t espl__samples_label(const void *state, int64_t index)
{
    return ((const espl__samples *)state)->labels[index];
}

void espl__samples_shape_of(const void *state, int64_t shape[3])
{
    const espl__samples *s = state;

    shape[0] = s->fitting.channels;
    shape[1] = s->fitting.height;
    shape[2] = s->fitting.width;
}

bool espl__samples_pictures(const void *state)
{
    return ((const espl__samples *)state)->pictures;
}

static bool fits_as_it_is(const espl__samples *s)
{
    return s->fitting.channels == s->stored[0] && s->fitting.height == s->stored[1] &&
           s->fitting.width == s->stored[2];
}

/* Planes of the stored size from the stored order and type. */
static void unpack(const espl__samples *s, int64_t index, float *planes)
{
    const int64_t channels = s->stored[0], pixels = s->stored[1] * s->stored[2],
                  first = index * channels * pixels;
    const int64_t step = s->channels_last ? channels : 1;

    if (s->numbers && step == 1) {
        memcpy(planes, s->numbers + first, (size_t)(channels * pixels) * sizeof(float));
    } else if (step == 1) {
        const uint8_t *bytes = s->bytes + first;
        for (int64_t i = 0; i < channels * pixels; i++)
            planes[i] = bytes[i];
    } else {
        for (int64_t c = 0; c < channels; c++)
            for (int64_t i = 0; i < pixels; i++)
                planes[c * pixels + i] = s->numbers ? s->numbers[first + i * step + c]
                                                    : s->bytes[first + i * step + c];
    }
}

/* Pixels, channels interleaved, which is how pictures are resized. */
static void interleave(const espl__samples *s, int64_t index, uint8_t *result)
{
    const int64_t channels = s->stored[0], pixels = s->stored[1] * s->stored[2];
    const uint8_t *bytes = s->bytes + index * channels * pixels;

    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < pixels; i++)
            result[i * channels + c] = bytes[c * pixels + i];
}

static espl_status read_fitted(const espl__samples *s, int64_t index, float *values,
                               espl__reading *reading)
{
    const int64_t size = s->stored[0] * s->stored[1] * s->stored[2];

    if (s->numbers) {
        float *planes = espl__reading_room(reading, ESPL__READING_PIXELS,
                                           (size_t)size * sizeof(float));
        if (!planes)
            return ESPL_NO_MEMORY;
        unpack(s, index, planes);
        return espl__fitting_planes(&s->fitting, planes, s->stored[0], s->stored[1], s->stored[2],
                                    values, reading);
    }
    const uint8_t *pixels = s->bytes + index * size;
    if (!s->channels_last && s->stored[0] > 1) {
        uint8_t *mixed = espl__reading_room(reading, ESPL__READING_PIXELS, (size_t)size);
        if (!mixed)
            return ESPL_NO_MEMORY;
        interleave(s, index, mixed);
        pixels = mixed;
    }
    return espl__fitting_pixels(&s->fitting, pixels, s->stored[0], s->stored[1], s->stored[2],
                                values, reading);
}

espl_status espl__samples_read(const void *state, int64_t index, espl_sample *sample,
                               espl__reading *reading)
{
    const espl__samples *s = state;

    sample->channels = s->fitting.channels;
    sample->height = s->fitting.height;
    sample->width = s->fitting.width;
    if (!fits_as_it_is(s))
        return read_fitted(s, index, sample->values, reading);
    unpack(s, index, sample->values);
    return ESPL_OK;
}
