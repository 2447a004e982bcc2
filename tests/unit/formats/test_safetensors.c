/* Safetensors: what is written comes back bit for bit, and headers that lie are refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "formats/safetensors.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH "test_safetensors.tmp"

static espl_context *ctx;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(NULL, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    remove(PATH);
    remove(PATH ".part");
    return 0;
}

static void write_file(const char *header, size_t length, uint64_t claimed, size_t data_bytes)
{
    FILE *f = fopen(PATH, "wb");
    unsigned char prefix[8];

    assert_non_null(f);
    for (int i = 0; i < 8; i++)
        prefix[i] = (unsigned char)(claimed >> (8 * i));
    fwrite(prefix, 1, 8, f);
    fwrite(header, 1, length, f);
    for (size_t i = 0; i < data_bytes; i++)
        fputc((int)(i & 255), f);
    fclose(f);
}

/* The header alone decides; `data_bytes` bytes follow it. */
static void refuses(const char *header, size_t data_bytes, const char *reason)
{
    espl__safetensors *file = (void *)ctx;

    write_file(header, strlen(header), strlen(header), data_bytes);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_BAD_FILE);
    assert_null(file);
    if (!strstr(espl_message(ctx), reason))
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), reason);
    assert_non_null(strstr(espl_message(ctx), PATH));
}

static void returns_what_was_written(void **state)
{
    const float weights[6] = { 1.5f, -0.0f, INFINITY, 1e-42f, 3, NAN };
    const double rate = 0.1;
    const int64_t step = INT64_MIN;
    const uint8_t bytes[3] = { 1, 2, 255 };
    const espl__to_store tensors[] = {
        { "odd \"name\"\n\xc3\xa9", ESPL__U8, 1, { 3 }, bytes },
        { "conv1.weight", ESPL__F32, 2, { 2, 3 }, weights },
        { "rate", ESPL__F64, 0, { 0 }, &rate },
        { "step", ESPL__I64, 1, { 1 }, &step },
        { "nothing", ESPL__F32, 2, { 0, 4 }, NULL },
    };
    const espl__note notes[] = { { "espalier.graph", "{\"a\": [1, 2]}" }, { "empty", "" } };
    espl__safetensors *file;
    uint8_t raw[64];

    (void)state;
    assert_int_equal(espl__safetensors_write(ctx, PATH, tensors, 5, notes, 2), ESPL_OK);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_OK);
    assert_int_equal(espl__safetensors_count(file), 5);
    for (int i = 0; i < 5; i++) {
        const espl__stored *t = espl__safetensors_find(file, tensors[i].name);
        assert_non_null(t);
        assert_int_equal(t->dtype, tensors[i].dtype);
        assert_int_equal(t->rank, tensors[i].rank);
        assert_memory_equal(t->dim, tensors[i].dim, (size_t)t->rank * sizeof t->dim[0]);
        assert_int_equal(t->begin % espl__dtype_size(t->dtype), 0);
        assert_int_equal(espl__safetensors_read_raw(file, t, raw), ESPL_OK);
        if (t->bytes)
            assert_memory_equal(raw, tensors[i].values, t->bytes);
    }
    assert_null(espl__safetensors_find(file, "conv1"));
    assert_string_equal(espl__safetensors_note(file, "espalier.graph"), notes[0].text);
    assert_string_equal(espl__safetensors_note(file, "empty"), "");
    assert_null(espl__safetensors_note(file, "other"));
    assert_null(espl__safetensors_at(file, 5));
    espl__safetensors_free(file);
}

static void converts_every_type(void **state)
{
    const double f64[2] = { 0.5, -1e300 };
    const uint16_t f16[6] = { 0x3c00, 0xc000, 0x0001, 0x8000, 0x7c00, 0x7bff };
    const uint16_t bf16[2] = { 0x3fc0, 0xff80 };
    const int64_t i64[1] = { -7 };
    const int32_t i32[1] = { 1 << 24 };
    const int16_t i16[1] = { -300 };
    const int8_t i8[1] = { -128 };
    const uint8_t u8[2] = { 200, 0 };
    const espl__to_store tensors[] = {
        { "f64", ESPL__F64, 1, { 2 }, f64 },
        { "f16", ESPL__F16, 1, { 6 }, f16 },
        { "bf16", ESPL__BF16, 1, { 2 }, bf16 },
        { "i64", ESPL__I64, 1, { 1 }, i64 },
        { "i32", ESPL__I32, 1, { 1 }, i32 },
        { "i16", ESPL__I16, 1, { 1 }, i16 },
        { "i8", ESPL__I8, 1, { 1 }, i8 },
        { "u8", ESPL__U8, 1, { 2 }, u8 },
        { "bool", ESPL__BOOL, 1, { 2 }, u8 },
    };
    const float expected[9][6] = {
        { 0.5f, -INFINITY },
        { 1, -2, 0x1p-24f, -0.0f, INFINITY, 65504 },
        { 1.5f, -INFINITY },
        { -7 },
        { 16777216 },
        { -300 },
        { -128 },
        { 200, 0 },
        { 1, 0 },
    };
    espl__safetensors *file;
    float values[6];

    (void)state;
    assert_int_equal(espl__safetensors_write(ctx, PATH, tensors, 9, NULL, 0), ESPL_OK);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_OK);
    for (int i = 0; i < 9; i++) {
        const espl__stored *t = espl__safetensors_find(file, tensors[i].name);
        assert_int_equal(espl__safetensors_read(file, t, values), ESPL_OK);
        assert_memory_equal(values, expected[i], (size_t)t->count * sizeof(float));
    }
    espl__safetensors_free(file);
}

static void converts_longer_than_a_piece(void **state)
{
    static int32_t numbers[10001];
    static float values[10001];
    espl__safetensors *file;

    (void)state;
    for (int i = 0; i < 10001; i++)
        numbers[i] = 3 * i;
    const espl__to_store tensor = { "n", ESPL__I32, 1, { 10001 }, numbers };
    assert_int_equal(espl__safetensors_write(ctx, PATH, &tensor, 1, NULL, 0), ESPL_OK);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_OK);
    assert_int_equal(espl__safetensors_read(file, espl__safetensors_at(file, 0), values), ESPL_OK);
    for (int i = 0; i < 10001; i++)
        assert_true(values[i] == (float)(3 * i));
    espl__safetensors_free(file);
}

static void finds_each_of_many(void **state)
{
    enum { MANY = 500 };
    static char names[MANY][16];
    static float values[MANY];
    static espl__to_store tensors[MANY];
    espl__safetensors *file;
    float value;

    (void)state;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "t%d", i * 7919 % MANY);
        values[i] = (float)i;
        tensors[i] = (espl__to_store){ names[i], ESPL__F32, 0, { 0 }, &values[i] };
    }
    assert_int_equal(espl__safetensors_write(ctx, PATH, tensors, MANY, NULL, 0), ESPL_OK);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_OK);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(espl__safetensors_read(file, espl__safetensors_find(file, names[i]), &value), ESPL_OK);
        assert_true(value == values[i]);
    }
    espl__safetensors_free(file);
}

#define F32_2 "\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":"

static void refuses_headers_that_lie(void **state)
{
    (void)state;
    refuses("{\"a\":{" F32_2 "[0,8]}}", 7, "cut off");
    refuses("{\"a\":{" F32_2 "[0,8]}}", 9, "belong to none");
    refuses("{\"a\":{" F32_2 "[1,9]}}", 9, "holes");
    refuses("{\"a\":{" F32_2 "[0,8]},\"b\":{" F32_2 "[4,12]}}", 12, "overlap");
    refuses("{\"a\":{" F32_2 "[0,8]},\"b\":{" F32_2 "[9,17]}}", 17, "holes");
    refuses("{\"a\":{" F32_2 "[0,8]},\"b\":{" F32_2 "[0,8]}}", 8, "overlap");
    refuses("{\"a\":{" F32_2 "[0,4]}}", 4, "need 8 bytes");
    refuses("{\"a\":{" F32_2 "[8,0]}}", 8, "claims the bytes 8 to 0");
    refuses("{\"a\":{" F32_2 "[-8,0]}}", 8, "claims the bytes -8 to 0");
    refuses("{\"a\":{" F32_2 "[0.0,8.0]}}", 8, "no pair of counts");
    refuses("{\"a\":{" F32_2 "[0,8,8]}}", 8, "no pair of counts");
    refuses("{\"a\":{" F32_2 "[0,8]},\"a\":{" F32_2 "[0,8]}}", 8, "duplicate");
    refuses("{\"a\":{\"dtype\":\"F8_E4M3\",\"shape\":[8],\"data_offsets\":[0,8]}}", 8, "\"F8_E4M3\" is unknown");
    refuses("{\"a\":{\"shape\":[8],\"data_offsets\":[0,8]}}", 8, "\"dtype\" is missing");
    refuses("{\"a\":{\"dtype\":\"U8\",\"data_offsets\":[0,8]}}", 8, "\"shape\" is missing");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[8]}}", 8, "\"data_offsets\" is missing");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[-8],\"data_offsets\":[0,8]}}", 8, "something else than counts");
    refuses("{\"a\":{\"dtype\":\"U8\",\"shape\":[1,1,1,1,1,1,1,1,8],\"data_offsets\":[0,8]}}", 8, "8 dimensions");
    refuses("{\"a\":{\"dtype\":\"F64\",\"shape\":[4294967296,4294967297],\"data_offsets\":[0,8]}}", 8,
            "more than any file");
    refuses("{\"a\":{\"dtype\":\"F64\",\"shape\":[9223372036854775807],\"data_offsets\":[0,8]}}", 8,
            "more than any file");
    refuses("{\"a\":{\"dtype\":\"F64\",\"shape\":[9223372036854775808],\"data_offsets\":[0,8]}}", 8, "not valid JSON");
    refuses("{\"\":{" F32_2 "[0,8]}}", 8, "the name is empty");
    refuses("{\"a\":[]}", 0, "not described");
    refuses("{\"__metadata__\":[]}", 0, "not a JSON object");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "is not a text");
    refuses("[]", 0, "not a JSON object");
    refuses("{\"a\":\"\\u0000\"}", 0, "not valid JSON");
    refuses("{\"a\xff\":1}", 0, "not valid JSON");
    refuses("", 0, "not valid JSON");
    refuses("{}x", 0, "not valid JSON");
}

static void refuses_files_that_are_too_short(void **state)
{
    espl__safetensors *file;
    FILE *f;

    (void)state;
    for (int length = 0; length < 8; length++) {
        f = fopen(PATH, "wb");
        fwrite("\x02\0\0\0\0\0\0\0", 1, (size_t)length, f);
        fclose(f);
        assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_BAD_FILE);
    }
    write_file("{}", 2, 3, 0);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_BAD_FILE);
    write_file("{}", 2, UINT64_MAX, 0);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_BAD_FILE);
    assert_int_equal(espl__safetensors_open(ctx, "no/such/file", &file), ESPL_NO_FILE);
    assert_int_equal(espl__safetensors_open(ctx, ".", &file), ESPL_BAD_FILE);
    remove(PATH);
    assert_int_equal(mkfifo(PATH, 0600), 0);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_BAD_FILE);
    assert_null(file);
}

/* A header as deep as it is long must not exhaust the stack. */
static void refuses_deep_headers(void **state)
{
    enum { DEEP = 1000000 };
    char *header = malloc(DEEP + 6);
    espl__safetensors *file;

    (void)state;
    memcpy(header, "{\"a\":", 5);
    memset(header + 5, '[', DEEP);
    write_file(header, DEEP + 5, DEEP + 5, 0);
    free(header);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_BAD_FILE);
}

static void notices_a_file_cut_while_open(void **state)
{
    const float values[100] = { 0 };
    const espl__to_store tensor = { "a", ESPL__F32, 1, { 100 }, values };
    espl__safetensors *file;
    float read[100];

    (void)state;
    assert_int_equal(espl__safetensors_write(ctx, PATH, &tensor, 1, NULL, 0), ESPL_OK);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_OK);
    assert_int_equal(truncate(PATH, (off_t)espl__safetensors_at(file, 0)->begin + 40), 0);
    assert_int_equal(espl__safetensors_read(file, espl__safetensors_at(file, 0), read), ESPL_BAD_FILE);
    assert_non_null(strstr(espl_message(ctx), "ended at byte"));
    espl__safetensors_free(file);
}

static void keeps_the_old_file_when_writing_fails(void **state)
{
    const float one = 1;
    const espl__to_store good = { "a", ESPL__F32, 0, { 0 }, &one };
    const espl__to_store twice[2] = { good, good };
    const espl__note bad_note = { "k", "\xff" };
    espl__safetensors *file;

    (void)state;
    assert_int_equal(espl__safetensors_write(ctx, PATH, &good, 1, NULL, 0), ESPL_OK);
    assert_int_equal(espl__safetensors_write(ctx, PATH, twice, 2, NULL, 0), ESPL_BAD_STATE);
    assert_int_equal(espl__safetensors_write(ctx, PATH, &good, 1, &bad_note, 1), ESPL_BAD_STATE);
    assert_int_equal(espl__safetensors_write(ctx, "no/such/folder", &good, 1, NULL, 0), ESPL_WRITE_FAILED);
    assert_int_equal(espl__safetensors_open(ctx, PATH, &file), ESPL_OK);
    espl__safetensors_free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(returns_what_was_written, setup, teardown),
        cmocka_unit_test_setup_teardown(converts_every_type, setup, teardown),
        cmocka_unit_test_setup_teardown(converts_longer_than_a_piece, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_each_of_many, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_headers_that_lie, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_files_that_are_too_short, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_deep_headers, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_a_file_cut_while_open, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_the_old_file_when_writing_fails, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
