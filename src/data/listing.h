/* What is in a folder or a .tar, as one sorted list of paths relative to it: the form in which
 * folders of pictures are looked at, wherever they are. */
#ifndef ESPL_LISTING_H
#define ESPL_LISTING_H

#include "base/base.h"

typedef struct espl__listed {
    const char *path;      /* "tulips/old/1.jpg", "tulips" */
    size_t place;          /* of the path within the listing's text */
    int64_t offset, bytes; /* of the content within a .tar; 0 in a folder */
    bool folder;
} espl__listed;

typedef struct espl__listing {
    espl_context *ctx;
    char *root; /* the folder or the .tar */
    bool tar;
    espl__text text; /* all paths, each with its zero */
    espl__listed *item;
    int64_t count, capacity;
} espl__listing;

/* Lists everything below `root` but hidden files. Sorted part by part, so that what lies in one
 * folder is together and folders come in the order of their names. Ended by espl__listing_end, also
 * after a failure. */
espl_status espl__listing_make(espl_context *ctx, const char *root, espl__listing *listing);
void espl__listing_end(espl__listing *listing);

/* Compares paths part by part. */
int espl__listing_compare(const char *a, const char *b);

#endif
