/* Checking a folder of pictures: opened, looked at, compared, told. */
#include "data/checked.h"
#include "data/paths.h"

#include <stdio.h>

void espl__checked_name(const espl__checking *c, int64_t item, char name[ESPL__LONGEST_PATH])
{
    const espl__checked *at = &c->item[item];

    espl__picture_files_label(&c->files[at->part], at->index, name);
}

static espl_status open_files(espl__checking *c, const char *path)
{
    char archive[4096];
    espl_status s = espl__picture_files_open(c->ctx, path, false, &c->files[0]);

    if (s)
        return s;
    c->split = c->files[0].where.split || espl__class_folders_archive(path, true, archive);
    if (c->split)
        s = espl__picture_files_open(c->ctx, path, true, &c->files[1]);
    if (!s && !c->files[0].classes)
        s = espl__fail(c->ctx, ESPL_BAD_FILE,
                       "%s: has no folder with pictures; put the pictures of each class into a folder "
                       "named after it",
                       path);
    return s;
}

static espl_status list_items(espl__checking *c)
{
    c->count = c->files[0].listing.count + c->files[1].listing.count;
    const espl_status s = espl__allocate(c->ctx, (size_t)c->count + 1, sizeof *c->item, &c->item);

    for (int64_t i = 0; i < c->count && !s; i++) {
        espl__checked *item = &c->item[i];
        item->part = i >= c->files[0].listing.count;
        item->index = i - item->part * c->files[0].listing.count;
        item->class = c->files[item->part].class[item->index];
        item->twin = -1;
    }
    return s;
}

static void fill_counts(const espl__checking *c, espl_faults *result)
{
    result->pictures = c->count;
    result->training = c->files[0].listing.count;
    result->held_out = c->files[1].listing.count;
    result->others = c->files[0].others + c->files[1].others;
    result->classes = c->files[0].classes;
}

espl_status espl_check_data(espl_context *context, const char *path, espl_faults *result)
{
    espl__checking c = { .ctx = context, .files = { { .file = -1 }, { .file = -1 } } };
    espl_status s;

    *result = (espl_faults){ .context = context };
    c.files[0].listing.ctx = c.files[1].listing.ctx = context;
    if (!(s = open_files(&c, path)) && !(s = list_items(&c)) && !(s = espl__check_pictures(&c)) &&
        !(s = espl__check_twins(&c)))
        s = espl__check_faults(&c, result);
    fill_counts(&c, result);
    espl__release(context, c.item);
    for (int part = 0; part < 2; part++)
        espl__picture_files_close(&c.files[part]);
    if (s)
        espl_faults_free(result);
    return s;
}

espl_status espl_faults_write(const espl_faults *check, const char *path)
{
    espl__text text = { 0 };
    espl_status s = ESPL_OK;

    for (int64_t i = 0; i < check->fault_count && !s; i++) {
        const espl_fault *f = &check->faults[i];
        if (f->advice != ESPL_LEAVE_OUT)
            continue;
        s = espl__text_add(check->context, &text, "%s\n", f->file);
        if (!s && f->kind == ESPL_FAULT_TWO_CLASSES)
            s = espl__text_add(check->context, &text, "%s\n", f->other);
    }
    if (!s)
        s = espl__file_replace(check->context, path, text.data ? text.data : "", text.length);
    espl__text_free(check->context, &text);
    return s;
}

void espl_faults_free(espl_faults *check)
{
    for (int64_t i = 0; i < check->fault_count; i++) {
        espl__release(check->context, (void *)(uintptr_t)check->faults[i].file);
        espl__release(check->context, (void *)(uintptr_t)check->faults[i].other);
        espl__release(check->context, (void *)(uintptr_t)check->faults[i].text);
    }
    espl__release(check->context, check->faults);
    check->faults = NULL;
    check->fault_count = 0;
}
