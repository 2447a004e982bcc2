/* Opening whatever stands for a net. */
#include "net_source.h"

#include <stdlib.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), tail = strlen(end);

    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A recipe names a net and data; a description of a net has layers instead. */
static bool is_recipe(const char *path)
{
    char line[256];
    bool found = false;
    FILE *file = ends_with(path, ".yaml") || ends_with(path, ".yml") ? fopen(path, "r") : NULL;

    if (!file)
        return false;
    while (!found && fgets(line, sizeof line, file))
        found = strncmp(line, "data:", 5) == 0;
    fclose(file);
    return found;
}

/* "classes: 5", "width: 2" as "classes: 5, width: 2" */
static char *joined(const cli_words *set)
{
    size_t length = 1;

    for (int i = 0; i < set->count; i++)
        length += strlen(set->item[i]) + 2;
    char *text = cli_allocate(length, 1), *to = text;
    for (int i = 0; i < set->count; i++)
        to += sprintf(to, "%s%s", i ? ", " : "", set->item[i]);
    return text;
}

espl_status net_source_open(espl_context *ctx, const char *source, const cli_words *set, net_source *result)
{
    *result = (net_source){ 0 };
    if (is_recipe(source)) {
        const espl_run_settings settings = { .set = set->item };
        const espl_status status = espl_run_load(ctx, source, &settings, &result->run);
        if (!status)
            result->net = espl_run_net(result->run);
        return status;
    }
    char *settings = set->count ? joined(set) : NULL;
    const espl_status status = espl_net_open(ctx, source, settings, &result->net);
    free(settings);
    return status;
}

espl_status net_source_open_with(espl_context *ctx, const char *source, const cli_words *set, const char *path,
                                 net_source *result)
{
    char *settings = set->count ? joined(set) : NULL;

    *result = (net_source){ 0 };
    const espl_status status = espl_net_open_with(ctx, source, settings, path, &result->net);
    free(settings);
    return status;
}

void net_source_close(net_source *source)
{
    if (!source->run)
        espl_net_free(source->net);
    espl_run_free(source->run);
}

int net_source_check_name(const char *command, const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot && strcmp(dot, ".safetensors") == 0)
        return CLI_DONE;
    cli_complain("%s: \"%s\" is not the name of a net file; it must end in .safetensors", command, path);
    return CLI_WRONG_USE;
}
