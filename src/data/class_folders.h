/* Where in a folder of pictures the folders of the classes are: at once, within one folder around
 * everything, or within train and val. */
#ifndef ESPL_CLASS_FOLDERS_H
#define ESPL_CLASS_FOLDERS_H

#include "data/listing.h"

typedef struct espl__class_folders {
    size_t prefix; /* bytes of every path in front of its class: "photos/train/" */
    bool split;    /* there are folders for training and for test data */
} espl__class_folders;

/* Keeps of the list only what lies below the prefix. */
espl__class_folders espl__class_folders_find(espl__listing *listing, bool test);

/* Length of the first part of a path, and whether it is this name. */
size_t espl__class_folders_part(const char *path);
bool espl__class_folders_part_is(const char *path, const char *name);

/* Training and test data may be two archives: for "photos/train.tar", or "photos" with it inside,
 * the path of the one asked for. false: there are not both. */
bool espl__class_folders_archive(const char *path, bool test, char result[4096]);

#endif
