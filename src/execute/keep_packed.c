/* Packed weights in a file of the plan's folder. It is found again by a key of all that they follow from: the net's
 * parameters, and of each kernel what decides how it packs. A start that finds them need not pack, and processes that
 * run the same net share the pages. */
#include "execute/plan_parts.h"

#include <inttypes.h>
#include <string.h>

/* Adds to the key which kernel packs, and by what. */
static uint64_t add_binding(uint64_t key, const binding *b)
{
    const espl__case *c = &b->at;
    const int64_t by[] = { (int64_t)(b->kernel->version ? b->kernel->version() : 0), (int64_t)b->needs.packed,
                           (int64_t)b->packed, c->isa, c->bf16, c->direct_only, c->shards, c->samples, c->threads,
                           c->input_block[0], c->output_block, c->input_stride, c->output_stride };

    return espl__hash(by, sizeof by, espl__hash(b->kernel->name, strlen(b->kernel->name), key));
}

static uint64_t key_of(const espl__plan *plan)
{
    static const int version[] = { ESPL_VERSION_MAJOR, ESPL_VERSION_MINOR, ESPL_VERSION_PATCH };
    uint64_t key = espl__hash(version, sizeof version, espl__net_hash(plan->net));

    for (int i = 0; i < plan->binding_count; i++)
        if (plan->bindings[i].kernel->pack)
            key = add_binding(key, &plan->bindings[i]);
    return key;
}

static espl_status path_of(const espl__plan *plan, uint64_t key, espl__text *path)
{
    return espl__text_add(plan->ctx, path, "%s/%016" PRIx64 ".packed", plan->settings.packed_folder, key);
}

static bool wanted(const espl__plan *plan)
{
    return plan->settings.packed_folder && !plan->settings.training && plan->packed_bytes;
}

bool espl__find_packed(espl__plan *plan)
{
    espl__text path = { 0 };

    if (!wanted(plan))
        return false;
    const uint64_t key = key_of(plan);
    plan->packed = !path_of(plan, key, &path) && espl__store_find(path.data, key, plan->packed_bytes, &plan->stored);
    espl__text_free(plan->ctx, &path);
    return plan->packed;
}

void espl__keep_packed(espl__plan *plan)
{
    espl__text path = { 0 };

    if (!wanted(plan) || plan->packed)
        return;
    const uint64_t key = key_of(plan);
    espl__pack(plan);
    if (path_of(plan, key, &path) ||
        espl__store_write(plan->ctx, path.data, key, espl__packed_base(plan), plan->packed_bytes))
        espl__log(plan->ctx, ESPL_WARNING, "the packed weights are not kept: %s", espl_message(plan->ctx));
    espl__text_free(plan->ctx, &path);
}
