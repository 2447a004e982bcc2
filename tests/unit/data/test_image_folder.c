/* Folders of pictures and archives of them: classes, order, given splits, what is left out and what
 * is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "fixture.h"

#include <math.h>

#define PICTURES ESPL__SOURCE_DIR "/tests/golden/pictures/"

/* Copies one of the golden pictures to a path below the folder, making folders on the way. */
static void put(fixture *f, const char *picture, const char *to)
{
    char from[512], data[16384], part[512];

    snprintf(from, sizeof from, PICTURES "%s", picture);
    FILE *file = fopen(from, "rb");
    assert_non_null(file);
    const size_t bytes = fread(data, 1, sizeof data, file);
    fclose(file);
    for (size_t i = 0; to[i]; i++)
        if (to[i] == '/') {
            snprintf(part, sizeof part, "%s/%.*s", f->folder, (int)i, to);
            mkdir(part, 0700);
        }
    fixture_write(f, to, data, bytes);
}

static void write_photos(fixture *f, const char *below)
{
    static const char *const files[] = { "tulips/b.jpg", "tulips/a.png", "tulips/more/c.webp",
                                         "daisies/1.JPG", "daisies/2", "roses-wild/x.jpeg",
                                         "roses/y.jpg" };
    static const char *const pictures[] = { "rgb.jpg", "rgb.png", "lossless.webp", "grey.jpg",
                                            "rgb.png", "cmyk.jpg", "subsampled.jpg" };
    char path[256];

    for (int i = 0; i < 7; i++) {
        snprintf(path, sizeof path, "%s%s", below, files[i]);
        put(f, pictures[i], path);
    }
}

static void make_tar(fixture *f, const char *archive, const char *folder)
{
    char command[1024];

    snprintf(command, sizeof command, "cd %s && tar cf %s %s", f->folder, archive, folder);
    assert_int_equal(system(command), 0);
}

/* "class:file " for every sample in order. */
static void check_list(const espl_data *data, espl_part part, const char *expected)
{
    char list[2048] = "", name[256];

    for (int64_t i = 0; i < espl_data_count(data, part); i++) {
        espl__data_sample_name(data, part, i, name);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s:%s ",
                 espl_data_class_name(data, espl__data_label(data, part, i)), name);
    }
    assert_string_equal(list, expected);
}

/* Held out here: everything but the order is tested on the training part with a separate test
 * folder. */
static void lists_classes_in_order(void **state)
{
    fixture *f = *state;
    char test[512];

    write_photos(f, "photos/");
    fixture_write(f, "photos/README", "text", 4);
    fixture_write(f, "photos/tulips/notes.txt", "text", 4);
    fixture_write(f, "photos/tulips/.hidden.jpg", "text", 4);
    put(f, "rgb.jpg", "photos/.thumbnails/a.jpg");
    put(f, "rgb.jpg", "few/tulips/t.jpg");
    snprintf(test, sizeof test, "%s/few", f->folder);
    for (int archive = 0; archive < 2; archive++) {
        if (archive)
            make_tar(f, "photos.tar", "photos");
        espl_data *data = fixture_opens(f, archive ? "photos.tar" : "photos",
                                        &(espl_data_settings){ .test = test });
        char expected[1024] = "";
        static const char *const classes[] = { "daisies", "daisies", "roses", "roses-wild",
                                               "tulips", "tulips", "tulips" };
        static const char *const files[] = { "daisies/1.JPG", "daisies/2", "roses/y.jpg",
                                             "roses-wild/x.jpeg", "tulips/a.png", "tulips/b.jpg",
                                             "tulips/more/c.webp" };
        for (int i = 0; i < 7; i++)
            snprintf(expected + strlen(expected), sizeof expected - strlen(expected), "%s:%s%s ",
                     classes[i], archive ? "photos/" : "", files[i]);
        check_list(data, ESPL_TRAIN, expected);
        check_list(data, ESPL_HELD_OUT, "tulips:tulips/t.jpg ");
        assert_int_equal(espl_data_classes(data), 4);
        assert_string_equal(espl__data_source_name(data), "image-folder");
        int64_t shape[3];
        espl_data_shape(data, shape); /* any colour: all colour */
        assert_int_equal(shape[0] * 10000 + shape[1] * 100 + shape[2], 31624);
        espl_data_free(data);
    }
}

static void folder_and_archive_hold_the_same(void **state)
{
    fixture *f = *state;

    write_photos(f, "photos/");
    make_tar(f, "flat.tar", "-C photos .");
    const espl_data_settings settings = { .height = 8, .width = 8, .channels = 3 };
    espl_data *folder = fixture_opens(f, "photos", &settings),
              *archive = fixture_opens(f, "flat.tar", &settings);
    assert_true(espl__data_hash(folder) == espl__data_hash(archive));
    for (int64_t i = 0; i < espl_data_count(folder, ESPL_TRAIN); i++) {
        float *a = fixture_sample(f, folder, ESPL_TRAIN, i),
              *b = fixture_sample(f, archive, ESPL_TRAIN, i);
        assert_memory_equal(a, b, 192 * sizeof(float));
        free(a);
        free(b);
    }
    espl_data_free(folder);
    espl_data_free(archive);
}

static void takes_given_splits(void **state)
{
    fixture *f = *state;

    put(f, "rgb.jpg", "set/train/a/1.jpg");
    put(f, "rgb.jpg", "set/train/b/2.jpg");
    put(f, "rgb.jpg", "set/val/b/3.jpg");
    put(f, "rgb.jpg", "set/test/a/4.jpg");
    espl_data *data = fixture_opens(f, "set", NULL);
    check_list(data, ESPL_TRAIN, "a:train/a/1.jpg b:train/b/2.jpg ");
    check_list(data, ESPL_HELD_OUT, "b:val/b/3.jpg ");
    espl_data_free(data);
    make_tar(f, "whole.tar", "set");
    data = fixture_opens(f, "whole.tar", NULL);
    check_list(data, ESPL_TRAIN, "a:set/train/a/1.jpg b:set/train/b/2.jpg ");
    check_list(data, ESPL_HELD_OUT, "b:set/val/b/3.jpg ");
    espl_data_free(data);
    fixture_folder(f, "two");
    make_tar(f, "two/train.tar", "-C set/train a b");
    make_tar(f, "two/val.tar", "-C set/val b");
    for (int i = 0; i < 2; i++) {
        data = fixture_opens(f, i ? "two/train.tar" : "two", NULL);
        check_list(data, ESPL_TRAIN, "a:a/1.jpg b:b/2.jpg ");
        check_list(data, ESPL_HELD_OUT, "b:b/3.jpg ");
        espl_data_free(data);
    }
    put(f, "rgb.jpg", "set/val/c/5.jpg");
    fixture_refuses(f, "set", NULL, ESPL_BAD_FILE,
                    "has a class \"c\" that the training data has not");
}

static void only_a_training_folder(void **state)
{
    fixture *f = *state;

    put(f, "rgb.jpg", "set/train/a/1.jpg");
    put(f, "rgb.jpg", "set/train/a/2.jpg");
    put(f, "rgb.jpg", "set/train/b/3.jpg");
    put(f, "rgb.jpg", "set/train/b/4.jpg");
    espl_data *data = fixture_opens(f, "set", &(espl_data_settings){ .held_out = 0.5 });
    assert_int_equal(espl_data_classes(data), 2);
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 2);
    espl_data_free(data);
}

static void refuses_mistakes(void **state)
{
    fixture *f = *state;

    put(f, "rgb.jpg", "nested/tulips/more/1.jpg"); /* folders within a class are no classes */
    fixture_folder(f, "nested/roses");
    fixture_refuses(f, "nested", NULL, ESPL_BAD_FILE, "nested/roses: this class has no picture");

    put(f, "rgb.jpg", "photos/tulips/1.jpg");
    fixture_refuses(f, "photos", NULL, ESPL_BAD_FILE, "has only one class, \"tulips\"");
    fixture_folder(f, "photos/roses");
    fixture_refuses(f, "photos", NULL, ESPL_BAD_FILE, "photos/roses: this class has no picture");
    fixture_write(f, "photos/roses/a.txt", "text", 4);
    fixture_refuses(f, "photos", NULL, ESPL_BAD_FILE, "photos/roses: this class has no picture");
    put(f, "large.jpg", "photos/roses/big.jpg");
    fixture_refuses(f, "photos", NULL, ESPL_BAD_SHAPE, "the pictures differ in size");
    put(f, "rgb.jpg", "flat/1.jpg");
    fixture_refuses(f, "flat", &(espl_data_settings){ .source = "image-folder" }, ESPL_BAD_FILE,
                    "put the pictures of each class into a folder");
    fixture_folder(f, "nothing");
    fixture_refuses(f, "nothing", &(espl_data_settings){ .source = "image-folder" }, ESPL_BAD_FILE,
                    "has no folder with pictures");
    fixture_write(f, "photos/roses/big.jpg", "this is text", 12);
    fixture_refuses(f, "photos", NULL, ESPL_BAD_FILE,
                    "photos/roses/big.jpg: holds no JPEG, PNG or WebP picture");
}

/* A picture that is damaged is found while training, and the message names it. */
static void damaged_pictures_are_named(void **state)
{
    fixture *f = *state;
    char data[16384];
    espl__loader *loader = NULL;
    const espl__batch *batch = NULL;
    espl_status status = ESPL_OK;

    write_photos(f, "photos/");
    FILE *file = fopen(PICTURES "rgb.jpg", "rb");
    const size_t bytes = fread(data, 1, sizeof data, file);
    fclose(file);
    fixture_write(f, "photos/roses/half.jpg", data, bytes / 2);
    const espl_data_settings settings = {
        .height = 8, .width = 8, .channels = 3, .held_out = 0.01, .split_seed = 3
    };
    espl_data *opened = fixture_opens(f, "photos", &settings);
    assert_int_equal(espl__loader_open(opened,
                                       &(espl__loader_settings){
                                           .batch = 2, .epochs = 1, .threads = 2 },
                                       &loader),
                     ESPL_OK);
    while (!status && (!batch || batch->number < 4))
        status = espl__loader_next(loader, &batch);
    assert_int_equal(status, ESPL_BAD_FILE);
    assert_non_null(
        strstr(espl_message(f->ctx), "photos/roses/half.jpg: the JPEG data is damaged or cut off"));
    espl__loader_free(loader);
    espl_data_free(opened);
}

static void links_that_lead_back_end(void **state)
{
    fixture *f = *state;
    char link[512];

    write_photos(f, "photos/");
    snprintf(link, sizeof link, "%s/photos/tulips/again", f->folder);
    assert_int_equal(symlink("..", link), 0);
    espl_data *data = fixture_opens(f, "photos", NULL);
    assert_int_equal(espl_data_classes(data), 4);
    espl_data_free(data);
}

static espl_status open_and_free(espl_context *ctx, void *argument)
{
    espl_data *data = NULL;
    const espl_status status = espl_data_open(ctx, argument,
                                              &(espl_data_settings){ .held_out = 0.3 }, &data);

    espl_data_free(data);
    return status;
}

/* What was read once comes from memory, byte for byte, also when the file is gone; as far as there is room. */
static void keeps_decoded_pictures(void **state)
{
    fixture *f = *state;
    espl_data *data = NULL;

    put(f, "rgb.jpg", "photos/tulips/a.jpg");
    put(f, "rgb.png", "photos/roses/b.png");
    fixture_path(f, "photos");
    assert_int_equal(espl_data_open(f->ctx, f->path,
                                    &(espl_data_settings){ .height = 40, .width = 40, .channels = 3, .keep_pixels = 1 },
                                    &data),
                     ESPL_OK);
    float *first = fixture_sample(f, data, ESPL_TRAIN, 1);
    assert_int_equal(remove(fixture_path(f, "photos/tulips/a.jpg")), 0);
    float *again = fixture_sample(f, data, ESPL_TRAIN, 1);
    assert_memory_equal(first, again, 3 * 40 * 40 * sizeof *first);
    free(first);
    free(again);
    espl_data_free(data);
}

static void survives_failing_allocations(void **state)
{
    fixture *f = *state;
    char path[512];

    write_photos(f, "photos/");
    make_tar(f, "photos.tar", "photos");
    snprintf(path, sizeof path, "%s/photos", f->folder);
    assert_true(failing_every(open_and_free, path, NULL) > 25);
    snprintf(path, sizeof path, "%s/photos.tar", f->folder);
    assert_true(failing_every(open_and_free, path, NULL) > 20);
}

static void reads_flowers(void **state)
{
    fixture *f = *state;
    char path[512];
    espl_data *data = NULL;
    static const int64_t train[] = { 418, 643, 442, 495, 571 }, val[] = { 110, 122, 93, 103, 122 };
    int64_t of[2][5] = { 0 }, shape[3];

    if (!fixture_shared("flowers", path))
        skip();
    assert_int_equal(espl_data_open(f->ctx, path, NULL, &data), ESPL_OK);
    for (int part = 0; part < 2; part++)
        for (int64_t i = 0; i < espl_data_count(data, (espl_part)part); i++)
            of[part][espl__data_label(data, (espl_part)part, i)]++;
    assert_memory_equal(of[0], train, sizeof train);
    assert_memory_equal(of[1], val, sizeof val);
    assert_string_equal(espl_data_class_name(data, 3), "sunflowers");
    espl_data_shape(data, shape);
    assert_int_equal(shape[0] * 1000000 + shape[1] * 1000 + shape[2], 3224224);
    espl_data_free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(lists_classes_in_order),
        FIXTURE_TEST(folder_and_archive_hold_the_same),
        FIXTURE_TEST(takes_given_splits),
        FIXTURE_TEST(only_a_training_folder),
        FIXTURE_TEST(refuses_mistakes),
        FIXTURE_TEST(damaged_pictures_are_named),
        FIXTURE_TEST(links_that_lead_back_end),
        FIXTURE_TEST(keeps_decoded_pictures),
        FIXTURE_TEST(survives_failing_allocations),
        FIXTURE_TEST(reads_flowers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
