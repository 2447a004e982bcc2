/* Rewrites a graph so that one pass over memory does what several nodes say: batch norm with the
 * addition and the activation behind it; for inference the whole of it within the convolution. */
#include "execute/plan.h"

#include "ops/batch_norm.h"
#include "ops/conv2d.h"
#include "ops/dense.h"

#include <string.h>

/* What a walk through the graph has found out. `old` is the graph that is read. */
typedef struct fusing {
    const espl__graph *old;
    bool *needs;    /* does it, or anything it reads, train? */
    bool *still;    /* does a normalization go by its running statistics? */
    int *consumers; /* of each old node */
    int *only;      /* the only consumer of each old node, if there is one */
    int *map;       /* old node -> new node that holds its value */
    bool *gone;     /* old nodes that another one has swallowed */
} fusing;

static bool is(const espl__node *node, const char *op)
{
    return node->op && strcmp(node->op->name, op) == 0;
}

static int activation_of(const espl__node *node)
{
    return is(node, "relu") ? ESPL__RELU : is(node, "relu6") ? ESPL__RELU6
                                                             : ESPL__NO_ACTIVATION;
}

/* The only consumer of a node, if there is just one and the graph's answer is not the node itself. What
 * trains is not fused to what does not: there the way back ends. */
static int follower(const fusing *f, int node)
{
    const bool one = f->consumers[node] == 1 && node != f->old->output;

    return one && f->needs[f->only[node]] == f->needs[node] ? f->only[node] : -1;
}

/* The chain host -> [add] -> [activation] that one kernel can do at once. */
typedef struct chain {
    int last;     /* old node whose value comes out; the host itself if nothing follows */
    int add;      /* or -1 */
    int residual; /* old node that is added, or -1 */
    int activation;
} chain;

/* The fused node stands where the addition stood, so both values are ready. Of two batch norms that
 * meet in one addition the later one takes it. */
static bool takes_addition(const fusing *f, int host, int add)
{
    const espl__node *node = &f->old->nodes[add];

    if (!is(node, "add") || node->input_count != 2 || node->inputs[0] == node->inputs[1])
        return false;
    const int other = node->inputs[0] == host ? node->inputs[1] : node->inputs[0];
    return (other < host || !is(&f->old->nodes[other], "batch_norm")) &&
           espl__shape_equal(f->old->nodes[other].shape, f->old->nodes[host].shape);
}

static chain follow(const fusing *f, int host, bool may_add)
{
    chain c = { .last = host, .add = -1, .residual = -1 };
    int next = follower(f, host);

    if (next >= 0 && may_add && takes_addition(f, host, next)) {
        const espl__node *add = &f->old->nodes[next];
        c.residual = add->inputs[0] == host ? add->inputs[1] : add->inputs[0];
        c.add = c.last = next;
        next = follower(f, next);
    }
    if (next >= 0 && (c.activation = activation_of(&f->old->nodes[next])))
        c.last = next;
    return c;
}

static void swallow(fusing *f, int from, const chain *c)
{
    f->gone[from] = true;
    if (c->add >= 0)
        f->gone[c->add] = true;
    f->gone[c->last] = true;
}

/* A copy of an old node to be changed and appended in place of the chain's last node. */
typedef struct draft {
    espl__node node;
    int inputs[ESPL__INPUTS_MAX];
} draft;

static void begin(draft *d, const espl__node *node)
{
    d->node = *node;
    memcpy(d->inputs, node->inputs, (size_t)node->input_count * sizeof *d->inputs);
    d->node.inputs = d->inputs;
}

static espl_status finish(fusing *f, espl__graph *graph, draft *d, int place)
{
    for (int i = 0; i < d->node.input_count; i++)
        d->inputs[i] = f->map[d->inputs[i]];
    const espl_status s = espl__graph_append(graph, &d->node);
    f->map[place] = graph->output;
    return s;
}

static void add_residual(draft *d, const chain *c)
{
    if (c->residual >= 0)
        d->inputs[d->node.input_count++] = c->residual;
}

static espl_status fuse_batch_norm(fusing *f, espl__graph *graph, int host, const chain *c)
{
    espl__batch_norm attributes = *(const espl__batch_norm *)f->old->nodes[host].attributes;
    draft d;

    begin(&d, &f->old->nodes[host]);
    attributes.activation = c->activation;
    d.node.attributes = &attributes;
    add_residual(&d, c);
    return finish(f, graph, &d, c->last);
}

/* As in inference: a convolution, the batch norm behind it (or -1), and the chain behind that. */
static espl_status fuse_convolution(fusing *f, espl__graph *graph, int host, int norm, const chain *c)
{
    espl__conv2d attributes = *(const espl__conv2d *)f->old->nodes[host].attributes;
    draft d;

    begin(&d, &f->old->nodes[host]);
    attributes.activation = c->activation;
    if (norm >= 0) {
        const espl__node *n = &f->old->nodes[norm];
        attributes.folded = true;
        attributes.epsilon = ((const espl__batch_norm *)n->attributes)->epsilon;
        memcpy(d.node.parameters + d.node.parameter_count, n->parameters, 4 * sizeof *n->parameters);
        d.node.parameter_count += 4;
    }
    d.node.attributes = &attributes;
    add_residual(&d, c);
    return finish(f, graph, &d, c->last);
}

static espl_status fuse_dense(fusing *f, espl__graph *graph, int host, const chain *c)
{
    espl__dense attributes = *(const espl__dense *)f->old->nodes[host].attributes;
    draft d;

    begin(&d, &f->old->nodes[host]);
    attributes.activation = c->activation;
    d.node.attributes = &attributes;
    return finish(f, graph, &d, c->last);
}

/* Hosts are found when their chain's *last* node is reached, since only then all inputs are there. So
 * this walks once to find the chains, once to write the new graph. */
typedef struct fused {
    int host, norm; /* norm: the folded batch norm, or -1 */
    chain chain;
    bool here;
} fused;

/* What an earlier pass has fused is left as it is: its activation comes before whatever follows it. */
static bool is_host(const espl__node *node)
{
    if (is(node, "batch_norm"))
        return node->input_count == 1 && ((const espl__batch_norm *)node->attributes)->activation == ESPL__NO_ACTIVATION;
    if (is(node, "conv2d"))
        return espl__conv2d_has_gradient(node->attributes, node->input_count);
    return is(node, "dense") && ((const espl__dense *)node->attributes)->activation == ESPL__NO_ACTIVATION;
}

static void find_chains(fusing *f, fused *at)
{
    for (int i = 1; i < f->old->node_count; i++) {
        const espl__node *node = &f->old->nodes[i];
        fused found = { .host = i, .norm = -1, .here = true };

        if (f->gone[i] || !is_host(node))
            continue;
        if (is(node, "batch_norm")) {
            found.chain = follow(f, i, true);
        } else if (!f->needs[i] && is(node, "conv2d")) {
            const int next = follower(f, i);
            if (next >= 0 && is(&f->old->nodes[next], "batch_norm") && f->still[next])
                found.norm = next;
            found.chain = follow(f, found.norm >= 0 ? found.norm : i, found.norm >= 0);
        } else if (!f->needs[i]) {
            found.chain = follow(f, i, false);
        } else {
            continue;
        }
        if (found.norm < 0 && found.chain.last == i)
            continue;
        swallow(f, i, &found.chain);
        if (found.norm >= 0)
            f->gone[found.norm] = true;
        at[found.chain.last] = found;
    }
}

/* Samples come as planes in order, which is what a flatten of the input makes of them: the input becomes the vector. */
static bool flattens_input(const fusing *f, int node)
{
    const espl__node *n = &f->old->nodes[node];

    return is(n, "flatten") && n->inputs[0] == 0 && f->consumers[0] == 1 && node != f->old->output;
}

static espl_status write_new(fusing *f, const fused *at, espl__graph *graph)
{
    espl_status s = ESPL_OK;

    for (int i = 1; !s && i < f->old->node_count; i++) {
        const espl__node *node = &f->old->nodes[i];
        const fused *found = &at[i];
        draft d;

        if (!found->here && f->gone[i])
            continue;
        if (flattens_input(f, i)) {
            graph->nodes[0].shape = node->shape;
            f->map[i] = 0;
        } else if (!found->here) {
            begin(&d, node);
            s = finish(f, graph, &d, i);
        } else if (is(&f->old->nodes[found->host], "batch_norm")) {
            s = fuse_batch_norm(f, graph, found->host, &found->chain);
        } else if (is(&f->old->nodes[found->host], "conv2d")) {
            s = fuse_convolution(f, graph, found->host, found->norm, &found->chain);
        } else {
            s = fuse_dense(f, graph, found->host, &found->chain);
        }
    }
    return s;
}

espl_status espl__fuse(const espl_net *net, const espl__graph *graph, bool training, espl__graph **result)
{
    espl_context *ctx = graph->ctx;
    const size_t count = (size_t)graph->node_count;
    fusing f = { .old = graph };
    fused *at = NULL;
    espl__graph *written = NULL;
    espl_status s;

    *result = NULL;
    if (!(s = espl__allocate(ctx, count, sizeof *f.consumers, &f.consumers)) &&
        !(s = espl__allocate(ctx, count, sizeof *f.only, &f.only)) &&
        !(s = espl__allocate(ctx, count, sizeof *f.map, &f.map)) &&
        !(s = espl__allocate(ctx, count, sizeof *f.needs, &f.needs)) &&
        !(s = espl__allocate(ctx, count, sizeof *f.still, &f.still)) &&
        !(s = espl__allocate(ctx, count, sizeof *f.gone, &f.gone)) &&
        !(s = espl__allocate(ctx, count, sizeof *at, &at)) &&
        !(s = espl__graph_begin(graph, &written))) {
        for (int i = 1; i < graph->node_count; i++)
            for (int k = 0; k < graph->nodes[i].input_count; k++) {
                f.consumers[graph->nodes[i].inputs[k]]++;
                f.only[graph->nodes[i].inputs[k]] = i;
            }
        if (training)
            espl__find_needs(net, graph, f.needs);
        if (training)
            espl__find_still(net, graph, f.needs, f.still);
        else
            memset(f.still, true, count * sizeof *f.still);
        find_chains(&f, at);
        if (!(s = write_new(&f, at, written)))
            written->output = f.map[graph->output];
    }
    espl__release(ctx, f.consumers);
    espl__release(ctx, f.only);
    espl__release(ctx, f.map);
    espl__release(ctx, f.needs);
    espl__release(ctx, f.still);
    espl__release(ctx, f.gone);
    espl__release(ctx, at);
    if (s)
        espl__graph_free(written);
    else
        *result = written;
    return s;
}
