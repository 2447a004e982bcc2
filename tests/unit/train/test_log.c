/* What a run writes beside its net: log.jsonl without doubles after a resume, event files whose records a
 * reader accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tiny_run.h"

#include <dirent.h>
#include <jansson.h>

#define RECIPE TINY_RECIPE("tiny.yaml", "techniques:\n  - clip-gradients\n")

typedef struct lines {
    int begins, resumes, epochs, interrupts, ends;
    int64_t last_epoch;
    double loss[8];
} lines;

static void count_line(const char *text, lines *l)
{
    json_error_t error;
    json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    const char *event = json_string_value(json_object_get(line, "event"));

    if (!event)
        fail_msg("%s: %s", text, error.text);
    l->begins += !strcmp(event, "begin");
    l->resumes += !strcmp(event, "resume");
    l->interrupts += !strcmp(event, "interrupted");
    l->ends += !strcmp(event, "end");
    if (!strcmp(event, "epoch")) {
        assert_int_equal(json_integer_value(json_object_get(line, "epoch")), ++l->last_epoch);
        assert_true(json_is_real(json_object_get(line, "held_out_loss")));
        assert_true(json_is_real(json_object_get(line, "clipped"))); /* a technique's own figure */
        l->loss[l->epochs++] = json_real_value(json_object_get(line, "loss"));
    }
    json_decref(line);
}

static lines read_log(const tiny *t, const char *name)
{
    lines l = { 0 };
    char *text = tiny_read(t, name);

    assert_non_null(text);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        count_line(line, &l);
    free(text);
    return l;
}

static void test_a_line_for_each_event(void **state)
{
    tiny *t = *state;

    tiny_hash(t, &(tiny_job){ .text = RECIPE });
    const lines l = read_log(t, "run/log.jsonl");
    assert_int_equal(l.begins, 1);
    assert_int_equal(l.epochs, 3);
    assert_int_equal(l.ends, 1);
    assert_true(l.loss[2] < l.loss[0]);
}

static void test_a_resumed_log_has_each_epoch_once(void **state)
{
    tiny *t = *state;
    char path[200];

    tiny_hash(t, &(tiny_job){ .text = RECIPE, .out = "whole" });
    assert_int_equal(tiny_do(t, &(tiny_job){ .stop_at = 10 }).status, ESPL_INTERRUPTED);
    /* as a kill leaves it: an epoch that the checkpoint does not know, and half a line */
    snprintf(path, sizeof path, "%s/run/log.jsonl", t->folder);
    FILE *log = fopen(path, "ab");
    fputs("{\"event\":\"epoch\",\"epoch\":2,\"held_out_loss\":1.0}\n{\"event\":\"epo", log);
    fclose(log);
    tiny_hash(t, &(tiny_job){ .resume = true });
    const lines l = read_log(t, "run/log.jsonl"), whole = read_log(t, "whole/log.jsonl");
    assert_int_equal(l.begins, 1);
    assert_int_equal(l.interrupts, 1);
    assert_int_equal(l.resumes, 1);
    assert_int_equal(l.epochs, 3);
    assert_int_equal(l.ends, 1);
    for (int i = 0; i < 3; i++) /* running means go on where they stood */
        assert_true(l.loss[i] == whole.loss[i]);
}

/* ---- event files ---- */

static uint32_t crc32c(const uint8_t *bytes, size_t count)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
    }
    return ~crc;
}

static uint32_t masked(const uint8_t *bytes, size_t count)
{
    const uint32_t crc = crc32c(bytes, count);

    return ((crc >> 15) | (crc << 17)) + 0xa282ead8u;
}

static uint64_t little(const uint8_t *bytes, int count)
{
    uint64_t value = 0;

    for (int i = 0; i < count; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

/* Checks every record of a file; returns how many there are and how many have this text in them. */
static int read_events(const char *path, const char *words, int *with_words)
{
    static uint8_t bytes[65536];
    FILE *file = fopen(path, "rb");
    int records = 0;

    assert_non_null(file);
    const size_t count = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t at = 0; at < count; records++) {
        assert_true(at + 12 <= count);
        const size_t length = (size_t)little(bytes + at, 8);
        assert_int_equal(little(bytes + at + 8, 4), masked(bytes + at, 8));
        assert_true(at + length + 16 <= count);
        assert_int_equal(little(bytes + at + 12 + length, 4), masked(bytes + at + 12, length));
        *with_words += memmem(bytes + at + 12, length, words, strlen(words)) != NULL;
        at += length + 16;
    }
    return records;
}

static int event_files(const tiny *t, const char *words, int *records, int *with_words)
{
    char folder[200], path[600];
    int files = 0;

    snprintf(folder, sizeof folder, "%s/run", t->folder);
    DIR *all = opendir(folder);
    *records = *with_words = 0;
    for (const struct dirent *entry; (entry = readdir(all));) {
        if (strncmp(entry->d_name, "events.out.tfevents.", 20) != 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        *records += read_events(path, words, with_words);
        files++;
    }
    closedir(all);
    return files;
}

static void test_event_files(void **state)
{
    tiny *t = *state;
    int records, found;

    tiny_hash(t, &(tiny_job){ .text = RECIPE });
    if (!event_files(t, "x", &records, &found)) {
        print_message("built without protobuf-c: there are no event files\n");
        return;
    }
    assert_int_equal(event_files(t, "brain.Event:2", &records, &found), 1);
    assert_int_equal(records, 1 + 3);
    assert_int_equal(found, 1);
    event_files(t, "top1/held_out", &records, &found);
    assert_int_equal(found, 3);
    tiny_hash(t, &(tiny_job){ .text = RECIPE }); /* begun anew: the old file is not drawn over */
    assert_int_equal(event_files(t, "rate", &records, &found), 1);
    assert_int_equal(found, 3);
}

/* "123456789" is the check value of every CRC's definition. */
static void test_the_checksum_of_this_test(void **unused)
{
    (void)unused;
    assert_int_equal(crc32c((const uint8_t *)"123456789", 9), 0xe3069283u);
}

/* ---- the folder ---- */

static void test_the_folder_holds_what_is_promised(void **state)
{
    tiny *t = *state;
    const char *const names[] = { "recipe.yaml", "log.jsonl", "checkpoint.safetensors", "net.safetensors",
                                  "last.safetensors" };

    tiny_hash(t, &(tiny_job){ .text = RECIPE, .out = "a/b/c", .set = (const char *const[]){ "keep=best", NULL } });
    for (int i = 0; i < ESPL__COUNT(names); i++) {
        char name[64];
        snprintf(name, sizeof name, "a/b/c/%s", names[i]);
        char *text = tiny_read(t, name);
        assert_non_null(text);
        if (i == 0) {
            assert_non_null(strstr(text, "# shards of "));
            assert_non_null(strstr(text, "batch: 8\n"));
        }
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TINY_TEST_OF(test_a_line_for_each_event),
        TINY_TEST_OF(test_a_resumed_log_has_each_epoch_once),
        TINY_TEST_OF(test_event_files),
        cmocka_unit_test(test_the_checksum_of_this_test),
        TINY_TEST_OF(test_the_folder_holds_what_is_promised),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
