/* Pictures of every kind against what Pillow makes of the same files, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/picture.h"
#include "failing.h"
#include "fixture.h"

#include <math.h>

#define PICTURES ESPL__SOURCE_DIR "/tests/golden/pictures"

static size_t load(const char *name, uint8_t *data, size_t most)
{
    char path[512];

    snprintf(path, sizeof path, PICTURES "/%s", name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    const size_t bytes = fread(data, 1, most, file);
    fclose(file);
    return bytes;
}

static void equals_pillow(void **state)
{
    fixture *f = *state;
    FILE *file = fopen(ESPL__SOURCE_DIR "/tests/golden/pillow_pictures.txt", "r");
    char name[64], path[512];
    long long channels, height, width, to_height, to_width;
    int pictures = 0;

    assert_non_null(file);
    for (; fscanf(file, "%63s %lld %lld %lld %lld %lld", name, &channels, &height, &width,
                  &to_height, &to_width) == 6;
         pictures++) {
        float planes[3 * 30];
        uint8_t data[16384];
        int64_t shape[3];
        espl__reading reading = { .ctx = f->ctx };
        snprintf(path, sizeof path, PICTURES "/%s", name);
        assert_int_equal(espl__picture_measure(name, data, load(name, data, sizeof data), shape,
                                               &reading),
                         ESPL_OK);
        assert_int_equal(shape[1], height);
        assert_int_equal(shape[2], width);
        assert_int_equal(shape[0], !strcmp(name, "bilevel.png") ? 1 : channels);
        espl__reading_end(&reading);
        if (espl__picture_read(f->ctx, path, "stretch", channels, to_height, to_width, planes))
            fail_msg("%s", espl_message(f->ctx));
        for (int i = 0; i < to_height * to_width; i++)
            for (int c = 0; c < channels; c++) {
                int expected;
                assert_int_equal(fscanf(file, "%d", &expected), 1);
                /* what is decoded at a fraction of its size is averaged in blocks */
                const bool whole = !strstr(name, ".jpg") || shape[1] < 3 * to_height || shape[2] < 3 * to_width;
                const float near = whole ? 0 : 8;
                if (fabsf(planes[c * to_height * to_width + i] - (float)expected) > near)
                    fail_msg("%s: pixel %d channel %d is %g, Pillow has %d", name, i, c,
                             (double)planes[c * to_height * to_width + i], expected);
            }
    }
    assert_int_equal(pictures, 23);
    fclose(file);
}

static void refuses(fixture *f, const char *name, const void *data, size_t bytes, const char *words)
{
    float planes[3 * 16];

    fixture_write(f, name, data, bytes);
    const espl_status status = espl__picture_read(f->ctx, f->path, NULL, 3, 4, 4, planes);
    if (status != ESPL_BAD_FILE || !strstr(espl_message(f->ctx), words) ||
        !strstr(espl_message(f->ctx), name))
        fail_msg("expected \"%s\", got %s with \"%s\"", words, espl_status_name(status),
                 espl_message(f->ctx));
}

static void refuses_what_is_no_picture(void **state)
{
    fixture *f = *state;
    float planes[48];

    refuses(f, "text.jpg", "this is not a picture\n", 22, "it is text");
    refuses(f, "empty.jpg", "", 0, "is empty");
    refuses(f, "bytes.png", "\1\2\3", 3, "begins with other bytes (01 02 03");
    refuses(f, "short.jpg", "\xff\xd8\xff", 3, "the JPEG data is damaged or cut off");
    assert_int_equal(espl__picture_read(f->ctx, f->folder, NULL, 3, 4, 4, planes), ESPL_BAD_FILE);
    assert_int_equal(espl__picture_read(f->ctx, "/nowhere/x.jpg", NULL, 3, 4, 4, planes),
                     ESPL_NO_FILE);
    assert_int_equal(espl__picture_read(f->ctx, PICTURES "/rgb.jpg", "squash", 3, 4, 4, planes),
                     ESPL_BAD_OPTION);
    assert_int_equal(espl__picture_read(f->ctx, PICTURES "/rgb.jpg", NULL, 2, 4, 4, planes),
                     ESPL_BAD_SHAPE);
}

/* Content decides: a PNG named .jpg is a picture. */
static void names_do_not_matter(void **state)
{
    fixture *f = *state;
    uint8_t data[16384];
    float right[48], wrong[48];

    fixture_write(f, "really_png.jpg", data, load("rgb.png", data, sizeof data));
    assert_int_equal(espl__picture_read(f->ctx, f->path, NULL, 3, 4, 4, wrong), ESPL_OK);
    assert_int_equal(espl__picture_read(f->ctx, PICTURES "/rgb.png", NULL, 3, 4, 4, right),
                     ESPL_OK);
    assert_memory_equal(right, wrong, sizeof right);
}

/* Cut anywhere before its last few bytes, every format complains and names the file. */
static void refuses_what_is_cut_off(void **state)
{
    fixture *f = *state;
    static const char *const names[] = { "rgb.jpg", "progressive.jpg", "cmyk.jpg",
                                         "rgb.png", "palette.png", "lossy.webp",
                                         "lossless.webp" };
    uint8_t data[16384];

    for (int i = 0; i < ESPL__COUNT(names); i++) {
        const size_t bytes = load(names[i], data, sizeof data);
        for (size_t end = 0; end < bytes - 12; end += 5)
            refuses(f, names[i], data, end, end < 12 ? "" : "damaged or cut off");
    }
}

static void refuses_lying_sizes(void **state)
{
    fixture *f = *state;
    uint8_t data[16384];
    size_t bytes = load("rgb.png", data, sizeof data);

    memset(data + 16, 0, 8);
    data[17] = data[21] = 9; /* 589824 x 589824; the checksum is wrong as well */
    refuses(f, "huge.png", data, bytes, "");
    bytes = load("rgb.jpg", data, sizeof data);
    for (size_t i = 2; i + 9 < bytes; i++)
        if (data[i] == 0xff && data[i + 1] == 0xc0) {
            data[i + 5] = data[i + 6] = data[i + 7] = data[i + 8] = 0xfa;
            break;
        }
    refuses(f, "huge.jpg", data, bytes, "says it is 64250x64250 pixels");
    bytes = load("turned.webp", data, sizeof data);
    data[24] = data[27] = 0xff; /* the canvas of the extended form: another than the picture's */
    refuses(f, "canvas.webp", data, bytes, "damaged");
    memcpy(data + 30, "VP8?", 4); /* and no picture in it */
    refuses(f, "canvas.webp", data, bytes, "damaged or cut off");
    bytes = load("lossless.webp", data, sizeof data);
    memset(data + 21, 0xff, 3); /* 14 bits for each side */
    data[24] |= 3;
    refuses(f, "huge.webp", data, bytes, "says it is");
    assert_true(espl__bytes_peak(f->ctx) < 4 << 20);
}

static espl_status read_one(espl_context *ctx, void *argument)
{
    float planes[48];

    return espl__picture_read(ctx, argument, NULL, 3, 4, 4, planes);
}

static void survives_failing_allocations(void **state)
{
    char jpeg[] = PICTURES "/orientation6.jpg", png[] = PICTURES "/grey.png",
         webp[] = PICTURES "/lossy.webp";

    (void)state;
    assert_true(failing_every(read_one, jpeg, NULL) > 4);
    assert_true(failing_every(read_one, png, NULL) > 4);
    assert_true(failing_every(read_one, webp, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(equals_pillow),
        FIXTURE_TEST(refuses_what_is_no_picture),
        FIXTURE_TEST(names_do_not_matter),
        FIXTURE_TEST(refuses_what_is_cut_off),
        FIXTURE_TEST(refuses_lying_sizes),
        FIXTURE_TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
