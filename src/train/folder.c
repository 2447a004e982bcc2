/* The folder of a run and the paths in it. */
#include "train/checkpoint.h"
#include "train/train.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

espl_status espl__folder_name(espl_context *ctx, const char *recipe, const char *ending, const char *given, char **result)
{
    const char *slash = strrchr(recipe, '/'), *name = slash ? slash + 1 : recipe, *dot = strrchr(name, '.');
    const size_t length = dot && dot > name ? (size_t)(dot - name) : strlen(name);
    espl__text text = { 0 };
    const espl_status s = given ? espl__text_add(ctx, &text, "%s", given)
                                : espl__text_add(ctx, &text, "runs/%.*s%s", (int)length, name, ending);

    *result = text.data;
    if (!s && (text.length == 0 || text.length + 2 * ESPL__FILE_NAME_MAX >= ESPL__PATH_MAX))
        return espl__fail(ctx, ESPL_BAD_OPTION, "the folder of a run or of several needs a name of 1 to %d bytes",
                          ESPL__PATH_MAX - 2 * ESPL__FILE_NAME_MAX - 1);
    return s;
}

void espl__folder_path(const espl_run *run, const char *name, char path[ESPL__PATH_MAX])
{
    snprintf(path, ESPL__PATH_MAX, "%s/%s", run->folder, name);
}

espl_status espl__folder_make(espl_context *ctx, const char *folder)
{
    char path[ESPL__PATH_MAX];
    struct stat found;

    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = path + 1;; slash++) {
        const char held = *slash;
        if (held != '/' && held)
            continue;
        *slash = 0;
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            return espl__fail(ctx, ESPL_WRITE_FAILED, "%s: the folder cannot be made: %s", path,
                              strerror(errno));
        if (stat(path, &found) != 0 || !S_ISDIR(found.st_mode))
            return espl__fail(ctx, ESPL_WRITE_FAILED, "%s: is there and not a folder", path);
        if (!held)
            return ESPL_OK;
        *slash = held;
    }
}

espl_status espl__folder_make_for(espl_run *run, const char *name)
{
    char path[ESPL__PATH_MAX];

    espl__folder_path(run, name, path);
    *strrchr(path, '/') = 0;
    return espl__folder_make(run->ctx, path);
}

/* A run that begins anew must not be taken for the one that was here, and must not destroy it. */
static espl_status move_checkpoint(espl_run *run)
{
    char from[ESPL__PATH_MAX], to[ESPL__PATH_MAX];

    espl__folder_path(run, "checkpoint.safetensors", from);
    espl__folder_path(run, "checkpoint.previous.safetensors", to);
    if (rename(from, to) == 0)
        espl__log(run->ctx, ESPL_NOTE, "%s: kept from an earlier run; --resume would have gone on with it",
                  to);
    else if (errno != ENOENT)
        return espl__fail(run->ctx, ESPL_WRITE_FAILED, "%s: cannot be moved: %s", from, strerror(errno));
    return ESPL_OK;
}

espl_status espl__folder_begin(espl_run *run)
{
    const espl_status s = run->folder ? espl__folder_make(run->ctx, run->folder) : ESPL_OK;

    return s || !run->folder ? s : move_checkpoint(run);
}

espl_status espl__folder_write_recipe(espl_run *run)
{
    char path[ESPL__PATH_MAX];
    espl__text text = { 0 };
    espl_status s;

    if (!run->folder)
        return ESPL_OK;
    espl__folder_path(run, "recipe.yaml", path);
    if (!(s = espl__resolve(run, true, &text)))
        s = espl__file_replace(run->ctx, path, text.data, text.length);
    espl__text_free(run->ctx, &text);
    return s;
}

espl_status espl__folder_claim(espl_run *run, const char *folder, const char *name, const char *more)
{
    char path[ESPL__PATH_MAX], *there = NULL;
    size_t bytes = 0;
    espl__text here = { 0 };
    espl_status s = espl__resolve(run, false, &here);

    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (!s)
        s = espl__text_add(run->ctx, &here, "%s", more);
    if (!s && !(s = espl__file_read(run->ctx, path, (size_t)1 << 20, &there, &bytes)))
        s = espl__recipe_compare(run->ctx, path, there, here.data);
    else if (s == ESPL_NO_FILE && !(s = espl__folder_make(run->ctx, folder)))
        s = espl__file_replace(run->ctx, path, here.data, here.length);
    espl__release(run->ctx, there);
    espl__text_free(run->ctx, &here);
    return s;
}
