/* Python's pickles as inert values. A pickle is a program for a small stack machine; the operations that
 * would import something or call it build values here that say so, and nothing is ever executed. What may
 * be named at all is a list of the caller's. */
#ifndef ESPL_PICKLE_H
#define ESPL_PICKLE_H

#include "base/base.h"

typedef enum espl__pickled_kind {
    ESPL__PICKLED_NONE,
    ESPL__PICKLED_INTEGER, /* also true and false */
    ESPL__PICKLED_REAL,
    ESPL__PICKLED_TEXT,
    ESPL__PICKLED_LIST, /* also tuples and sets */
    ESPL__PICKLED_MAP,
    ESPL__PICKLED_NAME,       /* what GLOBAL imports, "torch.FloatStorage" */
    ESPL__PICKLED_CALL,       /* of `function` with the list `argument`; may have items, as a map */
    ESPL__PICKLED_PERSISTENT, /* what lies outside of the pickle, told by `argument` */
    ESPL__PICKLED_MARK        /* on the stack alone */
} espl__pickled_kind;

typedef struct espl__pickled {
    espl__pickled_kind kind;
    int64_t integer;
    const char *text; /* within the pickle, `length` bytes without an end */
    size_t length;
    int function, argument; /* values */
    int first, last, count; /* items: cells; of a map keys and values by turns */
} espl__pickled;

typedef struct espl__pickle_cell {
    int value, next; /* next 0: the last */
} espl__pickle_cell;

typedef struct espl__pickle {
    espl_context *ctx;
    const char *path; /* for messages */
    int64_t place;    /* of the first byte in the file, for messages */
    const unsigned char *bytes;
    size_t count, at;           /* `at` is behind the end of the pickle once it is read */
    const char *const *allowed; /* names, ends with NULL */
    espl__pickled *values;      /* 0 is none */
    int value_count, value_capacity;
    espl__pickle_cell *cells; /* 0 is none */
    int cell_count, cell_capacity;
    int *stack, stack_count, stack_capacity;
    int *memo, memo_count, memo_capacity;
    int root;
} espl__pickle;

/* Reads one pickle from bytes[at] on; ctx, path, bytes, count and allowed must be set. Values of an
 * earlier pickle are forgotten. ESPL_BAD_FILE names the opcode and its place. */
espl_status espl__pickle_read(espl__pickle *pickle);
void espl__pickle_free(espl__pickle *pickle);

/* Item `index` of a list, or NULL. */
const espl__pickled *espl__pickled_item(const espl__pickle *pickle, const espl__pickled *list, int index);
/* The value of a map's text key, or NULL. */
const espl__pickled *espl__pickled_get(const espl__pickle *pickle, const espl__pickled *map, const char *key);
bool espl__pickled_is(const espl__pickled *value, const char *text); /* a text or a name */

#endif
