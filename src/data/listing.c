/* Listing a folder, or a .tar, as relative paths. */
#include "data/listing.h"
#include "data/paths.h"
#include "data/tar.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEEPEST 64 /* folders within folders */

static bool hidden(const char *name)
{
    return name[0] == '.' || espl__text_equal(name, "__MACOSX");
}

/* Paths are kept as places while the text grows. */
static espl_status add(espl__listing *l, const char *path, espl__listed item)
{
    espl_status status = ESPL_OK;

    if (l->count == l->capacity) {
        const int64_t larger = l->capacity ? l->capacity * 2 : 256;
        status = espl__resize(l->ctx, (size_t)l->count, (size_t)larger, sizeof *l->item, &l->item);
        if (status)
            return status;
        l->capacity = larger;
    }
    item.place = l->text.length;
    status = espl__text_add_bytes(l->ctx, &l->text, path, strlen(path) + 1);
    if (!status)
        l->item[l->count++] = item;
    return status;
}

/* ---- folders ---- */

/* The folders that a walk is in. One that contains itself, by a link, is passed over. */
typedef struct place {
    const struct place *above;
    dev_t device;
    ino_t number;
    int depth;
} place;

static bool leads_back(const place *here)
{
    for (const place *p = here->above; p; p = p->above)
        if (p->device == here->device && p->number == here->number)
            return true;
    return false;
}

static espl_status walk_folder(espl__listing *l, espl__text *path, size_t root, const place *above);

static espl_status add_found(espl__listing *l, espl__text *path, size_t root, const char *name,
                             const place *here)
{
    const size_t before = path->length;
    espl_status status = espl__text_add(l->ctx, path, "/%s", name);

    if (!status) {
        const espl__path_kind_of kind = espl__path_kind(path->data);
        if (kind == ESPL__PATH_FILE || kind == ESPL__PATH_FOLDER)
            status = add(l, path->data + root + 1,
                         (espl__listed){ .folder = kind == ESPL__PATH_FOLDER });
        if (!status && kind == ESPL__PATH_FOLDER)
            status = walk_folder(l, path, root, here);
    }
    path->length = before;
    if (path->data)
        path->data[before] = '\0';
    return status;
}

/* Everything below `path`, whose first `root` bytes are the listing's root. */
static espl_status walk_folder(espl__listing *l, espl__text *path, size_t root, const place *above)
{
    place here = { .above = above, .depth = above ? above->depth + 1 : 0 };
    espl_status status = ESPL_OK;
    struct dirent *entry;
    struct stat about;

    if (here.depth > DEEPEST)
        return espl__fail(l->ctx, ESPL_BAD_FILE, "%s: folders are nested more than %d deep",
                          path->data, DEEPEST);
    DIR *folder = opendir(path->data);
    if (!folder || fstat(dirfd(folder), &about)) {
        status = espl__fail(l->ctx, ESPL_NO_FILE, "%s: cannot be opened: %s", path->data,
                            strerror(errno));
        if (folder)
            closedir(folder);
        return status;
    }
    here.device = about.st_dev;
    here.number = about.st_ino;
    while (!status && !leads_back(&here) && (entry = readdir(folder)))
        if (!hidden(entry->d_name))
            status = add_found(l, path, root, entry->d_name, &here);
    closedir(folder);
    return status;
}

static espl_status list_folder(espl__listing *l)
{
    espl__text path = { 0 };
    espl_status status = espl__text_add(l->ctx, &path, "%s", l->root);

    while (!status && path.length > 1 && path.data[path.length - 1] == '/')
        path.data[--path.length] = '\0';
    if (!status)
        status = walk_folder(l, &path, path.length, NULL);
    espl__text_free(l->ctx, &path);
    return status;
}

/* ---- archives ---- */

/* "./a//b/" becomes "a/b"; false for what is hidden or leads elsewhere. */
static bool clean(const char *path, char *result, size_t capacity)
{
    size_t length = 0;

    while (*path) {
        const size_t part = strcspn(path, "/");
        if (part && !(part == 1 && *path == '.')) {
            if (hidden(path) || (part == 8 && !strncmp(path, "__MACOSX", 8)) ||
                length + part + 2 > capacity)
                return false;
            if (length)
                result[length++] = '/';
            memcpy(result + length, path, part);
            length += part;
        }
        path += part + (path[part] == '/');
    }
    result[length] = '\0';
    return length > 0;
}

static espl_status add_entry(void *user, const espl__tar_entry *entry)
{
    char path[4200];

    if (!clean(entry->path, path, sizeof path))
        return ESPL_OK;
    return add(user, path,
               (espl__listed){
                   .offset = entry->offset, .bytes = entry->bytes, .folder = entry->folder });
}

/* ---- both ---- */

int espl__listing_compare(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    /* the end of a part comes before every other byte */
    const int x = *a == '/' ? 1 : (unsigned char)*a + (*a ? 1 : 0);
    const int y = *b == '/' ? 1 : (unsigned char)*b + (*b ? 1 : 0);
    return x - y;
}

static int compare_items(const void *a, const void *b)
{
    const espl__listed *x = a, *y = b;
    const int paths = espl__listing_compare(x->path, y->path);

    if (paths)
        return paths;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

espl_status espl__listing_make(espl_context *ctx, const char *root, espl__listing *l)
{
    *l = (espl__listing){ .ctx = ctx, .tar = espl__path_kind(root) != ESPL__PATH_FOLDER };
    espl_status status = espl__copy_text(ctx, root, &l->root);

    if (!status)
        status = l->tar ? espl__tar_walk(ctx, root, add_entry, l) : list_folder(l);
    if (status)
        return status;
    for (int64_t i = 0; i < l->count; i++)
        l->item[i].path = l->text.data + l->item[i].place;
    if (l->count)
        qsort(l->item, (size_t)l->count, sizeof *l->item, compare_items);
    return ESPL_OK;
}

void espl__listing_end(espl__listing *l)
{
    espl__release(l->ctx, l->root);
    espl__release(l->ctx, l->item);
    espl__text_free(l->ctx, &l->text);
}
