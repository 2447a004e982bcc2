/* Finding the folders of the classes in a list of paths. */
#include "data/class_folders.h"
#include "data/paths.h"

#include <stdio.h>
#include <string.h>

static const char *const train_names[] = { "train", "training" };
static const char *const test_names[] = { "val", "valid", "validation", "test" };

static size_t first_part(const char *path)
{
    return strcspn(path, "/");
}

static bool part_is(const char *path, const char *name)
{
    return first_part(path) == strlen(name) && !strncmp(path, name, strlen(name));
}

/* The first of the names that is a folder right below the prefix. */
static const char *folder_among(const espl__listing *l, size_t prefix, const char *const *names,
                                int count)
{
    for (int n = 0; n < count; n++)
        for (int64_t i = 0; i < l->count; i++)
            if (strlen(l->item[i].path) > prefix && part_is(l->item[i].path + prefix, names[n]) &&
                (l->item[i].folder || l->item[i].path[prefix + strlen(names[n])] == '/'))
                return names[n];
    return NULL;
}

/* The folder that holds everything, if there is one and it holds folders: NULL where there are
 * several. Files beside it, such as a README, do not matter. */
static const char *only_folder(const espl__listing *l, size_t prefix)
{
    const char *only = NULL;
    bool holds_folders = false;

    for (int64_t i = 0; i < l->count; i++) {
        const char *path = l->item[i].path + prefix;
        const size_t part = first_part(path);
        if (!path[part] && !l->item[i].folder)
            continue;
        if (only && (first_part(only) != part || strncmp(only, path, part)))
            return NULL;
        only = path;
        holds_folders |= path[part] && (l->item[i].folder || strchr(path + part + 1, '/'));
    }
    return holds_folders ? only : NULL;
}

/* Keeps what lies below `name` right below the prefix. */
static void go_into(espl__listing *l, size_t *prefix, const char *name, size_t length)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < l->count; i++) {
        const char *path = l->item[i].path;
        if (strlen(path) > *prefix + length + 1 && !strncmp(path + *prefix, name, length) &&
            path[*prefix + length] == '/')
            l->item[kept++] = l->item[i];
    }
    l->count = kept;
    *prefix += length + 1;
}

espl__class_folders espl__class_folders_find(espl__listing *l, bool test)
{
    espl__class_folders found = { 0 };

    for (;;) {
        const char *train = folder_among(l, found.prefix, train_names, ESPL__COUNT(train_names));
        const char *val = folder_among(l, found.prefix, test_names, ESPL__COUNT(test_names));
        const char *only = only_folder(l, found.prefix);
        found.split = train && val;
        if (found.split)
            go_into(l, &found.prefix, test ? val : train, strlen(test ? val : train));
        if (found.split || !only)
            return found;
        go_into(l, &found.prefix, only, first_part(only));
    }
}

size_t espl__class_folders_part(const char *path)
{
    return first_part(path);
}

bool espl__class_folders_part_is(const char *path, const char *name)
{
    return part_is(path, name);
}

static bool archive_beside(const char *folder, size_t length, bool test, char path[4096])
{
    const char *const *names = test ? test_names : train_names;
    const int count = test ? ESPL__COUNT(test_names) : ESPL__COUNT(train_names);

    for (int i = 0; i < count; i++) {
        const int written = snprintf(path, 4096, "%.*s/%s.tar", (int)length, folder, names[i]);
        if (written > 0 && written < 4096 && espl__path_kind(path) == ESPL__PATH_FILE)
            return true;
    }
    return false;
}

bool espl__class_folders_archive(const char *path, bool test, char result[4096])
{
    const char *file = espl__path_file(path);
    const bool folder = espl__path_kind(path) == ESPL__PATH_FOLDER;

    if (!folder && !espl__text_equal(file, "train.tar") && !espl__text_equal(file, "training.tar"))
        return false;
    const char *where = folder || file != path ? path : ".";
    const size_t length = folder ? strlen(path) : file != path ? (size_t)(file - path - 1)
                                                               : 1;
    return archive_beside(where, length, !test, result) &&
           archive_beside(where, length, test, result);
}
