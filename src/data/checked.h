/* What espl_check_data knows about each picture, and the steps that find it out. */
#ifndef ESPL_CHECKED_H
#define ESPL_CHECKED_H

#include "data/fingerprint.h"
#include "data/picture_files.h"
#include <espalier/check_data.h>

typedef struct espl__checked {
    int part; /* espl_part */
    int64_t index;
    int32_t class;
    const char *format; /* by content; NULL: no picture */
    bool decoded;
    int orientation;
    int64_t height, width;
    uint64_t content;       /* hash of the file */
    int64_t twin;           /* an earlier picture that is the same, or -1 */
    bool same_file;         /* as the twin's */
    char why[200];          /* it cannot be decoded */
    espl__fingerprint print;
} espl__checked;

typedef struct espl__checking {
    espl_context *ctx;
    espl__picture_files files[2]; /* by part */
    bool split;                   /* the second is there */
    int64_t count;
    espl__checked *item; /* training pictures first */
    int64_t usual_side;  /* median of the short sides */
} espl__checking;

/* "train/roses/1.jpg", as it is said to the user. */
void espl__checked_name(const espl__checking *c, int64_t item, char name[ESPL__LONGEST_PATH]);
/* Reads and decodes all of them (check_pictures.c), then finds twins (check_twins.c). Fail for want of
 * memory, or when interrupted. */
espl_status espl__check_pictures(espl__checking *c);
espl_status espl__check_twins(espl__checking *c);
/* Names for people what was found (check_faults.c). */
espl_status espl__check_faults(const espl__checking *c, espl_faults *result);

#endif
