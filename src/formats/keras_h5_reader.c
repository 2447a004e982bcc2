/* espalier-read-h5: reads a Keras HDF5 file from standard input and writes a safetensors file to standard
 * output. A program of its own, since the HDF5 library has a long history of faults on hostile files: it
 * limits its memory and time first, and whatever becomes of it, espalier checks what comes out like any
 * other file.
 *
 * Tensors are called <layer>/<name>, <name> being what Keras calls the weight (kernel, gamma ...) or, where
 * the file only counts them, vars0, vars1 ...; a <layer> without a name of its own is "layers/" with the name
 * of its group. The notes "keras.config" and "keras.version" are the file's model_config and keras_version. */
#define H5_USE_110_API /* one interface for every version since */
#include <hdf5.h>
#include <jansson.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) /* gcc's name for it */
#define WITH_ADDRESS_SANITIZER
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) /* clang's */
#define WITH_ADDRESS_SANITIZER
#endif
#endif
#define MEMORY_LIMIT ((rlim_t)6 << 30)
#define SECONDS_LIMIT 300
#define MOST_TENSORS 100000
#define MOST_EXPANSION 1040 /* deflate makes at most 1032 bytes of one */
#define NAME_BYTES 512

typedef struct tensor {
    char name[NAME_BYTES], path[2 * NAME_BYTES];
    int rank;
    hsize_t dim[8];
    uint64_t bytes;
} tensor;

static tensor *tensors;
static int count;
static uint64_t total, largest_total;

static _Noreturn void give_up(const char *format, const char *what)
{
    fprintf(stderr, format, what);
    exit(1);
}

/* ---- texts ---- */

/* The texts of a string attribute, one or a list; NULL without one. Freed never: the program is short. */
static char **read_texts(hid_t object, const char *name, int *text_count)
{
    *text_count = 0;
    if (H5Aexists(object, name) <= 0)
        return NULL;
    const hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    const hid_t space = H5Aget_space(attribute);
    const hssize_t points = H5Sget_simple_extent_npoints(space);
    if (H5Tget_class(type) != H5T_STRING || points <= 0 || points > MOST_TENSORS)
        return NULL; /* an empty list is stored as one of numbers */
    char **texts = calloc((size_t)points + 1, sizeof *texts);
    if (H5Tis_variable_str(type) > 0) {
        if (!texts || H5Aread(attribute, type, texts) < 0)
            give_up("the attribute \"%s\" cannot be read", name);
    } else {
        const size_t size = H5Tget_size(type);
        char *bytes = size < (size_t)1 << 30 ? calloc((size_t)points, size + 1) : NULL;
        if (!texts || !bytes || H5Aread(attribute, type, bytes) < 0)
            give_up("the attribute \"%s\" cannot be read", name);
        for (hssize_t i = 0; i < points; i++) {
            texts[i] = calloc(size + 1, 1);
            if (texts[i])
                memcpy(texts[i], bytes + (size_t)i * size, size);
        }
    }
    for (hssize_t i = 0; i < points; i++)
        if (!texts[i])
            give_up("the attribute \"%s\" holds a missing text", name);
    *text_count = (int)points;
    return texts;
}

/* Keras cuts long lists into layer_names0, layer_names1 ... */
static char **read_list(hid_t object, const char *name, int *text_count)
{
    char **whole = read_texts(object, name, text_count), part_name[64];

    for (int part = 0; !whole || part > 0; part++) {
        int more = 0;
        snprintf(part_name, sizeof part_name, "%s%d", name, part);
        char **texts = read_texts(object, part_name, &more);
        if (!texts)
            break;
        whole = realloc(whole, (size_t)(*text_count + more) * sizeof *whole);
        if (!whole)
            give_up("not enough memory for \"%s\"", name);
        memcpy(whole + *text_count, texts, (size_t)more * sizeof *texts);
        *text_count += more;
    }
    return whole;
}

/* ---- tensors ---- */

static void add_tensor(hid_t from, const char *path, const char *layer, const char *own)
{
    tensor *t;

    if (count == MOST_TENSORS || strlen(layer) + strlen(own) + 2 > NAME_BYTES || strlen(path) >= sizeof t->path)
        give_up("there are too many weights, or their names are too long: %s", layer);
    tensors = count % 256 ? tensors : realloc(tensors, ((size_t)count + 256) * sizeof *tensors);
    const hid_t set = H5Dopen2(from, path, H5P_DEFAULT), space = set < 0 ? -1 : H5Dget_space(set);
    if (!tensors || set < 0 || space < 0)
        give_up("the weights \"%s\" cannot be opened", path);
    t = &tensors[count++];
    *t = (tensor){ .rank = H5Sget_simple_extent_ndims(space), .bytes = sizeof(float) };
    snprintf(t->name, sizeof t->name, "%s/%s", layer, own);
    if (t->rank < 0 || t->rank > 8 || H5Iget_name(set, t->path, sizeof t->path) <= 0)
        give_up("the weights \"%s\" have too many dimensions", path);
    H5Sget_simple_extent_dims(space, t->dim, NULL);
    for (int d = 0; d < t->rank; d++) {
        if (t->dim[d] > largest_total || t->bytes > largest_total / (t->dim[d] ? t->dim[d] : 1))
            give_up("the weights \"%s\" claim more values than the file can hold", path);
        t->bytes *= t->dim[d];
    }
    total += t->bytes;
    if (total > largest_total)
        give_up("the weights up to \"%s\" claim more values than the file can hold", path);
    H5Sclose(space);
    H5Dclose(set);
}

/* What Keras 1 and 2 call the weights: "conv1/kernel:0", "conv1_W", "bn_running_std" (a variance in truth).
 * Where the name says nothing, the place in the list and the dimensions do: kernel, then bias. */
static const char *own_name(const char *name, int index)
{
    static const char *const known[][2] = {
        { "depthwise_kernel", "depthwise_kernel" },
        { "pointwise_kernel", "pointwise_kernel" },
        { "moving_mean", "moving_mean" },
        { "moving_variance", "moving_variance" },
        { "running_mean", "moving_mean" },
        { "running_std", "moving_variance" },
        { "kernel", "kernel" },
        { "bias", "bias" },
        { "gamma", "gamma" },
        { "beta", "beta" },
        { "alpha", "alpha" },
        { "_W", "kernel" },
        { "_b", "bias" },
        { "variance", "variance" },
        { "mean", "mean" },
        { "count", "count" },
    };
    const size_t length = strcspn(name, ":");

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const size_t end = strlen(known[i][0]);
        if (length >= end && strncmp(name + length - end, known[i][0], end) == 0)
            return known[i][1];
    }
    return index == 0 ? "kernel" : index == 1 ? "bias"
                                              : "unknown";
}

/* How much of "stem/kernel:0", a weight of the layer "base", says that "base" is a model and "stem" a layer in it. 0 if it
 * is the layer's own name, in which there may be slashes and behind which there may be a number: "fire2/squeeze" has
 * "fire2/squeeze_1/kernel:0", or "fire2/squeeze_W:0" in Keras 1. */
static int inner_length(const char *name, const char *layer)
{
    const char *slash = strrchr(name, '/');
    const size_t own = strlen(layer);
    size_t length = slash ? (size_t)(slash - name) : 0, end = length;

    while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9')
        end--;
    end = end > 0 && end < length && name[end - 1] == '_' ? end - 1 : length;
    for (int i = 0; i < 2; i++, end = length) /* without the number, then with it */
        if (end >= own && strncmp(name + end - own, layer, own) == 0 && (end == own || name[end - own - 1] == '/'))
            return 0;
    return strncmp(name, layer, own) == 0 && name[own] == '_' ? 0 : (int)length;
}

static void list_layer(hid_t root, const char *layer)
{
    int weights = 0;
    const hid_t group = H5Gopen2(root, layer, H5P_DEFAULT);

    if (group < 0)
        give_up("the layer \"%s\" has no group", layer);
    char **names = read_list(group, "weight_names", &weights);
    for (int i = 0; i < weights; i++) {
        char inner[NAME_BYTES];
        const int length = inner_length(names[i], layer);
        if (snprintf(inner, sizeof inner, length ? "%s/%.*s" : "%s", layer, length, names[i]) >= (int)sizeof inner)
            give_up("the names of the weights are too long: %s", layer);
        add_tensor(group, names[i], inner, own_name(names[i], i));
    }
    H5Gclose(group);
}

/* Adds what the group path[begin..end), "layers/functional/layers/conv2d", is called: its own name if the file tells; else
 * "conv2d", and `*told` becomes false. */
static void add_group_name(hid_t root, const char *path, int begin, int end, char layer[NAME_BYTES], bool *told)
{
    char vars[NAME_BYTES + 8];
    int names = 0;

    snprintf(vars, sizeof vars, "%.*s/vars", end, path);
    const hid_t group = H5Lexists(root, vars, H5P_DEFAULT) > 0 ? H5Gopen2(root, vars, H5P_DEFAULT) : -1;
    char **name = group < 0 ? NULL : read_texts(group, "name", &names);
    const size_t used = strlen(layer);
    snprintf(layer + used, NAME_BYTES - used, "%s%.*s", used ? "/" : "", name ? NAME_BYTES : end - begin,
             name ? *name : path + begin);
    *told = *told && name;
    if (group >= 0)
        H5Gclose(group);
}

/* Between the names of layers stand "layers" and, in some versions, "_layer_checkpoint_dependencies". */
static bool is_container(const char *part, int length)
{
    return *part == '_' || (length == 6 && strncmp(part, "layers", 6) == 0);
}

/* Keras 3: layers/<any>/layers/<any>/vars/<number>; attributes of the groups say what the layers and the models around
 * them are called. */
static herr_t visit(hid_t root, const char *path, const H5O_info_t *info, void *unused)
{
    const char *number = strrchr(path, '/');
    char layer[NAME_BYTES] = "", full[NAME_BYTES + 8], own[64];
    bool told = true;

    (void)unused;
    if (info->type != H5O_TYPE_DATASET || !number || number - path < 5 || strncmp(number - 5, "/vars", 5) != 0 ||
        (size_t)(number - path) >= NAME_BYTES)
        return 0;
    const int end = (int)(number - path) - 5;
    for (int begin = 0, next; begin < end; begin = next + 1) {
        next = begin + (int)strcspn(path + begin, "/");
        if (!is_container(path + begin, next - begin))
            add_group_name(root, path, begin, next, layer, &told);
    }
    snprintf(own, sizeof own, "vars%.20s", number + 1);
    snprintf(full, sizeof full, "%s%s", told ? "" : "layers/", layer);
    add_tensor(root, path, full, own);
    return 0;
}

static void list_tensors(hid_t file)
{
    const hid_t root = H5Lexists(file, "model_weights", H5P_DEFAULT) > 0 ? H5Gopen2(file, "model_weights", H5P_DEFAULT)
                                                                         : file;
    int layers = 0;
    char **names = read_list(root, "layer_names", &layers);

    for (int i = 0; i < layers; i++)
        list_layer(root, names[i]);
    if (!names)
        H5Ovisit(file, H5_INDEX_NAME, H5_ITER_NATIVE, visit, NULL);
    if (!count)
        give_up("%s", "holds no weights of Keras: neither \"layer_names\" nor groups called \"vars\"");
}

/* ---- writing ---- */

static json_t *describe(const tensor *t, uint64_t begin)
{
    const json_int_t from = (json_int_t)begin, to = from + (json_int_t)t->bytes;
    json_t *dims = json_array();

    for (int d = 0; d < t->rank; d++)
        json_array_append_new(dims, json_integer((json_int_t)t->dim[d]));
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", dims, "data_offsets", from, to);
}

static void add_note(json_t *notes, hid_t file, const char *note, const char *attribute)
{
    int texts = 0;
    char **text = read_texts(file, attribute, &texts);

    if (text && json_object_set_new(notes, note, json_string(*text)))
        give_up("the %s is no UTF-8", attribute);
}

static void write_header(hid_t file)
{
    json_t *root = json_object(), *notes = json_object();
    uint64_t place = 0;

    add_note(notes, file, "keras.config", "model_config");
    add_note(notes, file, "keras.version", "keras_version");
    json_object_set_new(root, "__metadata__", notes);
    for (int i = 0; i < count; i++) {
        if (json_object_get(root, tensors[i].name) ||
            json_object_set_new(root, tensors[i].name, describe(&tensors[i], place)))
            give_up("two weights have the name \"%s\", or it is no UTF-8", tensors[i].name);
        place += tensors[i].bytes;
    }
    char *header = json_dumps(root, JSON_COMPACT);
    if (!header)
        give_up("%s", "not enough memory for the header");
    const uint64_t length = strlen(header);
    for (int i = 0; i < 8; i++)
        putchar((int)(length >> (8 * i) & 0xff));
    fputs(header, stdout);
}

static void write_tensor(hid_t file, const tensor *t)
{
    const hid_t set = H5Dopen2(file, t->path, H5P_DEFAULT);
    float *values = malloc(t->bytes + 1);

    if (!values || set < 0 || H5Dread(set, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        give_up("the weights \"%s\" cannot be read", t->path);
    if (fwrite(values, 1, t->bytes, stdout) != t->bytes)
        give_up("the weights \"%s\" cannot be written", t->path);
    free(values);
    H5Dclose(set);
}

/* The library opens files by name only, and standard input may have none; so the whole file is handed
 * over in memory. */
static hid_t open_input(size_t bytes)
{
    const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    char *image = malloc(bytes + 1);
    size_t have = 0;

    for (ssize_t got = 1; image && have < bytes && got > 0; have += got > 0 ? (size_t)got : 0)
        got = read(STDIN_FILENO, image + have, bytes - have);
    if (!image || have < bytes)
        give_up("%s", "cannot be read as a whole; is there enough memory?");
    if (H5Pset_fapl_core(access, 1 << 20, 0) < 0 || H5Pset_file_image(access, image, bytes) < 0)
        give_up("%s", "not enough memory for the file");
    free(image);
    return H5Fopen("input", H5F_ACC_RDONLY, access);
}

int main(void)
{
    struct stat about;

#ifndef WITH_ADDRESS_SANITIZER /* it maps terabytes */
    setrlimit(RLIMIT_AS, &(struct rlimit){ MEMORY_LIMIT, MEMORY_LIMIT });
#endif
    setrlimit(RLIMIT_CPU, &(struct rlimit){ SECONDS_LIMIT, SECONDS_LIMIT });
    setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
    alarm(2 * SECONDS_LIMIT);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (fstat(STDIN_FILENO, &about) || !S_ISREG(about.st_mode))
        give_up("%s", "is no ordinary file");
    largest_total = (uint64_t)about.st_size * MOST_EXPANSION;
    const hid_t file = open_input((size_t)about.st_size);
    if (file < 0)
        give_up("%s", "is no HDF5 file that can be read");
    list_tensors(file);
    write_header(file);
    for (int i = 0; i < count; i++)
        write_tensor(file, &tensors[i]);
    if (fflush(stdout))
        give_up("%s", "what was read cannot be stored");
    _exit(0); /* what was not freed goes with the process */
}
