/* Small questions about paths that every source asks. */
#include "data/paths.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

espl__path_kind_of espl__path_kind(const char *path)
{
    struct stat about;

    if (stat(path, &about))
        return ESPL__PATH_NONE;
    return S_ISREG(about.st_mode)   ? ESPL__PATH_FILE
           : S_ISDIR(about.st_mode) ? ESPL__PATH_FOLDER
                                    : ESPL__PATH_OTHER;
}

bool espl__path_has(const char *folder, const char *file)
{
    char path[4096];
    const int length = snprintf(path, sizeof path, "%s/%s", folder, file);

    return length > 0 && (size_t)length < sizeof path && espl__path_kind(path) == ESPL__PATH_FILE;
}

bool espl__path_holds_folders(const char *path)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    bool found = false;
    char inner[4096];

    while (folder && !found && (entry = readdir(folder))) {
        const int length = snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        found = entry->d_name[0] != '.' && length > 0 && (size_t)length < sizeof inner &&
                espl__path_kind(inner) == ESPL__PATH_FOLDER;
    }
    if (folder)
        closedir(folder);
    return found;
}

const char *espl__path_file(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

espl_status espl__path_join(espl_context *ctx, const char *folder, const char *file, char **result)
{
    const size_t before = strlen(folder), after = strlen(file);
    const bool slash = before && folder[before - 1] != '/';
    const espl_status status = espl__allocate(ctx, before + slash + after + 1, 1, result);

    if (status)
        return status;
    memcpy(*result, folder, before);
    if (slash)
        (*result)[before] = '/';
    memcpy(*result + before + slash, file, after);
    return ESPL_OK;
}

espl_status espl__path_folder(espl_context *ctx, const char *path, char **result)
{
    const char *file = espl__path_file(path);
    const espl_status status = espl__copy_text(ctx, file == path ? "." : path, result);

    if (!status && file != path)
        (*result)[file - path - (file - path > 1)] = '\0'; /* "/x" leaves "/" */
    return status;
}

bool espl__path_ends(const char *path, const char *ending)
{
    const size_t length = strlen(path), end = strlen(ending);

    return length >= end && !strcasecmp(path + length - end, ending);
}

int64_t espl__path_bytes(const char *path)
{
    struct stat about;

    return stat(path, &about) || !S_ISREG(about.st_mode) ? -1 : (int64_t)about.st_size;
}
