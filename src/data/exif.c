/* A reader of one number: tag 0x0112 of the first directory of the TIFF structure that EXIF data
 * is. */
#include "data/exif.h"

#include <string.h>

#define TAG_ORIENTATION 0x0112
#define TYPE_SHORT 3

typedef struct view {
    const uint8_t *data;
    size_t bytes;
    bool little;
} view;

static uint32_t number_at(view v, size_t at, int size)
{
    uint32_t value = 0;

    if (at > v.bytes || (size_t)size > v.bytes - at)
        return 0;
    for (int i = 0; i < size; i++)
        value = value << 8 | v.data[v.little ? at + (size_t)(size - 1 - i) : at + (size_t)i];
    return value;
}

static int orientation_of_tiff(const uint8_t *data, size_t bytes)
{
    view v = { data, bytes, false };

    if (bytes < 14 || (memcmp(data, "II*\0", 4) && memcmp(data, "MM\0*", 4)))
        return 1;
    v.little = data[0] == 'I';
    const size_t directory = number_at(v, 4, 4);
    const uint32_t count = number_at(v, directory, 2);
    for (uint32_t i = 0; i < count; i++) {
        const size_t entry = directory + 2 + (size_t)i * 12;
        if (entry > bytes)
            return 1;
        if (number_at(v, entry, 2) == TAG_ORIENTATION) {
            const uint32_t value = number_at(v, entry + 8, 2);
            const bool right = number_at(v, entry + 2, 2) == TYPE_SHORT && value >= 1 && value <= 8;
            return right ? (int)value : 1;
        }
    }
    return 1;
}

/* With or without the six bytes that JPEG puts in front. */
static int orientation_of_exif(const uint8_t *data, size_t bytes)
{
    if (bytes > 6 && !memcmp(data, "Exif\0\0", 6))
        return orientation_of_tiff(data + 6, bytes - 6);
    return orientation_of_tiff(data, bytes);
}

/* Segments up to the first scan: 0xff, kind, length (which counts itself). */
int espl__exif_of_jpeg(const uint8_t *data, size_t bytes)
{
    size_t at = 2;

    while (at + 4 <= bytes && data[at] == 0xff) {
        const uint8_t kind = data[at + 1];
        const size_t length = (size_t)data[at + 2] << 8 | data[at + 3];
        if (kind == 0xff) { /* a fill byte */
            at++;
            continue;
        }
        if (kind == 0xda || length < 2 || length > bytes - at - 2)
            return 1;
        if (kind == 0xe1 && length > 8 && !memcmp(data + at + 4, "Exif\0\0", 6))
            return orientation_of_exif(data + at + 4, length - 2);
        at += 2 + length;
    }
    return 1;
}

/* Chunks: length, name, data, checksum. */
int espl__exif_of_png(const uint8_t *data, size_t bytes)
{
    const view v = { data, bytes, false };
    size_t at = 8;

    while (at + 12 <= bytes) {
        const size_t length = number_at(v, at, 4);
        if (length > bytes - at - 12)
            return 1;
        if (!memcmp(data + at + 4, "eXIf", 4))
            return orientation_of_exif(data + at + 8, length);
        at += 12 + length;
    }
    return 1;
}

/* Chunks: name, length, data, padded to an even length. */
int espl__exif_of_webp(const uint8_t *data, size_t bytes)
{
    const view v = { data, bytes, true };
    size_t at = 12;

    while (at + 8 <= bytes) {
        const size_t length = number_at(v, at + 4, 4);
        if (length > bytes - at - 8)
            return 1;
        if (!memcmp(data + at, "EXIF", 4))
            return orientation_of_exif(data + at + 8, length);
        at += 8 + length + (length & 1);
    }
    return 1;
}

/* Result (y, x) comes from first + y * down + x * across of the source, all in pixels. */
void espl__exif_turn(int orientation, const uint8_t *pixels, int64_t channels, int64_t height,
                     int64_t width, uint8_t *result)
{
    const int64_t last_row = (height - 1) * width, last = width - 1;
    const struct {
        int64_t first, down, across;
    } way[9] = {
        [1] = { 0, width, 1 },
        [2] = { last, width, -1 },             /* mirrored */
        [3] = { last_row + last, -width, -1 }, /* upside down */
        [4] = { last_row, -width, 1 },
        [5] = { 0, 1, width },         /* along the diagonal */
        [6] = { last_row, 1, -width }, /* a quarter to the right brings it upright */
        [7] = { last_row + last, -1, -width },
        [8] = { last, -1, width },
    };
    const int64_t rows = orientation < 5 ? height : width,
                  columns = orientation < 5 ? width : height;

    for (int64_t y = 0; y < rows; y++) {
        const uint8_t *from = pixels +
                              (way[orientation].first + y * way[orientation].down) * channels;
        for (int64_t x = 0; x < columns; x++, from += way[orientation].across * channels)
            for (int64_t c = 0; c < channels; c++)
                *result++ = from[c];
    }
}
