/* Tar archives as tar writes them (ustar, GNU and pax), and as nobody should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "data/tar.h"
#include "fixture.h"

#define BLOCK 512

typedef struct found {
    char text[8192]; /* "name:bytes@offset " for each entry */
} found;

static espl_status note(void *user, const espl__tar_entry *entry)
{
    found *f = user;
    const size_t used = strlen(f->text);

    snprintf(f->text + used, sizeof f->text - used, "%s%s:%lld@%lld ", entry->path,
             entry->folder ? "(folder)" : "", (long long)entry->bytes, (long long)entry->offset);
    return ESPL_OK;
}

static void finish_header(uint8_t *block)
{
    unsigned sum = 0;

    memset(block + 148, ' ', 8);
    for (int i = 0; i < BLOCK; i++)
        sum += block[i];
    snprintf((char *)block + 148, 8, "%06o", sum);
}

static void header(uint8_t *block, const char *name, char type, const char *size)
{
    memset(block, 0, BLOCK);
    memcpy(block, name, strnlen(name, 100));
    memcpy(block + 124, size, strlen(size));
    block[156] = (uint8_t)type;
    memcpy(block + 257,
           "ustar\0"
           "00",
           8);
    finish_header(block);
}

static void expect(fixture *f, const void *data, size_t bytes, const char *entries)
{
    found seen = { "" };

    fixture_write(f, "a.tar", data, bytes);
    const espl_status status = espl__tar_walk(f->ctx, f->path, note, &seen);
    if (status || strcmp(seen.text, entries))
        fail_msg("found \"%s\" (%s), expected \"%s\"", seen.text,
                 status ? espl_message(f->ctx) : "ok", entries);
}

static void refuse(fixture *f, const void *data, size_t bytes, const char *words)
{
    found seen = { "" };

    fixture_write(f, "a.tar", data, bytes);
    const espl_status status = espl__tar_walk(f->ctx, f->path, note, &seen);
    if (status != ESPL_BAD_FILE || !strstr(espl_message(f->ctx), words))
        fail_msg("expected \"%s\", got %s: %s", words, espl_status_name(status),
                 espl_message(f->ctx));
}

static void reads_plain_entries(void **state)
{
    uint8_t data[8 * BLOCK] = { 0 };

    header(data, "tulips/", '5', "00000000000");
    header(data + BLOCK, "tulips/1.jpg", '0', "00000000005");
    header(data + 3 * BLOCK, "link.jpg", '2', "00000000000");
    header(data + 4 * BLOCK, "old.jpg", '\0', "        10 "); /* before POSIX: blanks in front */
    expect(*state, data, sizeof data, "tulips/(folder):0@512 tulips/1.jpg:5@1024 old.jpg:8@2560 ");
    expect(*state, data, 6 * BLOCK,
           "tulips/(folder):0@512 tulips/1.jpg:5@1024 old.jpg:8@2560 "); /* no empty blocks */
}

static void reads_long_names(void **state)
{
    uint8_t data[16 * BLOCK] = { 0 };
    char name[300], expected[1200];

    memset(name, 'n', sizeof name);
    name[299] = '\0';
    header(data, "././@LongLink", 'L', "00000000454"); /* 300 with its zero */
    memcpy(data + BLOCK, name, 300);
    header(data + 2 * BLOCK, "nnnn", '0', "00000000003");
    header(data + 4 * BLOCK, "short", '0', "00000000001"); /* the long name is used up */
    header(data + 6 * BLOCK, "tail", '0', "00000000002");
    memcpy(data + 6 * BLOCK + 345, "a/very/long/prefix", 18);
    finish_header(data + 6 * BLOCK);
    header(data + 8 * BLOCK, "pax", 'x', "00000000046"); /* 38 bytes of records */
    memcpy(data + 9 * BLOCK, "15 mtime=12.50\n23 path=b/\xc3\xa4pfel/1.jpg\n", 38);
    header(data + 10 * BLOCK, "ignored", '0', "00000000007");
    snprintf(expected, sizeof expected,
             "%s:3@%d short:1@%d a/very/long/prefix/tail:2@%d b/\xc3\xa4pfel/1.jpg:7@%d ", name,
             3 * BLOCK, 5 * BLOCK, 7 * BLOCK, 11 * BLOCK);
    expect(*state, data, sizeof data, expected);
}

static void reads_binary_and_pax_sizes(void **state)
{
    uint8_t data[6 * BLOCK] = { 0 };

    header(data, "big", '0', "");
    data[124] = 0x80;
    data[135] = 9;
    finish_header(data);
    header(data + 2 * BLOCK, "pax", 'x', "00000000012"); /* 10 bytes */
    memcpy(data + 3 * BLOCK, "10 size=5\n", 10);
    header(data + 4 * BLOCK, "x", '0', "00000000000");
    expect(*state, data, sizeof data, "big:9@512 x:5@2560 ");
}

static void refuses_damage(void **state)
{
    uint8_t data[4 * BLOCK] = { 0 };

    refuse(*state, "short", 5, "too short");
    memset(data, 'x', sizeof data);
    refuse(*state, data, sizeof data, "not a tar archive");
    memset(data, 0, sizeof data);
    header(data, "a", '0', "00000000005");
    header(data + 2 * BLOCK, "b", '0', "00000000005");
    data[2 * BLOCK] ^= 1;
    refuse(*state, data, sizeof data, "at byte 1024: the sum over this header is wrong");
    header(data + 2 * BLOCK, "b", '0', "00000003000");
    refuse(*state, data, sizeof data, "does not end within the archive");
    header(data + 2 * BLOCK, "b", '0', "777777777777");
    refuse(*state, data, sizeof data, "does not end within the archive");
    header(data + 2 * BLOCK, "b", '0', "oh no");
    refuse(*state, data, sizeof data, "does not end within the archive");
    header(data + 2 * BLOCK, "b", '0', "\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    refuse(*state, data, sizeof data, "does not end within the archive");
    header(data + 2 * BLOCK, "b", 'L', "00000000000");
    refuse(*state, data, sizeof data, "longer than 4095");
    header(data, "a", '0', "00000000005");
    refuse(*state, data, BLOCK + 3, "does not end within the archive");
    refuse(*state, data, 2 * BLOCK + 7, "cut off here");
}

static void refuses_wrong_pax_records(void **state)
{
    static const char *const wrong[] = { "999 path=a\n", "x path=a\n",
                                         "11 path=ab", "11 pathxab\n ",
                                         "3 \n", "99999999999999999999 a=b\n",
                                         "10 size=x\n", "0 a=b\n",
                                         "2 a=b\n", "30 size=99999999999999999999\n" };

    for (int i = 0; i < ESPL__COUNT(wrong); i++) {
        uint8_t data[4 * BLOCK] = { 0 };
        char size[13];
        snprintf(size, sizeof size, "%011o", (unsigned)strlen(wrong[i]));
        header(data, "pax", 'x', size);
        memcpy(data + BLOCK, wrong[i], strlen(wrong[i]));
        header(data + 2 * BLOCK, "b", '0', "00000000005");
        refuse(*state, data, sizeof data, "pax");
    }
}

static espl_status stop(void *user, const espl__tar_entry *entry)
{
    (void)entry;
    ++*(int *)user;
    return ESPL_INTERRUPTED;
}

static void stops_when_told(void **state)
{
    fixture *f = *state;
    uint8_t data[4 * BLOCK] = { 0 };
    int calls = 0;

    header(data, "a", '0', "00000000000");
    header(data + BLOCK, "b", '0', "00000000000");
    fixture_write(f, "a.tar", data, sizeof data);
    assert_int_equal(espl__tar_walk(f->ctx, f->path, stop, &calls), ESPL_INTERRUPTED);
    assert_int_equal(calls, 1);
    assert_int_equal(espl__tar_walk(f->ctx, "/nowhere.tar", stop, &calls), ESPL_NO_FILE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(reads_plain_entries),
        FIXTURE_TEST(reads_long_names),
        FIXTURE_TEST(reads_binary_and_pax_sizes),
        FIXTURE_TEST(refuses_damage),
        FIXTURE_TEST(refuses_wrong_pax_records),
        FIXTURE_TEST(stops_when_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
