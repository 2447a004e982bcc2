/* YAML into a tree of text, by libyaml's events. We refuse what would make a recipe mean more than it
 * shows (aliases, tags, further documents) and limit depth and size, so that a hostile file costs
 * little. */
#include "base/document.h"

#include <assert.h>
#include <string.h>
#include <yaml.h>

#define DEEPEST 64
#define LARGEST_FILE ((size_t)1 << 20)
#define MOST_NODES 100000
#define MOST_KEYS 1000 /* in one map; twins are found by comparing each with each */
#define CHUNK ((size_t)16 << 10)

/* ---- memory of a document: chunks that are freed together ---- */

typedef struct chunk {
    struct chunk *next;
    size_t used, bytes;
} chunk;

static size_t aligned(size_t bytes)
{
    return (bytes + 15) / 16 * 16;
}

espl_status espl__document_take(espl__document *document, size_t bytes, void *result_pointer)
{
    void **result = result_pointer;
    chunk *now = document->memory;

    *result = NULL;
    bytes = aligned(bytes);
    if (!now || now->bytes - now->used < bytes) {
        const size_t whole = aligned(sizeof(chunk)) + (bytes > CHUNK ? bytes : CHUNK);
        const espl_status status = espl__allocate(document->ctx, whole, 1, &now);
        if (status)
            return status;
        now->next = document->memory;
        now->used = aligned(sizeof(chunk));
        now->bytes = whole;
        document->memory = now;
    }
    *result = (char *)now + now->used;
    now->used += bytes;
    return ESPL_OK;
}

espl_status espl__document_take_text(espl__document *document, const char *text, size_t length,
                                     const char **result)
{
    char *copy = NULL;
    const espl_status status = espl__document_take(document, length + 1, &copy);

    if (!status && length)
        memcpy(copy, text, length);
    *result = copy;
    return status;
}

/* ---- building the tree ---- */

typedef struct builder {
    espl__document *document;
    const char *origin; /* as in espl__tree */
    const char *text;
    size_t bytes;
    int shift; /* columns of line 1 that are not the user's */
    espl__tree *root, *open;
    espl__tree *last[DEEPEST + 1]; /* child so far, of each open node */
    int depth, nodes;
    const char *key; /* waiting for its value */
    int key_line, key_column;
} builder;

static int line_of(yaml_mark_t mark)
{
    return (int)mark.line + 1;
}

static int column_of(const builder *b, yaml_mark_t mark)
{
    const int column = (int)mark.column + 1 - (mark.line ? 0 : b->shift);

    return column > 0 ? column : 1;
}

/* Puts the place in front of the context's message. */
static espl_status refuse(const builder *b, yaml_mark_t mark, espl_status status)
{
    espl_context *ctx = b->document->ctx;

    if (b->origin)
        return espl__fail_within(ctx, status, "%s", b->origin);
    return espl__fail_within(ctx, status, "%s:%d:%d", b->document->name, line_of(mark), column_of(b, mark));
}

static espl_status refuse_text(const builder *b, yaml_mark_t mark, const char *sentence)
{
    return refuse(b, mark, espl__fail(b->document->ctx, ESPL_BAD_RECIPE, "%s", sentence));
}

static espl_status check_new_key(const builder *b, yaml_mark_t mark)
{
    if (!*b->key)
        return refuse_text(b, mark, "a key is missing in front of the colon");
    if (b->open->count >= MOST_KEYS)
        return refuse_text(b, mark, "this map has more than 1000 keys");
    const espl__tree *twin = espl__tree_get(b->open, b->key);
    if (!twin)
        return ESPL_OK;
    return refuse(b, mark,
                  espl__fail(b->document->ctx, ESPL_BAD_RECIPE,
                             "the key \"%s\" is given twice, first on line %d", b->key, twin->key_line));
}

/* A new node below the open one (or as the root). */
static espl_status add_node(builder *b, espl__tree_kind kind, yaml_mark_t mark, espl__tree **result)
{
    espl__tree *node = NULL;

    if (++b->nodes > MOST_NODES)
        return refuse_text(b, mark, "the text has more than 100000 values");
    const espl_status status = espl__document_take(b->document, sizeof *node, &node);
    if (status)
        return status;
    node->kind = kind;
    node->text = "";
    node->line = line_of(mark);
    node->column = column_of(b, mark);
    node->origin = b->origin;
    node->parent = b->open;
    if (!b->open) {
        b->root = node;
    } else {
        if (b->key) {
            node->key = b->key;
            node->key_line = b->key_line;
            node->key_column = b->key_column;
            b->key = NULL;
        }
        *(b->open->first ? &b->last[b->depth]->next : &b->open->first) = node;
        b->last[b->depth] = node;
        b->open->count++;
    }
    *result = node;
    return ESPL_OK;
}

static espl_status open_node(builder *b, espl__tree_kind kind, yaml_mark_t mark, bool marked)
{
    espl__tree *node = NULL;

    if (marked)
        return refuse_text(b, mark, "anchors and tags (& and !) are not understood here");
    if (b->open && b->open->kind == ESPL__MAP && !b->key)
        return refuse_text(b, mark, "a key must be plain text, not a list or a map");
    if (b->depth == DEEPEST)
        return refuse_text(b, mark, "nested more than 64 levels deep");
    const espl_status status = add_node(b, kind, mark, &node);
    if (status)
        return status;
    b->open = node;
    b->depth++;
    return ESPL_OK;
}

static void close_node(builder *b)
{
    assert(b->open); /* the parser pairs every end with a beginning */
    b->open = b->open->parent;
    b->depth--;
}

static espl_status take_scalar(builder *b, const yaml_event_t *event)
{
    const char *value = (const char *)event->data.scalar.value, *text = NULL;
    const size_t length = event->data.scalar.length;
    const yaml_mark_t mark = event->start_mark;
    espl__tree *node = NULL;

    if (event->data.scalar.anchor || event->data.scalar.tag)
        return refuse_text(b, mark, "anchors and tags (& and !) are not understood here");
    if (memchr(value, 0, length))
        return refuse_text(b, mark, "a text must not hold a zero byte");
    espl_status status = espl__document_take_text(b->document, value, length, &text);
    if (status)
        return status;
    if (b->open && b->open->kind == ESPL__MAP && !b->key) {
        b->key = text;
        b->key_line = line_of(mark);
        b->key_column = column_of(b, mark);
        return check_new_key(b, mark);
    }
    status = add_node(b, ESPL__SCALAR, mark, &node);
    if (status)
        return status;
    if (!length && node->key) { /* "key:" with nothing: libyaml's place is where the next thing begins */
        node->line = node->key_line;
        node->column = node->key_column;
    }
    node->text = text;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return ESPL_OK;
}

static espl_status take_event(builder *b, const yaml_event_t *event)
{
    const yaml_mark_t mark = event->start_mark;

    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        return b->root ? refuse_text(b, mark, "a second document begins here; one was expected") : ESPL_OK;
    case YAML_ALIAS_EVENT:
        return refuse_text(b, mark, "aliases (*name) are not understood here; quote a text with a star");
    case YAML_SCALAR_EVENT:
        return take_scalar(b, event);
    case YAML_SEQUENCE_START_EVENT:
        return open_node(b, ESPL__LIST, mark,
                         event->data.sequence_start.anchor || event->data.sequence_start.tag);
    case YAML_MAPPING_START_EVENT:
        return open_node(b, ESPL__MAP, mark,
                         event->data.mapping_start.anchor || event->data.mapping_start.tag);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        close_node(b);
        return ESPL_OK;
    default:
        return ESPL_OK;
    }
}

/* ---- libyaml's own errors, with a hint where its words do not help ---- */

static bool line_has_tab(const builder *b, size_t line)
{
    const char *at = b->text, *end = b->text + b->bytes;

    for (; line && at; line--) {
        at = memchr(at, '\n', (size_t)(end - at));
        at = at ? at + 1 : NULL;
    }
    while (at && at < end && *at == ' ')
        at++;
    return at && at < end && *at == '\t';
}

static const char *hint_for(const builder *b, const yaml_parser_t *parser)
{
    if (line_has_tab(b, parser->problem_mark.line))
        return "; indent with spaces, not with tabs";
    if (strstr(parser->problem, "mapping values are not allowed"))
        return "; begin a new line, use braces, or quote the text";
    return "";
}

/* The reader knows only the offset of the bad byte. */
static yaml_mark_t mark_at(const builder *b, size_t offset)
{
    yaml_mark_t mark = { 0 };

    for (size_t i = 0; i < offset && i < b->bytes; i++) {
        mark.column = b->text[i] == '\n' ? 0 : mark.column + 1;
        mark.line += b->text[i] == '\n';
    }
    return mark;
}

static espl_status refuse_yaml(const builder *b, const yaml_parser_t *parser)
{
    espl_context *ctx = b->document->ctx;
    const char *problem = parser->problem ? parser->problem : "it is not YAML";

    if (parser->error == YAML_MEMORY_ERROR)
        return espl__fail(ctx, ESPL_NO_MEMORY, "%s: not enough memory to read it", b->document->name);
    if (parser->error == YAML_READER_ERROR)
        return refuse(b, mark_at(b, parser->problem_offset),
                      espl__fail(ctx, ESPL_BAD_RECIPE, "it is not text in UTF-8: %s", problem));
    espl__fail(ctx, ESPL_BAD_RECIPE, "%s%s%s%s", problem, parser->context ? " " : "",
               parser->context ? parser->context : "", parser->problem ? hint_for(b, parser) : "");
    /* What never ends is shown where it began. */
    const bool endless = parser->context && strstr(problem, "end of stream");
    return refuse(b, endless ? parser->context_mark : parser->problem_mark, ESPL_BAD_RECIPE);
}

static espl_status take_events(builder *b, yaml_parser_t *parser)
{
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(parser, &event))
            return refuse_yaml(b, parser);
        const espl_status status = take_event(b, &event);
        more = event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        if (status)
            return status;
    }
    return ESPL_OK;
}

/* Fills b->root; text without any value becomes an empty scalar. */
static espl_status build(builder *b)
{
    yaml_parser_t parser;
    espl__tree *node = NULL;

    if (b->bytes > LARGEST_FILE)
        return espl__fail(b->document->ctx, ESPL_BAD_RECIPE, "%s: more than %zu bytes is no recipe",
                          b->document->name, LARGEST_FILE);
    if (!yaml_parser_initialize(&parser))
        return espl__fail(b->document->ctx, ESPL_NO_MEMORY, "not enough memory to read YAML");
    yaml_parser_set_input_string(&parser, (const unsigned char *)b->text, b->bytes);
    espl_status status = take_events(b, &parser);
    yaml_parser_delete(&parser);
    if (!status && !b->root)
        status = add_node(b, ESPL__SCALAR, (yaml_mark_t){ 0 }, &node);
    return status;
}

espl_status espl__document_graft(espl__document *document, const char *origin, const char *text,
                                 size_t bytes, espl__tree **root)
{
    builder b = { .document = document, .origin = origin, .text = text, .bytes = bytes };
    const espl_status status = build(&b);

    *root = status ? NULL : b.root;
    return status;
}

/* ---- documents ---- */

static espl_status parse(espl_context *ctx, const char *name, const char *text, size_t bytes, int shift,
                         espl__document **result)
{
    espl__document *document = NULL;

    *result = NULL;
    espl_status status = espl__allocate(ctx, 1, sizeof *document, &document);
    if (status)
        return status;
    document->ctx = ctx;
    status = espl__copy_text(ctx, name, &document->name);
    if (!status) {
        builder b = { .document = document, .text = text, .bytes = bytes, .shift = shift };
        status = build(&b);
        document->root = b.root;
    }
    if (status)
        espl__document_free(document);
    else
        *result = document;
    return status;
}

espl_status espl__document_parse(espl_context *ctx, const char *name, const char *text, size_t bytes,
                                 espl__document **result)
{
    return parse(ctx, name, text, bytes, 0, result);
}

/* Several lines are block style and whole as they are; a line of block style is also one of flow style
 * without its braces, and only that can hold a second key. */
espl_status espl__document_parse_settings(espl_context *ctx, const char *name, const char *text,
                                          espl__document **result)
{
    const char *begin = text ? text + strspn(text, " \t\r\n") : "";
    espl__text whole = { 0 };

    *result = NULL;
    if (!*begin || *begin == '{' || *begin == '[' || strchr(begin, '\n'))
        return parse(ctx, name, *begin ? text : "", *begin ? strlen(text) : 0, 0, result);
    espl_status status = espl__text_add(ctx, &whole, "{%s\n}", text); /* the text may end in a comment */
    if (!status)
        status = parse(ctx, name, whole.data, whole.length, 1, result);
    espl__text_free(ctx, &whole);
    return status;
}

espl_status espl__document_load(espl_context *ctx, const char *path, espl__document **result)
{
    char *text = NULL;
    size_t bytes = 0;

    *result = NULL;
    espl_status status = espl__file_read(ctx, path, LARGEST_FILE, &text, &bytes);
    if (!status)
        status = espl__document_parse(ctx, path, text, bytes, result);
    espl__release(ctx, text);
    return status;
}

void espl__document_free(espl__document *document)
{
    if (!document)
        return;
    for (chunk *now = document->memory; now;) {
        chunk *next = now->next;
        espl__release(document->ctx, now);
        now = next;
    }
    espl__release(document->ctx, document->name);
    espl__release(document->ctx, document);
}
