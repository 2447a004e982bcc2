/* What is wrong with a folder of pictures, file by file: the faults that cost accuracy, or make a score say
 * more than is true. */
#ifndef ESPALIER_CHECK_DATA_H
#define ESPALIER_CHECK_DATA_H

#include <espalier/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum espl_fault_kind {
    ESPL_FAULT_NO_PICTURE,       /* named like a picture, but text, empty or something else */
    ESPL_FAULT_DAMAGED,          /* cut off, or cannot be decoded */
    ESPL_FAULT_ACROSS_SPLIT,     /* the same picture among the training and the held-out pictures */
    ESPL_FAULT_TWO_CLASSES,      /* the same picture in two classes */
    ESPL_FAULT_DUPLICATE,        /* the same file twice in one class */
    ESPL_FAULT_NEAR_DUPLICATE,   /* the same picture in one class, stored anew: other size, quality, light, mirrored */
    ESPL_FAULT_BLANK,            /* one colour everywhere */
    ESPL_FAULT_SMALL,            /* much smaller than most */
    ESPL_FAULT_STRETCHED,        /* more than four times as long as wide, or the other way round */
    ESPL_FAULT_OTHER_FORMAT,     /* a PNG named .jpg and the like: read all the same */
    ESPL_FAULT_ROTATED,          /* stored lying, with an EXIF orientation: turned when it is read */
    ESPL_FAULT_EMPTY_CLASS,      /* a class without pictures */
    ESPL_FAULT_FEW,              /* a class of less than ten pictures */
    ESPL_FAULT_IMBALANCE,        /* a class of less than a third of the pictures of the median class */
    ESPL_FAULT_KIND_COUNT
} espl_fault_kind;

/* What to do about a fault. */
typedef enum espl_advice {
    ESPL_LEAVE_OUT, /* must not be trained or scored on */
    ESPL_LOOK_AT,   /* may be meant; somebody should look */
    ESPL_KNOW       /* harmless: taken care of */
} espl_advice;

/* Texts are owned by the check. Paths are relative to the folder; of data in two archives they begin with
 * the archive's name. */
typedef struct espl_fault {
    espl_fault_kind kind;
    espl_advice advice;
    const char *file;  /* or the class */
    const char *other; /* of a pair, the picture that stays; NULL */
    const char *text;  /* one line: what was found */
} espl_fault;

typedef struct espl_faults {
    espl_context *context;
    int64_t pictures, training, held_out, others; /* others: files that do not claim to be pictures */
    int classes;
    int64_t fault_count;
    espl_fault *faults; /* by kind, then by file */
} espl_faults;

/* "damaged", as --json shows it; and one line on what it means. */
ESPL_API const char *espl_fault_name(espl_fault_kind kind);
ESPL_API const char *espl_fault_meaning(espl_fault_kind kind);

/* Reads every picture of a folder with one folder a class (also with train and val, also .tar) on all of the
 * context's workers. Faults are a result, not a failure; fails if there is no such folder. Ended by
 * espl_faults_free. */
ESPL_API espl_status espl_check_data(espl_context *context, const char *path, espl_faults *result);
/* Writes the paths of all pictures that must be left out, one a line, for espl_data_settings.leave_out. Of a
 * picture in two classes both go, since nobody knows which label is right. */
ESPL_API espl_status espl_faults_write(const espl_faults *check, const char *path);
ESPL_API void espl_faults_free(espl_faults *check);

#ifdef __cplusplus
}
#endif
#endif
