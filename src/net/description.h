/* Descriptions: found by name, and turned into nets. */
#ifndef ESPL_DESCRIPTION_H
#define ESPL_DESCRIPTION_H

#include "net/describe.h"

#define ESPL__GIVEN_MAX 4
#define ESPL__NET_NAME_MAX 96

/* Settings that are part of a net's name: depth and width of "wide-resnet-16-4". */
typedef struct espl__given {
    int count;
    struct {
        char name[32];
        double value;
    } item[ESPL__GIVEN_MAX];
} espl__given;

/* A description that is part of the library; nets/<name>.yaml in the sources. */
typedef struct espl__builtin {
    const char *name;
    const unsigned char *text;
    size_t bytes;
} espl__builtin;

const espl__builtin *espl__builtin_at(int index); /* NULL past the end; made by cmake/espalier_nets.cmake */

/* Finds the built-in description whose "names" fit `name`, exact ones first. `*document` NULL and
 * ESPL_OK: there is none. `settings` are the constants that the description gives to that name, a map
 * of the document or NULL. */
espl_status espl__find_description(espl_context *ctx, const char *name, espl__document **document,
                                   espl__given *given, const espl__tree **settings);
/* Fails with ESPL_BAD_OPTION, naming the nearest name. */
espl_status espl__refuse_name(espl_context *ctx, const char *name);

/* What is to be made of a description. */
typedef struct espl__wish {
    const espl__document *document; /* the description */
    const char *fallback_name;      /* for a description without "name" */
    const espl__given *given;       /* by the net's name; or NULL */
    const espl__tree *constants;    /* by the net's name, within `document`; or NULL */
    const espl__tree *defaults;     /* instead of the description's own, within `document`; or NULL */
    const espl__document *override_document;
    const espl__tree *override; /* settings of the caller; or NULL */
    const espl__net_fit *fit;   /* of the data; or NULL */
} espl__wish;

/* Lays out the graph and finds the net's name; the graph is the caller's. */
espl_status espl__describe_graph(espl_context *ctx, const espl__wish *wish, char name[ESPL__NET_NAME_MAX],
                                 espl__graph **result);
espl_status espl__describe(espl_context *ctx, const espl__wish *wish, espl_net **result);

/* A description by name or path, for as long as its document lives. */
typedef struct espl__source {
    espl__document *document; /* owned; NULL: the source is a net file */
    char name[96];            /* for a description that says none */
    espl__given given;
    const espl__tree *constants;
} espl__source;

espl_status espl__source_find(espl_context *ctx, const char *source, espl__source *found);
/* Fills in what the source says; `found` must outlive the wish. */
void espl__source_wish(const espl__source *found, espl__wish *wish);
/* Settings must be a map or nothing, which becomes NULL. */
espl_status espl__settings_check(const espl__document *document, const espl__tree **settings);
/* A net file takes none. */
espl_status espl__settings_refuse(const espl__document *document, const espl__tree *settings, const char *path);
/* Whether `pattern` ("stage_{s}.unit_{u}") is `name`, its numbers under their names. */
bool espl__name_fits(const char *pattern, const char *name, espl__given *given);

#endif
