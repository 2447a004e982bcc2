/* Faults that are planted among pictures are all found, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "fixture.h"

#include <espalier/check_data.h>

#define SIDE 48
#define EACH 34 /* pictures of a whole class */

/* ---- pictures: coarse random colours, drawn at any size, lighter or darker, mirrored ---- */

typedef struct scene {
    uint32_t seed;
    int width, height;
    double light;
    bool mirrored;
} scene;

static double coarse(uint32_t seed, int c, int row, int column)
{
    uint32_t h = seed * 2654435761u ^ (uint32_t)(c * 97 + row * 13 + column + 1) * 2246822519u;

    h ^= h >> 15;
    h *= 3266489917u;
    h ^= h >> 13;
    h *= 668265263u;
    return (h >> 16) / 65535.0;
}

static uint8_t colour_at(const scene *s, int c, int x, int y)
{
    const double across = (s->mirrored ? s->width - 1 - x : x) * 6.0 / s->width, down = y * 6.0 / s->height;
    const int row = (int)down, column = (int)across;
    const double v = down - row, u = across - column;
    const double value = (1 - v) * ((1 - u) * coarse(s->seed, c, row, column) + u * coarse(s->seed, c, row, column + 1)) +
                         v * ((1 - u) * coarse(s->seed, c, row + 1, column) + u * coarse(s->seed, c, row + 1, column + 1));

    return (uint8_t)(s->light * (20 + 200 * value));
}

static void put32(uint8_t *to, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

static size_t chunk(uint8_t *to, const char *type, const void *data, size_t bytes)
{
    put32(to, (uint32_t)bytes);
    memcpy(to + 4, type, 4);
    if (bytes)
        memcpy(to + 8, data, bytes);
    put32(to + 8 + bytes, (uint32_t)crc32(0, to + 4, (uInt)(bytes + 4)));
    return bytes + 12;
}

static void draw(fixture *f, const char *name, scene s)
{
    const size_t row = 3 * (size_t)s.width + 1, size = row * (size_t)s.height;
    uint8_t *raw = calloc(size, 1), *packed = malloc(2 * size + 1000), *png = malloc(2 * size + 2000);
    uint8_t head[13] = { [8] = 8, [9] = 2 };
    uLongf bytes = 2 * size + 1000;

    for (int y = 0; y < s.height; y++)
        for (int i = 0; i < 3 * s.width; i++)
            raw[(size_t)y * row + 1 + (size_t)i] = colour_at(&s, i % 3, i / 3, y);
    assert_int_equal(compress(packed, &bytes, raw, size), Z_OK);
    put32(head, (uint32_t)s.width);
    put32(head + 4, (uint32_t)s.height);
    memcpy(png, "\x89PNG\r\n\x1a\n", 8);
    size_t length = 8;
    length += chunk(png + length, "IHDR", head, 13);
    length += chunk(png + length, "IDAT", packed, bytes);
    length += chunk(png + length, "IEND", NULL, 0);
    fixture_write(f, name, png, length);
    free(raw);
    free(packed);
    free(png);
}

static scene plain(uint32_t seed)
{
    return (scene){ seed, SIDE, SIDE, 1, false };
}

static void draw_class(fixture *f, const char *folder, int count, uint32_t seed)
{
    char name[64];

    fixture_folder(f, folder);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s/%02d.png", folder, i);
        draw(f, name, plain(seed + (uint32_t)i));
    }
}

static void copy(fixture *f, const char *from, const char *to, double share)
{
    char path[512];
    struct stat about;

    snprintf(path, sizeof path, "%s", fixture_path(f, from));
    assert_int_equal(stat(path, &about), 0);
    char *data = malloc((size_t)about.st_size);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(data, 1, (size_t)about.st_size, file), about.st_size);
    fclose(file);
    fixture_write(f, to, data, (size_t)((double)about.st_size * share));
    free(data);
}

static void draw_clean(fixture *f)
{
    fixture_folder(f, "set");
    fixture_folder(f, "set/train");
    fixture_folder(f, "set/val");
    draw_class(f, "set/train/ash", EACH, 100);
    draw_class(f, "set/train/birch", EACH, 200);
    draw_class(f, "set/train/cedar", EACH, 300);
    draw_class(f, "set/val/ash", 6, 400);
    draw_class(f, "set/val/birch", 6, 500);
    draw_class(f, "set/val/cedar", 6, 600);
}

static void plant(fixture *f)
{
    fixture_write(f, "set/train/ash/text.jpg", "no picture at all", 17);
    fixture_write(f, "set/train/ash/empty.png", "", 0);
    fixture_write(f, "set/train/ash/notes.txt", "not meant to be one", 19);
    copy(f, "set/train/birch/00.png", "set/train/birch/cut.png", 0.6);
    copy(f, "set/train/ash/00.png", "set/val/ash/seen.png", 1);
    draw(f, "set/val/birch/smaller.png", (scene){ 201, 32, 32, 0.9, false });
    copy(f, "set/train/ash/03.png", "set/train/birch/ash.png", 1);
    copy(f, "set/train/cedar/00.png", "set/train/cedar/again.png", 1);
    draw(f, "set/train/cedar/mirrored.png", (scene){ 301, 64, 64, 1.1, true });
    draw(f, "set/train/ash/blank.png", (scene){ 900, SIDE, SIDE, 0, false });
    draw(f, "set/train/ash/tiny.png", (scene){ 901, 11, 11, 1, false });
    draw(f, "set/train/ash/long.png", (scene){ 902, 300, 60, 1, false });
    draw(f, "set/train/birch/png.jpg", plain(903));
    draw_class(f, "set/train/fir", 10, 700);
    draw_class(f, "set/train/elm", 3, 800);
    fixture_folder(f, "set/train/hazel");
}

/* ---- what is found ---- */

typedef struct expected {
    espl_fault_kind kind;
    const char *file, *other;
} expected;

static const expected all[] = {
    { ESPL_FAULT_NO_PICTURE, "train/ash/empty.png", NULL },
    { ESPL_FAULT_NO_PICTURE, "train/ash/text.jpg", NULL },
    { ESPL_FAULT_DAMAGED, "train/birch/cut.png", NULL },
    { ESPL_FAULT_ACROSS_SPLIT, "val/ash/seen.png", "train/ash/00.png" },
    { ESPL_FAULT_ACROSS_SPLIT, "val/birch/smaller.png", "train/birch/01.png" },
    { ESPL_FAULT_TWO_CLASSES, "train/birch/ash.png", "train/ash/03.png" },
    { ESPL_FAULT_DUPLICATE, "train/cedar/again.png", "train/cedar/00.png" },
    { ESPL_FAULT_NEAR_DUPLICATE, "train/cedar/mirrored.png", "train/cedar/01.png" },
    { ESPL_FAULT_BLANK, "train/ash/blank.png", NULL },
    { ESPL_FAULT_SMALL, "train/ash/tiny.png", NULL },
    { ESPL_FAULT_STRETCHED, "train/ash/long.png", NULL },
    { ESPL_FAULT_OTHER_FORMAT, "train/birch/png.jpg", NULL },
    { ESPL_FAULT_EMPTY_CLASS, "hazel", NULL },
    { ESPL_FAULT_FEW, "elm", NULL },
    { ESPL_FAULT_IMBALANCE, "fir", NULL },
};

static void compare(const espl_faults *check, const expected *wanted, int count)
{
    for (int64_t i = 0; i < check->fault_count; i++) {
        const espl_fault *got = &check->faults[i];
        if (i >= count || got->kind != wanted[i].kind || strcmp(got->file, wanted[i].file) != 0 ||
            !got->other != !wanted[i].other || (got->other && strcmp(got->other, wanted[i].other) != 0))
            fail_msg("fault %d: %s %s %s: %s", (int)i, espl_fault_name(got->kind), got->file, got->other ? got->other : "", got->text);
    }
    assert_int_equal(check->fault_count, count);
}

static void a_clean_folder_has_no_faults(void **state)
{
    fixture *f = *state;
    espl_faults check;

    draw_clean(f);
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "set"), &check), ESPL_OK);
    compare(&check, NULL, 0);
    assert_int_equal(check.pictures, 3 * EACH + 18);
    assert_int_equal(check.training, 3 * EACH);
    assert_int_equal(check.held_out, 18);
    assert_int_equal(check.classes, 3);
    espl_faults_free(&check);
}

static void what_is_planted_is_found(void **state)
{
    fixture *f = *state;
    espl_faults check;

    draw_clean(f);
    plant(f);
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "set"), &check), ESPL_OK);
    compare(&check, all, (int)(sizeof all / sizeof *all));
    assert_int_equal(check.others, 1);
    espl_faults_free(&check);
}

static void a_small_class_is_told(void **state)
{
    fixture *f = *state;
    espl_faults check;

    draw_clean(f);
    draw_class(f, "set/train/fir", 10, 700);
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "set"), &check), ESPL_OK);
    compare(&check, &(expected){ ESPL_FAULT_IMBALANCE, "fir", NULL }, 1);
    espl_faults_free(&check);
}

static void what_a_camera_stored_lying_is_told(void **state)
{
    fixture *f = *state;
    espl_faults check;
    char golden[1024];

    draw_clean(f);
    snprintf(golden, sizeof golden, "cp " ESPL__SOURCE_DIR "/tests/golden/pictures/orientation6.jpg %s", fixture_path(f, "set/train/ash/lying.jpg"));
    assert_int_equal(system(golden), 0);
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "set"), &check), ESPL_OK);
    compare(&check, &(expected){ ESPL_FAULT_ROTATED, "train/ash/lying.jpg", NULL }, 1);
    espl_faults_free(&check);
}

/* ---- what is done about it ---- */

static void the_list_is_left_out(void **state)
{
    fixture *f = *state;
    espl_faults check;
    char list[512];

    draw_clean(f);
    plant(f);
    remove(fixture_path(f, "set/train/hazel"));
    snprintf(list, sizeof list, "%s", fixture_path(f, "list.txt"));
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "set"), &check), ESPL_OK);
    assert_int_equal(espl_faults_write(&check, list), ESPL_OK);
    espl_faults_free(&check);
    const espl_data_settings settings = { .height = 16, .width = 16, .leave_out = list };
    espl_data *data = fixture_opens(f, "set", &settings);
    /* all but: empty, text, cut, two of one picture in two classes, again, mirrored, blank */
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 3 * EACH + 10 + 3 + 10 - 8);
    assert_int_equal(espl_data_count(data, ESPL_HELD_OUT), 18); /* the two that were planted are gone */
    espl_data_free(data);
    fixture_refuses(f, "set", &(espl_data_settings){ .height = 16, .width = 16, .leave_out = "/none" }, ESPL_NO_FILE, "/none");
}

static void a_folder_without_pictures_is_refused(void **state)
{
    fixture *f = *state;
    espl_faults check;

    fixture_folder(f, "set");
    fixture_write(f, "set/a.jpg", "x", 1);
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "set"), &check), ESPL_BAD_FILE);
    assert_non_null(strstr(espl_message(f->ctx), "no folder with pictures"));
    assert_int_equal(espl_check_data(f->ctx, fixture_path(f, "none"), &check), ESPL_NO_FILE);
}

#define TEST_OF(test) cmocka_unit_test_setup_teardown(test, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OF(a_clean_folder_has_no_faults),
        TEST_OF(what_is_planted_is_found),
        TEST_OF(a_small_class_is_told),
        TEST_OF(what_a_camera_stored_lying_is_told),
        TEST_OF(the_list_is_left_out),
        TEST_OF(a_folder_without_pictures_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
