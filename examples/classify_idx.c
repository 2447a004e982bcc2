/* Load a trained net and ask it about pictures that are already in memory: here the first ones of an IDX
 * file, drawn with characters beside the answers.
 *
 *     ./classify_idx runs/demo/net.safetensors /usr/share/datasets/fashion-mnist/t10k 4
 *
 * The second argument is what stands before "-images-idx3-ubyte.gz" and "-labels-idx1-ubyte.gz". */
#include <espalier/espalier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { SIDE = 28,
       PIXELS = SIDE * SIDE,
       CLASSES = 10 };

/* What the digits of Fashion-MNIST's labels mean (Xiao, Rasul and Vollgraf 2017, table 1). */
static const char *const name[CLASSES] = { "T-shirt/top", "trouser", "pullover", "dress", "coat",
                                           "sandal", "shirt", "sneaker", "bag", "ankle boot" };

/* Reads `bytes` of an IDX file behind a header of `header` bytes; false if they are not there. */
static bool read_idx(const char *stem, const char *ending, unsigned header, void *bytes, unsigned count)
{
    char path[1024], skipped[16];

    snprintf(path, sizeof path, "%s-%s.gz", stem, ending);
    gzFile file = gzopen(path, "rb");
    const bool good = file && gzread(file, skipped, header) == (int)header &&
                      gzread(file, bytes, count) == (int)count;
    if (file)
        gzclose(file);
    if (!good)
        fprintf(stderr, "classify_idx: %s cannot be read or is too short\n", path);
    return good;
}

/* Half as many rows as there are: characters are about twice as high as they are wide. */
static void draw(const unsigned char *picture)
{
    static const char shade[] = " .:-=+*#%@";

    for (int row = 0; row < SIDE; row += 2) {
        for (int column = 0; column < SIDE; column++) {
            const int sum = picture[row * SIDE + column] + picture[(row + 1) * SIDE + column];
            putchar(shade[sum * 9 / 510]);
        }
        putchar('\n');
    }
}

static int likeliest(const float *probability)
{
    int best = 0;

    for (int i = 1; i < CLASSES; i++)
        if (probability[i] > probability[best])
            best = i;
    return best;
}

static espl_status classify(espl_predictor *predictor, const unsigned char *pictures, const unsigned char *labels, int count)
{
    float sample[PIXELS], probability[CLASSES];

    for (int i = 0; i < count; i++) {
        for (int p = 0; p < PIXELS; p++)
            sample[p] = pictures[i * PIXELS + p]; /* as in the file, 0 to 255: the net knows the rest */
        const espl_status status = espl_predictor_run(predictor, sample, 1, probability);
        if (status)
            return status;
        const int answer = likeliest(probability);
        draw(pictures + i * PIXELS);
        printf("%s, %.1f %% sure; it is %s: %s\n\n", name[answer], 100 * probability[answer],
               answer == labels[i] ? "right" : "wrong", name[labels[i] % CLASSES]);
    }
    return ESPL_OK;
}

int main(int words, char **word)
{
    enum { MOST = 100 };
    static unsigned char pictures[MOST * PIXELS], labels[MOST];
    espl_context *context = NULL;
    espl_net *net = NULL;
    espl_predictor *predictor = NULL;

    const int count = words > 3 ? atoi(word[3]) : 4;
    if (words < 3 || count < 1 || count > MOST) {
        fprintf(stderr, "usage: classify_idx NET.safetensors IDX_STEM [1..%d]\n", MOST);
        return 2;
    }
    if (!read_idx(word[2], "images-idx3-ubyte", 16, pictures, (unsigned)count * PIXELS) ||
        !read_idx(word[2], "labels-idx1-ubyte", 8, labels, (unsigned)count))
        return 1;
    if (espl_context_open(NULL, &context)) {
        fprintf(stderr, "classify_idx: too little memory to begin\n");
        return 1;
    }
    espl_status status = espl_net_load(context, word[1], &net);
    const bool fits = !status && espl_net_classes(net) == CLASSES;
    if (fits && !(status = espl_predictor_open(net, NULL, &predictor)))
        status = classify(predictor, pictures, labels, count);
    if (status)
        fprintf(stderr, "classify_idx: %s\n", espl_message(context));
    else if (!fits)
        fprintf(stderr, "classify_idx: %s tells %d classes apart, the pictures have %d\n", word[1],
                espl_net_classes(net), CLASSES);
    espl_predictor_free(predictor);
    espl_net_free(net);
    espl_context_free(context);
    return status || !fits;
}
