/* Small questions about paths that every source asks. */
#ifndef ESPL_PATHS_H
#define ESPL_PATHS_H

#include "base/base.h"

typedef enum espl__path_kind_of {
    ESPL__PATH_NONE,
    ESPL__PATH_FILE,
    ESPL__PATH_FOLDER,
    ESPL__PATH_OTHER
} espl__path_kind_of;

espl__path_kind_of espl__path_kind(const char *path);
/* Is there such a file in the folder? */
bool espl__path_has(const char *folder, const char *file);
/* Is there any folder in it that is not hidden? */
bool espl__path_holds_folders(const char *folder);
/* The last part of a path; never NULL. */
const char *espl__path_file(const char *path);
/* "folder/file"; `folder` may be "" (then "file"). */
espl_status espl__path_join(espl_context *ctx, const char *folder, const char *file, char **result);
/* The folder of a file: "." if the path names none. */
espl_status espl__path_folder(espl_context *ctx, const char *path, char **result);
/* Ends the text with this, ignoring the case of letters? */
bool espl__path_ends(const char *path, const char *ending);
/* Bytes of a regular file, or -1. */
int64_t espl__path_bytes(const char *path);

#endif
