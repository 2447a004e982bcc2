/* Tables as text: separators, quotes, headers, classes, and every mistake with its place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "failing.h"
#include "fixture.h"

#define ALL               \
    &(espl_data_settings) \
    {                     \
        .held_out = 0.01  \
    }

static void write_text(fixture *f, const char *name, const char *text)
{
    fixture_write(f, name, text, strlen(text));
}

/* Every sample of both parts as "class: values; ", in the file's order. */
static void check_table(fixture *f, const char *text, const char *label, const char *expected)
{
    char rows[16][128] = { "" }, all[4096] = "";

    write_text(f, "t.csv", text);
    espl_data *data = fixture_opens(f, "t.csv",
                                    &(espl_data_settings){ .held_out = 0.01, .label = label });
    int64_t shape[3];
    espl_data_shape(data, shape);
    assert_int_equal(shape[1] * shape[2], 1);
    for (int part = 0; part < 2; part++)
        for (int64_t i = 0; i < espl_data_count(data, (espl_part)part); i++) {
            char name[256];
            espl__data_sample_name(data, (espl_part)part, i, name);
            char *row = rows[atoi(strchr(name, '[') + 1)];
            float *values = fixture_sample(f, data, (espl_part)part, i);
            int used = snprintf(row, 128, "%s:",
                                espl_data_class_name(data,
                                                     espl__data_label(data, (espl_part)part, i)));
            for (int64_t p = 0; p < shape[0]; p++)
                used += snprintf(row + used, 128 - (size_t)used, " %g", (double)values[p]);
            free(values);
        }
    for (int i = 0; i < 16 && *rows[i]; i++)
        strcat(strcat(all, rows[i]), "; ");
    if (strcmp(all, expected))
        fail_msg("got \"%s\", expected \"%s\"", all, expected);
    espl_data_free(data);
}

static void reads_tables(void **state)
{
    fixture *f = *state;

    check_table(f, "1,2,cat\n3,4,dog\n5,6,cat\n", NULL, "cat: 1 2; dog: 3 4; cat: 5 6; ");
    check_table(f, "a,b,class\n1,2,cat\n3,4.5e-1,dog\n", NULL, "cat: 1 2; dog: 3 0.45; ");
    check_table(f, "class,a,b\r\ncat,1,2\r\n\r\ndog,3,-4\r\n", "class", "cat: 1 2; dog: 3 -4; ");
    check_table(f, "cat,1,2\ndog,3,4", "1", "cat: 1 2; dog: 3 4; ");
    check_table(f, "1;2;cat\n3;4;dog\n", NULL, "cat: 1 2; dog: 3 4; ");
    check_table(f, "1\t2\tcat, grey\n3\t4\tdog, small\n", NULL,
                "cat, grey: 1 2; dog, small: 3 4; ");
    check_table(f,
                "\xef\xbb\xbf"
                "a,y\n1,x\n2,z\n",
                "y", "x: 1; z: 2; ");
    check_table(f, " 1 , 2 , cat \n 3,4, dog\n", NULL, "cat: 1 2; dog: 3 4; ");
    check_table(f, "1,cat\r2,dog\r3,cat\r", NULL, "cat: 1; dog: 2; cat: 3; "); /* old Macs */
    check_table(f, "label,0,1\n5,10,20\n7,30,40\n", "label", "5: 10 20; 7: 30 40; ");
    check_table(f, "0,1,2,target\n10,20,30,1\n40,50,60,0\n", NULL, "1: 10 20 30; 0: 40 50 60; ");
}

static void reads_quotes(void **state)
{
    fixture *f = *state;

    check_table(f, "\"1\",\"2\",\"a \"\"big\"\" cat\"\n3,4,\"dog, or\nwolf\"\n", NULL,
                "a \"big\" cat: 1 2; dog, or\nwolf: 3 4; ");
    check_table(f, "\"x, y\",\"class\"\n1,\"\xc3\xa4pfel\"\n2,pears\n", "class",
                "\xc3\xa4pfel: 1; pears: 2; ");
}

/* Words by their bytes, numbers by their size. */
static void sorts_classes(void **state)
{
    fixture *f = *state;

    write_text(f, "t.csv", "1,10\n2,9\n3,2\n4,-1\n");
    espl_data *data = fixture_opens(f, "t.csv", ALL);
    static const char *const numbers[] = { "-1", "2", "9", "10" };
    for (int c = 0; c < 4; c++)
        assert_string_equal(espl_data_class_name(data, c), numbers[c]);
    espl_data_free(data);
    write_text(f, "t.csv", "1,tulip\n2,Daisy\n3,rose\n4,10\n");
    data = fixture_opens(f, "t.csv", ALL);
    static const char *const words[] = { "10", "Daisy", "rose", "tulip" };
    for (int c = 0; c < 4; c++)
        assert_string_equal(espl_data_class_name(data, c), words[c]);
    espl_data_free(data);
}

/* The test file may name classes in another order, and lack some. */
static void test_files_match_by_name(void **state)
{
    fixture *f = *state;
    char test[512];

    write_text(f, "few.csv", "9,dog\n8,ant\n");
    write_text(f, "t.csv", "1,ant\n2,bee\n3,dog\n");
    snprintf(test, sizeof test, "%s/few.csv", f->folder);
    espl_data *data = fixture_opens(f, "t.csv", &(espl_data_settings){ .test = test });
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 3);
    assert_int_equal(espl__data_label(data, ESPL_HELD_OUT, 0), 2);
    assert_int_equal(espl__data_label(data, ESPL_HELD_OUT, 1), 0);
    espl_data_free(data);
    write_text(f, "few.csv", "9,dog\n8,elk\n");
    fixture_refuses(f, "t.csv", &(espl_data_settings){ .test = test }, ESPL_BAD_FILE,
                    "has a class \"elk\" that the training data has not");
    write_text(f, "few.csv", "9,8,dog\n8,9,ant\n");
    fixture_refuses(f, "t.csv", &(espl_data_settings){ .test = test }, ESPL_BAD_SHAPE,
                    "the test samples are 2x1x1");
}

static void refuse(fixture *f, const char *text, const char *label, const char *words)
{
    espl_data *data = NULL;

    write_text(f, "t.csv", text);
    const espl_status status = espl_data_open(f->ctx, f->path,
                                              &(espl_data_settings){ .label = label }, &data);
    if (status == ESPL_OK || !strstr(espl_message(f->ctx), words))
        fail_msg("%s: expected \"%s\", got %s: %s", text, words, espl_status_name(status),
                 espl_message(f->ctx));
}

static void mistakes_have_their_place(void **state)
{
    fixture *f = *state;

    refuse(f, "1,2,a\n3,x4,b\n", NULL, "t.csv:2:3: \"x4\" is not a number");
    refuse(f, "petal,width,class\n3,4,b\n1, two,a\n", NULL,
           "t.csv:3:4: \"two\" is not a number (column \"width\")");
    refuse(f, "1,2,a\n3,,b\n", NULL, "t.csv:2:3: \"\" is empty, a number is expected");
    refuse(f, "1,2,a\n3,nan,b\n", NULL, "t.csv:2:3: \"nan\" is not a number");
    refuse(f, "1,2,a\n3,1e999,b\n", NULL, "t.csv:2:3: \"1e999\" is not a number");
    refuse(f, "1,2,a\n3,1e39,b\n", NULL, "t.csv:2:3: \"1e39\" is not a number");
    refuse(f, "1,2,a\n3,4,\n", NULL, "t.csv:2:5: \"\" is empty, the class is expected");
    refuse(f, "1,2,a\n\n3,4\n", NULL, "t.csv:3: has 2 columns, the first line has 3");
    refuse(f, "1,2,\"a\nb\"\n3,4,\"c\n", NULL, "t.csv:3:5: this quote is never closed");
    refuse(f, "1,2,\"a\"b\n", NULL, "t.csv:1:8: something follows the closing quote");
    refuse(f, "1\n2\n", NULL, "has one column only");
    refuse(f, "", NULL, "has no rows");
    refuse(f, "\n\r\n\n", NULL, "has no rows");
    refuse(f, "a,b,c\n", NULL, "has a header but no rows");
    refuse(f, "1,2,a\n3,4,a\n", NULL, "all 2 samples have the same class (a)");
    refuse(f, "a,b,klass\n1,2,x\n", "class", "label: \"class\" is neither a column's name");
    refuse(f, "a,b,klass\n1,2,x\n", "class", "did you mean \"klass\"?");
    refuse(f, "1,2,x\n", "4", "nor a number within 1..3");
    refuse(f, "1,2,x\n", "0", "nor a number within 1..3");
    fixture_write(f, "t.csv", "1,2\0,a\n", 8);
    fixture_refuses(f, "t.csv", NULL, ESPL_BAD_FILE, "byte 3 is zero; this is no text");
}

static void reads_many_rows_and_columns(void **state)
{
    fixture *f = *state;
    char *text = malloc(400 * 300 * 12), *at = text;

    for (int row = 0; row < 400; row++)
        for (int column = 0; column < 300; column++)
            at += sprintf(at, column == 299 ? "%d\n" : "%d,",
                          column == 299 ? row % 7 : row * 300 + column);
    fixture_write_gz(f, "big.csv.gz", text, (size_t)(at - text));
    espl_data *data = fixture_opens(f, "big.csv.gz", &(espl_data_settings){ .held_out = 0.25 });
    assert_int_equal(espl_data_count(data, ESPL_TRAIN), 300);
    assert_int_equal(espl_data_classes(data), 7);
    for (int64_t i = 0; i < 300; i += 13) {
        float *values = fixture_sample(f, data, ESPL_TRAIN, i);
        const int row = (int)values[0] / 300;
        for (int p = 0; p < 299; p++)
            assert_true(values[p] == (float)(row * 300 + p));
        assert_int_equal(espl__data_label(data, ESPL_TRAIN, i), row % 7);
        free(values);
    }
    espl_data_free(data);
    free(text);
}

/* All values of a table together make one mean and one deviation. */
static void many_columns_share_their_figures(void **state)
{
    fixture *f = *state;
    double mean[4], deviation[4];

    write_text(f, "t.csv", "1,2,3,4,5,a\n5,4,3,2,1,b\n1,1,1,1,1,c\n");
    espl_data *data = fixture_opens(f, "t.csv", &(espl_data_settings){ .test = f->path });
    assert_int_equal(espl__data_measure(data, 2, mean, deviation), ESPL_OK);
    for (int g = 0; g < 4; g++) {
        assert_true(mean[g] > 4.6666 && mean[g] < 4.6667); /* 2 * 35 / 15 */
        assert_true(deviation[g] > 2.9814 &&
                    deviation[g] < 2.9815); /* 2 * sqrt(115/15 - (35/15)^2) */
    }
    espl_data_free(data);
}

static espl_status open_and_free(espl_context *ctx, void *argument)
{
    espl_data *data = NULL;
    const espl_status status = espl_data_open(ctx, argument, NULL, &data);

    espl_data_free(data);
    return status;
}

static void survives_failing_allocations(void **state)
{
    fixture *f = *state;
    char path[512];

    write_text(f, "t.csv", "a,b,class\n1,2,cat\n3,4,dog\n5,6,cat\n");
    snprintf(path, sizeof path, "%s", f->path);
    assert_true(failing_every(open_and_free, path, NULL) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(reads_tables),
        FIXTURE_TEST(reads_quotes),
        FIXTURE_TEST(sorts_classes),
        FIXTURE_TEST(test_files_match_by_name),
        FIXTURE_TEST(mistakes_have_their_place),
        FIXTURE_TEST(reads_many_rows_and_columns),
        FIXTURE_TEST(many_columns_share_their_figures),
        FIXTURE_TEST(survives_failing_allocations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
