/* From what is known about the pictures to the list of faults. */
#include "data/checked.h"
#include "data/paths.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLANK 2.0f
#define SMALLEST 16  /* pixels of the short side */
#define SMALL 4      /* so many times smaller than usual */
#define STRETCHED 4  /* so many times longer than wide */
#define FEW 10       /* pictures of a class */
#define IMBALANCE 3  /* so many times fewer than the median class */

static const struct {
    const char *name, *meaning;
    espl_advice advice;
} kinds[ESPL_FAULT_KIND_COUNT] = {
    [ESPL_FAULT_NO_PICTURE] = { "no-picture", "named like a picture, but is none", ESPL_LEAVE_OUT },
    [ESPL_FAULT_DAMAGED] = { "damaged", "cut off, or cannot be decoded", ESPL_LEAVE_OUT },
    [ESPL_FAULT_ACROSS_SPLIT] = { "across-split", "a held-out picture that is trained on too: the score would be too good", ESPL_LEAVE_OUT },
    [ESPL_FAULT_TWO_CLASSES] = { "two-classes", "the same picture in two classes: one label must be wrong", ESPL_LEAVE_OUT },
    [ESPL_FAULT_DUPLICATE] = { "duplicate", "the same file again", ESPL_LEAVE_OUT },
    [ESPL_FAULT_NEAR_DUPLICATE] = { "near-duplicate", "the same picture again, stored anew", ESPL_LEAVE_OUT },
    [ESPL_FAULT_BLANK] = { "blank", "one colour everywhere", ESPL_LEAVE_OUT },
    [ESPL_FAULT_SMALL] = { "small", "much smaller than the others", ESPL_LOOK_AT },
    [ESPL_FAULT_STRETCHED] = { "stretched", "more than four times as long as wide, or the other way round", ESPL_LOOK_AT },
    [ESPL_FAULT_OTHER_FORMAT] = { "other-format", "another format than the name says; read all the same", ESPL_KNOW },
    [ESPL_FAULT_ROTATED] = { "rotated", "stored lying; turned upright when it is read", ESPL_KNOW },
    [ESPL_FAULT_EMPTY_CLASS] = { "empty-class", "a class without pictures", ESPL_LOOK_AT },
    [ESPL_FAULT_FEW] = { "few", "a class of very few pictures", ESPL_LOOK_AT },
    [ESPL_FAULT_IMBALANCE] = { "imbalance", "a class much smaller than the others; see class-weights", ESPL_LOOK_AT },
};

const char *espl_fault_name(espl_fault_kind kind)
{
    return kinds[kind].name;
}

const char *espl_fault_meaning(espl_fault_kind kind)
{
    return kinds[kind].meaning;
}

/* ---- the list ---- */

static espl_status copy(espl_context *ctx, const char *text, const char **result)
{
    char *room = NULL;
    const espl_status s = espl__allocate(ctx, strlen(text) + 1, 1, &room);

    if (!s)
        strcpy(room, text);
    *result = room;
    return s;
}

static espl_status add(espl_faults *check, espl_fault_kind kind, const char *file, const char *other,
                       const char *format, ...) ESPL__PRINTF(5, 6);

static espl_status add(espl_faults *check, espl_fault_kind kind, const char *file, const char *other,
                       const char *format, ...)
{
    const int64_t count = check->fault_count;
    char text[512];
    va_list arguments;
    espl_status s = ESPL_OK;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if ((count & (count - 1)) == 0) /* full at each power of two */
        s = espl__resize(check->context, (size_t)count, (size_t)(count ? 2 * count : 1),
                         sizeof *check->faults, &check->faults);
    if (s)
        return s;
    espl_fault *fault = &check->faults[check->fault_count++];
    *fault = (espl_fault){ .kind = kind, .advice = kinds[kind].advice };
    if ((s = copy(check->context, file, &fault->file)) || (s = copy(check->context, text, &fault->text)))
        return s;
    return other ? copy(check->context, other, &fault->other) : ESPL_OK;
}

/* ---- one picture ---- */

static bool named_as(const char *path, const char *format)
{
    static const struct {
        const char *ending, *format;
    } endings[] = { { ".jpg", "JPEG" }, { ".jpeg", "JPEG" }, { ".jpe", "JPEG" }, { ".jfif", "JPEG" }, { ".png", "PNG" }, { ".webp", "WebP" } };

    for (int i = 0; i < ESPL__COUNT(endings); i++)
        if (espl__path_ends(path, endings[i].ending))
            return espl__text_equal(endings[i].format, format);
    return true;
}

static espl_fault_kind kind_of_twins(const espl__checking *c, const espl__checked *item)
{
    const espl__checked *twin = &c->item[item->twin];
    const char *class = c->files[item->part].names[item->class];
    const char *other = c->files[twin->part].names[twin->class];

    if (!espl__text_equal(class, other))
        return ESPL_FAULT_TWO_CLASSES;
    if (item->part != twin->part)
        return ESPL_FAULT_ACROSS_SPLIT;
    return item->same_file ? ESPL_FAULT_DUPLICATE : ESPL_FAULT_NEAR_DUPLICATE;
}

static espl_status add_twins(const espl__checking *c, const espl__checked *item, const char *name,
                             espl_fault_kind kind, espl_faults *check)
{
    char other[ESPL__LONGEST_PATH];

    if (item->twin < 0 || kind_of_twins(c, item) != kind)
        return ESPL_OK;
    espl__checked_name(c, item->twin, other);
    return add(check, kind, name, other, "%s as %.400s", item->same_file ? "the same file" : "the same picture", other);
}

static espl_status add_size(const espl__checking *c, const espl__checked *item, const char *name,
                            espl_fault_kind kind, espl_faults *check)
{
    const bool lying = item->width > item->height;
    const int64_t less = lying ? item->height : item->width, more = lying ? item->width : item->height;

    if (kind == ESPL_FAULT_STRETCHED ? more <= STRETCHED * less
                                     : less >= SMALLEST && less * SMALL >= c->usual_side)
        return ESPL_OK;
    return add(check, kind, name, NULL, "%lldx%lld pixels", (long long)item->width, (long long)item->height);
}

static espl_status add_decoded(const espl__checking *c, const espl__checked *item, const char *name,
                               espl_fault_kind kind, espl_faults *check)
{
    switch (kind) {
    case ESPL_FAULT_BLANK:
        return item->print.deviation < BLANK ? add(check, kind, name, NULL, "one colour everywhere") : ESPL_OK;
    case ESPL_FAULT_SMALL:
    case ESPL_FAULT_STRETCHED:
        return add_size(c, item, name, kind, check);
    case ESPL_FAULT_OTHER_FORMAT:
        return named_as(name, item->format) ? ESPL_OK : add(check, kind, name, NULL, "is a %s", item->format);
    case ESPL_FAULT_ROTATED:
        return item->orientation > 1 ? add(check, kind, name, NULL, "EXIF orientation %d", item->orientation) : ESPL_OK;
    default:
        return add_twins(c, item, name, kind, check);
    }
}

static espl_status add_of_picture(const espl__checking *c, int64_t i, espl_fault_kind kind, espl_faults *check)
{
    const espl__checked *item = &c->item[i];
    char name[ESPL__LONGEST_PATH];

    espl__checked_name(c, i, name);
    if (item->decoded)
        return add_decoded(c, item, name, kind, check);
    if (kind != (item->format ? ESPL_FAULT_DAMAGED : ESPL_FAULT_NO_PICTURE))
        return ESPL_OK;
    return add(check, kind, name, NULL, "%s", item->why);
}

/* ---- classes ---- */

static int by_count(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static espl_status median_class(const espl__picture_files *f, int64_t *median)
{
    int64_t *sorted = NULL;
    const espl_status s = espl__allocate(f->listing.ctx, (size_t)f->classes + 1, sizeof *sorted, &sorted);

    if (s)
        return s;
    if (f->classes)
        memcpy(sorted, f->counts, (size_t)f->classes * sizeof *sorted);
    qsort(sorted, (size_t)f->classes, sizeof *sorted, by_count);
    *median = sorted[f->classes / 2];
    espl__release(f->listing.ctx, sorted);
    return ESPL_OK;
}

static espl_status add_classes(const espl__checking *c, espl_fault_kind kind, espl_faults *check)
{
    const espl__picture_files *f = &c->files[0];
    int64_t median = 0;
    espl_status s = median_class(f, &median);

    for (int i = 0; i < f->classes && !s; i++) {
        const int64_t count = f->counts[i];
        const bool found = kind == ESPL_FAULT_EMPTY_CLASS ? !count
                           : kind == ESPL_FAULT_FEW       ? count && count < FEW
                                                          : count >= FEW && count * IMBALANCE < median;
        if (found)
            s = add(check, kind, f->names[i], NULL, "%lld pictures; the class in the middle has %lld",
                    (long long)count, (long long)median);
    }
    return s;
}

espl_status espl__check_faults(const espl__checking *c, espl_faults *result)
{
    espl_status s = ESPL_OK;

    for (int kind = 0; kind < ESPL_FAULT_EMPTY_CLASS && !s; kind++)
        for (int64_t i = 0; i < c->count && !s; i++)
            s = add_of_picture(c, i, (espl_fault_kind)kind, result);
    for (int kind = ESPL_FAULT_EMPTY_CLASS; kind < ESPL_FAULT_KIND_COUNT && !s; kind++)
        s = add_classes(c, (espl_fault_kind)kind, result);
    return s;
}
