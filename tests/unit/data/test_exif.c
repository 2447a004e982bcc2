/* The orientation: read from well-formed and hostile bytes, and pictures turned by it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/exif.h"

#include <string.h>

/* A JPEG's beginning with one EXIF segment; returns its length. */
static size_t jpeg_with(uint8_t *to, bool little, int type, int value)
{
    static const uint8_t big[] = { 'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2, 1, 15, 0,
                                   2, 0, 0, 0, 1, 0, 0, 0, 0, 0x01, 0x12, 0, 3,
                                   0, 0, 0, 1, 0, 6, 0, 0, 0, 0, 0, 0 };
    static const uint8_t small[] = { 'I', 'I', 42, 0, 8, 0, 0, 0, 2, 0, 15, 1, 2,
                                     0, 1, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x01, 3, 0,
                                     1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0 };
    static const uint8_t begin[] = { 0xff, 0xd8, 0xff, 0xe0, 0, 4,
                                     1, 2, 0xff, 0xe1, 0, 2 + 6 + sizeof big,
                                     'E', 'x', 'i', 'f', 0, 0 };

    memcpy(to, begin, sizeof begin);
    uint8_t *tiff = to + sizeof begin;
    memcpy(tiff, little ? small : big, sizeof big);
    tiff[little ? 24 : 25] = (uint8_t)type;
    tiff[little ? 30 : 31] = (uint8_t)value;
    memcpy(tiff + sizeof big, "\xff\xda\0\2", 4);
    return sizeof begin + sizeof big + 4;
}

static void reads_both_orders_of_bytes(void **state)
{
    uint8_t data[128];

    (void)state;
    for (int little = 0; little < 2; little++)
        for (int value = 0; value < 12; value++) {
            const size_t bytes = jpeg_with(data, little, 3, value);
            assert_int_equal(espl__exif_of_jpeg(data, bytes), value >= 1 && value <= 8 ? value : 1);
        }
    const size_t bytes = jpeg_with(data, false, 4, 6); /* another type of number */
    assert_int_equal(espl__exif_of_jpeg(data, bytes), 1);
}

/* Every cut and every changed byte gives a number within 1..8; the sanitizers see the rest. */
static void survives_damage(void **state)
{
    uint8_t data[128], exact[128];

    (void)state;
    const size_t bytes = jpeg_with(data, true, 3, 6);
    for (size_t end = 0; end <= bytes; end++)
        for (size_t changed = 0; changed < end; changed++)
            for (int bit = 0; bit < 8; bit++) {
                memcpy(exact, data, end);
                exact[changed] ^= (uint8_t)(1 << bit);
                const int found = espl__exif_of_jpeg(exact, end);
                assert_in_range(found, 1, 8);
                assert_in_range(espl__exif_of_png(exact, end), 1, 8);
                assert_in_range(espl__exif_of_webp(exact, end), 1, 8);
            }
}

/* The letter F in two colours, as each orientation stores it: what Exif 2.3 calls "0th row at the
 * ...". */
static void turns_all_eight(void **state)
{
    static const char upright[] = "XXX"
                                  "X.."
                                  "XX."
                                  "X..";
    static const struct {
        int height, width;
        const char *stored;
    } ways[9] = {
        { 0, 0, "" },
        { 4, 3, "XXXX..XX.X.." }, /* top, left */
        { 4, 3, "XXX..X.XX..X" }, /* top, right: mirrored */
        { 4, 3, "..X.XX..XXXX" }, /* bottom, right */
        { 4, 3, "X..XX.X..XXX" }, /* bottom, left */
        { 3, 4, "XXXXX.X.X..." }, /* left, top */
        { 3, 4, "X...X.X.XXXX" }, /* right, top: held with the right side up */
        { 3, 4, "...X.X.XXXXX" }, /* right, bottom */
        { 3, 4, "XXXX.X.X...X" }, /* left, bottom */
    };
    uint8_t grey[12], result[12], colour[36], turned[36];

    (void)state;
    for (int way = 1; way <= 8; way++) {
        for (int i = 0; i < 12; i++) {
            grey[i] = (uint8_t)ways[way].stored[i];
            for (int c = 0; c < 3; c++)
                colour[3 * i + c] = (uint8_t)(grey[i] + c);
        }
        espl__exif_turn(way, grey, 1, ways[way].height, ways[way].width, result);
        if (memcmp(result, upright, 12))
            fail_msg("orientation %d gives %.12s", way, (const char *)result);
        espl__exif_turn(way, colour, 3, ways[way].height, ways[way].width, turned);
        for (int i = 0; i < 36; i++)
            assert_int_equal(turned[i], upright[i / 3] + i % 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_both_orders_of_bytes),
        cmocka_unit_test(survives_damage),
        cmocka_unit_test(turns_all_eight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
