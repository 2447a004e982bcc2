/* From pictures to frequencies (winograd.h): tiles next to each other are transformed in one go. The columns
 * are transformed first, into a *strip* of POINTS rows, where some columns serve two tiles; then the rows of each
 * tile. Zeros around the picture enter with the columns, so that tiles at its edge are like all others. */
#include "kernels/vector/winograd_transforms.h"

#define STRIP_WIDTH (TILE * RUN_TILES + TAPS - 1)

typedef float strip_memory[POINTS * STRIP_WIDTH * LANES] __attribute__((aligned(64)));
typedef stored pixel_memory[POINTS * STRIP_WIDTH * LANES] __attribute__((aligned(64)));

static const stored no_pixels[STRIP_WIDTH * LANES];

/* The pixels of a run: columns [begin, end) of `columns` lie in the picture. */
typedef struct view {
    const stored *lines[POINTS]; /* from column `begin` on */
    int64_t step[POINTS];        /* floats to the same pixels of the next LANES channels */
    int64_t begin, end, columns;
    bool inside; /* every row lies in the picture */
} view;

/* `rows` x `columns` pixels from (row, column) on, of the first LANES channels. x is the pixel (0, 0). */
ESPL__INLINE view view_of(const picture *p, const stored *x, int64_t row, int64_t column, int rows, int64_t columns)
{
    const int64_t left = column < 0 ? -column : 0, right = p->width - column;
    view v = { .columns = columns, .inside = row >= 0 && row + rows <= p->height };

    v.begin = left < columns ? left : columns;
    v.end = right < v.begin ? v.begin : right < columns ? right
                                                        : columns;
    for (int i = 0; i < rows; i++) {
        const bool inside = row + i >= 0 && row + i < p->height;
        v.lines[i] = inside ? x + ((row + i) * p->width + column + v.begin) * p->block : no_pixels;
        v.step[i] = inside ? p->group_step : 0;
    }
    return v;
}

ESPL__INLINE void next_group(view *v, int rows)
{
    for (int i = 0; i < rows; i++)
        v->lines[i] += v->step[i];
}

/* Brings pixels that are not LANES floats apart together, or that have `some` channels left only. */
static view gathered(const view *v, int rows, int64_t block, int64_t some, stored *memory)
{
    view g = *v;

    for (int i = 0; i < rows; i++, memory += STRIP_WIDTH * LANES) {
        if (!v->step[i])
            continue;
        for (int64_t j = 0; some >= LANES && j < v->end - v->begin; j++)
            v_put(memory + j * LANES, v_get(v->lines[i] + j * block));
        for (int64_t j = 0; some < LANES && j < v->end - v->begin; j++)
            v_put(memory + j * LANES, v_get_some(v->lines[i] + j * block, some));
        g.lines[i] = memory;
    }
    return g;
}

ESPL__INLINE void no_columns(float *strip, int64_t count)
{
    for (int64_t j = 0; j < count; j++)
        for (int i = 0; i < POINTS; i++)
            v_store(strip + (i * STRIP_WIDTH + j) * LANES, (vec){ 0 });
}

/* The columns of a run, `rows` pixels high and `pixel` floats apart, become POINTS numbers each. */
ESPL__INLINE void transform_columns(const view *v, const int rows, int64_t pixel, float *strip)
{
    const stored *lines[POINTS];

    no_columns(strip, v->begin);
    no_columns(strip + v->end * LANES, v->columns - v->end);
    for (int i = 0; i < rows; i++)
        lines[i] = v->lines[i];
    strip += v->begin * LANES;
    for (int64_t j = 0; j < v->end - v->begin; j++, strip += LANES) {
        vec d[POINTS], t[POINTS];
        for (int i = 0; i < rows; i++)
            d[i] = v_get(lines[i] + j * pixel);
        if (rows == POINTS)
            input_line(d, t);
        else
            gradient_line(d, t);
        for (int i = 0; i < POINTS; i++)
            v_store(strip + i * STRIP_WIDTH * LANES, t[i]);
    }
}

/* Then the rows of each tile: as many vectors as frequencies, `plane` floats apart. */
ESPL__INLINE void transform_rows(const float *strip, int64_t tiles, const int columns, float *v, int64_t plane)
{
    for (int64_t n = 0; n < tiles; n++, strip += TILE * LANES) {
        float *to = v + n * LANES;
        for (int i = 0; i < POINTS; i++) {
            vec d[POINTS], t[POINTS];
            for (int j = 0; j < columns; j++)
                d[j] = v_load(strip + (i * STRIP_WIDTH + j) * LANES);
            if (columns == POINTS)
                input_line(d, t);
            else
                gradient_line(d, t);
            for (int j = 0; j < POINTS; j++, to = v_anchor(to + plane))
                v_store(to, t[j]);
        }
    }
}

/* All channels of a run of tiles. */
ESPL__INLINE void transform_run(view seen, const picture *p, const int rows, int64_t tiles, float *v, int64_t batch,
                                int64_t plane)
{
    strip_memory strip;
    pixel_memory memory;

    for (int64_t channel = 0; channel < p->channels; channel += LANES, v += batch * LANES) {
        if (p->block == LANES) {
            transform_columns(&seen, rows, LANES, strip);
        } else if (seen.inside && channel + LANES <= p->channels) {
            transform_columns(&seen, rows, p->block, strip);
        } else {
            const view close = gathered(&seen, rows, p->block, p->channels - channel, memory);
            transform_columns(&close, rows, LANES, strip);
        }
        transform_rows(strip, tiles, rows, v, plane);
        next_group(&seen, rows);
    }
}

void winograd_inputs(const winograd *w, const stored *x, int64_t first, int64_t count, float *v)
{
    const picture *p = &w->from;

    for (int64_t done = 0; done < count;) {
        const run r = run_at(w, first + done, count - done);
        const view seen = view_of(p, x + r.sample * p->size, r.row - w->before[0], r.column - w->before[1], POINTS,
                                  TILE * r.tiles + TAPS - 1);
        transform_run(seen, p, POINTS, r.tiles, v + done * LANES, w->batch, w->from_plane);
        done += r.tiles;
    }
}

void winograd_gradients(const winograd *w, const stored *dy, int64_t first, int64_t count, float *d)
{
    const picture *p = &w->to;

    for (int64_t done = 0; done < count;) {
        const run r = run_at(w, first + done, count - done);
        const view seen = view_of(p, dy + r.sample * p->size, r.row, r.column, TILE, TILE * r.tiles);
        transform_run(seen, p, TILE, r.tiles, d + done * LANES, w->batch, w->to_plane);
        done += r.tiles;
    }
}
