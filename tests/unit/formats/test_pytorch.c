/* Files of torch.save, recorded by tests/golden/pytorch_files.py: values wherever they lie, and nothing
 * that would have to be executed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "failing.h"
#include "formats/tensors.h"

#include <stdio.h>
#include <string.h>

#define SEEDS ESPL__SOURCE_DIR "/tests/fuzz/seeds/pytorch/"
#define BAD "test_pytorch.pth"

static espl_context *ctx;

static int setup(void **state)
{
    (void)state;
    return espl_context_open(&(espl_context_settings){ .seed = 3 }, &ctx);
}

static int teardown(void **state)
{
    (void)state;
    assert_int_equal(espl__bytes_now(ctx), 0);
    espl_context_free(ctx);
    remove(BAD);
    return 0;
}

static void assert_tensor(espl__tensors *tensors, const char *name, int rank, const int64_t *dim, const float *expected)
{
    for (int i = 0; i < tensors->count; i++) {
        const espl__stored *t = tensors->reader->at(tensors, i);
        float values[64];
        if (!espl__text_equal(t->name, name))
            continue;
        assert_int_equal(t->rank, rank);
        assert_memory_equal(t->dim, dim, (size_t)rank * sizeof *dim);
        assert_int_equal(tensors->reader->read(tensors, i, values), ESPL_OK);
        assert_memory_equal(values, expected, (size_t)t->count * sizeof *values);
        return;
    }
    fail_msg("there is no %s", name);
}

static void check_state(const char *path)
{
    const float columns[] = { 2, 4, 6, 3, 5, 7 }, bias[] = { 0.5f, -1 }, half[] = { 0.5f, -2, 3 }, brain[] = { 1, -0.5f }, seven[] = { 7 };
    float count[24];
    espl__tensors tensors;

    for (int i = 0; i < 24; i++)
        count[i] = (float)i;
    if (espl__tensors_open(ctx, path, &tensors))
        fail_msg("%s", espl_message(ctx));
    assert_int_equal(tensors.count, 6);
    assert_tensor(&tensors, "conv.weight", 4, (int64_t[]){ 2, 3, 2, 2 }, count);
    assert_tensor(&tensors, "conv.bias", 1, (int64_t[]){ 2 }, bias);
    assert_tensor(&tensors, "fc.weight", 2, (int64_t[]){ 2, 3 }, columns);
    assert_tensor(&tensors, "fc.half", 1, (int64_t[]){ 3 }, half);
    assert_tensor(&tensors, "fc.brain", 1, (int64_t[]){ 2 }, brain);
    assert_tensor(&tensors, "bn.num_batches_tracked", 0, (int64_t[]){ 0 }, seven);
    espl__tensors_close(&tensors);
}

static void both_layouts_are_read(void **state)
{
    (void)state;
    check_state(SEEDS "zip.pth");
    check_state(SEEDS "legacy.pth");
    check_state(SEEDS "protocol4.pth");
}

static void the_state_dict_is_found(void **state)
{
    espl__tensors tensors;

    (void)state;
    assert_int_equal(espl__tensors_open(ctx, SEEDS "wrapped.pth", &tensors), ESPL_OK);
    assert_int_equal(tensors.count, 1);
    assert_string_equal(tensors.reader->at(&tensors, 0)->name, "module.fc.weight");
    espl__tensors_close(&tensors);
}

static void refuses(const char *path, const char *reason)
{
    espl__tensors tensors;

    assert_int_equal(espl__tensors_open(ctx, path, &tensors), ESPL_BAD_FILE);
    assert_int_equal(tensors.count, 0);
    if (!strstr(espl_message(ctx), reason))
        fail_msg("\"%s\" does not say \"%s\"", espl_message(ctx), reason);
}

static void nothing_is_executed(void **state)
{
    (void)state;
    refuses(SEEDS "attack.pth", "the opcode GLOBAL wants to import posix");
    refuses(SEEDS "module.pth", "the opcode GLOBAL wants to import torch.nn.modules.linear");
    refuses(SEEDS "no_pickle.pth", "without \"data.pkl\"");
}

/* What follows the first three small pickles of every legacy file. */
static void refuses_pickle(const char *pickle, size_t bytes, const char *reason)
{
    static const char head[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.\x80\x02M\xe9\x03.\x80\x02}.";
    FILE *file = fopen(BAD, "wb");

    fwrite(head, 1, sizeof head - 1, file);
    fwrite(pickle, 1, bytes, file);
    fclose(file);
    refuses(BAD, reason);
}

#define REFUSES(pickle, reason) refuses_pickle(pickle, sizeof(pickle) - 1, reason)

static void opcodes_that_make_objects_are_named(void **state)
{
    (void)state;
    REFUSES("\x80\x02(ios\nsystem\n.", "the opcode INST");
    REFUSES("\x80\x04\x8c\x02os\x8c\x06system\x93.", "the opcode STACK_GLOBAL wants to import");
    REFUSES("\x80\x02)(o.", "the opcode OBJ");
    REFUSES("\x80\x02))R.", "calls what is no function");
    REFUSES("\x80\x02R.", "takes more from its stack than there is");
    REFUSES("\x80\x02t.", "looks for a mark that nothing has set");
    REFUSES("\x80\x02h\x05.", "remembers what it has never memorized");
    REFUSES("\x80\x02X\xff\xff\xff\xff.", "is cut off here");
    REFUSES("\x80\x02\x8d\xff\xff\xff\xff\xff\xff\xff\xff.", "is cut off here");
    REFUSES("\x80\x02\xfe.", "0xfe is no opcode");
    REFUSES("\x80\x02}", "is cut off here");
    REFUSES("\x80\x02Nr\xff\xff\xff\x7f.", "under an impossible number");
    REFUSES("\x80\x02}.", "holds no state dict");
}

static espl_status open_and_free(espl_context *with, void *argument)
{
    espl__tensors tensors;
    const espl_status s = espl__tensors_open(with, argument, &tensors);

    espl__tensors_close(&tensors);
    return s;
}

static void survives_any_failing_allocation(void **state)
{
    (void)state;
    failing_every(open_and_free, (void *)(uintptr_t)(SEEDS "legacy.pth"), NULL);
    failing_every(open_and_free, (void *)(uintptr_t)(SEEDS "zip.pth"), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_layouts_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(the_state_dict_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_executed, setup, teardown),
        cmocka_unit_test_setup_teardown(opcodes_that_make_objects_are_named, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_any_failing_allocation, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
