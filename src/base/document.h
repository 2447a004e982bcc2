/* What the tree needs of a document: memory that lives as long, and reading further YAML into it. */
#ifndef ESPL_DOCUMENT_H
#define ESPL_DOCUMENT_H

#include "base/tree.h"

/* Zeroed memory that is freed with the document. */
espl_status espl__document_take(espl__document *document, size_t bytes, void *result_pointer);
espl_status espl__document_take_text(espl__document *document, const char *text, size_t length,
                                     const char **result);
/* Reads `text` into nodes of this document; `origin`, which must live as long, stands in messages for
 * the file and the place. */
espl_status espl__document_graft(espl__document *document, const char *origin, const char *text,
                                 size_t bytes, espl__tree **root);

#endif
