/* The picture files of a folder, or of a .tar, with one folder for each class: found, counted by class, and
 * read. Decoding them is the business of picture.h. */
#ifndef ESPL_PICTURE_FILES_H
#define ESPL_PICTURE_FILES_H

#include "data/class_folders.h"
#include "data/reading.h"

#define ESPL__LONGEST_PATH 8192

typedef struct espl__picture_files {
    espl__listing listing; /* only the pictures, in order */
    int32_t *class;        /* of each of them */
    char **names;          /* of the classes */
    int64_t *counts;       /* pictures of each class */
    int classes;
    espl__class_folders where;
    int file;              /* the .tar, else -1 */
    bool paired;           /* one of two archives, for training and for test data */
    int64_t others;        /* files that are no pictures */
    const char *first_other;
} espl__picture_files;

/* Files whose names promise pictures, and others that begin like one. `test`: of the folder for test data.
 * Classes may be empty. Ended by espl__picture_files_close, also after a failure. */
espl_status espl__picture_files_open(espl_context *ctx, const char *path, bool test,
                                     espl__picture_files *files);
void espl__picture_files_close(espl__picture_files *files);

/* The whole path of a picture, for messages too. */
void espl__picture_files_name(const espl__picture_files *files, int64_t index,
                              char name[ESPL__LONGEST_PATH]);
/* The path within what was opened, as users and lists of files name it: "train/roses/1.jpg"; of two archives
 * "train.tar/roses/1.jpg". */
void espl__picture_files_label(const espl__picture_files *files, int64_t index,
                               char label[ESPL__LONGEST_PATH]);
/* Takes out the pictures whose labels stand in this text file, one a line. */
espl_status espl__picture_files_leave_out(espl__picture_files *files, const char *list);
/* Its content, into ESPL__READING_FILE. */
espl_status espl__picture_files_read(const espl__picture_files *files, int64_t index,
                                     espl__reading *reading, size_t *bytes);

#endif
